package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// window is how many events the publisher may be ahead of the slowest
// listener. So neither side drops any, whatever its queues hold: ours hold
// 1,000 by default.
const window = 1000

// fanouts measures deliveries from one sender to many listeners.
func fanouts(ctx context.Context, p plan) ([]figure, error) {
	var all []figure
	for _, n := range []int{1, 10, 100} {
		ours, nats, err := alternate(p.rounds, func(s system) ([]float64, error) {
			perSecond, err := fanout(ctx, s, n, p.fanout)
			return []float64{perSecond}, err
		})
		if err != nil {
			return all, fmt.Errorf("1 to %d: %w", n, err)
		}
		f := figure{what: fmt.Sprintf("fan-out 1 to %d, 128 bytes", n), unit: "deliveries/s", ours: value(ours[0]), theirs: value(nats[0]), more: true}
		if n == 10 {
			f.pysig = pysigDeliveries
		}
		all = append(all, f)
	}
	return all, nil
}

// fanout publishes for a while and returns the deliveries per second, including
// the arrival of the last one.
func fanout(ctx context.Context, s system, listeners int, d time.Duration) (float64, error) {
	srv, err := s.serve(loopback)
	if err != nil {
		return 0, err
	}
	defer srv.close()
	cs := s.clients(srv.addr())
	defer cs.close()
	f := &flow{moved: make(chan struct{}, 1)}
	for range listeners {
		l := &counter{flow: f}
		f.counters = append(f.counters, l)
		if _, err := cs.subscribe(ctx, l.heard); err != nil {
			return 0, err
		}
	}
	publish, err := cs.publisher(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	sent := int64(0)
	for ; time.Since(start) < d; sent++ {
		if err := f.wait(ctx, sent-window+1); err != nil {
			return 0, err
		}
		if err := publish(payload(sent)); err != nil {
			return 0, err
		}
	}
	f.last.Store(sent)
	if err := f.wait(ctx, sent); err != nil {
		return 0, err
	}
	took := time.Since(start)
	time.Sleep(20 * time.Millisecond) // one that comes twice would come now
	return float64(sent) * float64(listeners) / took.Seconds(), f.check(sent)
}

// flow keeps the publisher near the slowest listener.
type flow struct {
	counters []*counter
	slowest  int64         // events that all had when they were last counted
	last     atomic.Int64  // how many there are in all, once that is known
	moved    chan struct{} // holds a token while a listener may have come far enough
}

type counter struct {
	flow  *flow
	got   atomic.Int64
	wrong atomic.Int64 // not the one that was next
	_     [64]byte     // no other listener's in the same cache line
}

// heard is called by one goroutine at a time.
func (c *counter) heard(data []byte) {
	n := c.got.Load()
	if number(data) != n {
		c.wrong.Add(1)
	}
	c.got.Store(n + 1)
	if n++; n%(window/4) == 0 || n == c.flow.last.Load() {
		select {
		case c.flow.moved <- struct{}{}:
		default:
		}
	}
}

// wait returns once every listener had that many events.
func (f *flow) wait(ctx context.Context, events int64) error {
	if f.slowest >= events {
		return nil
	}
	// The tick is for a last event that came before it was known as the last.
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	start, before := time.Now(), f.slowest
	for {
		f.slowest = f.counters[0].got.Load()
		for _, c := range f.counters {
			f.slowest = min(f.slowest, c.got.Load())
		}
		if f.slowest >= events {
			return nil
		}
		if f.slowest > before {
			start, before = time.Now(), f.slowest
		}
		if time.Since(start) > patience {
			return fmt.Errorf("a listener stays at %d events, %d were sent: some are lost", f.slowest, events)
		}
		select {
		case <-f.moved:
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// check reports whether everybody had everything exactly once and in order.
func (f *flow) check(sent int64) error {
	for i, c := range f.counters {
		if got, wrong := c.got.Load(), c.wrong.Load(); got != sent || wrong > 0 {
			return fmt.Errorf("listener %d had %d of %d events, %d of them not in order", i, got, sent, wrong)
		}
	}
	return nil
}
