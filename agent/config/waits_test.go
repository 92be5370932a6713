package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
)

// waits are a subscription's keys about when its alerts are shown.
func waits(t *testing.T, s config.Subscription) string {
	t.Helper()
	var b strings.Builder
	if s.For != 0 {
		fmt.Fprintf(&b, "for=%s ", s.For)
	}
	if s.Repeat != (config.Repeat{}) {
		fmt.Fprintf(&b, "repeat=%s×%d ", s.Repeat.Every, s.Repeat.AtMost)
	}
	if s.ExpectEvery != 0 {
		fmt.Fprintf(&b, "expect=%s ", s.ExpectEvery)
	}
	if s.Unless != nil {
		fmt.Fprintf(&b, "unless=%s ", render(t, s.Unless, seen(`{"x": 5}`)))
	}
	if e := s.Escalate; e != nil {
		fmt.Fprintf(&b, "escalate=%s ", e.After)
		if e.Command != nil {
			fmt.Fprintf(&b, "args=%d shell=%s ", len(e.Command.Args), e.Command.Shell)
		}
		if to := e.Publish; to != nil {
			fmt.Fprintf(&b, "as=%s:%s ", to.Sender, to.Event)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestWaits(t *testing.T) {
	for in, want := range map[string]string{
		"for: 30s":                            "for=30s",
		"for: 30d":                            "for=720h0m0s",
		"for: none":                           "",
		"repeat: 15m":                         "repeat=15m0s×8",
		"repeat: {every: 1h30m}":              "repeat=1h30m0s×8",
		"repeat: {every: 1s, at_most: 1_000}": "repeat=1s×1000",
		"repeat: none":                        "",
		"unless: router-down":                 "unless=router-down",
		"unless: 'down-{{ data.x }}'":         "unless=down-5",
		"unless: ''":                          "unless=",
		"escalate: {after: 5m, command: [call, '{{ data.x }}']}":     "escalate=5m0s args=2 shell=",
		"escalate: {after: 5m, command: {shell: 'call me'}}":         "escalate=5m0s args=0 shell=call me",
		"escalate: {after: 1d, publish: {sender: oncall, event: x}}": "escalate=24h0m0s as=oncall:x",
		"escalate: none": "",
	} {
		if got := waits(t, subscribed(t, "subscriptions:\n- {sender: a, "+in+"}\n")[0]); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
		if got := waits(t, subscribed(t, "defaults: {"+in+"}\nsubscriptions: [{sender: a}]\n")[0]); got != want {
			t.Errorf("defaults of %s: %s, want %s", in, got, want)
		}
	}
	subs := subscribed(t, `
defaults: {for: 30s, repeat: 15m, unless: u, escalate: {after: 5m, command: [x]}}
subscriptions:
- {sender: a, for: none, repeat: none, unless: "", escalate: none, expect_every: none}
- {sender: b, for: 1m, repeat: {every: 1m, at_most: 2}, unless: v, escalate: {after: 1m, publish: {sender: c, event: 5}}, expect_every: 25h}
`)
	for i, want := range []string{"unless=", "for=1m0s repeat=1m0s×2 expect=25h0m0s unless=v escalate=1m0s as=c:5"} {
		if got := waits(t, subs[i]); got != want {
			t.Errorf("%s: %s, want %s", subs[i].Sender, got, want)
		}
	}
}

func TestWaitProblems(t *testing.T) {
	for in, want := range map[string]string{
		"for: 30":                            `3:8: for: "30" has no unit: write 30s for seconds, or 30m for minutes; or none`,
		"for: 0s":                            `3:8: for: "0s" is no time at all: use at least 1s; or none`,
		"for: 10ms":                          `3:8: for: "10ms" is too short: use at least 1s; or none`,
		"for: 31d":                           `3:8: for: "31d" is too long: use at most 30d; or none`,
		"for: -1s":                           `3:8: for: "-1s" is below 0; or none`,
		"for: false":                         "3: for: must be text, not true or false",
		"for: [1s]":                          "3: for: must be text, not a list",
		"for:":                               "3: for: must be text, not nothing",
		"delay: 30s":                         `3:3: unknown key "delay" (did you mean "for"?)`,
		"repeat: often":                      `3:11: repeat: "often" is not a time: write it as 10s, 5m, 1h30m or 2d; or none`,
		"repeat: {at_most: 3}":               `3: repeat: there is no time: add how often it is shown again, such as "every: 15m"`,
		"repeat: {every: 1m, at_most: 0}":    "3: repeat.at_most: must be a whole number from 1 to 1,000, not 0",
		"repeat: {every: 1m, at_most: 1001}": "3: repeat.at_most: must be a whole number from 1 to 1,000, not 1001",
		"repeat: {every: 1m, times: 3}":      `3:23: repeat: unknown key "times" (did you mean "at_most"?)`,
		"repeat: {every: 1}":                 `3:19: repeat.every: "1" has no unit: write 1s for seconds, or 1m for minutes; or none`,
		"repeat: [1m]":                       "3: repeat: must be text, not a list",
		"expect_every: daily":                `3:17: expect_every: "daily" is not a time: write it as 10s, 5m, 1h30m or 2d; or none`,
		"expect_every: 31d":                  `3:17: expect_every: "31d" is too long: use at most 30d; or none`,
		"unless: 5":                          "3: unless: must be text, not a number: put it in quotes",
		"unless: '{{ dta }}'":                "3:15: unless: unknown name dta (did you mean data?)",
		"escalate: 5m":                       `3: escalate: must say when and what, such as {after: 5m, command: [notify-by-phone]}, or none, not the text "5m"`,
		"escalate: {after: 5m}":              `3: escalate: there is nothing to do: add "command" or "publish"`,
		"escalate: {command: [x]}":           `3: escalate: there is no time: add how long somebody has to click or close it, such as "after: 5m"`,
		"escalate: {after: 5m, command: []}": `3: escalate: there is nothing to do: add "command" or "publish"`,
		"escalate: {after: 5m, command: [x], publish: {sender: a, event: b}}": `3: escalate: has "command" and "publish": an escalation does one thing`,
		"escalate: {after: 5m, publish: {event: b}}":                          `3: escalate.publish: there is no sender: add under which name it is published, such as "sender: oncall"`,
		"escalate: {after: 5m, publish: {sender: b}}":                         `3: escalate.publish: there is no event: add what it is published as, such as "event: unanswered"`,
		"escalate: {after: 5m, publish: {sender: b, event: '#connect'}}":      "3: escalate.publish: #connect cannot be published: the server says who comes and goes",
		"escalate: {after: 5m, publish: {sendr: b}}":                          `3:35: escalate.publish: unknown key "sendr" (did you mean "sender"?)`,
		"escalate: {after: 1, command: ['{{ data }}']}":                       "3:21: escalate.after: \"1\" has no unit: write 1s for seconds, or 1m for minutes; or none\n3:35: escalate.command[0]: the program cannot have an expression in it: an event must not choose what runs",
	} {
		_, err := config.Parse("c.yaml", []byte("subscriptions:\n- sender: a\n  "+in+"\n"))
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), "c.yaml:", "")
			for _, part := range []string{"subscriptions[0].", "subscriptions[0]: "} {
				got = strings.ReplaceAll(got, part, "")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
	_, err := config.Parse("c.yaml", []byte("defaults: {expect_every: 1d}\nsubscriptions: [{sender: a}]\n"))
	if want := `c.yaml:1:12: defaults: unknown key "expect_every"`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestWaitWarnings(t *testing.T) {
	for in, want := range map[string]string{
		"{sender: a, for: 30s, tag: t}":                                                   "",
		"{sender: a, for: none}":                                                          "",
		"{sender: a, for: 30s}":                                                           `subscriptions[0].for: warning: only an event with the same tag in its data can resolve an alert before its time is over: add what both have in common, such as tag: "{{ sender }}"`,
		"{sender: a, for: 30s, tag: ''}":                                                  "subscriptions[0].for: warning: without a tag, nothing can resolve an alert before its time is over: it only comes later",
		"{sender: a, for: 30s, tag: t, resolve: false}":                                   "subscriptions[0].for: warning: with resolve: false, nothing can resolve an alert before its time is over: it only comes later",
		"{sender: a, repeat: 1m, timeout: 10s}":                                           "",
		"{sender: a, repeat: 1m, timeout: never}":                                         "subscriptions[0].repeat: warning: with that timeout, an alert is still on the screen when it is shown again",
		"{sender: a, repeat: {every: 1m}, timeout: 1m}":                                   "subscriptions[0].repeat: warning: with that timeout, an alert is still on the screen when it is shown again",
		"{sender: a, unless: t, tag: t}":                                                  "subscriptions[0].unless: warning: this is the subscription's own tag: of several senders, only the first is shown",
		"{sender: a, unless: t, tag: '{{ data.x }}'}":                                     "",
		"{sender: a, escalate: {after: 5m, command: [x]}, urgency: critical}":             "",
		"{sender: a, escalate: {after: 5m, command: [x]}, urgency: '{{ data.x }}'}":       "",
		"{sender: a, escalate: {after: 5m, command: [x]}, urgency: low}":                  "subscriptions[0].escalate: warning: its alerts are never critical, and only critical ones are escalated",
		"{sender: a, escalate: {after: 5m, publish: {sender: a, event: c}}, event: 'd*'}": "",
		"{sender: a, escalate: none, urgency: low}":                                       "",
	} {
		c, err := config.Parse("c.yaml", []byte("subscriptions: ["+in+"]\n"))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, strings.ReplaceAll(c.Warnings.Error(), "c.yaml:1: ", "")); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
	c, err := config.Parse("c.yaml", []byte("defaults:\n  for: 30s\nsubscriptions: [{sender: a}, {sender: b}, {sender: c, tag: t}]\n"))
	if err != nil || len(c.Warnings) != 1 || c.Warnings[0].Line != 2 || c.Warnings[0].Where != "defaults.for" {
		t.Errorf("%v, %v", err, c.Warnings)
	}
}
