//go:build linux

package e2e

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sigalert/sig"
)

// A crowd connects at once over TLS, with tokens; everybody is let in, and gets an event.
func TestManyTLSClients(t *testing.T) {
	manyClients(t, 500, 0)
}

// BenchmarkTLSClients is 5,000 of them: how long it takes until all are registered
// ("connected") and have an event ("served"), of which all of the clients' work is a
// part, which is done on the same processors; what the router needs for each, and how
// many descriptors the system allows.
func BenchmarkTLSClients(b *testing.B) {
	const n = 5000
	for b.Loop() {
		r := manyClients(b, n, 10*time.Second)
		b.ReportMetric(r.connected.Seconds(), "connected-s")
		b.ReportMetric(r.served.Seconds(), "served-s")
		b.ReportMetric(r.memory*1024/n, "KiB/client")
		b.ReportMetric(r.peak, "peak-MiB")
		b.ReportMetric(float64(r.cpu)/100, "router-cpu-s")
		b.ReportMetric(float64(r.limit), "descriptors-limit")
		if r.served > 10*time.Second {
			b.Errorf("it takes %v", r.served)
		}
	}
}

// crowded is how many clients were served.
type crowded struct {
	connected, served time.Duration
	memory, peak      float64 // in MiB
	cpu               int     // in ticks of 10 ms
	limit             uint64
}

// manyClients lets them rest before it looks at the memory.
func manyClients(t testing.TB, n int, rest time.Duration) (r crowded) {
	var limit syscall.Rlimit // which package os has raised, here as in the router
	check(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if r.limit = limit.Cur; r.limit < uint64(n)+100 {
		leaveOut(t, "the system allows too few descriptors")
	}
	h := newHome(t)
	s := h.serveAt(t, program(t), "127.0.0.1:0", secured...)
	way := s.way(t)
	before, cpu := s.memory(t, "VmRSS"), s.cpu(t)

	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	var registered, heard atomic.Int64
	began := time.Now()
	for range n {
		var client *sig.ClientRouter
		var listener *sig.RemoteListener
		var once sync.Once
		client = way.client(sig.ClientOptions{Changed: func() {
			if status, _ := client.Status(listener); status == sig.Active {
				once.Do(func() { registered.Add(1) })
			}
		}})
		listener = client.AddRemoteListener("n", "e", func(sig.Event) { heard.Add(1) })
		running.Go(func() { client.Run(ctx) })
	}
	eventually(t, "everybody is registered", func() bool { return registered.Load() == int64(n) })
	r.connected = time.Since(began)
	publisher := way.client(sig.ClientOptions{})
	running.Go(func() { publisher.Run(ctx) })
	_, err := publisher.Publish(ctx, sig.Publication{Sender: "n", Event: "e", Data: "for everybody"})
	check(t, err)
	eventually(t, "everybody has the event", func() bool { return heard.Load() == int64(n) })
	r.served = time.Since(began)
	time.Sleep(rest)
	r.memory, r.peak, r.cpu = s.memory(t, "VmRSS")-before, s.memory(t, "VmHWM"), s.cpu(t)-cpu
	s.running(t)
	return r
}
