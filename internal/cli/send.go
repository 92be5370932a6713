package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/sig"
)

type sendOptions struct {
	sender, event, data string
	every               time.Duration
	count               int
}

func (p *program) send() *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send SENDER EVENT [DATA]",
		Short: "Send an event, once or repeatedly",
		Long: `Connects as the sender SENDER, which offers EVENT, and fires it. DATA is JSON,
or text. With --every it stays connected and fires until it is interrupted. A name
that spells a number is the number if that is connected or waited for, and the text
is not; otherwise it is text. The exit code is 3 if the event was sent and nobody
answered: it may have arrived.`,
		Example: `  sigalert send timer tick
  sigalert send timer tick '{"n": 1}'
  sigalert send timer tick "some text" --every 5s --count 10
  sigalert send --number 20 tick`,
		Args: p.takeArgs("SENDER, EVENT and optionally DATA", &o.sender, &o.event, &o.data),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := p.serverAddr(cmd)
			if err != nil {
				return err
			}
			if p.ask {
				q := p.questions(cmd)
				q.text(len(args) > 0, &o.sender, "Sender", "timer_client")
				q.text(len(args) > 1, &o.event, "Event", "tick")
				q.text(len(args) > 2, &o.data, "Event data", "")
				q.seconds(cmd.Flags().Changed("every"), &o.every, "Timer delay", "5")
				if q.err != nil {
					return q.err
				}
			}
			return p.runSend(cmd.Context(), addr, o)
		},
	}
	cmd.Flags().DurationVar(&o.every, "every", 0, "fire repeatedly, at this interval")
	cmd.Flags().IntVar(&o.count, "count", 0, "end after `N` events (default: 1; with --every, never)")
	p.numberFlag(cmd)
	p.serverFlags(cmd)
	cmd.ValidArgsFunction = p.completeNames(func(all []listed, args []string) []cobra.Completion {
		switch len(args) {
		case 0:
			return senderNames(all)
		case 1:
			return eventNames(all, args[0])
		}
		return nil
	})
	return cmd
}

func (p *program) runSend(ctx context.Context, addr string, o sendOptions) error {
	switch {
	case o.sender == "" || o.event == "":
		return usage(errors.New("send needs the names of a sender and an event"))
	case o.every < 0 || o.count < 0:
		return usage(errors.New("--every and --count must not be negative"))
	case o.every == 0 && o.count == 0:
		o.count = 1
	}
	p.noticeChannel(o.sender, "sigalert send SENDER '#CHANNEL' DATA")
	c := p.connect(ctx, addr, o.every > 0)
	defer c.stop()
	sender, event, err := p.offer(ctx, c, o)
	if err != nil || sender == nil {
		return err
	}
	data, sent, lost, unanswered := p.parseData(o.data), 0, 0, 0
	errDone := errors.New("done")
	fire := func() error {
		before := c.Link()
		err := sender.Trigger(ctx, event, data)
		switch {
		case ctx.Err() != nil && o.every > 0:
			return nil
		case err == nil:
			p.log.Info("sent", "sender", o.sender, "event", o.event, "data", plain.Line(o.data, 200))
			sent++
		case !mayHaveArrived(ctx, err):
			return err
		case neverConnected(before, c.Link()):
			lost++
			p.log.Warn("not sent", "err", err, "lost", lost)
		case o.every == 0:
			return errUnanswered(ctx, err)
		default:
			unanswered++
			p.log.Warn("no answer: it may have arrived", "err", err, "unanswered", unanswered)
		}
		if o.count > 0 && sent+lost+unanswered >= o.count {
			return errDone
		}
		return nil
	}
	if err = every(ctx, max(o.every, time.Microsecond), fire); err != errDone {
		return err
	}
	switch {
	case lost > 0 && unanswered > 0:
		return fmt.Errorf("%d of %d events were not sent, and %d got no answer: they may have arrived", lost, o.count, unanswered)
	case lost > 0:
		return fmt.Errorf("%d of %d events were not sent", lost, o.count)
	case unanswered > 0:
		return &exitError{code: exitUnanswered, err: fmt.Errorf("%d of %d events got no answer: they may have arrived", unanswered, o.count)}
	}
	return nil
}

// mayHaveArrived reports whether what failed was the connection, or the wait for
// an answer.
func mayHaveArrived(ctx context.Context, err error) bool {
	if errors.As(err, new(*sig.RemoteError)) {
		return errors.Is(err, sig.ErrNoAnswer)
	}
	return ctx.Err() != nil || errors.Is(err, sig.ErrNotConnected) || errors.Is(err, sig.ErrNoAnswer)
}

// neverConnected reports whether there was no connection at any time between two
// looks at it.
func neverConnected(before, after sig.LinkStatus) bool {
	return !before.Connected && !after.Connected && before.Since.Equal(after.Since)
}

// offer registers the sender, and says which event it fires. Without --every it
// fails at once if there is no server; with it, it waits for one. A nil sender
// without an error means that ctx ended.
func (p *program) offer(ctx context.Context, c *client, o sendOptions) (sender *sig.RemoteSender, event sig.Name, err error) {
	add := func(ctx context.Context) (err error) {
		var name sig.Name
		if name, event, err = p.pick(ctx, c, o.sender, o.event); err == nil {
			sender, err = c.AddRemoteSender(ctx, name, event)
		}
		return err
	}
	if o.every > 0 {
		err = add(ctx)
	} else {
		err = c.atOnce(ctx, add)
	}
	if ctx.Err() != nil && o.every > 0 {
		return nil, "", nil
	}
	return sender, event, err
}
