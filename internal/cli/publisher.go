package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// answerTime is for how long a command that sends once tries, after it has reached the
// server, and for how long it tries to get a name that is taken, unless --wait says otherwise.
const answerTime = 10 * time.Second

// publisher publishes events under a sender's name. At a server that takes events
// only of senders that are connected, as pysig's does, it connects as that sender.
type publisher struct {
	*client
	sender sig.Name
	events []sig.Name        // all that it publishes
	lasts  bool              // it waits for a server that goes away
	owned  *sig.RemoteSender // at such a server
}

// publish publishes these data, in this order: all of them, or none. If the server takes
// no more now, it waits, for not too long unless the publisher lasts. The error is
// sig.ErrNoPublish at a server where it requires own.
func (pub *publisher) publish(ctx context.Context, event sig.Name, data ...sig.Data) (sig.Published, error) {
	events := make([]sig.Publication, len(data))
	for i, d := range data {
		events[i] = sig.Publication{Sender: pub.sender, Event: event, Data: d}
	}
	began := time.Now()
	for {
		done, err := pub.Publish(ctx, events...)
		refusal := new(sig.RemoteError)
		if !errors.As(err, &refusal) || refusal.RetryAfter == 0 || !pub.lasts && time.Since(began)+refusal.RetryAfter > answerTime ||
			!wait.Sleep(ctx, refusal.RetryAfter, nil) {
			return done, err
		}
	}
}

// own connects as the sender. While somebody else has the name it tries again, until
// shortly before ctx ends, or for [answerTime] if that has no end: that the name is taken
// says more than that it took long.
func (pub *publisher) own(ctx context.Context) error {
	deadline := time.Now().Add(answerTime)
	if end, ok := ctx.Deadline(); ok {
		deadline = end.Add(-time.Second / 2)
	}
	add := func(ctx context.Context) (err error) {
		for {
			pub.owned, err = pub.AddRemoteSender(ctx, pub.sender, pub.events...)
			if !errors.Is(err, sig.ErrAlreadyConnected) || time.Now().After(deadline) {
				return err
			}
			_ = pub.RemoveRemoteSender(ctx, pub.owned) // it is not at the server
			select {
			case <-ctx.Done():
				return err
			case <-time.After(time.Duration(50+rand.IntN(100)) * time.Millisecond):
			}
		}
	}
	var err error
	if pub.lasts {
		err = add(ctx)
	} else {
		err = pub.atOnce(ctx, add)
	}
	if err != nil {
		pub.owned = nil
	}
	return err
}

// trigger sends an event as the sender that own connected.
func (pub *publisher) trigger(ctx context.Context, event sig.Name, data sig.Data) (fate, error) {
	before := pub.Link()
	err := pub.owned.Trigger(ctx, event, data)
	switch {
	case err == nil:
		return sent, nil
	case !mayHaveArrived(ctx, err):
		return refused, err
	case neverConnected(before, pub.Link()):
		return lost, err
	}
	return unanswered, err
}

// fate is what became of an event.
type fate uint8

const (
	sent fate = iota
	lost
	unanswered // it may have arrived
	refused
)

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

// within lets f wait for a server, but no longer than d; 0: as long as it takes.
func (c *client) within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	if d == 0 {
		return f(ctx)
	}
	limited, cancel := context.WithTimeoutCause(ctx, d, fmt.Errorf("no answer within %s", d))
	defer cancel()
	err := f(limited)
	if err == nil || limited.Err() == nil || ctx.Err() != nil || errors.As(err, new(*exitError)) {
		return err
	}
	if st := c.Link(); !st.Connected && st.Err != nil {
		err = fmt.Errorf("%w (waited for %s)", noLink{st.Err}, d)
	} else {
		err = context.Cause(limited)
	}
	return hinted(err)
}

// lingering returns a context that ends d after ctx does.
func lingering(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(d):
			cancel(context.Cause(ctx))
		case <-late.Done():
		}
	})
	return late, func() {
		stop()
		cancel(nil)
	}
}
