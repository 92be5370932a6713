package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sigalert/agent/config"
	"sigalert/internal/address"
	"sigalert/internal/reach"
	"sigalert/sig"
)

// serverFlags adds the flags of the commands that talk to a server.
func (p *program) serverFlags(cmd *cobra.Command) {
	p.serverFlag(cmd)
	p.askFlag(cmd)
}

func (p *program) serverFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.server, "server", "", "the server's `URL`, or its name in the configuration; tls:// for TLS; tcp:// and :3000 can be left out (default: $SIGALERT_SERVER, the configuration's first server, or 127.0.0.1:3000)")
}

func (p *program) askFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.ask, "ask", false, "ask for what is not given, on standard input")
}

// target is a server: at the first of these addresses that answers.
type target struct {
	addresses []string
	proof     reach.Proof
	ours      bool // it is the router of this user's agent
}

func (t target) String() string { return strings.Join(t.addresses, " or ") }

func (t target) carrier() sig.ClientCarrier { return t.proven().Carrier(t.addresses) }

// secret is the token; "" if there is none.
func (t target) secret() (string, error) { return t.proven().Secret() }

// proven needs no setup for a router of this user on this machine.
func (t target) proven() reach.Proof { return t.proof.Locally(localFolder(), t.addresses, t.ours) }

// serverAddr is the server to dial; with --ask the user is asked for it.
func (p *program) serverAddr(cmd *cobra.Command) (target, error) {
	to, err := p.findServer()
	if err != nil || !p.ask || p.server != "" {
		return to, err
	}
	host, port, _ := net.SplitHostPort(address.HostPort(to.addresses[0]))
	q := p.questions(cmd)
	addr := to.String()
	q.address(false, &addr, "Server IP", host, port)
	switch {
	case q.err != nil:
		return target{}, q.err
	case addr == to.String():
		return to, nil
	}
	if addr, err = address.ParseServer(addr); err != nil {
		return target{}, usage(err)
	}
	to.addresses, to.ours = []string{addr}, false
	return to, nil
}

// findServer is the server of --server, of $SIGALERT_SERVER, of the configuration,
// or the one of this machine. Of several, it is the first.
func (p *program) findServer() (target, error) {
	ours, err := ourToken()
	if err != nil {
		return target{}, err
	}
	local := target{addresses: []string{net.JoinHostPort(address.Loopback, address.DefaultPort)}, proof: reach.Proof{Token: ours}}
	path, err := p.configPath()
	if text, where := givenServer(p.server); text != "" {
		known, _ := config.LoadServers(path) // which only may know it
		return p.given(text, where, known, ours)
	}
	if err != nil {
		return local, nil // there is no folder for one
	}
	all, err := config.LoadServers(path)
	named := p.config != "" || os.Getenv("SIGALERT_CONFIG") != ""
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return local, nil
	case err != nil:
		return target{}, fmt.Errorf("%w\nThe configuration may name the server: correct it, or name one with --server", err)
	case len(all) == 0:
		return local, nil
	case len(all) > 1:
		p.log.Info("the configuration has several servers: using the first, as --server is not given", "server", all[0], "servers", len(all))
	}
	return configured(all[0], ours), nil
}

// configured is a server of the configuration; ours is a token that counts instead.
func configured(s config.Server, ours string) target {
	to := target{s.Addresses, s.Proof, s.Router != nil}
	if ours != "" {
		to.proof.Token, to.proof.TokenFile = ours, ""
	}
	return to
}

// given is a server that the configuration knows by its name or, without a scheme, by
// its address, or else what the text says.
func (p *program) given(text, where string, known []config.Server, ours string) (target, error) {
	addr, err := address.ParseServer(text)
	for _, s := range known {
		switch at := s.At(addr); {
		case s.Name != "" && s.Name == text:
			return configured(s, ours), nil
		case err == nil && at != "" && (at == addr || !strings.Contains(text, "://")):
			s.Addresses = []string{at}
			return configured(s, ours), nil
		}
	}
	if err != nil {
		return target{}, usage(fmt.Errorf("%s: %w", where, err))
	}
	return target{addresses: []string{addr}, proof: reach.Proof{Token: ours}}, nil
}

// givenServer is the text of --server or of $SIGALERT_SERVER, and which of them; "" if
// neither is given.
func givenServer(flag string) (text, where string) {
	const variable = "SIGALERT_SERVER"
	if flag != "" {
		return flag, "--server"
	}
	return os.Getenv(variable), "$" + variable
}

// namedServer is the address of the server that is given; "" if none is.
func namedServer(flag string) (addr string, err error) {
	text, where := givenServer(flag)
	if text == "" {
		return "", nil
	}
	if addr, err = address.ParseServer(text); err != nil {
		return "", usage(fmt.Errorf("%s: %w", where, err))
	}
	return addr, nil
}

// ourToken is the token to show to a server: that of $SIGALERT_TOKEN.
func ourToken() (string, error) {
	const variable = "SIGALERT_TOKEN"
	secret := strings.TrimSpace(os.Getenv(variable))
	if secret == "" {
		return "", nil
	}
	if err := address.CheckToken(secret); err != nil {
		return "", usage(fmt.Errorf("$%s: %w", variable, err))
	}
	return secret, nil
}
