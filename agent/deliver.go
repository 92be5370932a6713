package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sigalert/agent/notify"
)

const (
	deliveryQueue   = 64
	deliveryTimeout = 5 * time.Second
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
	log      *slog.Logger
	changed  func()

	ready chan struct{}

	mu      sync.Mutex // guards the fields below
	queue   []notify.Notification
	shown   uint64
	missed  uint64 // given to fallback instead
	dropped uint64
	trouble string // why the last one was not shown; "" if it was
}

func newDelivery(notifier Notifier, fallback func(notify.Notification), log *slog.Logger, changed func()) *delivery {
	return &delivery{notifier: notifier, fallback: fallback, log: log, changed: changed, ready: make(chan struct{}, 1)}
}

// push never waits.
func (d *delivery) push(n notify.Notification) {
	n = n.Cut() // data of a mebibyte must not wait in the queue
	d.mu.Lock()
	var oldest []notify.Notification
	if len(d.queue) == deliveryQueue {
		oldest, d.queue = d.queue[:1], d.queue[1:]
		d.dropped++
	}
	d.queue = append(d.queue, n)
	d.mu.Unlock()
	for _, n := range oldest {
		d.fallback(n)
	}
	select {
	case d.ready <- struct{}{}:
	default:
	}
}

// run delivers until ctx ends.
func (d *delivery) run(ctx context.Context) {
	for ctx.Err() == nil {
		if n, ok := d.pop(); ok {
			d.deliver(ctx, n)
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
	for n, ok := d.pop(); ok; n, ok = d.pop() {
		d.fallback(n)
	}
}

func (d *delivery) pop() (n notify.Notification, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		return n, false
	}
	n, d.queue = d.queue[0], d.queue[1:]
	return n, true
}

func (d *delivery) deliver(ctx context.Context, n notify.Notification) {
	receipt, err := d.notify(ctx, n)
	if err != nil && ctx.Err() != nil { // our own end is no trouble of the desktop
		d.fallback(n)
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
	if err != nil {
		d.fallback(n)
	}
	d.changed()
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
