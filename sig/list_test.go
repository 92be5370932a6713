package sig

import (
	"fmt"
	"strings"
	"testing"
)

// A list for a pysig peer has room for a few senders. The others, which may be
// thousands and are left out, are not written down first: whoever asks again and
// again would hold up everybody else.
func TestShortListOfManySenders(t *testing.T) {
	var r Router
	for i := range 500 {
		events := make([]Name, 20)
		for j := range events {
			events[j] = Name(fmt.Sprintf("#%d-%d", i, j))
		}
		if _, err := r.AddSender(Name(fmt.Sprintf("%d%s", i, strings.Repeat("n", 900))), events...); err != nil {
			t.Fatal(err)
		}
	}
	const room = 3900 // for two
	l := r.list(new(session), true, room)
	if len(l.text) > room || l.leftOut != 499 {
		t.Errorf("%d bytes, %d left out", len(l.text), l.leftOut)
	}
	if n := testing.AllocsPerRun(5, func() { r.list(new(session), true, room) }); n > 100 {
		t.Errorf("%.0f allocations for a list of 500 senders, nearly all left out", n)
	}
}

// The channels of a list are those of now.
func TestListedChannels(t *testing.T) {
	var r Router
	has := func(want ...Name) {
		t.Helper()
		all := r.List()
		got := all[len(all)-1].Events
		if fmt.Sprint(got[:len(got)-len(builtIn)]) != fmt.Sprint(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	has()
	l, _ := r.AddListener("", "#x", func(Event) {})
	has("#x")
	s, _ := r.AddSender("s", "#y", "z")
	has("#x", "#y")
	_ = r.RemoveListener(l)
	has("#y")
	_ = r.RemoveSender(s)
	has()
}
