package several_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/several"
	"sigalert/sig"
)

// peer is an address that answers after a time, or not.
type peer struct {
	name  string
	after time.Duration
	err   error // instead of an answer
	fails int   // so many attempts fail before the others
	mute  bool  // what it answers is the end of the connection

	dials, open int
}

func (p *peer) String() string { return p.name }

func (p *peer) Dial(ctx context.Context) (sig.Conn, error) {
	p.dials++
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(p.after):
	}
	if p.err != nil {
		return nil, p.err
	}
	if p.dials <= p.fails {
		return nil, errDown
	}
	p.open++
	return &conn{p}, nil
}

type conn struct{ peer *peer }

func (c *conn) ReadMessage() ([]byte, error) {
	if c.peer.mute {
		return nil, io.EOF
	}
	return []byte("{}"), nil
}
func (c *conn) WriteMessage([]byte) error { return nil }
func (c *conn) Peer() string              { return c.peer.name }
func (c *conn) Close() error {
	c.peer.open--
	return nil
}

var errDown = errors.New("down")

const never = 24 * time.Hour

func carrier(peers ...*peer) sig.ClientCarrier {
	var names []string
	by := make(map[string]*peer)
	for _, p := range peers {
		names = append(names, p.name)
		by[p.name] = p
	}
	return several.New(names, func(name string) sig.ClientCarrier { return by[name] })
}

func TestFirstThatAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		peers []*peer
		want  string // "": none
		took  time.Duration
	}{
		"the first":          {[]*peer{{name: "a"}, {name: "b"}}, "a", 0},
		"the first, late":    {[]*peer{{name: "a", after: 200 * time.Millisecond}, {name: "b"}}, "a", 200 * time.Millisecond},
		"the first is slow":  {[]*peer{{name: "a", after: time.Second}, {name: "b", after: time.Second}}, "a", time.Second},
		"the first is dead":  {[]*peer{{name: "a", err: errDown}, {name: "b"}}, "b", 0},
		"the first hangs":    {[]*peer{{name: "a", after: never}, {name: "b"}}, "b", 300 * time.Millisecond},
		"all but one hang":   {[]*peer{{name: "a", after: never}, {name: "b", after: never}, {name: "c"}}, "c", 600 * time.Millisecond},
		"one hangs, one not": {[]*peer{{name: "a", after: never}, {name: "b", err: errDown}, {name: "c"}}, "c", 300 * time.Millisecond},
		"all are dead":       {[]*peer{{name: "a", err: errDown}, {name: "b", err: errDown}}, "", 0},
		"all hang":           {[]*peer{{name: "a", after: never}, {name: "b", after: never}}, "", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := carrier(tc.peers...)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				conn, err := c.Dial(ctx)
				got := ""
				if err == nil {
					got = conn.Peer()
				} else if !errors.Is(err, errDown) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); got != tc.want || took != tc.took {
					t.Errorf("%q after %s, want %q after %s", got, took, tc.want, tc.took)
				}
				open := 0
				for _, p := range tc.peers {
					open += p.open
				}
				if err == nil && (open != 1 || c.String() != got) || err != nil && open != 0 {
					t.Errorf("%d connections are open, to %s", open, c)
				}
			})
		})
	}
}

// All connections go to one address, even if another answers sooner, and if they are made
// at once.
func TestSameAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &peer{name: "a", fails: 1}, &peer{name: "b", after: time.Millisecond}
		c := carrier(a, b)
		conns := make(chan sig.Conn)
		for range 2 {
			go func() {
				conn, err := c.Dial(t.Context())
				if err != nil {
					t.Error(err)
				}
				conns <- conn
			}()
		}
		one, two := <-conns, <-conns
		if one.Peer() != "b" || two.Peer() != "b" || c.String() != "b" {
			t.Errorf("connected to %s and %s", one.Peer(), two.Peer())
		}
		for _, conn := range []sig.Conn{one, two} {
			if _, err := conn.ReadMessage(); err != nil {
				t.Error(err)
			}
			conn.Close()
			conn.Close()
		}
		if conn, err := c.Dial(t.Context()); err != nil || conn.Peer() != "a" || c.String() != "a" {
			t.Errorf("once they have ended: %v", err)
		}
	})
}

// An address that takes connections and says nothing is tried last, until it does.
func TestMuteAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &peer{name: "a", mute: true}, &peer{name: "b"}
		c := carrier(a, b)
		for i, want := range []string{"a", "b", "b", "a", "a"} {
			switch i {
			case 3:
				a.mute, b.err = false, errDown
			case 4:
				b.err = nil
			}
			conn, err := c.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if conn.Peer() != want {
				t.Errorf("%d: to %s, want %s", i, conn.Peer(), want)
			}
			_, _ = conn.ReadMessage()
			conn.Close()
		}
		// One that says nothing yet holds no other that has been there in vain.
		a.mute = true
		hangs, _ := c.Dial(t.Context())
		again, _ := c.Dial(t.Context())
		_, _ = again.ReadMessage()
		again.Close()
		next, err := c.Dial(t.Context())
		if hangs.Peer() != "a" || again.Peer() != "a" || err != nil || next.Peer() != "b" || c.String() != "b" {
			t.Errorf("to %s, %s and %s", hangs.Peer(), again.Peer(), c)
		}
		hangs.Close()
		next.Close()
		if c.String() != "a or b" {
			t.Error(c.String())
		}
	})
}

func TestOneAddress(t *testing.T) {
	a := &peer{name: "a"}
	if c := carrier(a); c != sig.ClientCarrier(a) {
		t.Errorf("%v", c)
	}
}
