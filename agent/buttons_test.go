package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
)

func TestAddButtons(t *testing.T) {
	subs := subscribed(t, `
- {sender: a}
- {sender: b, actions: []}
- {sender: c, actions: [
    {label: "Open {{ data.what }}", request: {sender: door, method: open, params: ["{{ data.floor }}", "{{ data.floor }}!"]}},
    {label: "{{ data.label + 1 }}", open: "{{ data.link }}"},
    {label: Later, snooze: 90s},
    {label: Say, reply: {method: say}},
    {label: Add, request: {method: add, params: "{{ data.floor + 1 }}"}}]}
`)
	params := func(values ...string) (list []any) {
		for _, v := range values {
			list = append(list, json.RawMessage(v))
		}
		return list
	}
	all := subs[2].Actions
	for _, tc := range []struct {
		sub    int
		data   string
		labels []string
		does   []button
		failed []string
	}{
		{0, `{"actions": [{"label": "A", "open": "http://a/"}, {"label": "B", "open": "file:///etc/passwd"}]}`, []string{"A"}, []button{{open: "http://a/"}}, nil},
		{0, `5`, nil, nil, nil},
		{1, `{"actions": [{"label": "A", "open": "http://a/"}]}`, nil, nil, nil},
		{2, `{"what": "it", "floor": 2, "link": "https://a/", "label": 1, "actions": [{"label": "A", "open": "http://a/"}]}`,
			[]string{"Open it", "2", "Later", "Say…", "Add"},
			[]button{{request: all[0].Request, params: params("2", `"2!"`)}, {open: "https://a/"}, {snooze: 90 * time.Second}, {request: all[3].Request},
				{request: all[4].Request, params: json.RawMessage("3")}}, nil},
		// One that fails is left out, and one whose label fails has a number.
		{2, `{"what": "it", "link": "javascript:alert(1)"}`,
			[]string{"Open it", "Later", "Say…"},
			[]button{{request: all[0].Request, params: params("null", `"!"`)}, {snooze: 90 * time.Second}, {request: all[3].Request}},
			[]string{
				`actions[1].open: "javascript:alert(1)" must be an http, https or mailto address`,
				"actions[4].request.params: data.floor + 1: cannot add nil and a number: give a default with ??",
			}},
		{2, `{"floor": 1, "link": "mailto:a@b", "label": []}`,
			[]string{"Open", "Action 2", "Later", "Say…", "Add"},
			[]button{{request: all[0].Request, params: params("1", `"1!"`)}, {open: "mailto:a@b"}, {snooze: 90 * time.Second}, {request: all[3].Request},
				{request: all[4].Request, params: json.RawMessage("2")}},
			[]string{"actions[1].label: data.label + 1: cannot add a list and a number"}},
	} {
		p := passed(start, event("s", "e", tc.data))
		p.sub = &subs[tc.sub]
		p.addButtons()
		var labels []string
		for _, a := range p.alert.Actions {
			if a.Reply {
				a.Label += "…"
			}
			labels = append(labels, a.Label)
		}
		diff := cmp.Diff(tc.labels, labels) + cmp.Diff(tc.failed, told(p)) +
			cmp.Diff(tc.does, p.buttons, cmp.AllowUnexported(button{}), cmp.Comparer(func(a, b *config.Request) bool { return a == b }))
		if diff != "" {
			t.Errorf("%s:\n%s", tc.data, diff)
		}
	}
}

// What is kept of an alert has no button for which nothing was shown, and no text that
// is longer than what is shown.
func TestRecentButtons(t *testing.T) {
	subs := subscribed(t, `- {actions: [{label: "{{ data }}", snooze: 1m}]}`+"\n")
	pl := newPipeline()
	judge := func() *entry {
		p := passed(start, event("s", "e", `"`+strings.Repeat("x", 1<<16)+`"`), &subs[0])
		pl.judge(p)
		return entryOf(p, subs)
	}
	e := judge()
	if v := e.explain(true).Verdicts[0]; v.Reason != whyNoData {
		t.Errorf("without its data: %+v", v)
	}
	if len(e.buttons) != 1 || len(e.sent.Actions[0].Label) > 1000 {
		t.Errorf("%d buttons, of %d bytes", len(e.buttons), len(e.sent.Actions[0].Label))
	}
	pl.quiet.pause.pause(time.Time{})
	if e := judge(); len(e.buttons) != 0 || e.sent != nil {
		t.Errorf("one that is held back has %d buttons", len(e.buttons))
	}
	if h := pl.quiet.pause.last[0]; len(h.name)+len(h.text) > 1000 {
		t.Errorf("%d bytes of a title are held", len(h.name)+len(h.text))
	}
}

// However often an alert is shown again, what is known of it does not grow.
func TestRecentShownAgain(t *testing.T) {
	subs := subscribed(t, "- {}\n")
	pl, r := newPipeline(), new(recents)
	p := passed(start, event("s", "e", ""), &subs[0])
	pl.judge(p)
	r.put(p, subs)
	number := int(p.alert.Ref)
	before := *r.get(number)
	for i := range 100 {
		r.decide(number, verdict{stage: "deliver", decision: Shown, reason: fmt.Sprint("by ", i)})
	}
	got := r.get(number).explain(false).Verdicts
	if len(got) != 2 || got[1].Reason != "by 99" || len(before.verdicts) != 2 {
		t.Errorf("%+v", got)
	}
}

// A trial leaves the pipeline as it was, whatever it decides.
func TestTrialChangesNothing(t *testing.T) {
	subs := subscribed(t, "- {sender: a, tag: '{{ data.tag }}', only_changes: data, rate_limit: 3/1m}\n- {sender: b}\n- {sender: c, for: 1m}\n- {sender: d, tag: t, unless: '1', repeat: 1m}\n- {}\n")
	pl := newPipeline()
	pl.use(subs)
	judge := func(pl *pipeline, s float64, sender string) {
		for i := range 20 {
			ev := event("a", "e", fmt.Sprintf(`{"tag": "%d", "resolved": %v, "from": %q, "i": %d}`, i%5, i%7 == 3, sender, i))
			ev.Sender = subs[i%4].Sender
			p := passed(at(s), ev)
			p.matching = everyone(subs, "", p.ev)
			pl.judge(p)
		}
	}
	pl.quiet.mute(&subs[1], at(100))
	judge(pl, 1, "before")
	pl.quiet.pause.pause(time.Time{})
	judge(pl, 2, "paused")
	options := []cmp.Option{
		cmp.AllowUnexported(pipeline{}, tags{}, changes{}, valueOf{}, quiet{}, lookup{}, hold{}, held{}, catchup{}, absence{}, digest{}, waits{}, waiting{}, inhibits{}, inhibitor{}, repeats{}, escalations{}, rates{}, floods{}, folds{}, fold{}, storm{}, window{}, limiter{}, alike{}, fading[alike, fold]{}, fading[string, bool]{}, fading[valueOf, [32]byte]{}),
		cmp.Comparer(func(a, b []verdict) bool { return true }), // room
		cmp.Comparer(func(a, b *waiting) bool { return a == b }),
	}
	want, trial := pl.clone(), pl.clone()
	if diff := cmp.Diff(pl, want, options...); diff != "" {
		t.Errorf("a copy is another:\n%s", diff)
	}
	judge(trial, 3, "trial")
	trial.due(at(200))
	if cmp.Equal(pl, trial, options...) {
		t.Error("the trial has done nothing")
	}
	if diff := cmp.Diff(want, pl, options...); diff != "" {
		t.Errorf("a trial has changed it:\n%s", diff)
	}
}
