package agent

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
)

// desk is a pipeline in front of a desktop that never closes anything, in a bubble of
// time.
type desk struct {
	pl     *pipeline
	zone   *time.Location
	sub    *config.Subscription
	fired  int
	alerts int                            // that were sent for an event
	new    int                            // notifications that took the place of none
	said   map[string]notify.Notification // by key: the last one
	words  []string                       // what the stages said
	layout string                         // of the time before each
	sounds int
	ended  []string
}

func newDesk(t *testing.T, yaml string) *desk {
	return &desk{pl: newPipeline(), zone: time.UTC, layout: "04:05", sub: &subscribed(t, yaml)[0], said: make(map[string]notify.Notification)}
}

func (d *desk) show(n notify.Notification) {
	if _, there := d.said[n.Key]; n.Key == "" || !there {
		d.new++
	}
	if n.Key != "" {
		d.said[n.Key] = n
	}
	if n.Sound != "none" {
		d.sounds++
	}
}

// sleep lets time pass, as the agent's loop does.
func (d *desk) sleep(span time.Duration) {
	end := time.Now().Add(span)
	for {
		for _, n := range d.pl.due(time.Now().In(d.zone)) {
			d.words = append(d.words, fmt.Sprintf("%s %s", time.Now().In(d.zone).Format(d.layout), n.Line()))
			d.show(n)
		}
		for _, e := range d.pl.floods.takeEnded() {
			text, _ := e.Data.Text()
			d.ended = append(d.ended, fmt.Sprintf("%s %s %s", e.Sender, e.Event, text))
		}
		next := d.pl.next()
		if next.IsZero() || next.After(end) {
			time.Sleep(time.Until(end))
			return
		}
		time.Sleep(time.Until(next))
	}
}

func (d *desk) fire(sender sig.Name, data string) verdict {
	p := passed(time.Now().In(d.zone), event(sender, "e", data), d.sub)
	d.pl.judge(p)
	d.fired++
	if p.decided().decision == Sent {
		d.alerts++
		d.show(p.alert)
	}
	return p.decided()
}

// counted is how many events the counts on the screen have in all.
func (d *desk) counted(t *testing.T) (n int) {
	t.Helper()
	for key, said := range d.said {
		if strings.HasPrefix(key, "flood-") {
			number, _, _ := strings.Cut(said.Title, " ")
			more, err := strconv.Atoi(strings.ReplaceAll(number, ",", ""))
			if err != nil {
				t.Error(err)
			}
			n += more
		}
	}
	return n
}

// However an onslaught is spread over senders and time, there are few notifications, and
// they have every event.
func TestStorms(t *testing.T) {
	sender := func(of int) func(i int) sig.Name {
		return func(i int) sig.Name { return sig.Name(fmt.Sprint("s", i%of)) }
	}
	for name, tc := range map[string]struct {
		events int
		every  time.Duration
		sender func(i int) sig.Name
		most   int // new notifications
	}{
		"an hour of 5 a second":                   {18_000, time.Second / 5, sender(1), 6},
		"an hour, by 3 senders":                   {18_000, time.Second / 5, sender(3), 10},
		"an hour, by 50 senders":                  {18_000, time.Second / 5, sender(50), 60},
		"an hour, by 1,000 senders":               {18_000, time.Second / 5, sender(1000), 60},
		"an hour, each by another":                {18_000, time.Second / 5, sender(18_000), 60},
		"an hour of 5 a second, in bursts":        {18_000, 0, sender(1), 6},
		"10,000 in a second":                      {10_000, time.Second / 10_000, sender(1), 6},
		"10,000 in a second, by 2 senders":        {10_000, time.Second / 10_000, sender(2), 7},
		"10,000 in a second, by 9 senders":        {10_000, time.Second / 10_000, sender(9), 7},
		"10,000 in a second, each by another":     {10_000, time.Second / 10_000, sender(10_000), 7},
		"an hour of just too many a minute":       {1_300, time.Hour / 1_300, sender(1), 60},
		"an hour of as many as are allowed":       {1_200, time.Hour / 1_200, sender(1), 1_200},
		"a minute, in which each is another's":    {300, time.Second / 5, sender(300), 20},
		"a sender that is calm in another's hour": {18_000, time.Second / 5, func(i int) sig.Name { return sig.Name(fmt.Sprint("s", min(1, i%3_000))) }, 6 + 6},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, "- {body: ''}\n")
				for i := range tc.events {
					d.fire(tc.sender(i), "")
					switch {
					case tc.every > 0:
						d.sleep(tc.every)
					case i%100 == 99:
						d.sleep(20 * time.Second)
					}
				}
				d.sleep(10 * time.Minute)
				if d.new > tc.most {
					t.Errorf("%d new notifications, want at most %d", d.new, tc.most)
				}
				if got := d.alerts + d.counted(t); got != tc.events {
					t.Errorf("%d alerts and %d counted, want %d in all", d.alerts, got-d.alerts, tc.events)
				}
				if len(d.pl.floods.storms) > 0 || !d.pl.next().IsZero() {
					t.Errorf("%d storms go on until %s", len(d.pl.floods.storms), d.pl.next())
				}
			})
		})
	}
}

