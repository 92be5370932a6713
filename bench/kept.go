package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"sigalert/sig"
	"sigalert/sig/store"
	"sigalert/sig/tcp"
)

// keeper is a server that keeps events in files before it answers the publisher.
type keeper struct {
	name string
	// start starts it in a folder; with each, it syncs each event before it answers.
	start func(dir string, each bool) (keptClient, error)
}

// keptClient is a client with one connection.
type keptClient struct {
	publish func(ctx context.Context, data []byte) error // returns once it is answered
	stop    func()                                       // the client, and the server
}

func (k keeper) String() string { return k.name }

func keepers() [2]keeper { return [2]keeper{{"ours", keepOurs}, {"JetStream", keepNATS}} }

// keptPublishers publish at the same time, each waiting for its answers.
const keptPublishers = 100

// kept measures publishing what is kept in files.
func kept(ctx context.Context, p plan) ([]figure, error) {
	var all []figure
	for _, each := range []bool{false, true} {
		ours, nats, err := inTurn(p.rounds, keepers(), func(k keeper) ([]float64, error) { return keptRound(ctx, k, each, p) })
		if err != nil {
			return nil, err
		}
		how := "kept in files"
		if each {
			how = "each synced to the disk"
		}
		all = append(all,
			figure{what: fmt.Sprintf("%s, %d publishers", how, keptPublishers), unit: "publishes/s", ours: value(ours[0]), theirs: value(nats[0]), more: true},
			figure{what: how + ", one publisher", unit: "publishes/s", ours: value(ours[1]), theirs: value(nats[1]), more: true},
			figure{what: how + ", until the answer, p50", unit: "µs", ours: value(ours[2]), theirs: value(nats[2])},
			figure{what: how + ", until the answer, p99", unit: "µs", ours: value(ours[3]), theirs: value(nats[3])})
	}
	return all, nil
}

func keptRound(ctx context.Context, k keeper, each bool, p plan) ([]float64, error) {
	dir, err := os.MkdirTemp("", "sigalert-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c, err := k.start(dir, each)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	var all []float64
	for _, publishers := range []int{keptPublishers, 1} {
		rate, err := keptRate(ctx, c, publishers, p.fanout)
		if err != nil {
			return nil, err
		}
		all = append(all, rate)
	}
	data := payload(0)
	latency, err := sampled(ctx, p, func(<-chan time.Time) (time.Duration, error) {
		start := time.Now()
		err := c.publish(ctx, data)
		return time.Since(start), err
	})
	return append(all, latency...), err
}

// keptRate is how many events were published and answered in a second.
func keptRate(ctx context.Context, c keptClient, publishers int, d time.Duration) (float64, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	start := time.Now()
	for range publishers {
		all.Go(func() {
			for time.Since(start) < d {
				if err := c.publish(ctx, payload(done.Load())); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(start).Seconds(), nil
}

func keepOurs(dir string, each bool) (c keptClient, err error) {
	o := &store.Options{Sync: store.SyncGroup}
	if each {
		o.Sync = store.SyncEach
	}
	s, err := store.Open(dir, o)
	if err != nil {
		return c, err
	}
	carrier, err := tcp.Listen(loopback)
	if err != nil {
		return c, errors.Join(err, s.Close())
	}
	router := sig.NewServerRouter(&sig.ServerOptions{Store: s, Limits: unlimited})
	serving, endServer := context.WithCancel(context.Background())
	writing, endStore := context.WithCancel(context.Background())
	var server, writer sync.WaitGroup
	writer.Go(func() { s.Run(writing) })
	server.Go(func() { router.Serve(serving, carrier) })
	clients := newOurs(carrier.Addr()).(*ourClients)
	client := clients.client(nil)
	return keptClient{
		publish: func(ctx context.Context, data []byte) error {
			_, err := client.Publish(ctx, sig.Publication{Sender: senderName, Event: eventName, Data: sig.JSONData(data)})
			return err
		},
		stop: func() {
			clients.close()
			endServer()
			server.Wait()
			endStore()
			writer.Wait()
			s.Close()
		},
	}, nil
}

func keepNATS(dir string, each bool) (c keptClient, err error) {
	host, port, err := net.SplitHostPort(loopback)
	if err != nil {
		return c, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return c, err
	}
	if number == 0 {
		number = natsserver.RANDOM_PORT
	}
	s, err := natsserver.NewServer(&natsserver.Options{Host: host, Port: number, NoLog: true, NoSigs: true, JetStream: true, StoreDir: dir, SyncAlways: each})
	if err != nil {
		return c, err
	}
	s.Start()
	server := natsServer{s}
	defer func() {
		if err != nil {
			server.close()
		}
	}()
	if !s.ReadyForConnections(patience) {
		return c, errors.New("the server does not start")
	}
	clients := newNATS(server.addr()).(*natsClients)
	nc, err := clients.client()
	if err != nil {
		return c, err
	}
	js, err := nc.JetStream()
	if err == nil {
		_, err = js.AddStream(&nats.StreamConfig{Name: "bench", Subjects: []string{eventSubject}, Storage: nats.FileStorage})
	}
	if err != nil {
		clients.close()
		return c, err
	}
	return keptClient{
		publish: func(_ context.Context, data []byte) error {
			_, err := js.Publish(eventSubject, data)
			return err
		},
		stop: func() {
			clients.close()
			server.close()
		},
	}, nil
}
