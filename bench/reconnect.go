package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

// reconnects measures how long many clients take to have their subscriptions
// back after the server was killed and started again.
func reconnects(ctx context.Context, p plan) ([]figure, error) {
	var all []figure
	for _, away := range []time.Duration{0, p.away} {
		ours, nats, err := alternate(p.rounds, func(s system) ([]float64, error) {
			took, err := reconnect(ctx, s, p.back, away)
			return []float64{took.Seconds()}, err
		})
		if err != nil {
			return all, err
		}
		what := fmt.Sprintf("%s reconnected, server back ", count(p.back, "client"))
		if away == 0 {
			what += "at once"
		} else {
			what += fmt.Sprintf("after %.0f s", away.Seconds())
		}
		all = append(all, figure{what: what, unit: "s", ours: value(ours[0]), theirs: value(nats[0])})
	}
	return all, nil
}

// reconnect returns the time from when the new server listens until it has all
// n subscriptions.
func reconnect(ctx context.Context, s system, n int, away time.Duration) (time.Duration, error) {
	addr, err := fixedAddr()
	if err != nil {
		return 0, err
	}
	srv, _, err := start(ctx, "server", s.name, addr)
	if err != nil {
		return 0, err
	}
	defer func() { srv.kill() }()
	cs, _, err := start(ctx, "clients", s.name, addr)
	if err != nil {
		return 0, err
	}
	defer cs.stop()
	if err := cs.ask(fmt.Sprint("connect ", n)); err != nil {
		return 0, err
	}

	srv.kill()
	gone := time.Now()
	if err := cs.ask("lost"); err != nil { // all clients know it
		return 0, err
	}
	time.Sleep(away - time.Since(gone))
	next, _, err := start(ctx, "server", s.name, addr)
	if err != nil {
		return 0, err
	}
	srv = next
	listens := time.Now()
	if err := cs.ask("back"); err != nil {
		return 0, err
	}
	took := time.Since(listens)

	// An event that reaches each of them shows that it is so.
	sender := s.clients(addr)
	defer sender.close()
	publish, err := sender.publisher(ctx)
	if err != nil {
		return 0, err
	}
	if err := publish(payload(0)); err != nil {
		return 0, err
	}
	return took, cs.ask(fmt.Sprint("heard ", n))
}

// fixedAddr is a free address below the ports that the system gives to
// clients: otherwise a client could have it while the server is away.
func fixedAddr() (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", fmt.Errorf("no free port")
}
