package sigtest

import (
	"fmt"
	"testing"
	"time"

	"sigalert/sig"
)

// Recorder is a listener that keeps what it hears, in order.
type Recorder struct{ events chan sig.Event }

// NewRecorder returns a recorder that holds 10,000 events.
func NewRecorder() *Recorder { return &Recorder{make(chan sig.Event, 10_000)} }

// Listen is the callback to register.
func (r *Recorder) Listen(ev sig.Event) { r.events <- ev }

// Text returns an event as Expect compares it: "timer: tick 5".
func Text(ev sig.Event) string {
	data, err := ev.Data.JSON()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s: %s %s", ev.Sender, ev.Event, data)
}

// Next returns the next event; the test fails if none comes within 10 s.
func (r *Recorder) Next(t testing.TB) sig.Event {
	t.Helper()
	select {
	case ev := <-r.events:
		return ev
	case <-time.After(10 * time.Second):
		t.Fatal("no event came within 10 s")
		return sig.Event{}
	}
}

// Expect fails the test unless these are the next events, each within 10 s.
func (r *Recorder) Expect(t testing.TB, want ...string) {
	t.Helper()
	for i, w := range want {
		if got := Text(r.Next(t)); got != w {
			t.Fatalf("event %d is %q, want %q", i, got, w)
		}
	}
}

// ExpectNone fails the test if an event has come that Expect has not taken. The
// caller must know that none is under way.
func (r *Recorder) ExpectNone(t testing.TB) {
	t.Helper()
	select {
	case ev := <-r.events:
		t.Fatalf("unexpected event %q", Text(ev))
	default:
	}
}
