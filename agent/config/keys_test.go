package config_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/rule"
	"sigalert/sig"
)

// subscribed is what a file says that has these subscriptions.
func subscribed(t *testing.T, in string) []config.Subscription {
	t.Helper()
	c, err := config.Parse("c.yaml", []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	return c.Subscriptions
}

// seen is an event as expressions see it.
func seen(data string) *rule.Event {
	now := time.Unix(0, 0)
	return rule.NewEvent(sig.Event{Sender: "door", Event: "ring", Time: now, Data: sig.JSONData([]byte(data))}, now)
}

// shown is a subscription's new keys, as they are for an event.
func shown(t *testing.T, s config.Subscription) string {
	t.Helper()
	ev := seen(`{"x": 5}`)
	var b strings.Builder
	text := func(name string, text *rule.Text) {
		if text != nil {
			fmt.Fprintf(&b, "%s=%s ", name, render(t, text, ev))
		}
	}
	if s.Resolve != nil {
		fmt.Fprintf(&b, "resolve=%s ", s.Resolve.Source())
	}
	if s.OnlyChanges != nil {
		fmt.Fprintf(&b, "only_changes=%s ", s.OnlyChanges.Source())
	}
	if s.RateLimit != (config.Rate{}) {
		fmt.Fprintf(&b, "rate=%d/%s ", s.RateLimit.Count, s.RateLimit.Within)
	}
	text("low", s.Icon.Low)
	text("normal", s.Icon.Normal)
	text("critical", s.Icon.Critical)
	text("sound", s.Sound)
	text("url", s.URL)
	if s.Timeout != 0 {
		fmt.Fprintf(&b, "timeout=%d ", s.Timeout)
	}
	if s.Image {
		b.WriteString("image ")
	}
	if s.Actions != nil {
		fmt.Fprintf(&b, "actions[%d] ", len(s.Actions))
	}
	for _, a := range s.Actions {
		text("label", a.Label)
		text("open", a.Open)
		if a.Snooze != 0 {
			fmt.Fprintf(&b, "snooze=%s ", a.Snooze)
		}
		if r := a.Request; r != nil {
			fmt.Fprintf(&b, "request=%s.%s reply=%v ", r.Sender, r.Method, r.Reply)
			if r.Params != nil {
				v, err := r.Params.Value(ev)
				params, jerr := json.Marshal(v)
				if err != nil || jerr != nil {
					t.Error(err, jerr)
				}
				fmt.Fprintf(&b, "params=%s ", params)
			}
		}
	}
	if c := s.Command; c != nil {
		for _, arg := range c.Args {
			text("arg", arg)
		}
		fmt.Fprintf(&b, "shell=%s", c.Shell)
	}
	return strings.TrimSpace(b.String())
}

func TestKeys(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"resolve: data.x == 0, tag: a":    "resolve=data.x == 0",
		"resolve: false":                  "resolve=false",
		"only_changes: data.state":        "only_changes=data.state",
		"only_changes: false":             "",
		"rate_limit: 5/1m":                "rate=5/1m0s",
		"rate_limit: 1/1h30m":             "rate=1/1h30m0s",
		"rate_limit: 1000 / 7d":           "rate=1000/168h0m0s",
		"rate_limit: none":                "",
		"icon: dialog-error":              "low=dialog-error normal=dialog-error critical=dialog-error",
		"icon: /usr/share/a b.png":        "low=/usr/share/a b.png normal=/usr/share/a b.png critical=/usr/share/a b.png",
		"icon: {low: a, critical: /b}":    "low=a critical=/b",
		`icon: "{{ data.x }}-icon"`:       "low=5-icon normal=5-icon critical=5-icon",
		"icon: {}":                        "",
		`icon: ""`:                        "low= normal= critical=",
		"sound: none":                     "sound=none",
		"sound: message-new-instant":      "sound=message-new-instant",
		"sound: /a/ring.oga":              "sound=/a/ring.oga",
		"timeout: 10s":                    "timeout=10000000000",
		"timeout: never":                  "timeout=-1",
		"timeout: default":                "",
		"timeout: 24h":                    "timeout=86400000000000",
		"url: https://a.example/":         "url=https://a.example/",
		"url: file:///etc/hosts":          "url=file:///etc/hosts",
		"url: /etc/hosts":                 "url=/etc/hosts",
		"url: tel:5551234":                "url=tel:5551234",
		"url: vscode://file/a":            "url=vscode://file/a",
		`url: "https://a/{{ data.x }}"`:   "url=https://a/5",
		`url: "{{ data.link }}"`:          "url=",
		`url: "HTTPS{{ data.x }}"`:        "url=HTTPS5",
		"image: true":                     "image",
		"image: false":                    "",
		"actions: []":                     "actions[0]",
		"actions: [{label: A, open: /a}]": "actions[1] label=A open=/a",
		"actions: [{label: '{{ data.x }}', snooze: 1h}, {label: B, snooze: 7d}]":                                     "actions[2] label=5 snooze=1h0m0s label=B snooze=168h0m0s",
		"actions: [{label: A, request: {sender: door, method: open}}]":                                               "actions[1] label=A request=door.open reply=false",
		"actions: [{label: A, request: {sender: 'a*', method: open}}]":                                               "actions[1] label=A request=a*.open reply=false",
		"actions: [{label: A, request: {method: 5, params: {a: 1, b: [true, 1.50, ~, x, '{{ data }}'], c: {}}}}]":    `actions[1] label=A request=.5 reply=false params={"a":1,"b":[true,1.50,null,"x",{"x":5}],"c":{}}`,
		"actions: [{label: A, request: {method: m, params: '{{ data.x }}'}}]":                                        "actions[1] label=A request=.m reply=false params=5",
		"actions: [{label: A, request: {method: m, params: 'x {{ data.x }}'}}]":                                      `actions[1] label=A request=.m reply=false params="x 5"`,
		"actions: [{label: A, request: {method: m, params: '{{ data.y }}'}}]":                                        "actions[1] label=A request=.m reply=false params=null",
		"actions: [{label: A, request: {method: m, params: }}]":                                                      "actions[1] label=A request=.m reply=false params=null",
		"actions: [{label: A, request: {method: m, params: 2020-01-01}}]":                                            `actions[1] label=A request=.m reply=false params="2020-01-01"`,
		"actions: [{label: A, request: {method: m, params: ['{{ ago(time) }}', '{{ time }}', '{{ data.x / 2 }}']}}]": `actions[1] label=A request=.m reply=false params=["0 s","1970-01-01T00:00:00Z",2.5]`,
		"actions: [{label: A, reply: {sender: door, method: say}}]":                                                  "actions[1] label=A request=door.say reply=true",
		`command: [logger, "{{ sender }} {{ data.x }}", 5, true]`:                                                    "arg=logger arg=door 5 arg=5 arg=true shell=",
		"command: [/bin/a b, x]": "arg=/bin/a b arg=x shell=",
		"command: []":            "",
		`command: {shell: 'echo "$SIGALERT_TITLE" | logger {b}'}`: `shell=echo "$SIGALERT_TITLE" | logger {b}`,
	} {
		subs := subscribed(t, "subscriptions:\n- {sender: a, "+in+"}\n")
		if got := shown(t, subs[0]); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
		subs = subscribed(t, "defaults: {"+in+"}\nsubscriptions: [{sender: a}]\n")
		if got := shown(t, subs[0]); got != want {
			t.Errorf("defaults of %s: %s, want %s", in, got, want)
		}
	}
}

