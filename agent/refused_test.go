package agent_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
)

// gate is an Access that admits everybody or nobody.
type gate struct {
	mu      sync.Mutex // guards the fields below
	ctx     context.Context
	close   func() // nil: it is closed
	refused int
}

func (g *gate) open(b *bench) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ctx, g.close = context.WithCancel(b.t.Context())
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.close()
	g.close = nil
}

// count returns how many were refused since it was called last.
func (g *gate) count() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, g.refused = g.refused, 0
	return n
}

func (g *gate) Admit(sig.Caller) (sig.Rights, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.close == nil {
		g.refused++
		return nil, errors.New("closed")
	}
	return everything{g.ctx}, nil
}

type everything struct{ ctx context.Context }

func (everything) Holder() string                          { return "us" }
func (everything) May(sig.Action, sig.Name, sig.Name) bool { return true }
func (e everything) Context() context.Context              { return e.ctx }

// Whose token is revoked learns that, once, and what to do; the router is not asked again
// and again meanwhile, and soon after there is a valid token.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "subscriptions: [{sender: timer}]")
		b.stop()
		g := new(gate)
		g.open(b)
		b.access = g
		b.up()
		time.Sleep(9 * time.Second)
		b.expect("")
		g.shut()
		time.Sleep(time.Minute)
		b.expect("The server refuses us memory: not admitted: this server requires a valid token\n" +
			`Make a token at the router ("sigalert token new"), and put it into the configuration. Trying again meanwhile.`)
		st := b.Status()
		if got := st.Line(); !strings.HasPrefix(got, "Not admitted without a valid token by ") || st.Connected || !st.Lost || !errors.Is(st.LinkError, sig.ErrNotAdmitted) {
			t.Errorf("%q, %+v", got, st)
		}
		if n := g.count(); n > 15 {
			t.Errorf("%d attempts in a minute", n)
		}
		time.Sleep(time.Hour) // with two connections
		b.expect("")
		if n := g.count(); n < 100 || n > 600 {
			t.Errorf("%d attempts in an hour", n)
		}
		g.open(b)
		time.Sleep(31 * time.Second)
		b.expect("Back after 1 h 1 m The server 127.0.0.1:3000 is answering.")
	})
}
