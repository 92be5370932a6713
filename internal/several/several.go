// Package several reaches one server by whichever of its addresses answers first.
package several

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"sigalert/sig"
)

// stagger is how long an address has to answer before the next is tried beside it.
const stagger = 300 * time.Millisecond

// Carrier dials several addresses. The first in order that answers counts; one whose last
// connection ended before anything came over it is tried last. While there is a
// connection, all others go to the same address.
type Carrier struct {
	all  []sig.ClientCarrier
	turn chan struct{} // holds one while somebody dials: whoever is next goes to the same address

	mu    sync.Mutex // guards the fields below
	open  []int      // how many connections there are to each
	mutes []bool     // whether the last one to each ended before anything came over it, and nothing did since
}

// New returns the carrier to a server at these addresses, which carrier reaches; to one
// address, that is carrier's.
func New(addresses []string, carrier func(address string) sig.ClientCarrier) sig.ClientCarrier {
	if len(addresses) == 1 {
		return carrier(addresses[0])
	}
	c := &Carrier{turn: make(chan struct{}, 1), open: make([]int, len(addresses)), mutes: make([]bool, len(addresses))}
	for _, a := range addresses {
		c.all = append(c.all, carrier(a))
	}
	return c
}

// At is which address the connections are to; below 0: there are none.
func (c *Carrier) At() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, n := range c.open {
		if n > 0 && !c.mutes[i] {
			return i
		}
	}
	return -1
}

// String has the address of the connections, if there are any, or else all of them.
func (c *Carrier) String() string {
	if i := c.At(); i >= 0 {
		return c.all[i].String()
	}
	names := make([]string, len(c.all))
	for i, o := range c.all {
		names[i] = o.String()
	}
	return strings.Join(names, " or ")
}

// dialed is what became of an attempt.
type dialed struct {
	at   int
	conn sig.Conn
	err  error
}

// Dial connects to the first address that answers. It waits for a call that is under
// way. The error has that of each address.
func (c *Carrier) Dial(ctx context.Context) (sig.Conn, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	order, failed := c.order(), make(failures, len(c.all))
	results := make(chan dialed)
	next := time.NewTimer(0)
	defer next.Stop()
	for begun, ended := 0, 0; ended < len(order); {
		select {
		case <-next.C:
			if begun < len(order) {
				go func(at int) {
					conn, err := c.all[at].Dial(ctx)
					results <- dialed{at, conn, err}
				}(order[begun])
				begun++
				next.Reset(stagger)
			}
		case r := <-results:
			ended++
			if r.err == nil {
				cancel()
				for ; ended < begun; ended++ {
					if late := <-results; late.err == nil {
						late.conn.Close()
					}
				}
				return c.watch(r.at, r.conn), nil
			}
			failed[r.at] = r.err
			next.Reset(0)
		}
	}
	cancel()
	return nil, failed
}

// order are the addresses to dial, one after the other.
func (c *Carrier) order() (all []int) {
	if at := c.At(); at >= 0 {
		return []int{at}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, mute := range [...]bool{false, true} {
		for i := range c.all {
			if c.mutes[i] == mute {
				all = append(all, i)
			}
		}
	}
	return all
}

// failures is why each address could not be reached; nil: it was not tried.
type failures []error

func (f failures) Error() string {
	var texts []string
	for _, err := range f {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	return strings.Join(texts, "; ")
}

func (f failures) Unwrap() []error {
	return slices.DeleteFunc(slices.Clone(f), func(err error) bool { return err == nil })
}
