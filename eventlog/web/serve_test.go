package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
)

// A browser's connection in reserve does not hold up the end.
func TestUnusedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, err := eventlog.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		handler, err := web.New(log, web.Options{Source: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		m := make(memory)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- handler.Serve(ctx, m) }()
		near, far := net.Pipe()
		defer near.Close()
		m <- far
		synctest.Wait()
		began := time.Now()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end takes %v", took)
		}
	})
}

// A listener that fails ends the streams too, and at once.
func TestListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, err := eventlog.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		handler, err := web.New(log, web.Options{Source: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		m := make(memory)
		served := make(chan error)
		go func() { served <- handler.Serve(t.Context(), m) }()
		conn := m.dial(t, "/api/stream")
		defer conn.Close()
		go io.Copy(io.Discard, conn)
		synctest.Wait()
		began := time.Now()
		m <- nil
		if err := <-served; !errors.Is(err, errEnded) {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end takes %v", took)
		}
	})
}
