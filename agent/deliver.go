package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/internal/plain"
	"sigalert/internal/queue"
	"sigalert/internal/wait"
	"sigalert/sig"
)

const (
	deliveryQueue   = 64
	deliveryData    = 8 << 20 // bytes of events' data in the queue
	deliveryTimeout = 5 * time.Second
	maxReason       = 200 // characters of a desktop's reason
)

// Notifier shows notifications; a *notify.Desktop is one.
type Notifier interface {
	Notify(ctx context.Context, n notify.Notification) (notify.Receipt, error)
}

// delivery is the one worker that talks to the desktop: a notification server
// that hangs holds up nothing else. Notifications wait in a queue of 64; when it
// is full, one whose place the newest takes is left out, or else the oldest goes to
// fallback and is counted as dropped. When the events' data that wait exceed 8 MiB, the
// newest event loses its data.
type delivery struct {
	notifier Notifier
	// fallback gets what could not be shown.
	fallback func(n notify.Notification)
	alerted  func(Alert) // as in Options; nil: nobody asks
	log      *slog.Logger
	changed  func()
	decide   func(number int, v verdict) // is told what became of each

	ready wait.Token // there may be something in the queue

	mu      sync.Mutex // guards the fields below
	queue   queue.Queue[queued]
	current *queued // is with the desktop; nil: none is
	shown   uint64
	missed  uint64 // given to fallback instead
	dropped uint64
	trouble error // why the last one was not shown; nil: it was
}

// queued is a notification that waits.
type queued struct {
	notify.Notification
	picture []byte     // the file of its image, which is not decoded yet
	event   *sig.Event // nil: there is none, or nobody asks what becomes of it
	done    func()     // called once it is known what became of it; nil: nobody asks
	kept    bool       // a later agent is to show it, if this one cannot
	digest  bool       // its Ref is that of an alert that was held back
	size    int        // of the event's data and the picture, in bytes
	cut     bool       // it has lost both
}

func newDelivery(opts Options, changed func(), decide func(number int, v verdict)) *delivery {
	return &delivery{
		notifier: opts.Notifier,
		fallback: opts.Fallback,
		alerted:  opts.Alerted,
		log:      opts.Logger,
		changed:  changed,
		decide:   decide,
		ready:    wait.NewToken(),
		queue:    queue.New(deliveryQueue, deliveryData, func(q *queued) int { return q.size }),
	}
}

// push never waits.
func (d *delivery) push(n notify.Notification) { d.add(queued{Notification: n}) }

// pushDigest is push for a notification that is about several events, or none. Without
// done, it is shown after a restart if it cannot be before.
func (d *delivery) pushDigest(n notify.Notification, done func()) {
	d.add(queued{Notification: n, done: done, digest: true, kept: done == nil})
}

// pushAlert is push for an event's notification, with its picture, if it has one. done is
// called, by any goroutine, once it is known what became of it.
func (d *delivery) pushAlert(n notify.Notification, ev sig.Event, picture []byte, done func()) {
	q := queued{Notification: n, picture: picture, size: len(picture), done: done}
	if d.alerted != nil {
		data, _ := ev.Data.JSON() // what JSON cannot hold did not come from a network
		q.event, q.size = &ev, q.size+len(data)
	}
	d.add(q)
}

func (d *delivery) add(q queued) {
	q.Notification = q.Cut() // data of a mebibyte must not wait in the queue
	var oldest queued
	d.mu.Lock()
	full := d.queue.Len() == deliveryQueue
	superseded := false
	if full {
		if oldest, superseded = d.supersede(q.Key); !superseded {
			oldest, _ = d.queue.Pop()
			d.dropped++
		}
	}
	if q.size > 0 && !d.queue.Fits(q) {
		q.picture, q.size, q.cut = nil, 0, true
		if q.event != nil {
			q.event.Data = sig.Data{}
		}
	}
	d.queue.Push(q)
	d.mu.Unlock()
	switch {
	case superseded:
		d.report(oldest, outcome.Held, "a newer one took its place", "")
	case full:
		d.fail(oldest, whyFull)
	}
	d.ready.Raise()
}

