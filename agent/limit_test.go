package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/notify"
)

func TestLimitCountsAFlood(t *testing.T) {
	l := newFloods()
	shown := 0
	for i := range 47 {
		if l.admit(at(float64(i)/100), event("build-server", "e", "")) {
			shown++
		}
	}
	if shown != flood.Count {
		t.Errorf("%d shown, want %d", shown, flood.Count)
	}
	critical := passed(at(0.5), event("build-server", "e", `{"urgency": "critical"}`))
	if v := l.judge(critical); v.decision != Passed {
		t.Errorf("a critical one was held back: %+v", v)
	}
	if v := l.judge(passed(at(0.5), event("build-server", "e", ""))); v.decision != Held || v.reason != "more than 5 alerts in 2 s, merged into one" {
		t.Errorf("another one: %+v", v)
	}
	if n, ok := l.summary(at(0.6)); ok {
		t.Errorf("too early: %+v", n)
	}
	n, ok := l.summary(l.next())
	want := notify.Notification{Title: "43 more events from build-server", Body: "Last: build-server: e", Key: "flood-1"}
	if diff := cmp.Diff(want, n); !ok || diff != "" {
		t.Errorf("the count: %v\n%s", ok, diff)
	}
	if !l.next().IsZero() {
		t.Error("nothing new, and yet something is due")
	}
	// It grows in the same notification; after a calm it is another.
	for i := range flood.Count + 1 {
		l.admit(at(2.1+float64(i)/100), event("other", "e", ""))
	}
	if n, _ := l.summary(l.next()); n.Title != "44 more events from 2 senders" || n.Key != "flood-1" {
		t.Errorf("grown: %+v", n)
	}
	for i := range flood.Count + 1 {
		l.admit(at(60+float64(i)/100), event("other", "e", ""))
	}
	if n, _ := l.summary(l.next()); n.Title != "1 more event from other" || n.Key != "flood-2" {
		t.Errorf("another flood: %+v", n)
	}
}

func TestLimitLetsASteadyTrickleThrough(t *testing.T) {
	l := newFloods()
	for i := range 100 {
		if !l.admit(at(float64(i)*0.4), event("s", "e", "")) {
			t.Fatalf("event %d of 5 in 2 s was held back", i)
		}
	}
}

func TestRates(t *testing.T) {
	file := func(yaml string) []config.Subscription { return subscribed(t, yaml) }
	old := file("- {sender: a, rate_limit: 1/1m}\n")
	for name, tc := range map[string]struct {
		reload []config.Subscription
		told   int
		next   Decision // of another event at once
	}{
		"as it was":                      {old, 0, Held},
		"elsewhere in the file":          {file("- {sender: a, rate_limit: 1/1m}\n- {sender: b}\n"), 0, Held},
		"a higher rate":                  {file("- {sender: a, rate_limit: 2/1m}\n"), 0, Passed},
		"no rate":                        {file("- {sender: a}\n"), 1, Passed},
		"another, which counts for anew": {file("- {sender: a, event: e, rate_limit: 1/1m}\n"), 1, Passed},
	} {
		var r rates
		r.use(old)
		judge := func(s float64, sub *config.Subscription) verdict {
			p := passed(at(s), event("a", "e", ""))
			p.sub = sub
			return r.judge(p)
		}
		if v := judge(0, &old[0]); v.decision != Passed {
			t.Errorf("%s: the first is %s", name, v.decision)
		}
		if v := judge(1, &old[0]); v.decision != Held || v.line != 2 || v.reason != "more than 1 alert in 1 m, merged into one" {
			t.Errorf("%s: the second: %+v", name, v)
		}
		told := r.use(tc.reload)
		if len(told) != tc.told || tc.told > 0 && told[0].Title != "1 more event from a" {
			t.Errorf("%s: told %+v", name, told)
		}
		if v := judge(2, &tc.reload[0]); v.decision != tc.next {
			t.Errorf("%s: the third is %s", name, v.decision)
		}
	}
}