// A subscription takes a default back.
func TestDefaultsTakenBack(t *testing.T) {
	subs := subscribed(t, `
defaults:
  resolve: data.x == 0
  tag: "{{ sender }}"
  only_changes: data.x
  rate_limit: 5/1m
  icon: dialog-error
  sound: bell
  timeout: 10s
  url: "https://a.example/"
  image: true
  actions: [{label: A, snooze: 1h}]
  command: [logger, x]
subscriptions:
  - sender: all
  - {sender: none, resolve: false, only_changes: false, rate_limit: none, icon: {}, sound: "", timeout: default, url: "", image: false, actions: [], command: []}
  - {sender: other, resolve: data.y, only_changes: event, rate_limit: 1/1h, icon: {low: a}, sound: none, timeout: never, url: /a, actions: [{label: B, snooze: 1m}], command: [b]}
`)
	for i, want := range []string{
		"resolve=data.x == 0 only_changes=data.x rate=5/1m0s low=dialog-error normal=dialog-error critical=dialog-error sound=bell url=https://a.example/ timeout=10000000000 image actions[1] label=A snooze=1h0m0s arg=logger arg=x shell=",
		"resolve=false sound= url= actions[0]",
		"resolve=data.y only_changes=event rate=1/1h0m0s low=a sound=none url=/a timeout=-1 image actions[1] label=B snooze=1m0s arg=b shell=",
	} {
		if got := shown(t, subs[i]); got != want {
			t.Errorf("%s:\n%s, want\n%s", subs[i].Sender, got, want)
		}
	}
}

