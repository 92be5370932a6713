package agent_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent/memory"
	"sigalert/sig"
)

const oddRules = `subscriptions:
- {sender: timer, for: 1m}
- {sender: fire, urgency: critical, repeat: {every: 10m, at_most: 3}, escalate: {after: 5m, publish: {sender: x, event: y}}}
- {sender: door, unless: down}
- {sender: router}
- {sender: backup, expect_every: 1h}
- {sender: muted}
`

// Whatever a file says that is a memory, the agent goes on: each value in turn is left out,
// empty, too small or too large; but only for some of them, unless SIGALERT_DAMAGE is
// "all".
func TestOddMemory(t *testing.T) {
	var whole []byte
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, oddRules)
		exercise := b.exerciser()
		exercise()
		b.Pause(time.Hour)
		b.Mute(7, time.Time{})
		exercise()
		b.end()
		s, err := memory.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if s.Pause == nil || len(s.Muted) == 0 || len(s.Waiting) == 0 || len(s.Inhibitors) == 0 || len(s.Repeating) == 0 || len(s.Escalating) == 0 || len(s.Expected) == 0 {
			t.Fatalf("something is not in it: %+v", s)
		}
		id := slices.Collect(maps.Keys(s.Expected))[0]
		s.Away = map[string]memory.Digest{id: {Left: time.Now(), Back: time.Now(), Kinds: []memory.Kind{{Name: "a b", Key: "k", Count: 2}}, More: 1, Last: time.Now(), Due: time.Now()}}
		s.Untold = append(s.Untold, s.Repeating[0].Alert)
		for name, server := range s.Servers {
			server.Open = []uint64{1}
			s.Servers[name] = server
		}
		writeMemory(t, path, s)
		if whole, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	})
	var tree any
	if err := json.Unmarshal(whole, &tree); err != nil {
		t.Fatal(err)
	}
	n := 0
	vary(tree, "", func(what string) {
		if os.Getenv("SIGALERT_DAMAGE") != "all" && rand.N(40) > 0 {
			return
		}
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		n++
		synctest.Test(t, func(t *testing.T) {
			b, path := remembering(t, oddRules)
			b.end()
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if t.Failed() {
					t.Log(what)
				}
			}()
			b.start()
			exercise := b.exerciser()
			exercise()
			time.Sleep(70 * time.Second)
			b.Resume()
			exercise()
			b.end()
			if _, err := memory.Load(path); err != nil {
				t.Error(err)
			}
		})
	})
	t.Logf("%d files", n)
}

// exerciser returns what has each subscription get something.
func (b *bench) exerciser() func() {
	senders := make(map[sig.Name]*sig.Sender)
	for _, name := range []sig.Name{"timer", "fire", "door", "router", "backup", "muted"} {
		senders[name] = b.add(name, "e")
	}
	return func() {
		b.fire(senders["timer"], "e", 1)
		b.fire(senders["fire"], "e", "it burns")
		b.fire(senders["router"], "e", map[string]any{"tag": "down"})
		b.fire(senders["door"], "e", map[string]any{"tag": "d"})
		b.fire(senders["backup"], "e", 3)
		b.fire(senders["muted"], "e", map[string]any{"tag": "m"})
		b.fire(senders["muted"], "e", map[string]any{"tag": "m", "resolved": true})
		b.fire(senders["muted"], "e", map[string]any{"tag": "n"})
		time.Sleep(2 * time.Second)
	}
}

// vary calls f for each variation of each value within a tree.
func vary(tree any, at string, f func(what string)) {
	change := func(key string, old any, set func(any), remove func()) {
		where := at + "/" + key
		vary(old, where, f)
		for _, odd := range []any{nil, 0, -1, uint64(1 << 62), "", "x", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", []any{}, map[string]any{}} {
			if fmt.Sprintf("%T", odd) == fmt.Sprintf("%T", old) || odd == nil || isNumber(odd) && isNumber(old) {
				set(odd)
				f(fmt.Sprintf("%s = %v", where, odd))
			}
		}
		if remove != nil {
			remove()
			f(where + " left out")
		}
		set(old)
	}
	switch v := tree.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			change(key, v[key], func(x any) { v[key] = x }, func() { delete(v, key) })
		}
	case []any:
		for i := range v {
			change(fmt.Sprint(i), v[i], func(x any) { v[i] = x }, nil)
		}
	}
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, uint64, float64:
		return true
	}
	return false
}
