package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

const pysigSenders = 4

// pysig measures deliveries to a client that behaves on the wire as pysig
// does, from four clients of ours at once.
func pysig(ctx context.Context, p plan) ([]figure, error) {
	var speeds, gaps []float64
	for range p.rounds {
		speed, gap, err := toPysig(ctx, p.signals)
		if err != nil {
			return nil, err
		}
		speeds, gaps = append(speeds, speed), append(gaps, float64(gap.Microseconds())/1000)
	}
	what := fmt.Sprintf("%s from %d senders to a pysig client", count(p.signals, "event"), pysigSenders)
	return []figure{
		{what: what, unit: "deliveries/s", ours: value(percentile(speeds, 0.5)), more: true, pysig: pysigDeliveries},
		{what: "longest gap between two of those", unit: "ms", ours: value(percentile(gaps, 0.5))},
	}, nil
}

// toPysig sends a number of signals that the senders can share evenly. It returns
// deliveries per second and the longest time without any.
func toPysig(ctx context.Context, signals int) (perSecond float64, longest time.Duration, err error) {
	carrier, err := tcp.Listen(loopback)
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	// The senders are faster than pysig reads: all may wait in the queue.
	server := sig.NewServerRouter(&sig.ServerOptions{Queue: signals, Limits: unlimited})
	running.Go(func() { server.Serve(ctx, carrier) })

	arrivals := make(chan arrival, 2*signals)
	peer, err := sigtest.DialPeer(carrier.Addr(), func(method string, params json.RawMessage) (any, error) {
		if method == "signal" {
			arrivals <- newArrival(params)
		}
		return nil, nil
	})
	if err != nil {
		return 0, 0, err
	}
	defer peer.Close()
	var senders []*sig.RemoteSender
	for i := range pysigSenders {
		name := sig.Name(fmt.Sprint("bench", i))
		if _, err := peer.Call("add_listener", map[string]any{"sender": name, "event": eventName}); err != nil {
			return 0, 0, err
		}
		time.Sleep(20 * time.Millisecond) // pysig's reader takes two messages at once for none
		client := sig.NewClientRouter(tcp.NewClient(carrier.Addr()), nil)
		running.Go(func() { client.Run(ctx) })
		s, err := client.AddRemoteSender(ctx, name, eventName)
		if err != nil {
			return 0, 0, err
		}
		senders = append(senders, s)
	}

	begin := time.Now()
	errs := make(chan error, pysigSenders)
	for _, s := range senders {
		running.Go(func() {
			for i := range signals / pysigSenders {
				if err := s.Trigger(ctx, eventName, sig.JSONData(payload(int64(i)))); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	last := begin
	next := make(map[string]int64) // by sender
	for i := range signals {
		timeout := time.NewTimer(patience)
		select {
		case a := <-arrivals:
			longest, last = max(longest, a.at.Sub(last)), a.at
			if a.number != next[a.sender] {
				err = fmt.Errorf("event %d of %s where %d was next", a.number, a.sender, next[a.sender])
			}
			next[a.sender]++
		case err = <-errs:
		case <-timeout.C:
			err = fmt.Errorf("%d of %d events arrived, %d reads were no message", i, signals, peer.Lost())
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		timeout.Stop()
		if err != nil {
			return 0, 0, err
		}
	}
	return float64(signals) / last.Sub(begin).Seconds(), longest, nil
}

// arrival is an event that reached the pysig client.
type arrival struct {
	at     time.Time
	sender string
	number int64 // -1: it is none of ours
}

func newArrival(params []byte) arrival {
	var signal struct {
		Info struct {
			Sender string `json:"sender"`
		} `json:"info"`
		Data json.RawMessage `json:"data"`
	}
	a := arrival{at: time.Now(), number: -1}
	if json.Unmarshal(params, &signal) == nil {
		a.sender, a.number = signal.Info.Sender, number(signal.Data)
	}
	return a
}
