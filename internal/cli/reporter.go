package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigalert/sig"
)

// reportTime is how long the end of a command may wait for its report.
const reportTime = 5 * time.Second

// reporter publishes run's events in the background, in order. It connects for the
// first.
type reporter struct {
	p      *program
	ctx    context.Context
	sender string
	events chan reported
	pub    publisher
	stop   context.CancelFunc
	ended  chan struct{} // closed when all is published, or some is not; nil: there was nothing
	err    error         // why it is not; read once ended is closed
}

type reported struct {
	event sig.Name
	data  runReport
}

// newReporter returns a reporter that outlives ctx, which ends with the first signal.
func (p *program) newReporter(ctx context.Context, sender string) *reporter {
	r := &reporter{p: p, sender: sender, events: make(chan reported, 2)}
	r.ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	return r
}

// publish never waits. There may be two events at most.
func (r *reporter) publish(event sig.Name, data runReport) {
	r.events <- reported{event, data}
	if r.ended == nil {
		r.ended = make(chan struct{})
		go r.run()
	}
}

func (r *reporter) run() {
	defer close(r.ended)
	addr, err := r.p.findServer()
	if err != nil {
		r.err = err
		return
	}
	r.pub = publisher{client: r.p.connect(r.ctx, addr, false), events: []sig.Name{eventStarted, eventFinished, eventFailed}, lasts: true}
	defer r.pub.stop()
	if r.pub.sender, _, r.err = r.p.pick(r.ctx, r.pub.client, r.sender, ""); r.err != nil {
		return
	}
	for e := range r.events {
		r.err = r.send(e)
		if errors.Is(r.err, sig.ErrTooLarge) { // a pysig server reads 4 KiB
			e.data.Output = ""
			r.err = r.send(e)
		}
	}
}

func (r *reporter) send(e reported) error {
	data := sig.JSONData(quote(e.data))
	if r.pub.owned == nil {
		if _, err := r.pub.publish(r.ctx, e.event, data); !errors.Is(err, sig.ErrNoPublish) {
			return err
		}
		if err := r.pub.own(r.ctx); err != nil {
			return err
		}
	}
	_, err := r.pub.trigger(r.ctx, e.event, data)
	return err
}

// end waits until all is published, but not for long, and not after enough can be
// received from. It says what is not.
func (r *reporter) end(enough <-chan struct{}) {
	defer r.stop()
	close(r.events)
	if r.ended == nil {
		return
	}
	late := time.NewTimer(reportTime)
	defer late.Stop()
	var err error
	select {
	case <-r.ended:
	case <-enough:
		err = errors.New("interrupted")
	case <-late.C:
		err = fmt.Errorf("no answer within %s", reportTime)
	}
	r.stop()
	<-r.ended
	switch {
	case r.err == nil:
		return
	case err == nil:
		err = r.err
	case r.pub.client != nil:
		if st := r.pub.Link(); !st.Connected && st.Err != nil && !errors.Is(st.Err, context.Canceled) {
			err = hinted(noLink{st.Err})
		}
	}
	r.p.complain(fmt.Errorf("how the command went was not sent: %s", strings.ReplaceAll(err.Error(), "\n", "; ")))
}
