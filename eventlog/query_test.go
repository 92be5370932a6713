package eventlog_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/internal/outcome"
	"sigalert/sig"
)

func TestQuery(t *testing.T) {
	stores(t, func(t *testing.T, opts eventlog.Options) {
		log, _ := open(t, opts)
		base := log.State().Last
		old := time.Now().Add(-time.Hour)
		for _, e := range []eventlog.Entry{
			{Time: old, Sender: "timer", Event: "tick", Data: []byte(`0`)},
			{Time: old, Sender: "door", Event: "open", Data: []byte(`"FRONT \u00c9t\u00e9"`)},
			{Time: time.Now(), Sender: "timer", Event: "tock", Data: []byte(`2`), Outcome: outcome.Held},
			{Time: time.Now(), Sender: sig.Number(5), Event: "open", Data: []byte(`3`)},
			{Time: time.Now(), Sender: "timer", Event: "tick"},
		} {
			add(t, log, e)
		}
		for _, c := range []struct {
			q    eventlog.Query
			want string // the entries, from 1
			more bool
		}{
			{q: eventlog.Query{}, want: "5 4 3 2 1"},
			{q: eventlog.Query{Outcome: outcome.Held}, want: "3"},
			{q: eventlog.Query{Oldest: true}, want: "1 2 3 4 5"},
			{q: eventlog.Query{Limit: 2}, want: "5 4", more: true},
			{q: eventlog.Query{Limit: 5}, want: "5 4 3 2 1"},
			{q: eventlog.Query{Limit: 2, Oldest: true}, want: "1 2", more: true},
			{q: eventlog.Query{Before: base + 4}, want: "3 2 1"},
			{q: eventlog.Query{Before: base + 4, Oldest: true}, want: "1 2 3"},
			{q: eventlog.Query{Before: base + 1}},
			{q: eventlog.Query{Before: base + 99}, want: "5 4 3 2 1"},
			{q: eventlog.Query{After: base + 3}, want: "5 4"},
			{q: eventlog.Query{After: base + 3, Oldest: true}, want: "4 5"},
			{q: eventlog.Query{After: base + 5}},
			{q: eventlog.Query{After: base + 99, Oldest: true}},
			{q: eventlog.Query{After: base + 1, Before: base + 4}, want: "3 2"},
			{q: eventlog.Query{Sender: "timer"}, want: "5 3 1"},
			{q: eventlog.Query{Sender: "time"}},
			{q: eventlog.Query{Sender: "5"}, want: "4"},
			{q: eventlog.Query{Sender: "5.0"}, want: "4"},
			{q: eventlog.Query{Sender: `"5"`}},
			{q: eventlog.Query{Sender: `"timer"`, Event: `"tock"`}, want: "3"},
			{q: eventlog.Query{Event: "open"}, want: "4 2"},
			{q: eventlog.Query{Sender: "timer", Event: "tick", Limit: 1}, want: "5", more: true},
			{q: eventlog.Query{Text: "front"}, want: "2"},
			{q: eventlog.Query{Text: "ÉTÉ"}, want: "2"},
			{q: eventlog.Query{Text: "TIMER"}, want: "5 3 1"},
			{q: eventlog.Query{Text: "tock"}, want: "3"},
			{q: eventlog.Query{Text: "nowhere"}},
			{q: eventlog.Query{Since: time.Now().Add(-time.Minute)}, want: "5 4 3"},
		} {
			found, err := log.Events(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, e := range found.Entries {
				got += fmt.Sprint(" ", e.ID-base)
			}
			if got != "" {
				got = got[1:]
			}
			if got != c.want || found.More != c.more || found.Damaged != 0 {
				t.Errorf("%+v: %q, more: %v, want %q, %v", c.q, got, found.More, c.want, c.more)
			}
		}
	})
}

// A result is no larger than a browser can use, and the next begins after it.
func TestResultIsBounded(t *testing.T) {
	log, _ := open(t, eventlog.Options{Limit: 100})
	for range 20 {
		e := tick(0)
		e.Data = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
		add(t, log, e)
	}
	found, err := log.Events(t.Context(), eventlog.Query{})
	if err != nil || len(found.Entries) >= 20 || !found.More {
		t.Fatalf("%d entries, more: %v, %v", len(found.Entries), found.More, err)
	}
	rest, err := log.Events(t.Context(), eventlog.Query{Before: found.Last, Limit: 1})
	if err != nil || len(rest.Entries) != 1 || rest.Entries[0].ID != found.Last-1 {
		t.Errorf("what follows: %+v, %v", rest.Last, err)
	}
}

func TestQueryEndsWithItsContext(t *testing.T) {
	log, _ := open(t, eventlog.Options{Limit: 5000})
	for n := range 3000 {
		if err := log.Add(t.Context(), tick(n)); err != nil {
			t.Fatal(err)
		}
	}
	await(t, log, func(st eventlog.State) bool { return st.Logged == 3000 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Events(ctx, eventlog.Query{Text: "nowhere"}); err == nil {
		t.Error("it looks through all of it")
	}
}

func TestReadable(t *testing.T) {
	for text, want := range map[string]string{
		``:                                ``,
		`{"a": 1}`:                        `{"a": 1}`,
		`"\u00e9t\u00e9"`:                 `"été"`,
		`{"\u00e9": ["\ud83d\ude00", 1]}`: `{"é": ["😀", 1]}`,
		`"a\"b\\u00e9 \u00e9"`:            `"a\"b\\u00e9 é"`,
		`"\u0000\u003cb>"`:                `"\u0000<b>"`,
		`"\ud800 \u00e9"`:                 `"\ud800 é"`,
		`"not closed \u00e9`:              `"not closed \u00e9`,
	} {
		if got := string(eventlog.Readable([]byte(text))); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
