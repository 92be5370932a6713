package copies

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sigalert/internal/topic"
	"sigalert/sig"
)

var (
	start  = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	topics = []topic.Topic{{Sender: "s", Event: "e"}, {Sender: "s"}, {Event: "e"}}
)

func event(data string) sig.Event {
	return sig.Event{Sender: "s", Event: "e", Data: sig.JSONData([]byte(data)), Time: start}
}

// An event counts once, whichever listeners are in force, and however the
// copies that they bring are mixed.
func TestFirst(t *testing.T) {
	// Each is a copy: its listener, the event's data, and "!" where it is the
	// first. Or "-" a lost connection, "~" b is no longer asked for, "+" 31 s.
	for name, copies := range map[string]string{
		"all in force":                            "a1! b1 c1 b2! c2 a2 c3! b3 a3",
		"the first is not":                        "b1! c1 c2! b2",
		"the last alone":                          "c1! c2!",
		"alike":                                   "a1! b1 c1 a1! b1 c1",
		"alike, and one not in force":             "b1! b1! c1 c1 b1! c1",
		"alike, under way at once":                "a1! a1! b1 b1 c1 c1 b1! a1 c1",
		"the first comes into force":              "b1! b1! a1 b1! b1! a1 a2! b2",
		"the others come into force":              "a1! a1! b1 a1! b1 c1 a1!",
		"one copy is lost":                        "a1! b2! a2 a1! b1",
		"a connection between":                    "b1! - a1! b1",
		"who was ahead is not asked for":          "b1! ~ a1! c1 c2! a2",
		"what came second is no longer asked for": "a1! ~ c1 c2! a2",
		"long ago":                                "b1! + a1! b1",
	} {
		f, now, asked := new(Filter), start, topics
		for _, c := range strings.Fields(copies) {
			switch c {
			case "-":
				f.Forget()
				continue
			case "~":
				asked = []topic.Topic{topics[0], topics[2]}
				f.Keep(func(t topic.Topic) bool { return slices.Contains(asked, t) })
				continue
			case "+":
				now = now.Add(31 * time.Second)
				continue
			}
			ev := event(c[1:2])
			ev.Time = now
			if got := f.First(topics[c[0]-'a'], ev, len(asked)); got != strings.HasSuffix(c, "!") {
				t.Errorf("%s: %s in %q: %v", name, c, copies, got)
			}
		}
	}
}

// A number tells all: what is replayed, much later and on another connection,
// too. A server that begins anew has other times.
func TestFirstByNumber(t *testing.T) {
	var f Filter
	for i, tc := range []struct {
		by, seq, minute int
		want            bool
	}{
		{1, 7, 0, true}, {1, 8, 0, true}, {0, 8, 0, false}, {1, 7, 0, false}, {0, 7, 0, false}, {0, 9, 5, true},
		{1, 10, 5, true}, {2, 10, 5, false}, {2, 7, 6, true}, {0, 10, 5, false},
	} {
		ev := event("0")
		ev.Seq, ev.Time = uint64(tc.seq), start.Add(time.Duration(tc.minute)*time.Minute)
		if got := f.First(topics[tc.by], ev, len(topics)); got != tc.want {
			t.Errorf("copy %d, %+v: %v", i, tc, got)
		}
		f.Forget()
	}
	ev := event("0")
	ev.Seq, ev.Time = 9, start.Add(5*time.Minute)
	f.Keep(func(t topic.Topic) bool { return t == topics[1] })
	if f.First(topics[1], ev, 1) {
		t.Error("after a change of the listeners, a copy counts again")
	}
}

func TestFirstIsBounded(t *testing.T) {
	var f Filter
	for i := range 2 * maxSeen {
		if !f.First(topics[1], event(fmt.Sprint(i)), len(topics)) {
			t.Fatalf("event %d was lost", i)
		}
	}
	if len(f.seen) != maxSeen {
		t.Errorf("%d events kept in mind", len(f.seen))
	}
	f = Filter{}
	for i := range 2 * maxSeen {
		if !f.First(topics[1], event(fmt.Sprint(i)), 1) || len(f.seen) > 0 {
			t.Fatalf("event %d of a single listener: %d kept in mind", i, len(f.seen))
		}
	}
}
