package agent_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent/config"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// late is a network that is still coming.
type late struct {
	*sigtest.Network
	comes time.Time
}

func (l late) Dial(ctx context.Context) (sig.Conn, error) {
	if time.Now().Before(l.comes) {
		return nil, errors.New("network is unreachable")
	}
	return l.Client().Dial(ctx)
}

func (late) String() string { return "memory" }

// At a login the network takes its time, which is not worth a word.
func TestServerThatComesLate(t *testing.T) {
	for after, want := range map[time.Duration]string{
		16 * time.Second: "",
		50 * time.Second: "",
		70 * time.Second: "Cannot reach the server network is unreachable\nTrying again until it answers.; Connected after 1 m The server 127.0.0.1:3000 is answering.",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBenchOn(t, timerTick, func(n *sigtest.Network) sig.ClientCarrier { return late{n, time.Now().Add(after)} })
			time.Sleep(2 * time.Minute)
			if !b.Status().Connected {
				t.Error("not connected")
			}
			b.expect(want)
		})
	}
}

// A server that the file names later has no more than the usual grace.
func TestAnotherServerThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, timerTick)
		b.stop()
		c, err := config.Parse("config.yaml", []byte("server: tcp://127.0.0.1:4000\n"+"subscriptions: [{sender: a}]"))
		if err != nil {
			t.Fatal(err)
		}
		b.Apply(c)
		time.Sleep(11 * time.Second)
		b.expect("Cannot reach the server cannot reach memory: the server is down\nTrying again until it answers.")
	})
}
