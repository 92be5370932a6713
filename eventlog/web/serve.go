package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	arrival = 10 * time.Second // of a request
	idle    = 30 * time.Second
	grace   = time.Second // at the end, for answers that are under way
)

// Serve serves on listener until ctx ends, and returns once all requests have, or
// after a second: whoever does not read must not hold up the end. It closes the
// listener.
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
	crowd := crowd{conns: make(map[net.Conn]*seat), of: make(map[netip.Prefix]*party)}
	server.ConnState, server.ConnContext = crowd.watch, crowd.context
	server.RegisterOnShutdown(crowd.close)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	end() // the streams
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if server.Shutdown(ending) != nil {
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
