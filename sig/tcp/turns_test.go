package tcp

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Clients of one address get their turn in order. Those that keep it lose it if others
// wait; other addresses do not wait for them.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newTurns()
		began := time.Now()
		here, elsewhere := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2)}
		var mu sync.Mutex // guards these three
		var had, lost []int
		var done []func()
		ctx, cancel := context.WithCancel(t.Context())
		never := t.Context()
		take := func(ctx context.Context, n int, addr net.Addr) {
			go func() {
				d, ok := all.take(ctx, addr, func() {
					mu.Lock()
					defer mu.Unlock()
					lost = append(lost, n)
				})
				mu.Lock()
				defer mu.Unlock()
				if ok {
					had, done = append(had, n), append(done, d)
				}
			}()
			synctest.Wait()
		}
		for n := range maxHandshakes + 2 {
			take(never, n, here)
		}
		take(ctx, 1000, here)
		take(never, 1001, elsewhere)
		wants := func(when string, n, last int, without ...int) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if len(had) != n || had[n-1] != last || !slices.Equal(lost, without) || slices.Contains(had, 1000) {
				t.Errorf("%s: %d have had their turn, the last is %d; %v have lost it", when, len(had), had[len(had)-1], lost)
			}
		}
		wants("at first", maxHandshakes+1, 1001)
		cancel()
		done[7]()
		wants("when one has ended", maxHandshakes+2, maxHandshakes)
		time.Sleep(turnTime)
		wants("later", maxHandshakes+3, maxHandshakes+1, 0)
		mu.Lock()
		defer mu.Unlock()
		for _, d := range done {
			d()
		}
		if len(all.lines) > 0 || time.Since(began) != turnTime {
			t.Errorf("%d lines are left", len(all.lines))
		}
	})
}