// A storm's words: at most one a second, and the last one when its sender is calm.
func TestStormsWords(t *testing.T) {
	steps := func(steps ...any) []any { return steps }
	for name, tc := range map[string]struct {
		steps       []any // senders that fire once, numbers that repeat the next, and times that pass
		want, ended []string
	}{
		"one": {steps(47, "build", 150*time.Second),
			[]string{"00:01 42 more events from build | Last: build: e", "02:00 42 more events from build | at 00:00 Last: build: e"},
			[]string{`sigalert storm {"title":"build: 42 alerts at 00:00","message":"Counted in one notification. Last: build: e"}`}},
		"it goes on": {steps(7, "build", 2*time.Second, "build", "build", 500*time.Millisecond, "build", time.Minute),
			[]string{"00:01 2 more events from build | Last: build: e", "00:02 4 more events from build | Last: build: e",
				"00:03 5 more events from build | Last: build: e", "01:00 5 more events from build | at 00:00 Last: build: e"},
			[]string{`sigalert storm {"title":"build: 5 alerts at 00:00","message":"Counted in one notification. Last: build: e"}`}},
		"two, a second apart": {steps(6, "a", 1, "b", 3*time.Second),
			[]string{"00:01 1 more event from a | Last: a: e", "00:02 1 more event from b | Last: b: e"}, nil},
		"the rest": {steps(6, "a", 2, "b", 3, "c", 4, "d", 3*time.Second),
			[]string{"00:01 6 more events from 3 other senders | Last: c: e", "00:02 4 more events from d | Last: d: e"}, nil},
		"6 a minute go on, 5 do not": {steps(11, "a", 10*time.Second, "a", 10*time.Second, "a", 10*time.Second, "a", 10*time.Second, "a", 10*time.Second, "a", 80*time.Second),
			[]string{"00:01 6 more events from a | Last: a: e", "00:10 7 more events from a | Last: a: e", "00:20 8 more events from a | Last: a: e",
				"00:30 9 more events from a | Last: a: e", "00:40 10 more events from a | Last: a: e", "00:50 11 more events from a | Last: a: e",
				"02:00 11 more events from a | at 00:00 Last: a: e"},
			[]string{`sigalert storm {"title":"a: 11 alerts at 00:00","message":"Counted in one notification. Last: a: e"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, "- {body: ''}\n")
				times := 1
				for _, step := range tc.steps {
					switch step := step.(type) {
					case int:
						times = step
					case string:
						for range times {
							d.fire(sig.Name(step), "")
						}
						times = 1
					case time.Duration:
						d.sleep(step)
					}
				}
				d.sleep(0)
				if diff := cmp.Diff(tc.want, d.words); diff != "" {
					t.Errorf("words:\n%s", diff)
				}
				if diff := cmp.Diff(tc.ended, d.ended); diff != "" {
					t.Errorf("ends:\n%s", diff)
				}
			})
		})
	}
}

func TestStormsAreBounded(t *testing.T) {
	f := newFloods(new(tags))
	for i := range 2 * maxCounted {
		f.judge(passed(at(0), event(sig.Number(float64(i)), "e", "")))
	}
	if n := len(f.storms); n != maxStorms+1 {
		t.Errorf("%d storms", n)
	}
	if rest := f.storms[maxStorms]; len(rest.senders) != maxCounted || rest.title() != "1,987 more events from over 1,000 senders" {
		t.Errorf("%d senders are told apart: %s", len(rest.senders), rest.title())
	}
}

// A storm of one sender hides no other, and nothing critical.
func TestStormOfOneSenderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, "- {}\n")
		for range 100 {
			d.fire("build", "")
			d.sleep(100 * time.Millisecond)
		}
		if v := d.fire("door", ""); v.decision != Sent {
			t.Errorf("another sender's: %+v", v)
		}
		if v := d.fire("build", `{"urgency": "critical"}`); v.decision != Sent {
			t.Errorf("a critical one: %+v", v)
		}
		if v := d.fire("build", ""); v.decision != Held || v.reason != "more than 5 alerts in 2 s, merged into one" {
			t.Errorf("one more: %+v", v)
		}
		d.sleep(3 * time.Minute)
		if v := d.fire("build", ""); v.decision != Sent {
			t.Errorf("after the storm: %+v", v)
		}
	})
}

// What takes another's place on the screen is not new, unless it changes too fast.
func TestTagsOfProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, "- {}\n")
		for range 1_000 {
			d.fire("copy", `{"tag": "progress"}`)
			d.sleep(time.Second)
		}
		if d.alerts != 1_000 || d.new != 1 {
			t.Errorf("%d alerts, %d of them new", d.alerts, d.new)
		}
		for range 1_000 {
			d.fire("copy", `{"tag": "progress"}`)
			d.sleep(time.Second / 10)
		}
		if d.alerts > 1_010 || d.new != 2 {
			t.Errorf("%d alerts, %d of them new", d.alerts, d.new)
		}
	})
}

func TestFolds(t *testing.T) {
	const critical = `{"urgency": "critical"}`
	tagged := func(tag string, more string) string {
		return fmt.Sprintf(`{"urgency": "critical", "tag": %q%s}`, tag, more)
	}
	for name, tc := range map[string]struct {
		data        func(i int) string
		events      int
		every       time.Duration
		new, sounds int
		title       string // the last one
	}{
		"300 alike":              {func(int) string { return critical }, 300, time.Millisecond, 1, 9, "s: e (×300)"},
		"300 with a tag":         {func(i int) string { return tagged("t", fmt.Sprintf(`, "n": %d`, i)) }, 300, time.Millisecond, 1, 9, "s: e (×300)"},
		"each another":           {func(i int) string { return fmt.Sprintf(`{"urgency": "critical", "n": %d}`, i) }, 300, time.Millisecond, 300, 300, "s: e"},
		"each with another tag":  {func(i int) string { return tagged(fmt.Sprint(i), "") }, 300, time.Millisecond, 300, 300, "s: e"},
		"just within a minute":   {func(int) string { return critical }, 5, 59 * time.Second, 1, 3, "s: e (×5)"},
		"a minute apart":         {func(int) string { return critical }, 5, time.Minute, 5, 5, "s: e"},
		"a tag, a minute apart":  {func(int) string { return tagged("t", "") }, 5, time.Minute, 1, 5, "s: e"},
		"a tag that is resolved": {func(i int) string { return tagged("t", fmt.Sprintf(`, "resolved": %v`, i%2 == 1)) }, 5, time.Second, 1, 3, "s: e"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, "- {}\n")
				last := ""
				for i := range tc.events {
					d.fire("s", tc.data(i))
					d.sleep(tc.every)
				}
				for _, n := range d.said {
					last = n.Title
				}
				if d.new != tc.new || d.sounds != tc.sounds || last != tc.title {
					t.Errorf("%d new with %d sounds, the last is %q; want %d, %d and %q", d.new, d.sounds, last, tc.new, tc.sounds, tc.title)
				}
				if n := len(d.pl.folds.known.young) + len(d.pl.folds.known.old); n > 2*maxFolds {
					t.Errorf("%d are remembered", n)
				}
			})
		})
	}
}
