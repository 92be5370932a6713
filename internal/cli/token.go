package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/age"
	"sigalert/internal/certificate"
	"sigalert/internal/pairing"
	"sigalert/internal/plain"
	"sigalert/internal/token"
)

func (p *program) token() *cobra.Command {
	file := ""
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Say who may use a router, and for what",
		Long: `Makes, lists and revokes the tokens with which clients may use a router that requires
them: one that other machines can reach, or that is run with --tokens. The router
follows each change at once.

A right is SENDER, SENDER/EVENT or "#CHANNEL", where * and ? may be in each: all events
of a sender, one of them, or this event of any sender. A right to all of a sender's
events is also one to be connected under its name (--send), or to send it requests
(--listen).`,
		Example: `  sigalert token new desk --listen '*'
  sigalert token new backup-host --send backup --expires 90d
  sigalert token new laptop --listen '*' --pair desk.example:3000
  sigalert token new door --send door --listen 'door-*/ring' --listen '#alarm'
  sigalert token new nas --certificate --send nas
  sigalert token new operator --admin
  sigalert token list
  sigalert token revoke desk`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage(errors.New("token requires one of new, list and revoke"))
		},
	}
	cmd.PersistentFlags().StringVar(&file, "tokens", "", "the `FILE` of the tokens (default: in the user's state folder)")
	path := func() string { return cmp.Or(file, tokensPath()) }
	cmd.AddCommand(p.newToken(path), &cobra.Command{
		Use: "list", Short: "List the tokens and their rights", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return p.listTokens(path()) },
	}, &cobra.Command{
		Use: "revoke NAME", Short: "Revoke a token, and disconnect whoever uses it", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := token.Revoke(path(), args[0]); err != nil {
				return fmt.Errorf("token %s: %w", args[0], err)
			}
			return nil
		},
	})
	return cmd
}

func (p *program) newToken(path func() string) *cobra.Command {
	var listen, send []string
	expires, place, certified, admin := "", "", false, false
	cmd := &cobra.Command{
		Use: "new NAME", Short: "Make a token, and print it: it is shown only once", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			e := token.Entry{Name: args[0], Certificate: certified, Admin: admin}
			if err := token.CheckName(e.Name); err != nil {
				return usage(err)
			}
			if e.Listen, err = parseRights("--listen", listen); err != nil {
				return err
			}
			if e.Send, err = parseRights("--send", send); err != nil {
				return err
			}
			if len(e.Listen)+len(e.Send) == 0 && !e.Admin {
				return usage(errors.New(`a token without rights is good for nothing: give it some with --listen and --send, such as --listen "*"`))
			}
			if expires != "" {
				d, err := age.Parse(expires)
				if err != nil {
					return usage(fmt.Errorf("--expires: %w", err))
				}
				if d > 0 {
					e.Expires = time.Now().Add(d).UTC().Truncate(time.Second)
				}
			}
			line := pairing.Line{}
			if place != "" && certified {
				return usage(errors.New("--pair is for a token, and with --certificate there is none"))
			}
			if place != "" {
				if line, err = lineFor(place, path()); err != nil {
					return err
				}
			}
			secret, err := token.New(path(), e)
			if err != nil {
				return err
			}
			if line.Token = secret; place != "" {
				secret = pairCommand(line)
			}
			if secret != "" {
				fmt.Fprintln(p.out, secret)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&listen, "listen", nil, "what it may listen to: `RIGHT`; may be repeated")
	flags.StringArrayVar(&send, "send", nil, "what it may send as: `RIGHT`; may be repeated")
	flags.StringVar(&place, "pair", "", "print a line for another machine to run, which reaches the router at `HOST:PORT`, instead of the token")
	flags.BoolVar(&certified, "certificate", false, "make none, and print nothing: the rights are for the holder of a certificate whose common name is NAME (see serve --client-ca)")
	flags.BoolVar(&admin, "admin", false, "it may see who uses the router, and disconnect them: see \"sigalert admin\"")
	flags.StringVar(&expires, "expires", "", "how long it is valid: a `TIME` such as 12h or 90d (default: for ever)")
	return cmd
}

// lineFor is the line for another machine, without its token. It is for a router that has
// made its certificate, which is in the folder of the tokens, or this user's: one that
// somebody renews cannot be known by its fingerprint for long.
func lineFor(place, tokens string) (line pairing.Line, err error) {
	if line.HostPort, err = pairing.ParsePlace(place); err != nil {
		return line, usage(fmt.Errorf("--pair: %w", err))
	}
	made := filepath.Join(filepath.Dir(tokens), filepath.Base(certificatePath()))
	if _, err := os.Stat(made); err != nil {
		made = certificatePath()
	}
	if line.Fingerprint, err = certificate.Fingerprint(made); err != nil {
		err = fmt.Errorf("--pair: the router has made no certificate yet, as with \"sigalert serve --tls auto\": %w", err)
	}
	return line, err
}

func parseRights(flag string, texts []string) (rights []token.Right, err error) {
	for _, text := range texts {
		r, err := token.ParseRight(text)
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", flag, err))
		}
		rights = append(rights, r)
	}
	return rights, nil
}

func (p *program) listTokens(path string) error {
	all, err := token.List(path)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, e := range all {
		until := "for ever"
		switch {
		case e.Expired(time.Now()):
			until = "expired"
		case !e.Expires.IsZero():
			until = "until " + e.Expires.Local().Format("2006-01-02 15:04")
		}
		if e.Certificate {
			until += ", with a certificate"
		}
		if e.Admin {
			until += ", admin"
		}
		fmt.Fprintf(w, "%s\tlisten: %s\tsend: %s\t%s\n", e.Name, rightsText(e.Listen), rightsText(e.Send), until)
	}
	return w.Flush()
}

func rightsText(rights []token.Right) string {
	if len(rights) == 0 {
		return "nothing"
	}
	texts := make([]string, len(rights))
	for i, r := range rights {
		texts[i] = plain.Line(r.String(), 1000)
	}
	return strings.Join(texts, " ")
}
