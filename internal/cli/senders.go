package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sigalert/internal/topic"
	"sigalert/sig"
)

func (p *program) senders() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "senders",
		Short: "List the senders and what each of them offers",
		Long: `Prints a line for each sender that the server knows: its name, whether it is
connected or only waited for by listeners, and its events. A text that spells a
number is in quotes: 5 is the number, "5" the text. With or without
--json, it leaves out the events that every sender has (#connect, #disconnect and
the broadcast), and the router itself, which has no others.`,
		Example: `  sigalert senders
  sigalert senders --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			addr, err := p.serverAddr(cmd)
			if err != nil {
				return err
			}
			all, err := p.listSenders(cmd.Context(), addr)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(all)
			}
			return p.printSenders(all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, `print one line of JSON: [{"sender":…,"connected":…,"events":[…]}…]`)
	p.serverFlags(cmd)
	return cmd
}

// listed is a sender as people and scripts see it.
type listed struct {
	Sender    sig.Name   `json:"sender"`
	Connected bool       `json:"connected"`
	Events    []sig.Name `json:"events"` // without those that every sender has
	LeftOut   int        `json:"left_out,omitempty"`
}

// listSenders asks the server for its senders, without the router itself.
func (p *program) listSenders(ctx context.Context, addr target) ([]listed, error) {
	c := p.connect(ctx, addr, false)
	defer c.stop()
	var known []sig.SenderStatus
	err := c.atOnce(ctx, func(ctx context.Context) (err error) {
		known, err = c.Senders(ctx, true)
		return err
	})
	all := []listed{}
	for _, s := range known {
		if s.Sender.IsEvery() {
			continue
		}
		l := listed{s.Sender, s.Connected, []sig.Name{}, s.LeftOut}
		for _, e := range s.Events {
			if !e.IsEvery() && !topic.IsPresence(e) {
				l.Events = append(l.Events, e)
			}
		}
		all = append(all, l)
	}
	return all, err
}

func (p *program) printSenders(all []listed) error {
	var text strings.Builder
	if len(all) == 0 {
		text.WriteString("There are no senders\n")
	}
	for _, s := range all {
		var events []string
		for _, e := range s.Events {
			events = append(events, topic.Name(e))
		}
		line := topic.Name(s.Sender) + ": " + s.state()
		if len(events) > 0 {
			line += ": " + strings.Join(events, ", ")
		}
		if s.LeftOut > 0 {
			line += fmt.Sprintf(", and %d more", s.LeftOut)
		}
		text.WriteString(line + "\n")
	}
	_, err := io.WriteString(p.out, text.String())
	return err
}

func (l listed) state() string {
	if l.Connected {
		return "connected"
	}
	return "waited for"
}
