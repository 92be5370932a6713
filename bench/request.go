package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

var errNoRequests = errors.New("sig has no requests yet")

// requests measures a request's way from a client through the server to the
// client that answers, and back.
func requests(ctx context.Context, p plan) ([]figure, error) {
	var missing error
	ours, nats, err := alternate(p.rounds, func(s system) ([]float64, error) {
		times, err := roundTrips(ctx, s, p)
		if errors.Is(err, errNoRequests) {
			missing = err
			return []float64{0, 0}, nil
		}
		return times, err
	})
	if err != nil {
		return nil, err
	}
	f := figure{what: "request and answer through the server, median", unit: "µs", nats: value(nats[0])}
	if missing == nil {
		f.ours = value(ours[0])
	}
	return []figure{f}, missing
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
