package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/spf13/cobra"

	"sigalert/agent/config"
	"sigalert/internal/address"
)

// serverFlags adds the flags of the commands that talk to a server.
func (p *program) serverFlags(cmd *cobra.Command) {
	p.serverFlag(cmd)
	p.askFlag(cmd)
}

func (p *program) serverFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.server, "server", "", "the server's `URL`; tcp:// and :3000 can be left out (default: $SIGALERT_SERVER, the configuration's server, or 127.0.0.1:3000)")
}

func (p *program) askFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.ask, "ask", false, "ask for what is not given, on standard input")
}

// serverAddr is the address to dial; with --ask the user is asked for it.
func (p *program) serverAddr(cmd *cobra.Command) (string, error) {
	addr, err := p.findServer()
	if err != nil || !p.ask || p.server != "" {
		return addr, err
	}
	host, port, _ := net.SplitHostPort(addr)
	q := p.questions(cmd)
	q.address(false, &addr, "Server IP", host, port)
	if q.err != nil {
		return "", q.err
	}
	if addr, err = address.ParseServer(addr); err != nil {
		return "", usage(err)
	}
	return addr, nil
}

// findServer is the server of --server, of $SIGALERT_SERVER, of the configuration,
// or the one of this machine.
func (p *program) findServer() (addr string, err error) {
	if addr, err = namedServer(p.server); addr != "" || err != nil {
		return addr, err
	}
	local := net.JoinHostPort(address.Loopback, address.DefaultPort)
	path, err := p.configPath()
	if err != nil {
		return local, nil // there is no folder for one
	}
	addr, err = config.LoadServer(path)
	named := p.config != "" || os.Getenv("SIGALERT_CONFIG") != ""
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return local, nil
	case err != nil:
		return "", fmt.Errorf("%w\nThe configuration may name the server: correct it, or name one with --server", err)
	}
	return cmp.Or(addr, local), nil
}

// namedServer is the server of --server or of $SIGALERT_SERVER; "" if neither is
// given.
func namedServer(flag string) (addr string, err error) {
	const variable = "SIGALERT_SERVER"
	text, where := flag, "--server"
	if text == "" {
		text, where = os.Getenv(variable), "$"+variable
	}
	if text == "" {
		return "", nil
	}
	if addr, err = address.ParseServer(text); err != nil {
		return "", usage(fmt.Errorf("%s: %w", where, err))
	}
	return addr, nil
}
