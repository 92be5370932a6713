package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// system is what is measured.
type system struct {
	name    string
	serve   func(addr string) (server, error) // port 0 is any free one
	clients func(addr string) clients
}

func systems() [2]system {
	return [2]system{{"ours", serveOurs, newOurs}, {"nats", serveNATS, newNATS}}
}

type server interface {
	addr() string
	close()
}

// clients are any number of clients of one server, each on connections of its
// own. All work with one sender and one event, or one request.
type clients interface {
	// subscribe returns once the server has the subscription. The data is
	// valid until heard returns.
	subscribe(ctx context.Context, heard func(data []byte)) (subscription, error)
	// publisher hands an event over and does not wait for the server.
	publisher(ctx context.Context) (func(data []byte) error, error)
	// echo answers every request with its data.
	echo(ctx context.Context) error
	requester(ctx context.Context) (func(data []byte) ([]byte, error), error)
	close()
}

// subscription is how one stands.
type subscription interface {
	// await returns once the server has it, or once it is known to have not.
	await(ctx context.Context, up bool) error
}

const (
	loopback    = "127.0.0.1:0"
	payloadSize = 128
	patience    = 30 * time.Second
)

// payload is a JSON string of 128 bytes with its number in it.
func payload(n int64) []byte {
	b := slices.Repeat([]byte{'x'}, payloadSize)
	b[0], b[payloadSize-1] = '"', '"'
	copy(b[1:], fmt.Appendf(nil, "%015d", n))
	return b
}

// number is the one that the payload carries, or -1.
func number(b []byte) int64 {
	if len(b) != payloadSize {
		return -1
	}
	n, err := strconv.ParseInt(string(b[1:16]), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (s system) String() string { return s.name }

// alternate runs ours and NATS in turn.
func alternate(rounds int, run func(system) ([]float64, error)) (ours, nats []float64, err error) {
	return inTurn(rounds, systems(), run)
}

// inTurn runs several rounds of each of both, and returns the medians of the rounds'
// figures.
func inTurn[S fmt.Stringer](rounds int, both [2]S, run func(S) ([]float64, error)) (ours, theirs []float64, err error) {
	var all [2][][]float64
	for range rounds {
		for i, s := range both {
			figures, err := run(s)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", s, err)
			}
			all[i] = append(all[i], figures)
		}
	}
	return medians(all[0]), medians(all[1]), nil
}

func medians(rounds [][]float64) []float64 {
	var all []float64
	for i := range rounds[0] {
		var column []float64
		for _, r := range rounds {
			column = append(column, r[i])
		}
		all = append(all, percentile(column, 0.5))
	}
	return all
}

// percentile sorts what it is given.
func percentile(values []float64, part float64) float64 {
	slices.Sort(values)
	return values[int(part*float64(len(values)-1)+0.5)]
}
