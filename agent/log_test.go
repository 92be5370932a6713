package agent_test

import (
	"bytes"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// A sender that comes, fires and leaves, as `sigalert send` does, is not worth a
// line each time, however often it lacks what is subscribed to.
func TestLogSaysThingsOnce(t *testing.T) {
	const yaml = `subscriptions: [{sender: builds, event: failed}, {sender: builds, event: fixed}, {sender: builds, event: slow}, {sender: builds, event: aborted}]`
	for name, carrier := range map[string]func(*sigtest.Network) sig.ClientCarrier{
		"stream": (*sigtest.Network).Client, "pysig": asPysig,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBenchOn(t, yaml, carrier)
				send := func(event sig.Name) {
					s := b.add("builds", event)
					b.fire(s, event, 1)
					if err := b.server.RemoveSender(s); err != nil {
						t.Fatal(err)
					}
					time.Sleep(3 * time.Second)
				}
				logged := func(when string, want map[string]int) {
					t.Helper()
					for line, n := range want {
						if got := b.log.count(line); got != n {
							t.Errorf("%s: %d lines of %q, want %d", when, got, line, n)
						}
					}
				}
				for range 5 {
					send("failed")
					send("fixed")
				}
				logged("ten events", map[string]int{"subscription not in force": 4, "msg=subscribed": 1, unknownGap: 0})
				b.stop()
				b.up()
				time.Sleep(30 * time.Second)
				send("failed")
				logged("another server", map[string]int{"subscription not in force": 4, "msg=subscribed": 2, unknownGap: 1})
			})
		})
	}
}

// Each attempt to connect to a pysig server finds out about the same gap.
func TestLogSaysAGapOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mute atomic.Bool
		b := newBenchOn(t, timerTick, func(n *sigtest.Network) sig.ClientCarrier {
			return filter{n, func(text []byte) []byte {
				if mute.Load() && !bytes.Contains(text, []byte("get_version")) {
					return nil
				}
				return bytes.Replace(text, []byte(`"features"`), []byte(`"unknown"`), 1)
			}}
		})
		for gap := 1; gap <= 2; gap++ {
			mute.Store(true)
			b.stop()
			b.up()
			time.Sleep(5 * time.Minute)
			mute.Store(false)
			time.Sleep(2 * time.Minute)
			if n := b.log.count(unknownGap); n != gap {
				t.Errorf("%d gaps are reported as %d", gap, n)
			}
		}
	})
}

func TestLogOfAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, timerTick)
		b.Pause(0)
		b.Pause(time.Hour)
		synctest.Wait()
		for line, want := range map[string]int{"msg=paused\n": 1, "msg=paused until=2000-01-01T01:00:01.000": 1, "0s": 0} {
			if got := b.log.count(line); got != want {
				t.Errorf("%d of %q, want %d", got, line, want)
			}
		}
	})
}
