package agent

import (
	"testing"

	"sigalert/agent/config"
)

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
