package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/internal/topic"
	"sigalert/sig"
)

type listenOptions struct {
	sender, event string
	json          bool
	count         int
}

func (p *program) listen() *cobra.Command {
	var o listenOptions
	cmd := &cobra.Command{
		Use:   "listen",
		Short: "Print events as they come",
		Long: `Prints a line for each event. Without --sender it prints the events of every
sender; without --event, every event. A name that spells a number means the number
and the text alike, unless --number is given.`,
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

func (p *program) runListen(ctx context.Context, addr string, o listenOptions) error {
	if o.count < 0 {
		return usage(errors.New("--count must not be negative"))
	}
	p.noticeChannel(o.sender, "--event "+o.sender)
	c := p.connect(ctx, addr, true)
	defer c.stop()
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
	if o.sender != "" && o.event != "" && !o.json {
		for _, s := range p.meanings(o.sender) {
			for _, e := range []sig.Name{sig.EventConnect, sig.EventDisconnect} {
				if e != event {
					c.AddRemoteListener(s, e, pass)
				}
			}
		}
	}
	var refused bool
	var err error
	for n := 0; o.count == 0 || n < o.count; {
		select {
		case <-ctx.Done():
			return nil
		case <-c.changed:
			was := refused
			if refused, err = c.refusal(listeners); refused && !was {
				p.log.Warn("waiting for the sender to offer the event", "sender", o.sender, "event", o.event, "err", err)
			}
		case ev := <-events:
			if topic.IsPresence(ev.Event) && o.event != "" && !ev.Event.Equal(event) {
				p.printPresence(ev)
				continue
			}
			n++
			if err := p.printEvent(ev, o.json); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return nil
}

// refusal reports whether the server has refused all of these listeners, and why.
func (c *client) refusal(listeners []*sig.RemoteListener) (refused bool, err error) {
	for _, l := range listeners {
		st, why := c.Status(l)
		if st != sig.Refused {
			return false, nil
		}
		err = why
	}
	return true, err
}

func (p *program) printPresence(ev sig.Event) {
	state := "connected"
	if ev.Event.Equal(sig.EventDisconnect) {
		state = "disconnected"
	}
	fmt.Fprintf(p.out, "Sender %s is now %s\n", topic.Name(ev.Sender), state)
}

func (p *program) printEvent(ev sig.Event, asJSON bool) error {
	data, err := ev.Data.JSON()
	if err != nil {
		return err
	}
	if !asJSON {
		var line bytes.Buffer
		if err := json.Compact(&line, data); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "%s: %s %s\n", topic.Name(ev.Sender), topic.Name(ev.Event), plain.Line(line.String(), line.Len()))
		return err
	}
	return p.printJSON(struct {
		Sender sig.Name        `json:"sender"`
		Event  sig.Name        `json:"event"`
		Data   json.RawMessage `json:"data"`
		Extra  json.RawMessage `json:"extra,omitempty"`
	}{ev.Sender, ev.Event, data, ev.Extra})
}
