package main

import (
	"context"
	"fmt"
	"sync"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

const (
	senderName = sig.Name("bench")
	eventName  = sig.Name("event")
)

type ourServer struct {
	carrier *tcp.Server
	cancel  context.CancelFunc
	serving sync.WaitGroup
}

// unlimited lets a publisher send as fast as it can.
var unlimited = sig.Limits{Events: -1, Connects: -1}

func serveOurs(addr string) (server, error) {
	carrier, err := tcp.Listen(addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &ourServer{carrier: carrier, cancel: cancel}
	router := sig.NewServerRouter(&sig.ServerOptions{Limits: unlimited})
	s.serving.Go(func() { router.Serve(ctx, carrier) })
	return s, nil
}

func (s *ourServer) addr() string { return s.carrier.Addr() }

func (s *ourServer) close() {
	s.cancel()
	s.serving.Wait()
}

type ourClients struct {
	server  string
	ctx     context.Context // of the running clients
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newOurs(addr string) clients {
	ctx, cancel := context.WithCancel(context.Background())
	return &ourClients{server: addr, ctx: ctx, cancel: cancel}
}

func (c *ourClients) close() {
	c.cancel()
	c.running.Wait()
}

func (c *ourClients) client(opts *sig.ClientOptions) *sig.ClientRouter {
	r := sig.NewClientRouter(tcp.NewClient(c.server), opts)
	c.running.Go(func() { r.Run(c.ctx) })
	return r
}

type ourSubscription struct {
	client   *sig.ClientRouter
	listener *sig.RemoteListener
	changed  <-chan struct{} // holds a token after a change
}

func (c *ourClients) subscribe(ctx context.Context, heard func([]byte)) (subscription, error) {
	changed := make(chan struct{}, 1)
	client := c.client(&sig.ClientOptions{Changed: func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}})
	s := &ourSubscription{client: client, changed: changed}
	s.listener = client.AddRemoteListener(senderName, eventName, func(ev sig.Event) {
		if data, err := ev.Data.JSON(); err == nil {
			heard(data)
		}
	})
	return s, s.await(ctx, true)
}

func (s *ourSubscription) await(ctx context.Context, up bool) error {
	for {
		status, err := s.client.Status(s.listener)
		if status == sig.Refused {
			return fmt.Errorf("the server refused the listener: %w", err)
		}
		if (status == sig.Active) == up {
			return nil
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *ourClients) publisher(ctx context.Context) (func([]byte) error, error) {
	s, err := c.client(nil).AddRemoteSender(ctx, senderName, eventName)
	if err != nil {
		return nil, err
	}
	return func(data []byte) error { return s.Post(c.ctx, eventName, sig.JSONData(data)) }, nil
}
