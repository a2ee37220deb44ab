package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// job says what is called, and how.
type job struct {
	URL         string              `json:"url"`
	CAFile      string              `json:"caFile"`
	Headers     []map[string]string `json:"headers"` // sets of headers, which calls use in turn
	Connections int                 `json:"connections"`
	Seconds     float64             `json:"seconds"`
	Rate        float64             `json:"rate"`      // calls per second, due whether or not earlier ones are answered; 0: as fast as it goes
	Processes   []int               `json:"processes"` // whose CPU time is wanted
}

type outcome struct {
	Calls    int            `json:"calls"`
	Seconds  float64        `json:"seconds"`
	Statuses map[string]int `json:"statuses"`
	Median   float64        `json:"p50"` // seconds from when a call was due to the end of its answer
	P99      float64        `json:"p99"`
	CPU      float64        `json:"cpu"` // seconds, of all processes together
}

// caller has one connection, and keeps it.
type caller struct {
	connection net.Conn
	reader     *bufio.Reader
	latencies  []time.Duration
	statuses   map[string]int
}

func (j job) do() (outcome, error) {
	requests, err := j.requests()
	if err != nil {
		return outcome{}, err
	}
	callers, err := j.callers()
	if err != nil {
		return outcome{}, err
	}
	for number, one := range callers { // its first call makes ready what later calls find
		if _, err := one.call(requests[number%len(requests)]); err != nil {
			return outcome{}, err
		}
	}
	before, err := cpuSeconds(j.Processes)
	if err != nil {
		return outcome{}, err
	}
	due, started := j.schedule(), time.Now()
	var turn atomic.Uint64
	var group sync.WaitGroup
	failures := make(chan error, len(callers))
	for _, one := range callers {
		group.Go(func() {
			if err := one.work(due, requests, &turn); err != nil {
				failures <- err
			}
		})
	}
	group.Wait()
	close(failures)
	if err := <-failures; err != nil {
		return outcome{}, err
	}
	result := summary(callers, time.Since(started))
	after, err := cpuSeconds(j.Processes)
	result.CPU = after - before
	return result, err
}

// schedule hands out the moments at which calls are due, zero for at once; it closes when the time is over.
func (j job) schedule() <-chan time.Time {
	whole := time.Duration(j.Seconds * float64(time.Second))
	if j.Rate == 0 {
		return asFastAsItGoes(time.Now().Add(whole))
	}
	due, pause := make(chan time.Time, int(j.Seconds*j.Rate)+1), time.Duration(float64(time.Second)/j.Rate)
	go func() {
		defer close(due)
		started := time.Now()
		for since := time.Duration(0); since < whole; since += pause {
			time.Sleep(time.Until(started.Add(since)))
			due <- time.Now() // not the planned moment: that this process was late is not the gateway's fault
		}
	}()
	return due
}

func asFastAsItGoes(over time.Time) <-chan time.Time {
	due := make(chan time.Time)
	go func() {
		defer close(due)
		for now := time.Now(); now.Before(over); now = time.Now() {
			due <- time.Time{}
		}
	}()
	return due
}

func (c *caller) work(due <-chan time.Time, requests [][]byte, turn *atomic.Uint64) error {
	for moment := range due {
		if moment.IsZero() {
			moment = time.Now()
		}
		status, err := c.call(requests[turn.Add(1)%uint64(len(requests))])
		if err != nil {
			return err
		}
		c.latencies = append(c.latencies, time.Since(moment))
		c.statuses[status]++
	}
	return nil
}

func (c *caller) call(request []byte) (string, error) {
	if _, err := c.connection.Write(request); err != nil {
		return "", err
	}
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return "", fmt.Errorf("a connection was not kept alive: %w", err)
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.Status[:3], err
}

func (j job) callers() ([]*caller, error) {
	authority, err := os.ReadFile(j.CAFile)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		return nil, errors.New("no certificate in " + j.CAFile)
	}
	where, err := url.Parse(j.URL)
	if err != nil {
		return nil, err
	}
	configuration := &tls.Config{RootCAs: trusted, ServerName: where.Hostname(), NextProtos: []string{"http/1.1"}}
	callers := make([]*caller, j.Connections)
	for number := range callers {
		connection, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", where.Port()), configuration)
		if err != nil {
			return nil, err
		}
		callers[number] = &caller{connection, bufio.NewReader(connection), nil, map[string]int{}}
	}
	return callers, nil
}

func (j job) requests() ([][]byte, error) {
	where, err := url.Parse(j.URL)
	if err != nil {
		return nil, err
	}
	requests := make([][]byte, 0, len(j.Headers))
	for _, headers := range j.Headers {
		var text strings.Builder
		fmt.Fprintf(&text, "GET %s HTTP/1.1\r\nHost: %s\r\n", where.RequestURI(), where.Host)
		for name, value := range headers {
			fmt.Fprintf(&text, "%s: %s\r\n", name, value)
		}
		requests = append(requests, []byte(text.String()+"\r\n"))
	}
	if len(requests) == 0 {
		return nil, errors.New("no headers: one empty set is the least")
	}
	return requests, nil
}

func summary(callers []*caller, elapsed time.Duration) outcome {
	result := outcome{Seconds: elapsed.Seconds(), Statuses: map[string]int{}}
	var latencies []time.Duration
	for _, one := range callers {
		latencies = append(latencies, one.latencies...)
		for status, count := range one.statuses {
			result.Statuses[status] += count
		}
	}
	slices.Sort(latencies)
	result.Calls = len(latencies)
	if result.Calls > 0 {
		result.Median = latencies[result.Calls/2].Seconds()
		result.P99 = latencies[result.Calls*99/100].Seconds()
	}
	return result
}
