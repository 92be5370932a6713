package sigtest

import (
	"context"
	"testing"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

// Server is a server on real TCP. Trigger events on its Router for clients to
// hear.
type Server struct {
	*sig.Router
	Addr string // host:port
	Stop func() // ends it before the test does
}

// EachServer runs a test twice: with a server of this package, and with one
// that behaves as pysig's does.
func EachServer(t *testing.T, test func(t *testing.T, s Server)) {
	t.Run("ours", func(t *testing.T) { test(t, Serve(t, "127.0.0.1:0")) })
	t.Run("pysig", func(t *testing.T) {
		s, err := NewPysigServer("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		test(t, Server{s.Router, s.Addr(), s.Close})
	})
}

// Serve runs a server of package sig on addr until the test ends.
func Serve(t testing.TB, addr string) Server {
	t.Helper()
	carrier, err := tcp.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	server := sig.NewServerRouter(nil)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(ctx, carrier); err != nil {
			t.Error(err)
		}
	}()
	stop := func() {
		cancel()
		<-served
	}
	t.Cleanup(stop)
	return Server{&server.Router, carrier.Addr(), stop}
}