// supersede takes the oldest notification out of the queue whose place one with this key
// takes. It needs d.mu.
func (d *delivery) supersede(key string) (old queued, found bool) {
	if key == "" {
		return old, false
	}
	for _, q := range d.queue.Take() {
		if !found && q.Key == key {
			old, found = q, true
			continue
		}
		d.queue.Push(q)
	}
	return old, found
}

// run delivers until ctx ends.
func (d *delivery) run(ctx context.Context) {
	for ctx.Err() == nil {
		if q, ok := d.pop(); ok {
			d.deliver(ctx, q)
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.ready:
		}
	}
}

// end gives fallback what still waits. It is called when run has returned and
// nobody pushes any more.
func (d *delivery) end() {
	rest := d.queue.Take()
	if d.current != nil {
		rest = slices.Insert(rest, 0, *d.current)
	}
	for _, q := range rest {
		d.fail(q, whyEnded)
	}
}

func (d *delivery) pop() (q queued, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q, ok = d.queue.Pop(); ok {
		d.current = &q
	}
	return q, ok
}

// untold is what waits to be shown and is about no single event.
func (d *delivery) untold() (all []notify.Notification) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil && d.current.kept {
		all = append(all, d.current.Notification)
	}
	for _, q := range d.queue.All() {
		if q.kept {
			all = append(all, q.Notification)
		}
	}
	return all
}

func (d *delivery) deliver(ctx context.Context, q queued) {
	via := "by "
	if q.picture != nil {
		var unreadable error
		if q.Image, unreadable = notify.ReadImage(q.picture); unreadable != nil {
			via = "without its picture, " + unreadable.Error() + "; by "
		}
	}
	receipt, err := d.notify(ctx, q.Notification)
	if err != nil && ctx.Err() != nil { // our own end is not the desktop's trouble
		return
	}
	d.mu.Lock()
	d.current = nil
	was := d.trouble
	if err != nil || !q.Resolved { // to close nothing proves nothing
		d.trouble = err
	}
	works := was != nil && d.trouble == nil
	switch {
	case err != nil:
		d.missed++
	case !q.Resolved:
		d.shown++
	}
	d.mu.Unlock()
	switch {
	case works:
		d.log.Info("notifications work again", "by", receipt.Via)
	case err != nil && was == nil: // once, not for each alert
		d.log.Warn("no notifications: alerts go to the log instead", "err", err)
	}
	if err == nil {
		d.report(q, outcome.Shown, "", via+receipt.Via)
	} else {
		d.fail(q, plain.Line(err.Error(), maxReason))
	}
	d.changed()
}

// fail gives fallback what the desktop did not take.
func (d *delivery) fail(q queued, why string) {
	d.fallback(q.Notification)
	d.report(q, outcome.Failed, why+"; it went to the log", "")
}

// report says what became of an event's notification: why it was not shown, or by whom
// it was.
func (d *delivery) report(q queued, what outcome.Outcome, why, via string) {
	if q.done != nil {
		defer q.done()
	}
	if q.Ref != 0 && q.Ref&ownRef == 0 && !q.Resolved && !q.digest {
		v := verdict{stage: "deliver", decision: Shown, reason: via}
		switch what {
		case outcome.Failed:
			v.decision, v.reason = Failed, why
		case outcome.Held:
			v.decision, v.reason = Held, why
		}
		d.decide(int(q.Ref), v)
	}
	if q.event == nil {
		return
	}
	if q.cut {
		if why != "" {
			why += "; "
		}
		why += whyNoData
	}
	d.alerted(Alert{Event: *q.event, Outcome: what, Why: why})
}

func (d *delivery) notify(ctx context.Context, n notify.Notification) (notify.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	receipt, err := d.notifier.Notify(ctx, n)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("the notification server did not answer within %s", deliveryTimeout)
	}
	return receipt, err
}

// counts returns how the notifications fared.
func (d *delivery) counts() (shown, missed, dropped uint64, trouble error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shown, d.missed, d.dropped, d.trouble
}