func TestGlobs(t *testing.T) {
	for in, want := range map[string]string{
		`{sender: "door-*"}`:              " | door-* |  | ",
		`{sender: "*", event: "#door-*"}`: " |  |  | #door-*",
		`{sender: 'a\*', event: 'b?'}`:    "a* |  |  | b?",
		`{sender: '[a-c]', event: 5}`:     " | [a-c] | 5 | ",
		`{sender: a\b, event: '#x'}`:      `a\b |  | #x | `,
		`{sender: "\0*", event: '\\'}`:    " | \x00* | \\ | ",
	} {
		s := subscribed(t, "subscriptions:\n- "+in+"\n")[0]
		if got := fmt.Sprintf("%s | %s | %s | %s", s.Sender, s.SenderGlob, s.Event, s.EventGlob); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// What takes everything from a later subscription is told; what leaves something is not.
func TestNeverAlerts(t *testing.T) {
	for in, never := range map[string]bool{
		`{sender: "a*"}, {sender: "a*"}`:                                       true,
		`{sender: "a*"}, {sender: ab}`:                                         true,
		`{sender: "a*"}, {sender: ab, event: e}`:                               true,
		`{sender: "a*"}, {sender: ab, event: "e*"}`:                            true,
		`{sender: "a*", event: "e*"}, {sender: ab, event: e}`:                  true,
		`{event: "*"}, {sender: "a*", event: "b?"}`:                            true,
		`{sender: a}, {sender: a, event: "e*"}`:                                true,
		`{sender: a, event: "e*"}, {sender: a, event: "e*"}`:                   true,
		`{event: "#*"}, {sender: a, event: "#x"}`:                              true,
		`{sender: "a*", only_changes: data.x, rate_limit: 1/1m}, {sender: ab}`: true,
		`{sender: "a*", when: data.x}, {sender: ab}`:                           false,
		`{sender: "a*"}, {sender: b}`:                                          false,
		`{sender: "a*"}, {sender: "*a"}`:                                       false,
		`{sender: "a*"}, {sender: "ab*"}`:                                      false, // as things are
		`{sender: "a*"}, {event: e}`:                                           false,
		`{sender: ab}, {sender: "a*"}`:                                         false,
		`{sender: "a*", event: e}, {sender: ab, event: f}`:                     false,
		`{sender: "a*", event: e}, {sender: ab}`:                               false,
		`{sender: "5*"}, {sender: 5}`:                                          false,
		`{sender: "a*"}, {sender: ab, presence: true}`:                         false,
		`{sender: "a*"}, {sender: ab, event: "#connect"}`:                      false,
		`{event: "#*"}, {sender: ab, event: "#connect"}`:                       false,
		`{sender: "a*"}, {sender: 'a\*', event: '#disconnect'}`:                false,
	} {
		_, err := config.Parse("c.yaml", []byte("subscriptions: ["+in+"]\n"))
		if want := "c.yaml:1: subscriptions[1]: never alerts: line 1 matches first"; never != (err != nil && err.Error() == want) || !never && err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestKeyProblems(t *testing.T) {
	const head = "subscriptions:\n- sender: a\n  "
	for in, want := range map[string]string{
		"resolve:":                                    "3: resolve: must be an expression, not nothing",
		"resolve: data.x = 1":                         "3:19: resolve: = is not known here: to compare, write ==",
		"resolve: data.x + 1":                         "3:19: resolve: a condition must be true or false, not a number",
		"only_changes: dta.x":                         "3:17: only_changes: unknown name dta (did you mean data?)",
		"only_changes: '{{ data.x }}'":                `3: only_changes: must be an expression, not the text "{{ data.x }}": it is written without {{ }}`,
		"only_changes: data.x - sender":               "3:24: only_changes: - does not work with a value and text",
		"rate_limit: 0/1m":                            "3:15: rate_limit: with 0, no alert would ever be shown: use 1 or more, or none for no limit",
		"rate_limit: -1/1m":                           "3:15: rate_limit: with -1, no alert would ever be shown: use 1 or more, or none for no limit",
		"rate_limit: 5":                               "3:15: rate_limit: 5 in how long? Write 5/1m for 5 in a minute, or none for no limit",
		"rate_limit: 5/0s":                            `3:17: rate_limit: "0s" is no time at all: use at least 1s`,
		"rate_limit: 5/1 minute":                      `3:17: rate_limit: "1 minute" is not how times are written: write 1m`,
		"rate_limit: 5/m":                             `3:17: rate_limit: "m" has no number: write 1m`,
		"rate_limit: 5/60":                            `3:17: rate_limit: "60" has no unit: write 60s for seconds, or 60m for minutes`,
		"rate_limit: 5/-1m":                           `3:17: rate_limit: "-1m" is below 0`,
		"rate_limit: 5/1y":                            `3:17: rate_limit: "1y" is not a time: write it as 10s, 5m, 1h30m or 2d`,
		"rate_limit: 5/8d":                            `3:17: rate_limit: "8d" is too long: use at most 7d`,
		"rate_limit: 5/1ms":                           `3:17: rate_limit: "1ms" is too short: use at least 1s`,
		"rate_limit: 1001/1m":                         "3:15: rate_limit: 1001 is too many: at most 1,000",
		"rate_limit: 99999999999999999999/1m":         "3:15: rate_limit: 99999999999999999999 is too many: at most 1,000",
		"rate_limit: often":                           `3:15: rate_limit: "often" is not how many in how long: write it as 5/1m, or none for no limit`,
		"rate_limit: x/1m":                            `3:15: rate_limit: "x" is not a number of alerts: write it as 5/1m`,
		"rate_limit: [5]":                             "3: rate_limit: must be text, not a list",
		"rate_limit: false":                           "3: rate_limit: must be text, not true or false",
		"icon: bell.png":                              "3:9: icon: a file needs its whole path, such as /home/me/bell.png",
		"icon: ./a/bell":                              "3:9: icon: a file needs its whole path, such as /home/me/bell",
		"icon: ~/bell.png":                            `3:9: icon: "~" is not known here: write the whole path`,
		"icon: https://a/b.png":                       "3:9: icon: must be a file's path, or the name of an icon in the theme, such as dialog-warning, not an address",
		"icon: two words":                             `3:9: icon: "two words" cannot be the name of an icon in the theme, such as dialog-warning; a file needs its whole path`,
		"icon: '/a/{{ data.x }}.png'":                 "3:10: icon: a path cannot have an expression in it: an event must not name files. An expression may give the name of an icon in the theme",
		"icon: {{ data.x }}":                          `3: icon: must be text, not keys and values: text that begins with "{" needs quotes`,
		"icon: {high: a}":                             `3:10: icon: unknown key "high" (did you mean "critical"?)`,
		"icon: {lo: a, low: b.svg}":                   "3:10: icon: unknown key \"lo\" (did you mean \"low\"?)\n3:22: icon.low: a file needs its whole path, such as /home/me/b.svg",
		"icon: [a]":                                   "3: icon: must be text, not a list",
		"sound: ring.oga":                             "3:10: sound: a file needs its whole path, such as /home/me/ring.oga",
		"sound: '{{ dta }}'":                          "3:14: sound: unknown name dta (did you mean data?)",
		"sound: true":                                 "3: sound: must be text, not true or false",
		"timeout: 10":                                 `3:12: timeout: "10" has no unit: write 10s for seconds, or 10m for minutes; or never, or default`,
		"timeout: 0":                                  "3:12: timeout: would not be seen: write never to keep it until it is closed, or default for as long as the desktop chooses",
		"timeout: 0s":                                 "3:12: timeout: would not be seen: write never to keep it until it is closed, or default for as long as the desktop chooses",
		"timeout: 25h":                                `3:12: timeout: "25h" is too long: use at most 1d; or never, or default`,
		"timeout: -1":                                 `3:12: timeout: "-1" is below 0; or never, or default`,
		"timeout: '10 seconds'":                       `3:13: timeout: "10 seconds" is not how times are written: write 10s; or never, or default`,
		"timeout: none":                               `3:12: timeout: "none" is not a time: write it as 10s, 5m, 1h30m or 2d; or never, or default`,
		"url: www.example.org":                        `3:8: url: "www.example.org" is not a whole address: write "https://www.example.org"`,
		"url: localhost:8080/x":                       `3:8: url: "localhost:8080/x" is not a whole address: write "https://localhost:8080/x"`,
		"url: https://":                               `3:8: url: "https://" is not a valid address`,
		"url: 'see here'":                             `3:9: url: "see here" is not an address: it begins with https:// or the like, or is a file's whole path`,
		"url: 'file:///{{ data.x }}'":                 "3:9: url: an address with an expression in it must begin with https://, http:// or mailto:",
		"url: '/a/{{ data.x }}'":                      "3:9: url: an address with an expression in it must begin with https://, http:// or mailto:",
		"url: ~/a":                                    `3:8: url: "~" is not known here: write the whole path`,
		"image: yes":                                  `3: image: must be true or false, not the text "yes"`,
		"actions: {label: A}":                         "3: actions: must be a list of buttons, such as [{label: Snooze, snooze: 1h}], not keys and values",
		"actions:":                                    "3: actions: must be a list of buttons, such as [{label: Snooze, snooze: 1h}], not nothing",
		"actions: [x]":                                `3: actions[0]: must be keys and values, not the text "x"`,
		"actions: [{open: 'https://a'}]":              `3: actions[0]: there is no text for the button: add one, such as "label: Open"`,
		"actions: [{label: ' ', snooze: 1h}]":         "3: actions[0].label: there is no text for the button",
		"actions: [{label: A}]":                       `3: actions[0]: there is nothing for the button to do: add "open", "request", "snooze" or "reply"`,
		"actions: [{label: A, snooze: 1h, open: /a}]": "3: actions[0]: has \"snooze\" and \"open\": a button does one thing",
		"actions: [{label: A, snooze: 0}]":            `3:32: actions[0].snooze: "0" is no time at all: use at least 1s`,
		"actions: [{label: A, snooze: 8d}]":           `3:32: actions[0].snooze: "8d" is too long: use at most 7d`,
		"actions: [{titel: A, link: /a}]":             "3:14: actions[0]: unknown key \"titel\"\n3:24: actions[0]: unknown key \"link\" (did you mean \"open\"?)",
		"actions: [{label: A, request: {sender: a}}]": `3: actions[0].request: there is no method: add what the sender is asked for, such as "method: open"`,
		"actions: [{label: A, request: open}]":        `3: actions[0].request: must be keys and values, not the text "open"`,
		"actions: [{label: A, request: {method: m, params: 0x1F}}]":                                                      `3: actions[0].request.params: 0x1F is read as 31: write "0x1F" if it is text, or 31`,
		"actions: [{label: A, request: {method: m, params: [.nan]}}]":                                                    `3: actions[0].request.params[0]: .nan is not a value: quote it if it is text`,
		"actions: [{label: A, request: {method: m, params: {{ data.x }}}}]":                                              `3: actions[0].request.params: must be text, not keys and values: text that begins with "{" needs quotes`,
		"actions: [{label: A, request: {method: m, params: {a: 1, a: 2, '{{ b }}': 3, [c]: 4}}}]":                        "3:60: actions[0].request.params: the key \"a\" is already there\n3:66: actions[0].request.params: a key cannot have an expression in it\n3:80: actions[0].request.params: must be a key, not a list",
		"actions: [{label: A, request: {method: m, params: {a: [1, {b: '{{ dta }}'}]}}}]":                                "3:69: actions[0].request.params.a[1].b: unknown name dta (did you mean data?)",
		"actions: [{label: A, reply: {method: m, params: 5}}]":                                                           "3: actions[0].reply.params: what is typed takes the place of params: leave them out",
		"actions: [" + strings.Repeat("{label: A, snooze: 1h}, ", 9) + "]":                                               "3: actions: has more than 8 buttons",
		"actions: [{label: A, request: {method: m, params: " + strings.Repeat("[", 21) + strings.Repeat("]", 21) + "}}]": "3: actions[0].request.params: has more than 1,000 values, or more than 20 lists and objects in one another",
		"actions: [{label: A, request: {method: m, params: [" + strings.Repeat("1,", 1000) + "]}}]":                      "3: actions[0].request.params: has more than 1,000 values, or more than 20 lists and objects in one another",
		"actions: [{label: A, request: {method: m, params: &p [*p]}}]":                                                   "3: actions[0].request.params: has more than 1,000 values, or more than 20 lists and objects in one another",
		"command: logger x":                            `3: command: must be a list of a program and its arguments, such as [logger, "{{ sender }}"], or {shell: "…"}, not the text "logger x"`,
		"command:":                                     `3: command: must be a list of a program and its arguments, such as [logger, "{{ sender }}"], or {shell: "…"}, not nothing`,
		"command: ['{{ data.x }}']":                    "3:14: command[0]: the program cannot have an expression in it: an event must not choose what runs",
		"command: ['', a]":                             "3:14: command[0]: there is no program",
		"command: [~/a]":                               `3:13: command[0]: "~" is not known here: write the whole path`,
		"command: [./a]":                               "3:13: command[0]: a program needs its whole path, or a name alone if it is in $PATH",
		"command: [a, [b], ~]":                         "3: command[1]: must be text, not a list\n3: command[2]: must be text, not nothing",
		"command: [a, '{{ dta }}']":                    "3:20: command[1]: unknown name dta (did you mean data?)",
		"command: [" + strings.Repeat("a,", 101) + "]": "3: command: has more than 100 arguments",
		"command: {shell: 'echo {{ data.x }}'}":        "3:26: command.shell: in a line for the shell, an event's text would be code: write \"$SIGALERT_TITLE\" and the like, or a list of a program and its arguments",
		"command: {shell: ''}":                         `3: command: there is no command: write {shell: "…"}, or a list of a program and its arguments`,
		"command: {sh: a}":                             `3:13: command: unknown key "sh" (did you mean "shell"?)`,
		"ratelimit: 5/1m":                              `3:3: unknown key "ratelimit" (did you mean "rate_limit"?)`,
		"buttons: []":                                  `3:3: unknown key "buttons" (did you mean "actions"?)`,
		"exec: [a]":                                    `3:3: unknown key "exec" (did you mean "command"?)`,
		"throttle: 5/1m":                               `3:3: unknown key "throttle" (did you mean "rate_limit"?)`,
		"event: 'x[a'":                                 `3:12: event: "[" has no "]": write \[ for the character itself`,
		"event: '[z-a]'":                               "3:11: event: nothing is from z to a: write [a-z]",
	} {
		_, err := config.Parse("c.yaml", []byte(head+in+"\n"))
		var want2 []string
		for _, line := range strings.Split(want, "\n") {
			place, rest, _ := strings.Cut(line, ": ")
			sep := "."
			if strings.HasPrefix(rest, "unknown key") {
				sep = ": "
			}
			want2 = append(want2, "c.yaml:"+place+": subscriptions[0]"+sep+rest)
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(strings.Join(want2, "\n"), got); diff != "" {
			t.Errorf("%.100s:\n%s", in, got)
		}
	}
}
