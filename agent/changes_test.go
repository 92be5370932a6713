package agent

import (
	"fmt"
	"strings"
	"testing"

	"sigalert/sig"
)

func TestChanges(t *testing.T) {
	subs := subscribed(t, "- {sender: a, event: f, only_changes: data + 0}\n- {sender: a, only_changes: '[data.a, data.b]'}\n- {}\n")
	for _, tc := range []struct {
		sub  int
		data string // of events of one sender; "!" before those that are shown, "?" before one that fails
	}{
		{0, `!1 1 1.0 !2 !1 ?"x" 1 ?null`}, // one that fails is shown, and changes nothing
		{1, `!{"a":1} {"a":1,"c":5} {"c":6,"a":1} !{"b":1} !{"a":[{}],"b":1} {"b":1,"a":[{}]}`},
		{1, `!5 "x" null`},
		{2, `!1 !1`},
	} {
		var c changes
		for _, data := range strings.Fields(tc.data) {
			shown, fails := strings.HasPrefix(data, "!"), strings.HasPrefix(data, "?")
			p := passed(start, event("a", "e", strings.TrimLeft(data, "!?")))
			p.sub = &subs[tc.sub]
			v := c.judge(p)
			if (v.decision == Passed) != (shown || fails) || (v.err != nil) != fails {
				t.Errorf("%s in %s: %+v", data, tc.data, v)
			}
		}
	}
}

// Values of many senders, and what shows under many tags, take a bounded amount of
// memory, whatever they are.
func TestMemoryOfEventsIsBounded(t *testing.T) {
	subs := subscribed(t, "- {only_changes: data}\n")
	pl := newPipeline()
	for i := range 3 * maxValues {
		p := passed(start, event(sig.Number(float64(i)), "e", ""), &subs[0])
		p.sub = &subs[0]
		pl.changes.judge(p)
	}
	if n := len(pl.changes.values.young) + len(pl.changes.values.old); n > 2*maxValues {
		t.Errorf("%d values are remembered", n)
	}
	plain := subscribed(t, "- {}\n")
	long := strings.Repeat("x", 1<<20)
	for i := range 20 {
		pl.judge(passed(at(float64(i)), event("a", "e", fmt.Sprintf(`{"tag": "%s%d"}`, long, i)), &plain[0]))
	}
	size := 0
	for key := range pl.tags.known.young {
		size += len(key)
	}
	if n := len(pl.tags.known.young); n != 20 || size > 20*200 {
		t.Errorf("%d tags take %d bytes", n, size)
	}
	p := passed(start, event("a", "e", `{"resolved": true, "tag": "`+long+`7"}`), &plain[0])
	if pl.judge(p); p.decided().decision != Resolved || len(pl.tags.known.young) != 19 {
		t.Errorf("a long tag is not closed: %+v", p.decided())
	}
}
