package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

const answer = `{"cep":"70040020","logradouro":"Esplanada dos Ministérios","cidade":"Brasília","uf":"DF"}`

// serve answers every request alike, until its standard input ends.
func serve(certificateFile, keyFile string) error {
	pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	configuration := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	return http.Serve(tls.NewListener(listener, configuration), http.HandlerFunc(reply))
}

func reply(writer http.ResponseWriter, _ *http.Request) {
	writer.Header().Set("content-type", "application/json")
	io.WriteString(writer, answer)
}
