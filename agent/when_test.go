package agent

import "testing"

// Which subscription takes an event, and whether that takes an alert back.
func TestResolve(t *testing.T) {
	const (
		shown  = "what its tag showed is closed"
		silent = "nothing is shown under its tag"
	)
	for _, tc := range []struct {
		file, data string
		open       string // a tag that is open; "": none
		want       verdict
	}{
		{"- {sender: a}", `{"tag": "t", "resolved": true}`, "t", verdict{stage: "resolve", decision: Resolved, reason: shown}},
		{"- {sender: a}", `{"tag": "t", "resolved": true}`, "t, held", verdict{stage: "resolve", decision: Resolved, reason: "what was held back under its tag is forgotten"}},
		{"- {sender: a}", `{"tag": "t", "resolved": true}`, "", verdict{stage: "resolve", decision: Resolved, reason: silent}},
		{"- {sender: a}", `{"tag": "t", "resolved": "true"}`, "t", verdict{stage: "when", reason: "it has no condition"}},
		{"- {sender: a}", `{"resolved": true}`, "t", verdict{stage: "when", reason: "it has no condition"}},
		{"- {sender: a, tag: t}", `{"resolved": true}`, "t", verdict{stage: "resolve", decision: Resolved, reason: shown}},
		{"- {sender: a, tag: ''}", `{"tag": "t", "resolved": true}`, "t", verdict{stage: "when", reason: "it has no condition"}},
		// The subscription's condition takes the place of the data's word.
		{"- {sender: a, resolve: data.ok}", `{"tag": "t", "ok": true}`, "t", verdict{stage: "resolve", decision: Resolved, reason: shown}},
		{"- {sender: a, resolve: data.ok}", `{"tag": "t", "resolved": true}`, "t", verdict{stage: "when", reason: "it has no condition"}},
		// Its end needs no condition to hold, but silence does.
		{"- {sender: a, when: false}", `{"tag": "t", "resolved": true}`, "t", verdict{stage: "resolve", decision: Resolved, reason: shown}},
		{"- {sender: a, when: false}", `{"tag": "t", "resolved": true}`, "", verdict{stage: "when", decision: Filtered, reason: "no subscription takes it"}},
		{"- {sender: a, when: false}\n- {sender: a, resolve: false}", `{"tag": "t", "resolved": true}`, "", verdict{stage: "when", reason: "it has no condition"}},
		{"- {sender: a, when: false, tag: x}\n- {sender: a, tag: t}", `{"resolved": true}`, "t", verdict{stage: "resolve", decision: Resolved, reason: shown}},
		// A condition that fails resolves nothing.
		{"- {sender: a, resolve: data.n + 1 > 2}", `{"tag": "t", "resolved": true}`, "t", verdict{stage: "when", reason: "it has no condition"}},
		{"- {sender: 'a*', tag: t}", `{"resolved": true}`, "of another sender", verdict{stage: "resolve", decision: Resolved, reason: silent}},
	} {
		subs := subscribed(t, tc.file+"\n")
		p := passed(start, event("a", "e", tc.data))
		p.matching = everyone(subs, "", p.ev)
		c := chooser{new(tags), new(waits)}
		switch tc.open {
		case "of another sender":
			c.tags.show(tagKey("", "a2", "t"), true)
		case "t, held":
			c.tags.show(tagKey("", "a", "t"), false)
		default:
			c.tags.show(tagKey("", "a", tc.open), true)
		}
		if v := c.judge(p); v.stage != tc.want.stage || v.decision != tc.want.decision || v.reason != tc.want.reason {
			t.Errorf("%s: %s with %q open: %+v", tc.file, tc.data, tc.open, v)
		}
	}
}
