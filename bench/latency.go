package main

import (
	"context"
	"errors"
	"time"
)

// latencies measures the way from the sender's call to the listener's.
func latencies(ctx context.Context, p plan) ([]figure, error) {
	ours, nats, err := alternate(p.rounds, func(s system) ([]float64, error) { return latency(ctx, s, p) })
	if err != nil {
		return nil, err
	}
	return []figure{
		{what: "latency of a single event, p50", unit: "µs", ours: value(ours[0]), theirs: value(nats[0])},
		{what: "latency of a single event, p99", unit: "µs", ours: value(ours[1]), theirs: value(nats[1])},
	}, nil
}

// latency returns p50 and p99 in microseconds, one event after the other.
func latency(ctx context.Context, s system, p plan) ([]float64, error) {
	srv, err := s.serve(loopback)
	if err != nil {
		return nil, err
	}
	defer srv.close()
	cs := s.clients(srv.addr())
	defer cs.close()
	arrived := make(chan time.Time, 1)
	if _, err := cs.subscribe(ctx, func([]byte) {
		select {
		case arrived <- time.Now():
		default: // nobody waits: the benchmark has failed
		}
	}); err != nil {
		return nil, err
	}
	publish, err := cs.publisher(ctx)
	if err != nil {
		return nil, err
	}
	data := payload(0)
	return sampled(ctx, p, func(patience <-chan time.Time) (time.Duration, error) {
		start := time.Now()
		if err := publish(data); err != nil {
			return 0, err
		}
		select {
		case at := <-arrived:
			return at.Sub(start), nil
		case <-patience:
			return 0, errors.New("an event does not arrive")
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	})
}

// sampled takes samples one by one, discards the first few, and returns p50
// and p99 in microseconds.
func sampled(ctx context.Context, p plan, sample func(patience <-chan time.Time) (time.Duration, error)) ([]float64, error) {
	const warmUp = 20
	var all []float64
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for start := time.Now(); len(all) < p.samples+warmUp && time.Since(start) < p.most; {
		timer.Reset(patience)
		took, err := sample(timer.C)
		if err != nil {
			return nil, err
		}
		all = append(all, float64(took.Nanoseconds())/1000)
	}
	if len(all) <= warmUp {
		return nil, errors.New("too few samples")
	}
	all = all[warmUp:]
	return []float64{percentile(all, 0.5), percentile(all, 0.99)}, ctx.Err()
}
