package sig_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

func BenchmarkTrigger(b *testing.B) {
	for _, listeners := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("listeners=%d", listeners), func(b *testing.B) {
			r := new(sig.Router)
			s, err := r.AddSender("s", "e")
			if err != nil {
				b.Fatal(err)
			}
			calls := 0
			for range listeners {
				if _, err := r.AddListener("s", "e", func(sig.Event) { calls++ }); err != nil {
					b.Fatal(err)
				}
			}
			sg, err := s.Signal("e")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := sg.Trigger(1); err != nil {
					b.Fatal(err)
				}
			}
			if calls == 0 {
				b.Fatal("nobody was called")
			}
		})
	}
}

// BenchmarkRequest takes a request from a client through the server to the
// client that answers, and the answer back.
func BenchmarkRequest(b *testing.B) {
	_, addr := serve(b)
	provider, _ := run(b, tcp.NewClient(addr))
	_, err := provider.AddRemoteSenderWith(b.Context(), "echo", sig.SenderOptions{Requests: map[sig.Name]sig.RequestFunc{
		"": func(_ context.Context, _ sig.Name, params sig.Data) (any, error) { return params, nil },
	}})
	if err != nil {
		b.Fatal(err)
	}
	requester, _ := run(b, tcp.NewClient(addr))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := requester.RemoteRequest(b.Context(), "echo", "say", "hello"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPost takes events from a client through the server to a listener,
// many under way at once.
func BenchmarkPost(b *testing.B) {
	_, addr := serveWith(b, &sig.ServerOptions{Limits: sig.Limits{Events: -1}})
	sender, _ := run(b, tcp.NewClient(addr))
	timer, err := sender.AddRemoteSender(b.Context(), "timer", "tick")
	if err != nil {
		b.Fatal(err)
	}
	c, changed := run(b, tcp.NewClient(addr))
	room := make(chan struct{}, 1000)
	l := c.AddRemoteListener("timer", "tick", func(sig.Event) { <-room })
	until(b, changed, "active", isActive(c, l))
	data := sig.JSONData([]byte(`"` + strings.Repeat("x", 126) + `"`))
	b.ReportAllocs()
	for b.Loop() {
		room <- struct{}{}
		if err := timer.Post(b.Context(), "tick", data); err != nil {
			b.Fatal(err)
		}
	}
	for range cap(room) {
		room <- struct{}{}
	}
	for len(room) > 0 {
		<-room
	}
}
