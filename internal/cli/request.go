package cli

import (
	"context"
	"errors"
	"fmt"
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
		Short: "Ask a sender, and print its answer",
		Long: `Asks the sender SENDER to do METHOD, and prints its answer as a line of JSON.
PARAMS are JSON, or text; left out they are null. The sender has 10 s.`,
		Example: `  sigalert request timer echo '{"n": 1}'
  sigalert request timer echo "some text"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 3 || len(args) < 2 && !p.ask {
				return usage(fmt.Errorf("request takes SENDER METHOD and perhaps PARAMS, got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			for i, into := range []*string{&o.sender, &o.method, &o.params} {
				if i < len(args) {
					*into = args[i]
				}
			}
			addr, err := p.serverAddr(cmd)
			if err != nil {
				return err
			}
			if p.ask {
				if err := p.askRequest(cmd.Context(), &o, len(args)); err != nil {
					return err
				}
			}
			return p.runRequest(cmd.Context(), addr, o)
		},
	}
	p.serverFlags(cmd)
	// Nobody tells of the methods; a sender that is waited for has none.
	cmd.ValidArgsFunction = p.completeNames(func(all []listed, args []string) []cobra.Completion {
		if len(args) > 0 {
			return nil
		}
		return senderNames(slices.DeleteFunc(all, func(s listed) bool { return !s.Connected }))
	})
	return cmd
}

func (p *program) askRequest(ctx context.Context, o *requestOptions, given int) (err error) {
	if given < 1 {
		if o.sender, err = p.in.ask(ctx, "Sender", "timer"); err != nil {
			return err
		}
	}
	if given < 2 {
		if o.method, err = p.in.ask(ctx, "Method", "echo"); err != nil {
			return err
		}
	}
	if given < 3 {
		o.params, err = p.in.ask(ctx, "Params", "")
	}
	return err
}

func (p *program) runRequest(ctx context.Context, addr string, o requestOptions) error {
	if o.sender == "" || o.method == "" {
		return usage(errors.New("request needs the names of a sender and a method"))
	}
	c := p.connect(ctx, addr, false)
	defer c.stop()
	var response sig.Data
	err := c.atOnce(ctx, func(ctx context.Context) (err error) {
		response, err = c.RemoteRequest(ctx, sig.Name(o.sender), sig.Name(o.method), parseData(o.params))
		return err
	})
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
