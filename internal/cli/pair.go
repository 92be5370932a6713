package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sigalert/agent/config"
	"sigalert/internal/pairing"
	"sigalert/internal/reach"
	"sigalert/sig"
)

const (
	pairTime = 15 * time.Second // to reach the router
	maxLine  = 4096             // bytes of a line
)

func (p *program) pair() *cobra.Command {
	name := ""
	cmd := &cobra.Command{
		Use:   "pair LINE",
		Short: "Let this machine use the router of another one",
		Long: `Takes the line that a router has printed on another machine, tries it, and puts that
router into the configuration: its address, the fingerprint of its certificate, and a
token for this machine. Nothing else in the file changes; a running agent uses the
router at once. If there is no file, it is the one that the first run writes, with
this router in place of its own.

The line is a secret. It is good for as long as its token: "sigalert token revoke" on
the router's machine ends that. If LINE is -, it is read from standard input, so that
neither the shell's history nor this machine's other users see it.`,
		Example: `  sigalert pair desk.example:3000#TOKEN@FINGERPRINT
  sigalert pair --name work - <line`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(fmt.Errorf("pair takes one line, HOST:PORT#TOKEN@FINGERPRINT, got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text := args[0]
			if text == "-" {
				read, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), maxLine)).ReadString('\n')
				if err != nil && err != io.EOF {
					return err
				}
				text = strings.TrimPrefix(strings.TrimSpace(read), "sigalert pair ")
			}
			line, err := pairing.Parse(text)
			if err != nil {
				return usage(fmt.Errorf("the line: %w", err))
			}
			if name != "" {
				if err := config.CheckServerName(name); err != nil {
					return usage(fmt.Errorf("--name: %w", err))
				}
			}
			return p.runPair(cmd.Context(), config.Server{
				Name: name, Addresses: []string{"tls://" + line.HostPort},
				Proof: reach.Proof{Fingerprint: line.Fingerprint, Token: line.Token},
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what to call the router in the configuration: a `NAME` (default: after its host)")
	return cmd
}

func (p *program) runPair(ctx context.Context, s config.Server) error {
	path, err := p.configPath()
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if _, _, err := withServer(path, s); err != nil { // before anything else
		return err
	}
	if err := p.tryServer(ctx, s); err != nil {
		return fmt.Errorf("%w\nnothing was written", err)
	}
	text, name, err := withServer(path, s)
	if err == nil {
		err = writeSecret(path, text)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s answers, and is in %s now, as %s\n", s.Addresses[0], path, name)
	var status statusReport
	if _, err := askAgent(ctx, "status", nil, &status); err == nil && status.Config == path {
		fmt.Fprintln(p.out, "the running agent uses it at once")
	} else {
		fmt.Fprintf(p.out, "to see its alerts, run the agent:  %s\n", invocation())
	}
	flag := ""
	if all, err := config.LoadServers(path); err == nil && all[0].Name != name {
		flag = " --server " + name
	}
	fmt.Fprintf(p.out, "to send, if the token may:         %s send%s me hello\n", invocation(), flag)
	return nil
}

// withServer is the text of a configuration, or of the first one, with a server in it.
func withServer(path string, s config.Server) (text []byte, name string, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, "", fmt.Errorf("%s is not a file", path)
	}
	text, err = config.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config.ExampleWith(path, s)
	}
	if err != nil {
		return nil, "", err
	}
	if text, name, err = config.WithServer(path, text, s); err != nil && !errors.As(err, new(config.Problems)) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return text, name, err
}

// tryServer makes sure that a server is the one that is meant, and admits us.
func (p *program) tryServer(ctx context.Context, s config.Server) error {
	c := p.connect(ctx, target{addresses: s.Addresses, proof: s.Proof}, false)
	defer c.stop()
	ctx, cancel := context.WithTimeoutCause(ctx, pairTime, fmt.Errorf("no answer within %s", pairTime))
	defer cancel()
	err := c.once(ctx, c.Connect)
	switch {
	case errors.Is(err, sig.ErrNotAdmitted):
		err = errors.New("the router does not admit the line's token: it has been revoked, has expired, or the line is not whole")
	case nobodyListens(err):
		err = fmt.Errorf("%w: the router does not run there, or this machine reaches it at another HOST:PORT, to be changed in the line", err)
	}
	return err
}

// writeSecret replaces a file, or what it links to, by one that only its owner can read,
// at once. It makes its folder.
func writeSecret(path string, text []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	} else if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s links to a file that does not exist", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // with 0600
	if err != nil {
		return err
	}
	defer os.Remove(next.Name())
	_, err = next.Write(text)
	if err = errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}
