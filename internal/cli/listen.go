package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sigalert/eventlog"
	"sigalert/internal/network"
	"sigalert/internal/plain"
	"sigalert/internal/topic"
	"sigalert/internal/wait"
	"sigalert/sig"
)

type listenOptions struct {
	sender, event string
	json          bool
	presence      bool
	count         int
}

func (p *program) listen() *cobra.Command {
	var o listenOptions
	cmd := &cobra.Command{
		Use:   "listen",
		Short: "Print events as they come",
		Long: `Prints a line for each event. Without --sender it prints the events of every
sender; without --event, every event. That a sender comes or goes is printed with
--presence, or with --event '#connect' or '#disconnect'. A name that spells a number
means the number and the text alike, unless --number is given.`,
		Example: `  sigalert listen
  sigalert listen --sender timer --event tick
  sigalert listen --json --count 1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			addr, err := p.serverAddr(cmd)
			if err != nil {
				return err
			}
			if p.ask {
				q, given := p.questions(cmd), cmd.Flags().Changed
				q.text(given("sender"), &o.sender, "Sender", "")
				q.text(given("event"), &o.event, "Event", "")
				if q.err != nil {
					return q.err
				}
			}
			return p.runListen(cmd.Context(), addr, o)
		},
	}
	cmd.Flags().StringVar(&o.sender, "sender", "", "print only events of the sender `NAME`")
	cmd.Flags().StringVar(&o.event, "event", "", "print only events named `NAME`")
	cmd.Flags().BoolVar(&o.json, "json", false, `print JSON Lines: {"sender":…,"event":…,"data":…}, and "extra" for further members of info`)
	cmd.Flags().BoolVar(&o.presence, "presence", false, "also print when senders come and go, which --count does not count")
	cmd.Flags().IntVar(&o.count, "count", 0, "end after `N` events")
	p.numberFlag(cmd)
	p.serverFlags(cmd)
	// These fail only for flags that do not exist.
	_ = cmd.RegisterFlagCompletionFunc("sender", p.completeNames(func(all []listed, _ []string) []cobra.Completion { return senderNames(all) }))
	_ = cmd.RegisterFlagCompletionFunc("event", p.completeNames(func(all []listed, _ []string) []cobra.Completion {
		return eventNames(all, o.sender)
	}))
	return cmd
}

func (p *program) runListen(ctx context.Context, addr target, o listenOptions) error {
	if o.count < 0 {
		return usage(errors.New("--count must not be negative"))
	}
	p.noticeChannel(o.sender, "--event "+o.sender)
	c := p.connect(ctx, addr, true)
	defer c.stop()
	defer wait.Start(ctx, func(ctx context.Context) { network.Watch(ctx, c.Reconnect) })()
	events := make(chan sig.Event)
	pass := func(ev sig.Event) {
		select {
		case events <- ev:
		case <-ctx.Done():
		}
	}
	ctx, cancel := context.WithCancel(ctx) // ends a pass that nobody waits for
	defer cancel()
	var listeners []*sig.RemoteListener
	for _, t := range p.meant(o.sender, o.event) {
		listeners = append(listeners, c.AddRemoteListener(t.Sender, t.Event, pass))
	}
	event := sig.Name(o.event)
	if o.presence && o.event != "" {
		for _, s := range p.meanings(o.sender) {
			for _, e := range []sig.Name{sig.EventConnect, sig.EventDisconnect} {
				if e != event {
					c.AddRemoteListener(s, e, pass)
				}
			}
		}
	}
	var said error // why the server refuses them, as it was last logged
	for n := 0; o.count == 0 || n < o.count; {
		select {
		case <-ctx.Done():
			return nil
		case <-c.changed:
			// A sender that comes and goes with each event is refused as often.
			if why := c.refusal(listeners); why != nil && (said == nil || why.Error() != said.Error()) {
				said = why
				p.log.Warn("waiting for the sender to offer the event", "sender", o.sender, "event", o.event, "err", why)
			}
		case ev := <-events:
			var err error
			if topic.IsPresence(ev.Event) && !ev.Event.Equal(event) {
				if !o.presence {
					continue
				}
				err = p.printPresence(ev, o.json)
			} else {
				n++
				err = p.printEvent(ev, o.json)
			}
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return nil
}

// refusal says why the server refuses all of these listeners; nil: it does not.
func (c *client) refusal(listeners []*sig.RemoteListener) (why error) {
	for _, l := range listeners {
		st, err := c.Status(l)
		if st != sig.Refused {
			return nil
		}
		why = err
	}
	return why
}

func (p *program) printPresence(ev sig.Event, asJSON bool) error {
	if asJSON {
		return p.printEvent(ev, true)
	}
	state := "connected"
	if ev.Event.Equal(sig.EventDisconnect) {
		state = "disconnected"
	}
	_, err := fmt.Fprintf(p.out, "Sender %s is now %s\n", topic.Name(ev.Sender), state)
	return err
}

// printPlain prints an event for people: its data with the letters that pysig
// escapes and Python's NaN, and without any if it has none.
func (p *program) printPlain(ev sig.Event) error {
	data, err := ev.Data.Text()
	if err != nil {
		return err
	}
	data = eventlog.Readable(data)
	var compact bytes.Buffer
	if json.Compact(&compact, data) == nil { // JSON does not have Python's NaN
		data = compact.Bytes()
	}
	line := topic.Name(ev.Sender) + ": " + topic.Name(ev.Event)
	if text := string(data); text != "null" && text != `""` {
		line += " " + plain.Line(text, len(text))
	}
	_, err = fmt.Fprintln(p.out, line)
	return err
}

func (p *program) printEvent(ev sig.Event, asJSON bool) error {
	if !asJSON {
		return p.printPlain(ev)
	}
	data, err := ev.Data.JSON()
	if err != nil {
		return err
	}
	return p.printJSON(struct {
		Sender sig.Name        `json:"sender"`
		Event  sig.Name        `json:"event"`
		Data   json.RawMessage `json:"data"`
		Extra  json.RawMessage `json:"extra,omitempty"`
	}{ev.Sender, ev.Event, data, ev.Extra()})
}
