package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// serverChild is a server in a process of its own. Its first line is its
// address.
func serverChild(s system, addr string) error {
	srv, err := s.serve(addr)
	if err != nil {
		return err
	}
	defer srv.close()
	return answerTasks(srv.addr(), func(task string) error {
		if task != "free" {
			return fmt.Errorf("no server can %s", task)
		}
		debug.FreeOSMemory()
		return nil
	})
}

// many are clients with a subscription each, in a process of their own.
type many struct {
	clients clients

	mu            sync.Mutex // guards the field below
	subscriptions []subscription

	heard atomic.Int64 // deliveries
}

func clientsChild(ctx context.Context, s system, addr string) error {
	m := &many{clients: s.clients(addr)}
	defer m.clients.close()
	return answerTasks("ready", func(task string) error {
		ctx, cancel := context.WithTimeout(ctx, slowly-time.Second)
		defer cancel()
		what, number, _ := strings.Cut(task, " ")
		n, err := strconv.Atoi(number)
		switch {
		case what == "free":
			debug.FreeOSMemory()
			return nil
		case what == "lost":
			return m.await(ctx, false)
		case what == "back":
			return m.await(ctx, true)
		case err == nil && what == "connect":
			return m.connect(ctx, n)
		case err == nil && what == "heard":
			return m.awaitHeard(ctx, int64(n))
		}
		return fmt.Errorf("no client can %s", task)
	})
}

// connect makes n clients, a hundred of them at a time.
func (m *many) connect(ctx context.Context, n int) error {
	return atATime(100, n, func(int) error {
		s, err := m.clients.subscribe(ctx, func([]byte) { m.heard.Add(1) })
		if err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.subscriptions = append(m.subscriptions, s)
		return nil
	})
}

func (m *many) await(ctx context.Context, up bool) error {
	m.mu.Lock()
	all := m.subscriptions
	m.mu.Unlock()
	return atATime(len(all), len(all), func(i int) error { return all[i].await(ctx, up) })
}

func (m *many) awaitHeard(ctx context.Context, n int64) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for m.heard.Load() < n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d events came", m.heard.Load(), n)
		}
	}
	if more := m.heard.Load() - n; more > 0 {
		return fmt.Errorf("%d events came more than once", more)
	}
	return nil
}

// atATime does n tasks, width of them at once, and returns the first error.
func atATime(width, n int, do func(i int) error) error {
	errs := make(chan error, n)
	var next atomic.Int64
	var tasks sync.WaitGroup
	for range width {
		tasks.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs <- do(i)
			}
		})
	}
	tasks.Wait()
	close(errs)
	for err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}
