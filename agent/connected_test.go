package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
)

func manySubscriptions(n int) string {
	yaml := "subscriptions:\n"
	for i := range n {
		yaml += fmt.Sprintf("- {sender: s%d}\n", i)
	}
	return yaml
}

// A server takes its time for many subscriptions, and is there meanwhile.
func TestManySubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBenchOn(t, manySubscriptions(600), func(n *sigtest.Network) sig.ClientCarrier {
			n.Delay(50 * time.Millisecond)
			return asPysig(n) // it takes a message for each
		})
		time.Sleep(12 * time.Second)
		if st := b.Status(); !st.Connected || !strings.Contains(st.Line(), " of 600 subscriptions") {
			t.Errorf("while it subscribes: %s", st.Line())
		}
		time.Sleep(time.Minute)
		b.expect("")
		if got := b.Status().Line(); got != "Connected to 127.0.0.1:3000, 600 subscriptions, 600 senders not seen yet, such as s0" {
			t.Errorf("status: %s", got)
		}
	})
}

// A server that greets, and then answers nothing, is none.
func TestServerThatOnlyGreets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBenchOn(t, timerTick, func(n *sigtest.Network) sig.ClientCarrier {
			return filter{n, func(text []byte) []byte {
				if bytes.Contains(text, []byte("get_version")) {
					return text
				}
				return nil
			}}
		})
		for range 120 {
			if b.Status().Connected {
				t.Fatal("connected")
			}
			time.Sleep(time.Second)
		}
		if got := b.screen.take(); !strings.HasPrefix(got, "Cannot reach the server ") {
			t.Errorf("shown: %q", got)
		}
	})
}

// closer is a network whose server takes every connection and ends it.
type closer struct{ *sigtest.Network }

func (c closer) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := c.Client().Dial(ctx)
	if err == nil {
		conn.Close()
	}
	return conn, err
}

func (closer) String() string { return "closer" }

func TestServerThatClosesIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBenchOn(t, timerTick, func(n *sigtest.Network) sig.ClientCarrier { return closer{n} })
		time.Sleep(10 * time.Minute)
		if n := b.network.Dials(); n < 200 || n > 400 {
			t.Errorf("%d connections in 10 minutes, not about 280: one a second in the first minute, then one in 2.5 s", n)
		}
	})
}
