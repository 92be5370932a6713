package main

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	eventSubject   = "bench.event"
	requestSubject = "bench.request"
)

type natsServer struct{ *natsserver.Server }

func serveNATS(addr string) (server, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		port = natsserver.RANDOM_PORT
	}
	s, err := natsserver.NewServer(&natsserver.Options{Host: host, Port: port, NoLog: true, NoSigs: true})
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		natsServer{s}.close()
		return nil, errors.New("the server does not start")
	}
	return natsServer{s}, nil
}

func (s natsServer) addr() string { return s.Addr().String() }

func (s natsServer) close() {
	s.Shutdown()
	s.WaitForShutdown()
}

type natsClients struct {
	url string

	mu    sync.Mutex // guards the field below
	conns []*nats.Conn
	ended sync.WaitGroup // counts connections
}

func newNATS(addr string) clients { return &natsClients{url: "nats://" + addr} }

func (c *natsClients) close() {
	c.mu.Lock()
	conns := c.conns
	c.conns = nil
	c.mu.Unlock()
	for _, nc := range conns {
		nc.Close()
	}
	c.ended.Wait()
}

// client connects with nats.go's defaults.
func (c *natsClients) client(opts ...nats.Option) (*nats.Conn, error) {
	c.ended.Add(1)
	nc, err := nats.Connect(c.url, append(opts, nats.ClosedHandler(func(*nats.Conn) { c.ended.Done() }))...)
	if err != nil {
		c.ended.Done()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, nc)
	return nc, nil
}

type natsSubscription struct {
	conn    *nats.Conn
	changed <-chan struct{} // holds a token after a change
}

func (c *natsClients) subscribe(ctx context.Context, heard func([]byte)) (subscription, error) {
	changed := make(chan struct{}, 1)
	change := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	nc, err := c.client(
		nats.DisconnectErrHandler(func(*nats.Conn, error) { change() }),
		nats.ReconnectHandler(func(*nats.Conn) { change() }))
	if err != nil {
		return nil, err
	}
	if _, err := nc.Subscribe(eventSubject, func(m *nats.Msg) { heard(m.Data) }); err != nil {
		return nil, err
	}
	s := natsSubscription{nc, changed}
	return s, s.await(ctx, true)
}

func (s natsSubscription) await(ctx context.Context, up bool) error {
	for {
		if s.conn.IsConnected() == up {
			if !up {
				return nil
			}
			// The answer comes after the server has the subscription.
			err := s.conn.FlushTimeout(patience)
			if err == nil || s.conn.IsConnected() {
				return err
			}
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *natsClients) publisher(context.Context) (func([]byte) error, error) {
	nc, err := c.client()
	if err != nil {
		return nil, err
	}
	return func(data []byte) error { return nc.Publish(eventSubject, data) }, nil
}

func (c *natsClients) echo(context.Context) error {
	nc, err := c.client()
	if err != nil {
		return err
	}
	if _, err := nc.Subscribe(requestSubject, func(m *nats.Msg) { m.Respond(m.Data) }); err != nil {
		return err
	}
	return nc.FlushTimeout(patience)
}

func (c *natsClients) requester(context.Context) (func([]byte) ([]byte, error), error) {
	nc, err := c.client()
	if err != nil {
		return nil, err
	}
	return func(data []byte) ([]byte, error) {
		m, err := nc.Request(requestSubject, data, patience)
		if err != nil {
			return nil, err
		}
		return m.Data, nil
	}, nil
}
