package main

import (
	"context"
	"fmt"
	"time"
)

// idle measures the memory of many clients that do nothing, at the server's
// end and at their own.
func idle(ctx context.Context, p plan) ([]figure, error) {
	ours, nats, err := alternate(1, func(s system) ([]float64, error) { return idleMemory(ctx, s, p.idle) })
	if err != nil {
		return nil, err
	}
	n := count(p.idle, "idle client")
	return []figure{
		{what: n + ": server memory per client", unit: "KB", ours: value(ours[0]), theirs: value(nats[0])},
		{what: n + ": client memory per client", unit: "KB", ours: value(ours[1]), theirs: value(nats[1])},
	}, nil
}

// idleMemory returns what one client takes in the server's process and in the
// clients' own, in KB.
func idleMemory(ctx context.Context, s system, n int) ([]float64, error) {
	srv, addr, err := start(ctx, "server", s.name, loopback)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	cs, _, err := start(ctx, "clients", s.name, addr)
	if err != nil {
		return nil, err
	}
	defer cs.stop()
	// What the first client brings with it does not count for the others.
	if err := cs.ask("connect 1"); err != nil {
		return nil, err
	}
	var before, after [2]float64
	if before, err = memories(srv, cs); err != nil {
		return nil, err
	}
	if err := cs.ask(fmt.Sprint("connect ", n)); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second) // until they are idle
	if after, err = memories(srv, cs); err != nil {
		return nil, err
	}
	return []float64{(after[0] - before[0]) / float64(n), (after[1] - before[1]) / float64(n)}, nil
}

func memories(srv, cs *process) (m [2]float64, err error) {
	if m[0], err = srv.memory(); err != nil {
		return m, err
	}
	m[1], err = cs.memory()
	return m, err
}
