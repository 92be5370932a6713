package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// requests measures a request's way from a client through the server to the
// client that answers, and back.
func requests(ctx context.Context, p plan) ([]figure, error) {
	ours, nats, err := alternate(p.rounds, func(s system) ([]float64, error) { return roundTrips(ctx, s, p) })
	if err != nil {
		return nil, err
	}
	return []figure{{what: "request and answer through the server, median", unit: "µs", ours: value(ours[0]), theirs: value(nats[0])}}, nil
}

func roundTrips(ctx context.Context, s system, p plan) ([]float64, error) {
	srv, err := s.serve(loopback)
	if err != nil {
		return nil, err
	}
	defer srv.close()
	cs := s.clients(srv.addr())
	defer cs.close()
	if err := cs.echo(ctx); err != nil {
		return nil, err
	}
	request, err := cs.requester(ctx)
	if err != nil {
		return nil, err
	}
	data := payload(0)
	return sampled(ctx, p, func(<-chan time.Time) (time.Duration, error) {
		start := time.Now()
		answer, err := request(data)
		took := time.Since(start)
		if err == nil && !bytes.Equal(answer, data) {
			err = fmt.Errorf("the answer to %s is %s", data, answer)
		}
		return took, err
	})
}
