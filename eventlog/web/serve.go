package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

const (
	arrival   = 10 * time.Second // of a request, and of what a client takes
	idle      = 2 * time.Minute
	mostConns = 1000
)

// patience gives the client time to take what is written next. The error is
// that of a connection that has ended.
func patience(w http.ResponseWriter) error {
	err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(arrival))
	if errors.Is(err, http.ErrNotSupported) { // no connection, but a test's recorder
		return nil
	}
	return err
}

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
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(netutil.LimitListener(listener, mostConns)) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), arrival)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // it takes nothing: what it has not taken is no loss
	}
	if err == nil {
		err = <-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
