package cli

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/internal/certificate"
	"sigalert/internal/pairing"
	"sigalert/internal/token"
)

// firstToken is the entry of the token that serve makes for another machine by itself.
const firstToken = "first"

// announce says how other machines get to use the router that listens at an address. If
// nobody has been given a token yet, serve makes one, and prints the line for it, where no
// log keeps that.
func (p *program) announce(c *config.Router, listens string, serve bool) {
	if !c.Guarded() {
		return
	}
	more := newTokenFor(c, "NAME")
	place := placeFor(c, listens)
	own := c.TLS.Cert == ""
	if own {
		more += " --pair " + place
	}
	if serve && own && c.HasOwnTokens() && !keptInLog(os.Stdout) && !hasTokens() {
		if err := p.printFirst(place, more); err != nil {
			p.log.Error("there is no line for another machine", "err", err)
		}
		return
	}
	p.log.Info("other machines need a token to use this router: this makes one", "run", more)
}

// printFirst makes the first token.
func (p *program) printFirst(place, more string) (err error) {
	line := pairing.Line{HostPort: place}
	if line.Fingerprint, err = certificate.Fingerprint(certificatePath()); err != nil {
		return err
	}
	if line.Token, err = token.New(tokensPath(), token.Everything(firstToken)); err != nil {
		return err
	}
	p.log.Info("the line on standard output lets another machine listen to and send everything: run it there. It is a secret, and is shown only now", "token", firstToken, "another", more)
	_, err = fmt.Fprintln(p.out, pairCommand(line))
	return err
}

// pairCommand is what to run on another machine.
func pairCommand(line pairing.Line) string { return "sigalert pair " + line.String() }

// placeFor is where another machine finds the router that listens at an address: by the
// first of its names, at the address, or by this machine's name.
func placeFor(c *config.Router, listens string) string {
	host, port, _ := net.SplitHostPort(listens)
	name, _ := os.Hostname()
	switch {
	case len(c.Hosts) > 0:
		host = c.Hosts[0]
	case net.ParseIP(host).IsUnspecified() && name != "":
		host = name
	}
	return net.JoinHostPort(host, port)
}

// hasTokens reports whether anybody but this user's programs may have been given a token.
func hasTokens() bool {
	all, err := token.List(tokensPath())
	return err != nil || slices.ContainsFunc(all, func(e token.Entry) bool {
		return e.Name != token.LocalName && e.Name != token.LegacyName && !e.Expired(time.Now())
	})
}

// keptInLog reports whether what is written to a file ends up in systemd's journal.
func keptInLog(f *os.File) bool {
	info, err := f.Stat()
	return os.Getenv("JOURNAL_STREAM") != "" && err == nil && info.Mode()&fs.ModeSocket != 0
}
