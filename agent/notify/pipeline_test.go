//go:build linux

package notify_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// The whole way of an event: a file and events in, verdicts and the calls on the bus
// out.
func TestFromEventToBus(t *testing.T) {
	for name, test := range map[string]struct {
		file   string
		events []string // such as "door ring 1"
		why    []string // the verdicts about the last one
		calls  []string // of the notification server, for all
	}{
		"a click opens the history, if there is one": {
			`{subscriptions: [{sender: backup}], history: {listen: "127.0.0.1:0"}}`,
			[]string{"backup failed null"},
			[]string{"when: passed: it has no condition", "deliver: shown: by testd 1.2 (nobody) over D-Bus"},
			[]string{"Notify 101 for 0: backup: failed||[default Open]|-1|urgency=1"},
		},
		"by default": {
			"subscriptions: [{sender: backup}]",
			[]string{`backup failed {"disk": "sda", "free": 0}`},
			[]string{"when: passed: it has no condition", "deliver: shown: by testd 1.2 (nobody) over D-Bus"},
			[]string{"Notify 101 for 0: backup: failed|disk: sda\nfree: 0|[]|-1|urgency=1"},
		},
		"all that a subscription can say": {
			`subscriptions:
- sender: "door-*"
  event: "r?ng"
  when: data.floor > 1
  title: "{{ upper(data.who) }} rings"
  body: "Floor {{ data.floor }}"
  urgency: '{{ data.floor > 3 ? "critical" : "low" }}'
  icon: {low: go-home, critical: security-low}
  sound: "{{ data.sound }}"
  timeout: 10s
  url: "https://door/{{ data.floor }}"
  tag: bell
  actions: [{label: Open, request: {method: open}}, {label: "Floor {{ data.floor }}", open: "http://a/"}]
`,
			[]string{`door-2 ring {"floor": 4, "who": "anna", "sound": "bell"}`, `door-2 rang {"floor": 2, "who": "bob", "sound": "../x"}`},
			[]string{
				`when: passed: when data.floor > 1 is true: data.floor is 2`,
				`render: passed: sound failed, and is left out: "../x" must be the name of a sound in a theme`,
				"deliver: shown: by testd 1.2 (nobody) over D-Bus",
			},
			[]string{
				"Notify 101 for 0: ANNA rings|Floor 4|[default Open 0 Open 1 Floor 4]|10000|sound-name=bell urgency=2 security-low",
				"Notify 101 for 101: BOB rings|Floor 2|[default Open 0 Open 1 Floor 2]|10000|urgency=0 go-home",
			},
		},
		"filtered": {
			"subscriptions: [{sender: room, when: data.temp > 30}]",
			[]string{`room temp {"temp": 21.5}`},
			[]string{"when: skipped: when data.temp > 30 is false: data.temp is 21.5", "when: filtered: no subscription takes it"}, nil,
		},
		"unchanged": {
			"subscriptions: [{sender: a, only_changes: data.state, title: '{{ data.state }}', body: ''}]",
			[]string{`a e {"state": "up"}`, `a e {"state": "up", "n": 2}`},
			[]string{"when: passed: it has no condition", `only_changes: filtered: only_changes data.state is still "up"`},
			[]string{"Notify 101 for 0: up||[]|-1|urgency=1"},
		},
		"more than its rate": {
			"subscriptions: [{sender: a, rate_limit: 1/1h}]",
			[]string{"a e 1", "a e 2"},
			[]string{"when: passed: it has no condition", "rate_limit: held back: more than 1 alert in 1 h 0 m, merged into one"},
			[]string{"Notify 101 for 0: a: e|1|[]|-1|urgency=1"},
		},
		"taken back": {
			`subscriptions: [{sender: a, when: data > 30, resolve: data < 28, tag: t}]`,
			[]string{"a e 31", "a e 27"},
			[]string{"resolve: resolved: what its tag showed is closed"},
			[]string{"Notify 101 for 0: a: e|31|[]|-1|urgency=1", "CloseNotification 101"},
		},
		"the second takes it, and its data say how": {
			"subscriptions: [{sender: a, when: data.x}, {sender: a, event: e}]",
			[]string{`a e {"title": "T", "message": "M", "priority": 5, "icon": "i", "actions": [{"label": "L", "open": "http://a/"}]}`},
			[]string{"when: skipped: when data.x is false: data.x is nil", "when: passed: it has no condition", "deliver: shown: by testd 1.2 (nobody) over D-Bus"},
			[]string{"Notify 101 for 0: T|M|[0 L]|-1|urgency=2 i"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := startBus(t).serve(t, &server{capabilities: []string{"body", "actions", "sound"}, toClose: make(chan uint32, 10)})
			c, err := config.Parse("config.yaml", []byte(test.file))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(test.file, "history:") {
				c.History = nil
			}
			network := new(sigtest.Network)
			router := sig.NewServerRouter(nil)
			t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = router.Serve(ctx, network.Up()) }))
			var a *agent.Agent
			a = agent.New(agent.Options{
				Config:   c,
				Carrier:  func(string) sig.ClientCarrier { return network.Client() },
				Notifier: openWith(t, &notify.Options{Responded: func(r notify.Response) { a.Respond(r) }}),
			})
			t.Cleanup(wait.Start(t.Context(), a.Run))
			var last agent.Explanation
			for i, event := range test.events {
				word := strings.SplitN(event, " ", 3)
				sender := router.Sender(sig.Name(word[0]))
				if sender == nil {
					if sender, err = router.AddSender(sig.Name(word[0]), "e", "failed", "rang", "ring", "temp"); err != nil {
						t.Fatal(err)
					}
				}
				eventually(t, "the subscriptions", func() bool {
					all := a.Status().Subscriptions
					return len(all) > 0 && !slices.ContainsFunc(all, func(s agent.SubscriptionStatus) bool { return s.Status != sig.Active })
				})
				if err := sender.Trigger(sig.Name(word[1]), sig.JSONData([]byte(word[2]))); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the event", func() (ok bool) {
					last, ok = a.Explain(i + 1)
					return ok && last.Decision != agent.Sent
				})
			}
			var why []string
			for _, v := range last.Verdicts {
				if v.Stage != "match" {
					why = append(why, fmt.Sprintf("%s: %s: %s", v.Stage, v.Decision, v.Reason))
				}
			}
			var calls []string
			for len(s.shown) > 0 {
				calls = append(calls, called(<-s.shown))
			}
			if last.Decision == agent.Resolved {
				calls = append(calls, fmt.Sprintf("CloseNotification %d", receive(t, s.toClose, "the alert's end")))
			}
			if diff := cmp.Diff(test.why, why) + cmp.Diff(test.calls, calls); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// called is a call of Notify on one line.
func called(n shown) string {
	line := fmt.Sprintf("Notify %d for %d: %s|%s|%v|%d|", n.ID, n.Replaces, n.Title, n.Body, n.Actions, n.Timeout)
	if sound, ok := n.Hints["sound-name"]; ok {
		line += fmt.Sprintf("sound-name=%s ", sound.Value())
	}
	line += fmt.Sprintf("urgency=%v %s", n.Hints["urgency"].Value(), n.Icon)
	return strings.TrimSpace(line)
}
