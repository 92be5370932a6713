package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sigalert/internal/wait"
	"sigalert/sig"
)

func BenchmarkKept(b *testing.B) {
	for _, mode := range []Sync{SyncNone, SyncGroup, SyncEach} {
		for _, publishers := range []int{1, 64} {
			b.Run(fmt.Sprintf("sync=%s/publishers=%d", mode, publishers), func(b *testing.B) {
				s, err := Open(b.TempDir(), &Options{Sync: mode})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				s.Load(func(sig.StoredEvent) {})
				defer wait.Start(context.Background(), func(ctx context.Context) { _ = s.Run(ctx) })()
				e := event(0, `"`+strings.Repeat("x", 126)+`"`)
				room := make(chan struct{}, publishers)
				b.ReportAllocs()
				for b.Loop() {
					room <- struct{}{}
					e.Seq++
					s.Append(e)
					s.Kept(e.Seq, func() { <-room })
				}
				for range publishers {
					room <- struct{}{}
				}
			})
		}
	}
}

// BenchmarkLoad loads a quarter of a million events of 128 bytes.
func BenchmarkLoad(b *testing.B) {
	const events = 250_000
	dir := b.TempDir()
	write := func(load func(sig.StoredEvent), fill bool) {
		s, err := Open(dir, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		s.Load(load)
		stop := wait.Start(context.Background(), func(ctx context.Context) { _ = s.Run(ctx) })
		defer stop()
		for i := range uint64(events) {
			if !fill {
				break
			}
			s.Append(event(i+1, `"`+strings.Repeat("x", 126)+`"`))
			if i%1000 == 0 {
				done := make(chan struct{})
				s.Kept(i+1, func() { close(done) })
				<-done
			}
		}
	}
	write(func(sig.StoredEvent) {}, true)
	for b.Loop() {
		n := 0
		write(func(sig.StoredEvent) { n++ }, false)
		if n != events {
			b.Fatalf("%d events", n)
		}
	}
}
