// Both ends of the gateway's bench: callers that a Python could not be quick enough for, and the backend that they reach.
//
// `load call` reads a job from its standard input, does it, and writes what came of it. `load serve CERTIFICATE KEY`
// writes the port that it listens on, and ends with its standard input.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "call":
		var asked job
		if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
			return err
		}
		result, err := asked.do()
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(result)
	case len(arguments) == 3 && arguments[0] == "serve":
		return serve(arguments[1], arguments[2])
	}
	return fmt.Errorf("usage: load call | load serve CERTIFICATE KEY")
}
