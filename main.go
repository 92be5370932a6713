// Command sigalert turns the events of a network into desktop notifications, and
// has the network's tools as commands.
package main

import (
	"os"

	"sigalert/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
