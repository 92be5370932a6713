package sig_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// moody is a carrier whose dials may hang, and whose connections may be uprooted.
type moody struct {
	sig.ClientCarrier

	mu       sync.Mutex // guards the fields below
	hangs    bool
	uprooted error
	dials    int
}

func (m *moody) set(hangs bool, uprooted error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hangs, m.uprooted = hangs, uprooted
}

func (m *moody) dialled() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dials
}

func (m *moody) Dial(ctx context.Context) (sig.Conn, error) {
	m.mu.Lock()
	m.dials++
	hangs := m.hangs
	m.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	conn, err := m.ClientCarrier.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return rooted{conn, m}, nil
}

type rooted struct {
	sig.Conn
	m *moody
}

func (r rooted) Rooted() error {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	return r.m.uprooted
}

// An attempt that hangs in a network that has gone gives way to another at once.
func TestReconnectDialsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		go sig.NewServerRouter(nil).Serve(t.Context(), network.Up())
		m := &moody{ClientCarrier: network.Client(), hangs: true}
		c, _ := run(t, m)
		l := c.AddRemoteListener("timer", "tick", func(sig.Event) {})
		time.Sleep(time.Second)
		m.set(false, nil)
		c.Reconnect()
		time.Sleep(100 * time.Millisecond)
		if !isActive(c, l)() || m.dialled() != 2 {
			t.Errorf("%d attempts: %+v", m.dialled(), c.Link())
		}
	})
}

// A healthy connection survives Reconnect, and one without an address does not.
func TestReconnectEndsOnlyWhatCannotWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		go sig.NewServerRouter(nil).Serve(t.Context(), network.Up())
		m := &moody{ClientCarrier: network.Client()}
		c, _ := run(t, m)
		l := c.AddRemoteListener("timer", "tick", func(sig.Event) {})
		time.Sleep(time.Minute)
		for range 100 {
			c.Reconnect()
			time.Sleep(time.Millisecond)
		}
		if time.Sleep(time.Minute); m.dialled() != 1 || !isActive(c, l)() {
			t.Errorf("%d attempts: %+v", m.dialled(), c.Link())
		}
		gone := errors.New("this machine no longer has the address 192.0.2.1")
		m.set(false, gone)
		if time.Sleep(time.Minute); m.dialled() != 1 { // nobody asks
			t.Errorf("%d attempts: %+v", m.dialled(), c.Link())
		}
		c.Reconnect()
		synctest.Wait()
		if st := c.Link(); st.Connected || !errors.Is(st.Err, gone) {
			t.Errorf("%+v", st)
		}
		m.set(false, nil)
		if time.Sleep(time.Second); m.dialled() != 2 || !isActive(c, l)() {
			t.Errorf("%d attempts: %+v", m.dialled(), c.Link())
		}
	})
}

// An attempt that took long in vain has waited already.
func TestAttemptsThatHangCountAsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		m := &moody{ClientCarrier: network.Client(), hangs: true}
		c, _ := run(t, m)
		c.AddRemoteListener("timer", "tick", func(sig.Event) {})
		time.Sleep(5*time.Minute + time.Second)
		if m.dialled() != 31 {
			t.Errorf("%d attempts in 5 minutes, want one every 10 s", m.dialled())
		}
	})
}
