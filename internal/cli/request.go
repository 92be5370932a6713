package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/sig"
)

type requestOptions struct {
	sender, method, params string
}

func (p *program) request() *cobra.Command {
	var o requestOptions
	cmd := &cobra.Command{
		Use:   "request SENDER METHOD [PARAMS]",
		Short: "Send a request to a sender, and print its answer",
		Long: `Asks the sender SENDER to do METHOD, and prints the answer as a line of JSON.
PARAMS is JSON, or text; it is null by default. The sender has 10 s to answer. A
SENDER that spells a number is the number if that is connected and the text is not;
otherwise it is text. The exit code is 3 if the request was sent and nobody
answered: it may have arrived.`,
		Example: `  sigalert request timer echo '{"n": 1}'
  sigalert request timer echo "some text"`,
		Args: p.takeArgs("SENDER, METHOD and optionally PARAMS", &o.sender, &o.method, &o.params),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := p.serverAddr(cmd)
			if err != nil {
				return err
			}
			if p.ask {
				q := p.questions(cmd)
				q.text(len(args) > 0, &o.sender, "Sender", "timer")
				q.text(len(args) > 1, &o.method, "Method", "echo")
				q.text(len(args) > 2, &o.params, "Params", "")
				if q.err != nil {
					return q.err
				}
			}
			return p.runRequest(cmd.Context(), addr, o)
		},
	}
	p.numberFlag(cmd)
	p.serverFlags(cmd)
	// The server does not know the methods; a sender that is only waited for has none.
	cmd.ValidArgsFunction = p.completeNames(func(all []listed, args []string) []cobra.Completion {
		if len(args) > 0 {
			return nil
		}
		return senderNames(slices.DeleteFunc(all, func(s listed) bool { return !s.Connected }))
	})
	return cmd
}

func (p *program) runRequest(ctx context.Context, addr target, o requestOptions) error {
	if o.sender == "" || o.method == "" {
		return usage(errors.New("request needs the names of a sender and a method"))
	}
	p.noticeChannel(o.sender, "sigalert send SENDER '#CHANNEL' DATA")
	c := p.connect(ctx, addr, false)
	defer c.stop()
	methods := p.meanings(o.method) // the server does not know which there are
	var sender sig.Name
	err := c.atOnce(ctx, func(ctx context.Context) (err error) {
		if err = c.Connect(ctx); err == nil {
			sender, _, err = p.pick(ctx, c, o.sender, "")
		}
		return err
	})
	if err != nil {
		return err
	}
	p.noticeJSON(o.params)
	params := parseData(o.params)
	var response sig.Data
	err = c.atOnce(ctx, func(ctx context.Context) (err error) {
		response, err = c.RemoteRequest(ctx, sender, methods[0], params)
		return err
	})
	if err != nil && mayHaveArrived(ctx, err) {
		return errUnanswered(ctx, err)
	}
	if refusal := new(sig.RemoteError); errors.As(err, &refusal) {
		return errors.New(plain.Line(refusal.Error(), 2000)) // it may be a whole traceback
	}
	if err != nil {
		return err
	}
	text, err := response.JSON()
	if err != nil {
		return err
	}
	return p.printJSON(text)
}
