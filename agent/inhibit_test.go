package agent

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/sig"
)

// judged takes an event through a pipeline.
func judged(pl *pipeline, subs []config.Subscription, s float64, sender sig.Name, data string) verdict {
	p := passed(at(s), event(sender, "e", data))
	p.matching = everyone(subs, "", p.ev)
	pl.judge(p)
	return p.decided()
}

const behind = "- {sender: 'r*', tag: down}\n- {sender: 'h*', unless: down}\n- {sender: 'f*', unless: '{{ data + 1 }}'}\n- {sender: s, tag: down, unless: down}\n"

func TestInhibits(t *testing.T) {
	subs := subscribed(t, behind)
	for name, tc := range map[string]struct {
		do   func(pl *pipeline)
		from sig.Name
		held bool
	}{
		"nothing is shown": {func(pl *pipeline) {}, "h", false},
		"it is shown":      {func(pl *pipeline) { judged(pl, subs, 0, "r1", "1") }, "h", true},
		"it is held by a pause": {func(pl *pipeline) {
			pl.quiet.pause.pause(at(9))
			judged(pl, subs, 0, "r1", "1")
			pl.quiet.pause.resume()
		}, "h", true},
		"it is resolved": {func(pl *pipeline) { judged(pl, subs, 0, "r1", "1"); judged(pl, subs, 1, "r1", `{"resolved": true}`) }, "h", false},
		"one of two is resolved": {func(pl *pipeline) {
			judged(pl, subs, 0, "r1", "1")
			judged(pl, subs, 0, "r2", "1")
			judged(pl, subs, 1, "r1", `{"resolved": true}`)
		}, "h", true},
		"a text that fails":        {func(pl *pipeline) { judged(pl, subs, 0, "r1", "1") }, "f", false},
		"its own tag":              {func(pl *pipeline) { judged(pl, subs, 0, "s", "1") }, "s", false},
		"another's of its own tag": {func(pl *pipeline) { judged(pl, subs, 0, "r1", "1") }, "s", true},
		"a day later":              {func(pl *pipeline) { judged(pl, subs, 0, "r1", "1"); pl.inhibits.due(at(24 * 3600)) }, "h", false},
		"shown anew within a day": {func(pl *pipeline) {
			judged(pl, subs, 0, "r1", "1")
			judged(pl, subs, 60, "r1", "1")
			pl.inhibits.due(at(24 * 3600))
		}, "h", true},
		"after a reload": {func(pl *pipeline) { judged(pl, subs, 0, "r1", "1"); pl.use(subs) }, "h", true},
		"after a restart": {func(pl *pipeline) {
			judged(pl, subs, 0, "r1", "1")
			pl.inhibits.restore(reread(t, pl.inhibits.state()), at(1))
		}, "h", true},
	} {
		pl := newPipeline()
		pl.use(subs)
		tc.do(pl)
		v := judged(pl, subs, 2, tc.from, `"x"`)
		if (v.decision == Held) != tc.held || tc.held && v.reason != `"down" is shown` {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// What was held back is told, whatever ends it.
func TestInhibitsTell(t *testing.T) {
	subs := subscribed(t, behind)
	for name, end := range map[string]func(pl *pipeline){
		"resolved":    func(pl *pipeline) { judged(pl, subs, 3, "r1", `{"resolved": true}`) },
		"a day later": func(pl *pipeline) { pl.inhibits.tags["down"].until = at(3) },
		"a reload":    func(pl *pipeline) { pl.use(subs[:1]) },
		"after a restart": func(pl *pipeline) {
			pl.inhibits.restore(reread(t, pl.inhibits.state()), at(1))
			judged(pl, subs, 3, "r1", `{"resolved": true}`)
		},
		"too many tags": func(pl *pipeline) {
			for i := range maxShownTags {
				pl.inhibits.show(at(3), fmt.Sprint(i), "k")
			}
			if n := len(pl.inhibits.tags); n != maxShownTags {
				t.Errorf("%d tags", n)
			}
		},
		"a restart between the end and the word": func(pl *pipeline) {
			judged(pl, subs, 3, "r1", `{"resolved": true}`)
			pl.inhibits.restore(reread(t, pl.inhibits.state()), at(1))
		},
	} {
		pl := newPipeline()
		pl.use(subs)
		judged(pl, subs, 0, "r1", "1")
		judged(pl, subs, 1, "h1", "1")
		judged(pl, subs, 2, "h2", "1")
		if told := pl.inhibits.due(at(2)); len(told) > 0 {
			t.Errorf("%s: told early: %+v", name, told)
		}
		end(pl)
		pl.inhibits.first = at(3)
		var lines []string
		for _, n := range append(pl.inhibits.due(at(3)), pl.inhibits.due(at(4))...) {
			lines = append(lines, n.Line())
		}
		if diff := cmp.Diff([]string{`2 alerts while "down" was shown | h2: e (1) h1: e (1)`}, lines); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Not more tags hold alerts back at once than there is room for.
func TestInhibitsAreBounded(t *testing.T) {
	subs := subscribed(t, "- {sender: r, tag: '{{ data }}'}\n- {sender: h, unless: '{{ data }}'}\n")
	pl := newPipeline()
	pl.use(subs)
	for i := range maxHolding + 1 {
		pl.inhibits.show(start, fmt.Sprint("t", i), "k")
		v := judged(pl, subs, float64(i), "h", fmt.Sprintf(`"t%d"`, i))
		if (v.stage == "unless") != (i < maxHolding) {
			t.Errorf("%d: %+v", i, v)
		}
	}
	if v := judged(pl, subs, 100, "h", `"t0"`); v.stage != "unless" {
		t.Errorf("one that holds already: %+v", v)
	}
}
