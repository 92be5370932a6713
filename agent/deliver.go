package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/plain"
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
// that hangs holds up nothing else. Notifications wait in a queue of 64; when
// it is full, the oldest goes to fallback and is counted as dropped.
type delivery struct {
	notifier Notifier
	// fallback gets what could not be shown.
	fallback func(n notify.Notification)
	alerted  func(Alert) // as Options has it; nil: nobody asks
	log      *slog.Logger
	changed  func()

	ready chan struct{}

	mu      sync.Mutex // guards the fields below
	queue   []queued
	data    int // the size of queue
	shown   uint64
	missed  uint64 // given to fallback instead
	dropped uint64
	trouble string // why the last one was not shown; "" if it was
}

// queued is a notification that waits.
type queued struct {
	notify.Notification
	event *sig.Event // nil: it is of none, or nobody asks what becomes of it
	size  int        // of the event's data, in bytes
	cut   bool       // the event has lost its data
}

func newDelivery(opts Options, changed func()) *delivery {
	return &delivery{
		notifier: opts.Notifier,
		fallback: opts.Fallback,
		alerted:  opts.Alerted,
		log:      opts.Logger,
		changed:  changed,
		ready:    make(chan struct{}, 1),
	}
}

// push never waits.
func (d *delivery) push(n notify.Notification) { d.add(queued{Notification: n}) }

// pushAlert is push for an event's notification.
func (d *delivery) pushAlert(n notify.Notification, ev sig.Event) {
	q := queued{Notification: n}
	if d.alerted != nil {
		data, _ := ev.Data.JSON() // what JSON cannot hold did not come from a network
		q.event, q.size = &ev, len(data)
	}
	d.add(q)
}

func (d *delivery) add(q queued) {
	q.Notification = q.Cut() // data of a mebibyte must not wait in the queue
	d.mu.Lock()
	full := len(d.queue) == deliveryQueue
	var oldest queued
	if full {
		oldest = d.takeFirst()
		d.dropped++
	}
	if d.data+q.size > deliveryData {
		q.event.Data, q.size, q.cut = sig.Data{}, 0, true
	}
	d.data += q.size
	d.queue = append(d.queue, q)
	d.mu.Unlock()
	if full {
		d.fail(oldest, whyFull)
	}
	select {
	case d.ready <- struct{}{}:
	default:
	}
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

// end gives fallback what waits still. It is called when run has returned and
// nobody pushes any more.
func (d *delivery) end() {
	for q, ok := d.pop(); ok; q, ok = d.pop() {
		d.fail(q, whyEnded)
	}
}

func (d *delivery) pop() (q queued, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		return q, false
	}
	return d.takeFirst(), true
}

// takeFirst needs the lock.
func (d *delivery) takeFirst() queued {
	q := d.queue[0]
	d.queue[0] = queued{} // the slice behind must not keep it
	d.queue = d.queue[1:]
	d.data -= q.size
	return q
}

func (d *delivery) deliver(ctx context.Context, q queued) {
	receipt, err := d.notify(ctx, q.Notification)
	if err != nil && ctx.Err() != nil { // our own end is no trouble of the desktop
		d.fail(q, whyEnded)
		return
	}
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	d.mu.Lock()
	was := d.trouble
	d.trouble = trouble
	if err == nil {
		d.shown++
	} else {
		d.missed++
	}
	d.mu.Unlock()
	switch {
	case err == nil && was != "":
		d.log.Info("notifications work again", "by", receipt.Via)
	case err != nil && was == "": // once, not for each alert
		d.log.Warn("no notifications, alerts are lines instead", "err", err)
	}
	if err == nil {
		d.tell(q, Shown, "")
	} else {
		d.fail(q, plain.Line(trouble, maxReason))
	}
	d.changed()
}

// fail gives fallback what the desktop did not take.
func (d *delivery) fail(q queued, why string) {
	d.fallback(q.Notification)
	d.tell(q, Failed, why+"; it went to the log")
}

// tell says what became of an event's notification.
func (d *delivery) tell(q queued, what Outcome, why string) {
	if q.event == nil {
		return
	}
	if q.cut {
		if why != "" {
			why += "; "
		}
		why += whyNoData
	}
	d.alerted(Alert{*q.event, what, why})
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

// counts tells how alerts fared.
func (d *delivery) counts() (shown, missed, dropped uint64, trouble string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shown, d.missed, d.dropped, d.trouble
}
