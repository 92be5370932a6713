package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/sig"
)

// run takes events through a file's pipeline. A step is "SENDER EVENT DATA", or "+30s"
// for time that passes, "pause", "resume", "mute LINE" or "unmute LINE".
func run(t *testing.T, yaml string, steps ...string) (lines []string) {
	t.Helper()
	c, err := config.Parse("c.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	pl, now := newPipeline(), start
	pl.use(c.Subscriptions)
	for _, step := range steps {
		word, rest, _ := strings.Cut(step, " ")
		switch {
		case strings.HasPrefix(word, "+"):
			d, err := time.ParseDuration(word[1:])
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(d)
			for p := pl.ripe(now, false); p != nil; p = pl.ripe(now, false) {
				lines = append(lines, decided(p, c.Subscriptions)...)
			}
			for _, n := range pl.inhibits.due(now) {
				lines = append(lines, "tells "+n.Line())
			}
			for _, n := range pl.due(now) {
				lines = append(lines, "tells "+n.Line())
			}
			continue
		case word == "pause":
			pl.quiet.pause.pause(time.Time{})
			continue
		case word == "resume":
			if n, ok := pl.quiet.pause.resume(); ok {
				lines = append(lines, "tells "+n.Line())
			}
			continue
		}
		name, data, _ := strings.Cut(rest, " ")
		p := newPassage(now, event(sig.Name(word), sig.Name(name), data))
		p.matching = everyone(c.Subscriptions, "", p.ev)
		pl.judge(p)
		lines = append(lines, decided(p, c.Subscriptions)...)
	}
	return lines
}

// decided is what the stages have decided about an event, and about what waited.
func decided(p *passage, subs []config.Subscription) (lines []string) {
	for _, e := range p.ends {
		lines = append(lines, "ends "+written(e.v.written(nil)))
	}
	for _, v := range entryOf(p, subs).explain(true).Verdicts {
		lines = append(lines, written(v))
	}
	if p.decided().decision == Sent {
		lines = append(lines, "  "+p.alert.Line())
	}
	return lines
}

// written is a verdict on one line.
func written(v Verdict) string {
	line := fmt.Sprintf("%s: %s", v.Stage, v.Decision)
	if v.Line > 0 {
		line = fmt.Sprintf("%d %s", v.Line, line)
	}
	if v.Reason != "" {
		line += ": " + v.Reason
	}
	return line
}

func TestPipeline(t *testing.T) {
	for name, tc := range map[string]struct {
		file  string
		steps []string
		want  string
	}{
		"why it was not shown": {
			file: `subscriptions:
- {sender: other}
- {sender: room, event: temp, when: data.temp > 30}
- {sender: room, event: "#x"}
`,
			steps: []string{`room temp {"temp": 21.5}`},
			want: `2 match: skipped: the sender is room, not other
3 when: skipped: when data.temp > 30 is false: data.temp is 21.5
4 match: skipped: the event is temp, not #x
when: filtered: no subscription takes it`,
		},
		"the first that takes it": {
			file: `subscriptions:
- {sender: room, when: data > 1}
- {sender: room, when: data > 0}
- {sender: room}
`,
			steps: []string{`room temp 1`},
			want: `2 when: skipped: when data > 1 is false: data is 1
3 when: passed: when data > 0 is true: data is 1
4 match: skipped: line 3 has taken it
deliver: sent
  room: temp | 1`,
		},
		"an expression that fails": {
			file: `subscriptions:
- {sender: room, when: data + 1 > 2, title: "{{ data + 1 }}", url: "{{ data }}"}
`,
			steps: []string{`room temp "file:///etc/passwd"`},
			want: `2 when: passed: when failed, and is left out: data + 1 > 2: cannot add text and a number
2 render: passed: title failed, and is left out: data + 1: cannot add text and a number
2 render: passed: url failed, and is left out: "file:///etc/passwd" must be an http, https or mailto address
deliver: sent
  room: temp | file:///etc/passwd`,
		},
		"resolve": {
			file: `subscriptions:
- {sender: room, when: data.temp > 30, resolve: data.temp < 28, tag: "{{ data.room }}", body: "{{ data.temp }}"}
`,
			steps: []string{
				`room temp {"temp": 20, "room": "attic"}`,
				`room temp {"temp": 31, "room": "attic"}`,
				`room temp {"temp": 29, "room": "attic"}`,
				`room temp {"temp": 20, "room": "cellar"}`,
				`room temp {"temp": 27, "room": "attic"}`,
				`room temp {"temp": 26, "room": "attic"}`,
			},
			want: `2 when: skipped: when data.temp > 30 is false: data.temp is 20
when: filtered: no subscription takes it
2 when: passed: when data.temp > 30 is true: data.temp is 31
deliver: sent
  room: temp | 31
2 when: skipped: when data.temp > 30 is false: data.temp is 29
when: filtered: no subscription takes it
2 when: skipped: when data.temp > 30 is false: data.temp is 20
when: filtered: no subscription takes it
2 resolve: resolved: what its tag showed is closed
2 when: skipped: when data.temp > 30 is false: data.temp is 26
when: filtered: no subscription takes it`,
		},
		"resolved by the data": {
			file:  "subscriptions: [{sender: a}]",
			steps: []string{`a e {"tag": "t", "resolved": true}`, `a e {"tag": "t"}`, `a e {"tag": "t", "resolved": true}`, `a e {"resolved": true}`},
			want: `1 resolve: resolved: nothing is shown under its tag
1 when: passed: it has no condition
deliver: sent
  a: e | tag: t
1 resolve: resolved: what its tag showed is closed
1 when: passed: it has no condition
deliver: sent
  a: e | resolved: true`,
		},
		"only changes": {
			file:  "subscriptions: [{only_changes: data.state}]",
			steps: []string{`a e {"state": "up"}`, `a e {"state": "up", "n": 1}`, `b e {"state": "up"}`, `a e {"state": "down"}`, `a e {}`, `a e 5`},
			want: `1 when: passed: it has no condition
1 only_changes: passed: only_changes data.state has changed: data.state is "up"
deliver: sent
  a: e | state: up
1 when: passed: it has no condition
1 only_changes: filtered: only_changes data.state is still "up"
1 when: passed: it has no condition
1 only_changes: passed: only_changes data.state has changed: data.state is "up"
deliver: sent
  b: e | state: up
1 when: passed: it has no condition
1 only_changes: passed: only_changes data.state has changed: data.state is "down"
deliver: sent
  a: e | state: down
1 when: passed: it has no condition
1 only_changes: passed: only_changes data.state has changed: data.state is nil
deliver: sent
  a: e
1 when: passed: it has no condition
1 only_changes: filtered: only_changes data.state is still null`,
		},
		"what a condition leaves out is a change": {
			file:  `subscriptions: [{sender: door, when: data.state == "open", only_changes: data.state}]`,
			steps: []string{`door e {"state": "open"}`, `door e {"state": "closed"}`, `door e {"bell": 1}`, `door e {"state": "open"}`, `door e {"bell": 1}`, `door e {"state": "open"}`},
			want: `1 when: passed: when data.state == "open" is true: data.state is "open"
1 only_changes: passed: only_changes data.state has changed: data.state is "open"
deliver: sent
  door: e | state: open
1 when: skipped: when data.state == "open" is false: data.state is "closed"
when: filtered: no subscription takes it
1 when: skipped: when data.state == "open" is false: data.state is nil
when: filtered: no subscription takes it
1 when: passed: when data.state == "open" is true: data.state is "open"
1 only_changes: passed: only_changes data.state has changed: data.state is "open"
deliver: sent
  door: e | state: open
1 when: skipped: when data.state == "open" is false: data.state is nil
when: filtered: no subscription takes it
1 when: passed: when data.state == "open" is true: data.state is "open"
1 only_changes: filtered: only_changes data.state is still "open"`,
		},
		"what was taken back is news again": {
			file:  `subscriptions: [{sender: disk, tag: t, only_changes: data.level}]`,
			steps: []string{`disk e {"level": "full"}`, `disk e {"resolved": true}`, `disk e {"level": "full"}`},
			want: `1 when: passed: it has no condition
1 only_changes: passed: only_changes data.level has changed: data.level is "full"
deliver: sent
  disk: e | level: full
1 resolve: resolved: what its tag showed is closed
1 when: passed: it has no condition
1 only_changes: passed: only_changes data.level has changed: data.level is "full"
deliver: sent
  disk: e | level: full`,
		},
		"what is resolved within a pause is not told after it": {
			file: "subscriptions: [{sender: a}, {sender: b}]",
			steps: []string{
				"pause", `a e {"tag": "t"}`, `a e {"tag": "t"}`, `a f {"tag": "u"}`, `a e {"tag": "t", "resolved": true}`, "resume",
				"pause", `a f {"tag": "u", "resolved": true}`, "resume",
			},
			want: `1 when: passed: it has no condition
1 match: skipped: the sender is a, not b
quiet: held back: paused
1 when: passed: it has no condition
1 match: skipped: the sender is a, not b
quiet: held back: paused
1 when: passed: it has no condition
1 match: skipped: the sender is a, not b
quiet: held back: paused
1 match: skipped: the sender is a, not b
1 resolve: resolved: what was held back under its tag is forgotten
tells 1 alert while paused | a: f (tag: u)
1 match: skipped: the sender is a, not b
1 resolve: resolved: what was held back under its tag is forgotten`,
		},
		"an urgency that fails": {
			file:  `subscriptions: [{sender: a, urgency: "{{ data }}"}]`,
			steps: []string{`a e "loud"`},
			want: `1 when: passed: it has no condition
1 render: passed: urgency failed, and is left out: unknown urgency "loud": must be low, normal or critical
deliver: sent
  a: e | loud`,
		},
		"a rate of its own": {
			file:  "subscriptions: [{sender: a, rate_limit: 1/1m}, {sender: b}]",
			steps: []string{`a e 1`, `+2s`, `a e {"urgency": "critical"}`, `b e 2`, `+2s`, `+60s`, `a e 3`},
			want: `1 when: passed: it has no condition
1 match: skipped: the sender is a, not b
deliver: sent
  a: e | 1
1 when: passed: it has no condition
1 match: skipped: the sender is a, not b
1 rate_limit: held back: more than 1 alert in 1 m, merged into one
1 match: skipped: the sender is b, not a
1 when: passed: it has no condition
deliver: sent
  b: e | 2
tells 1 more event from a | Last: a: e
1 when: passed: it has no condition
1 match: skipped: the sender is a, not b
deliver: sent
  a: e | 3`,
		},
		"what is shown otherwise is not in the body": {
			file: "subscriptions: [{sender: a, image: true}, {sender: b}]",
			steps: []string{
				`a e {"x": 1, "image": "aGVsbG8=", "actions": [{"label": "Open", "open": "http://a/"}]}`,
				`b e {"image": "cat.png", "actions": "jump"}`,
			},
			want: `1 when: passed: it has no condition
1 match: skipped: the sender is a, not b
deliver: sent
  a: e | x: 1
1 match: skipped: the sender is b, not a
1 when: passed: it has no condition
deliver: sent
  b: e | image: cat.png actions: jump`,
		},
		"for": {
			file: `subscriptions: [{sender: a, tag: t, for: 30s}]`,
			steps: []string{
				`a e 1`, `+20s`, `a e 2`, `+10s`, `a e 3`, `a e {"resolved": true}`,
				`a e 4`, `+29s`, `a e {"resolved": true}`, `+1m`,
			},
			want: `1 when: passed: it has no condition
1 for: held back: waits 30 s in case it is resolved
ends 1 for: held back: a newer one waits in its place
1 when: passed: it has no condition
1 for: held back: waits 10 s in case it is resolved
1 for: passed: not resolved within 30 s
deliver: sent
  a: e | 2
1 when: passed: it has no condition
1 for: passed: what its tag shows is brought up to date at once
deliver: sent
  a: e | 3
1 resolve: resolved: what its tag showed is closed
1 when: passed: it has no condition
1 for: held back: waits 30 s in case it is resolved
ends 1 for: held back: resolved within 30 s
1 resolve: resolved: what was held back under its tag is forgotten`,
		},
		"for and a pause": {
			file:  `subscriptions: [{sender: a, tag: t, for: 30s}]`,
			steps: []string{`a e 1`, "pause", "+30s", "resume"},
			want: `1 when: passed: it has no condition
1 for: held back: waits 30 s in case it is resolved
1 for: passed: not resolved within 30 s
quiet: held back: paused
tells 1 alert while paused | a: e (1)`,
		},
		"unless": {
			file: `subscriptions: [{sender: router, tag: router-down}, {sender: "h*", tag: up, unless: "{{ data.behind }}-down"}]`,
			steps: []string{
				`h1 e {"behind": "router"}`, `router e 1`, `h2 e {"behind": "router"}`, `h3 e {"behind": "switch"}`, `h4 e {"behind": "router"}`,
				`h4 e {"resolved": true}`, `router e {"resolved": true}`, `+0s`, `h5 e {"behind": "router"}`,
			},
			want: `1 match: skipped: the sender is h1, not router
1 when: passed: it has no condition
deliver: sent
  h1: e | behind: router
1 when: passed: it has no condition
1 match: skipped: the sender is router, not h*
deliver: sent
  router: e | 1
1 match: skipped: the sender is h2, not router
1 when: passed: it has no condition
1 unless: held back: "router-down" is shown
1 match: skipped: the sender is h3, not router
1 when: passed: it has no condition
deliver: sent
  h3: e | behind: switch
1 match: skipped: the sender is h4, not router
1 when: passed: it has no condition
1 unless: held back: "router-down" is shown
1 match: skipped: the sender is h4, not router
1 resolve: resolved: what was held back under its tag is forgotten
1 match: skipped: the sender is router, not h*
1 resolve: resolved: what its tag showed is closed
tells 1 alert while "router-down" was shown | h2: e (behind: router)
1 match: skipped: the sender is h5, not router
1 when: passed: it has no condition
deliver: sent
  h5: e | behind: router`,
		},
		"repeat and escalate": {
			file:  `subscriptions: [{sender: a, repeat: 15m, escalate: {after: 5m, command: [x]}}]`,
			steps: []string{`a e {"urgency": "critical"}`, `a e 1`},
			want: `1 when: passed: it has no condition
1 repeat: passed: shown again after 15 m, at most 8 times
1 escalate: passed: escalated after 5 m, if nobody clicks or closes it
deliver: sent
  a: e | urgency: critical
1 when: passed: it has no condition
1 repeat: passed: shown again after 15 m, at most 8 times
deliver: sent
  a: e | 1`,
		},
		"a pause": {
			file:  "subscriptions: [{sender: a}]",
			steps: []string{"pause", "a e 1", "resume", "a e 2"},
			want: `1 when: passed: it has no condition
quiet: held back: paused
tells 1 alert while paused | a: e (1)
1 when: passed: it has no condition
deliver: sent
  a: e | 2`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.Split(tc.want, "\n"), run(t, tc.file, tc.steps...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
