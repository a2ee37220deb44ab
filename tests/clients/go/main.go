// Go's golang.org/x/oauth2/clientcredentials as a receiver's application would use it.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var styles = map[string]oauth2.AuthStyle{
	"default": oauth2.AuthStyleAutoDetect,
	"basic":   oauth2.AuthStyleInHeader,
	"body":    oauth2.AuthStyleInParams,
}

type outcome struct {
	Status int             `json:"status,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func call() (outcome, error) {
	authority, err := os.ReadFile(os.Getenv("CA_FILE"))
	if err != nil {
		return outcome{}, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	config := clientcredentials.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		TokenURL:     os.Getenv("TOKEN_URL"),
		AuthStyle:    styles[os.Getenv("CLIENT_AUTH")],
	}
	client := config.Client(context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: transport}))
	request, err := http.NewRequest(http.MethodGet, os.Getenv("CALL_URL"), nil)
	if err != nil {
		return outcome{}, err
	}
	request.Header.Set("x-cpf-usuario", os.Getenv("CPF"))
	answer, err := client.Do(request)
	if err != nil {
		return outcome{}, err
	}
	defer answer.Body.Close()
	result := outcome{Status: answer.StatusCode}
	return result, json.NewDecoder(answer.Body).Decode(&result.Body)
}

func main() {
	result, err := call()
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		result.Error = refused.ErrorCode
	} else if err != nil {
		result.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		panic(err)
	}
}
