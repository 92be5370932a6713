package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

const (
	arrival  = 10 * time.Second // of a request, and of maxWrite at a client
	idle     = 30 * time.Second
	maxConns = 1000
)

// Serve serves on listener until ctx ends, and returns once all requests have.
// It closes the listener.
func (h *Handler) Serve(ctx context.Context, listener net.Listener) error {
	requests, end := context.WithCancel(ctx)
	defer end()
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: arrival,
		ReadTimeout:       arrival,
		IdleTimeout:       idle,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(h.logger.Handler(), slog.LevelDebug),
	}
	unused := unused{conns: make(map[net.Conn]bool)}
	server.ConnState = unused.watch
	server.RegisterOnShutdown(unused.close)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(netutil.LimitListener(listener, maxConns)) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	end() // the streams
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), arrival)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // a client that takes nothing loses nothing
	}
	if err == nil {
		err = <-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// unused are the connections that have had no request yet: browsers open them in
// advance, and [http.Server.Shutdown] waits 5 s for each.
type unused struct {
	mu    sync.Mutex // guards the fields below
	conns map[net.Conn]bool
	ended bool
}

func (u *unused) watch(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.conns, c)
	switch {
	case state == http.StateNew && u.ended:
		c.Close()
	case state == http.StateNew:
		u.conns[c] = true
	}
}

func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	for c := range u.conns {
		c.Close()
	}
}
