package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
)

const (
	good = "subscriptions: [{sender: a}]\n"
	none = `there are no subscriptions: say what to alert for, such as "subscriptions: [{sender: timer, event: tick}]"`
)

func TestProblemsAreAllTold(t *testing.T) {
	_, err := config.Parse("c.yaml", []byte(`servr: x
server: http://host
subscriptions:
  - {sendr: timer, urgency: hgih, presence: maybe}
  - timer
  - sender: [a]
    titel: x
    title: "{{ sendr }}"
    body: "{{ data"
    zebra: 1
  - {sender: timer, sender: clock}
  - sender: builds
    body: |
      {{ data.project }}
      é {{ data.failed ? evnt : "" }} {{.Data.x}}
      {{ tme }}
    when: data.temp > "30" && sender = "x"
    urgency: "{{ urgnt }}"
    tag: '{{ "it''s" + evnt }}'
  - {sender: a, event: 1}
  - {event: 1.0, sender: a}
defaults: {sender: x, urgncy: low}
`))
	if err == nil {
		t.Fatal("no problem")
	}
	want := `c.yaml:1:1: unknown key "servr" (did you mean "server"?)
c.yaml:2: server: unknown scheme "http": use tcp://HOST:PORT
c.yaml:4:6: subscriptions[0]: unknown key "sendr" (did you mean "sender"?)
c.yaml:4: subscriptions[0].urgency: unknown urgency "hgih": must be low, normal or critical
c.yaml:4: subscriptions[0].presence: must be true or false, not the text "maybe"
c.yaml:5: subscriptions[1]: must be keys and values, not the text "timer"
c.yaml:6: subscriptions[2].sender: must be a name, not a list
c.yaml:7:5: subscriptions[2]: unknown key "titel" (did you mean "title"?)
c.yaml:8:16: subscriptions[2].title: unknown name sendr (did you mean sender?)
c.yaml:9:12: subscriptions[2].body: "{{" has no "}}"
c.yaml:10:5: subscriptions[2]: unknown key "zebra"
c.yaml:11:21: subscriptions[3]: the key "sender" is already on line 11
c.yaml:15:26: subscriptions[4].body: unknown name evnt (did you mean event?)
c.yaml:15:41: subscriptions[4].body: this is a Go template: write {{ data.x }}
c.yaml:16:10: subscriptions[4].body: unknown name tme (did you mean time?)
c.yaml:17:38: subscriptions[4].when: = is not known here: to compare, write ==
c.yaml:18:18: subscriptions[4].urgency: unknown name urgnt: an expression has sender, event, data and time
c.yaml:19:24: subscriptions[4].tag: unknown name evnt (did you mean event?)
c.yaml:21: subscriptions[6]: never alerts: line 20 matches first
c.yaml:22:12: defaults: unknown key "sender"
c.yaml:22:23: defaults: unknown key "urgncy" (did you mean "urgency"?)`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

// Whatever is wrong with expressions and keys, all of it is told, each at its place.
func TestFifteenFaults(t *testing.T) {
	_, err := config.Parse("c.yaml", []byte(`subscriptions:
  - sender: "door-[a"
    titel: Door
    when: data.temp = 30
    title: "{{ data.room }} is {{ dta.temp }} °C"
    body: |
      It is {{ data.temp }} °C
      since {{ ago(tme) }}.
    urgency: '{{ data.temp > 40 ? "critical" : low }}'
    icon: bell.png
    url: "file:///{{ data.room }}"
    tag: "{{ data.my-key }}"
    resolve: data.temp + 1
    only_changes: lenth(data.list)
    rate_limit: 5/1 minute
    timeout: 10
    actions:
      - label: "{{ upper data.room }}"
        request: {sender: door, methd: open, params: {to: ["{{ .Data.x }}"]}}
    command: [logger, "{{ data.room + }}"]
  - sender: other
    command: {shell: "echo {{ data.room }}"}
history: {listen: 127.0.0.1:8080, limit: 5}
`))
	want := `c.yaml:2:19: subscriptions[0].sender: "[" has no "]": write \[ for the character itself
c.yaml:3:5: subscriptions[0]: unknown key "titel" (did you mean "title"?)
c.yaml:4:21: subscriptions[0].when: = is not known here: to compare, write ==
c.yaml:5:35: subscriptions[0].title: unknown name dta (did you mean data?)
c.yaml:8:20: subscriptions[0].body: unknown name tme (did you mean time?)
c.yaml:9:48: subscriptions[0].urgency: unknown name low: text is in quotes: write "low"
c.yaml:10:11: subscriptions[0].icon: a file needs its whole path, such as /home/me/bell.png
c.yaml:11:11: subscriptions[0].url: an address with an expression in it must begin with https://, http:// or mailto:
c.yaml:12:22: subscriptions[0].tag: unknown name key: the key "my-key" is written data["my-key"]
c.yaml:13:24: subscriptions[0].resolve: a condition must be true or false, not a number
c.yaml:14:19: subscriptions[0].only_changes: unknown name lenth (did you mean len?)
c.yaml:15:19: subscriptions[0].rate_limit: "1 minute" is not how times are written: write 1m
c.yaml:16:14: subscriptions[0].timeout: "10" has no unit: write 10s for seconds, or 10m for minutes; or never, or default
c.yaml:18:26: subscriptions[0].actions[0].label: what a function takes stands in parentheses: write upper(…)
c.yaml:19:33: subscriptions[0].actions[0].request: unknown key "methd" (did you mean "method"?)
c.yaml:19:64: subscriptions[0].actions[0].request.params.to[0]: this is a Go template: write {{ data.x }}
c.yaml:20:39: subscriptions[0].command[1]: the expression ends too early
c.yaml:22:28: subscriptions[1].command.shell: in a line for the shell, an event's text would be code: write "$SIGALERT_TITLE" and the like, or a list of a program and its arguments
c.yaml:23:35: history: the key "limit" is called "max_entries" now`
	if err == nil {
		t.Fatal("no problem")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"empty", ``, `1: ` + none},
		{"comment only", "# nothing\n", `1: ` + none},
		{"null", "---\n~\n", `1: ` + none},
		{"a server alone", "\nserver: a\n", `2: ` + none},
		{"no list", `subscriptions: {sender: a}`, `1: subscriptions: must be a list, not keys and values`},
		{"empty list", `subscriptions: []`, `1: subscriptions: the list is empty: say what to alert for, such as "- {sender: timer, event: tick}"`},
		{"nothing for a list", `subscriptions:`, `1: subscriptions: the list is empty: say what to alert for, such as "- {sender: timer, event: tick}"`},
		{"a list at the top", `[1]`, `1: must be keys and values, not a list`},
		{"a key that is a list", good + "? [x]\n: 1\n", `2:3: must be a key, not a list`},
		{"merge key", "subscriptions:\n- &x {sender: a}\n- {<<: *x, event: b}", `3:4: subscriptions[1]: "<<" is not supported: put what all subscriptions share into "defaults"`},
		{"an alias of itself", "subscriptions: &a [*a]", "1: subscriptions[0]: must be keys and values, not a list"},
		{"null for text", "subscriptions: [{sender: a, title: }]", "1: subscriptions[0].title: must be text, not nothing"},
		{"numbers for text", "server: 3000\nsubscriptions: [{sender: a, title: 42, body: true}]", "1: server: must be text, not a number: use \"127.0.0.1:3000\"\nc.yaml:2: subscriptions[0].title: must be text, not a number: put it in quotes\nc.yaml:2: subscriptions[0].body: must be text, not true or false"},
		{"braces without quotes", "subscriptions:\n- title: {{ sender }}\n", `2: subscriptions[0].title: must be text, not keys and values: text that begins with "{" needs quotes`},
		{"a channel without quotes", "subscriptions:\n- event: #notify me\n", `2: subscriptions[0].event: #notify is a comment here: text that begins with # needs quotes`},
		{"an unknown key without quotes", "subscriptions:\n- evnt: #notify\n", `2:3: subscriptions[0]: unknown key "evnt" (did you mean "event"?)`},
		{"a comment for a list", "defaults: #none\nsubscriptions: #none\n", `2: subscriptions: the list is empty: say what to alert for, such as "- {sender: timer, event: tick}"`},
		{"yes is text", "subscriptions: [{presence: yes}]", `1: subscriptions[0].presence: must be true or false, not the text "yes"`},
		{"a number for a truth", "subscriptions: [{presence: 1}]", `1: subscriptions[0].presence: must be true or false, not a number`},
		{"a tag that lies", "subscriptions: [{sender: !!int abc, event: !!bool 5}]", "1: subscriptions[0].sender: abc is not a name: quote it if it is text\nc.yaml:1: subscriptions[0].event: 5 is not a name: quote it if it is text"},
		{"tags that lie", "subscriptions: [{sender: !!null x, event: !!timestamp x}, {!!int sender: a, event: !!binary x, title: !!timestamp x}]", "1: subscriptions[0].sender: x is not a name: quote it if it is text\nc.yaml:1: subscriptions[0].event: must be a name, not a value with the tag !!timestamp\n" +
			`c.yaml:1:60: subscriptions[1]: the key "sender" is text: remove the tag !!int` + "\nc.yaml:1: subscriptions[1].event: must be a name, not a value with the tag !!binary\nc.yaml:1: subscriptions[1].title: must be text, not a value with the tag !!timestamp"},
		{"nothing that is something", "subscriptions: !!null x", `1: subscriptions: must be a list, not nothing`},
		{"characters that play with the terminal", `subscriptions: [{sender: !!int "\e[2J\r\x7f"}]`, "1: subscriptions[0].sender: [2J  is not a name: quote it if it is text"},
		{"not a number", `subscriptions: [{sender: .nan}, {event: -.inf}]`, "1: subscriptions[0].sender: .nan is not a name: quote it if it is text\nc.yaml:1: subscriptions[1].event: -.inf is not a name: quote it if it is text"},
		{"numbers that JSON has not", "subscriptions: [{sender: 0123}, {sender: 0x1F, event: 1_000}, {event: +5}, {sender: .5}, {sender: 0o17}, {sender: 08}, {sender: 0xFFFFFFFFFFFFFFFF}]",
			`1: subscriptions[0].sender: 0123 is read as 83: write "0123" if it is text, or 83` +
				"\n" + `c.yaml:1: subscriptions[1].sender: 0x1F is read as 31: write "0x1F" if it is text, or 31` +
				"\n" + `c.yaml:1: subscriptions[1].event: 1_000 is read as 1000: write "1_000" if it is text, or 1000` +
				"\n" + `c.yaml:1: subscriptions[2].event: +5 is read as 5: write "+5" if it is text, or 5` +
				"\n" + `c.yaml:1: subscriptions[3].sender: .5 is read as 0.5: write ".5" if it is text, or 0.5` +
				"\n" + `c.yaml:1: subscriptions[4].sender: 0o17 is read as 15: write "0o17" if it is text, or 15` +
				"\n" + `c.yaml:1: subscriptions[5].sender: 08 is read as 8: write "08" if it is text, or 8` +
				"\n" + `c.yaml:1: subscriptions[6].sender: 0xFFFFFFFFFFFFFFFF is read as 18446744073709551615: write "0xFFFFFFFFFFFFFFFF" if it is text, or 18446744073709551615`},
		{"words that JSON has not", "subscriptions: [{sender: True}, {sender: NULL}]", `1: subscriptions[0].sender: True is read as true: write "True" if it is text, or true` + "\n" +
			`c.yaml:1: subscriptions[1].sender: NULL is read as nothing, which means every one: write "NULL" if it is text, or leave it out`},
		{"another program's urgency", "subscriptions: [{sender: a, urgency: high}, {sender: b, priority: 5}, {sender: c, urgency: Low}]",
			`1: subscriptions[0].urgency: unknown urgency "high": must be low, normal or critical (did you mean "critical"?)` + "\n" +
				`c.yaml:1:57: subscriptions[1]: unknown key "priority" (did you mean "urgency"?)` + "\n" +
				`c.yaml:1: subscriptions[2].urgency: unknown urgency "Low": must be low, normal or critical (did you mean "low"?)`},
		{"a number for an urgency", "subscriptions:\n- urgency: 2\n- {sender: b, urgency: [1]}\n- {sender: c, urgency: }\n- {sender: d, urgency: true}", `2: subscriptions[0].urgency: must be low, normal or critical, not a number` + "\n" +
			`c.yaml:3: subscriptions[1].urgency: must be low, normal or critical, not a list` + "\n" +
			`c.yaml:4: subscriptions[2].urgency: must be low, normal or critical, not nothing` + "\n" +
			`c.yaml:5: subscriptions[3].urgency: must be low, normal or critical, not true or false`},
		{"a number for a token", good + "history: {listen: 127.0.0.1:0, token: 1234567890123456, allowed_hosts: [1]}", "2: history.token: must be text, not a number: put it in quotes\nc.yaml:2: history.allowed_hosts[0]: must be text, not a number: put it in quotes"},
		{"no space after a colon", "subscriptions:\n- sender:a\n", `2: subscriptions[0]: must be keys and values, not the text "sender:a": a space must follow "sender:"`},
		{"no space after the colon of a first key", "subscriptions:\n- sender:a\n  event: b\n", `3: this is not YAML: mapping values are not allowed in this context: on the line before, a space must follow "sender:"`},
		{"no space after the colon of a last key", "subscriptions:\n- sender: a\n  event:b\n", `3: this is not YAML: could not find expected ':': a space must follow "event:"`},
		{"no space after a colon in braces", "subscriptions: [{sender:a, event: b}]", `1:18: subscriptions[0]: unknown key "sender:a": a space must follow "sender:"`},
		{"no space after a colon at the top", "server:host\n", `1: must be keys and values, not the text "server:host": a space must follow "server:"`},
		{"no space after two colons", "server:host\nsubscriptions: [{sender: a}]\n", `2: this is not YAML: mapping values are not allowed in this context: on the line before, a space must follow "server:"`},
		{"no space before a list", "subscriptions:[{sender: a}]\n", `1:1: unknown key "subscriptions:[{sender": a space must follow "subscriptions:"` + "\nc.yaml:1: " + none},
		{"text with a colon", "subscriptions: [timer:tick]", `1: subscriptions[0]: must be keys and values, not the text "timer:tick"`},
		{"a condition in braces", "subscriptions:\n- when: {{ data.x }}\n- {sender: a, when: '{{ data.x }}'}\n", "2: subscriptions[0].when: must be an expression, not keys and values: it is written without {{ }}\n" +
			`c.yaml:3: subscriptions[1].when: must be an expression, not the text "{{ data.x }}": it is written without {{ }}`},
		{"a condition that begins with !", "subscriptions: [{when: !data.ok }]", `1: subscriptions[0].when: must be an expression, not a value with the tag !data.ok: text that begins with "!" needs quotes`},
		{"no condition", "subscriptions:\n- when:\n- {sender: a, when: [data.x]}\n- {sender: b, when: !!binary x}\n- {sender: c, when: ''}\n", "2: subscriptions[0].when: must be an expression, not nothing\n" +
			"c.yaml:3: subscriptions[1].when: must be an expression, not a list\n" +
			"c.yaml:4: subscriptions[2].when: must be an expression, not a value with the tag !!binary\n" +
			"c.yaml:5:22: subscriptions[3].when: an expression is missing"},
		{"a condition that is none", "subscriptions: [{when: 5}, {sender: a, when: data.x | len()}, {sender: b, when: data.x && }]", "1:24: subscriptions[0].when: this must be true or false, not a number\n" +
			"c.yaml:1:46: subscriptions[1].when: this must be true or false, not a number\n" +
			"c.yaml:1:89: subscriptions[2].when: the expression ends too early"},
		{"a condition that has a colon", "subscriptions:\n- sender: a\n  when: data.x ? data.y : true\n", `3: this is not YAML: mapping values are not allowed in this context: text that has ": " in it needs quotes`},
		{"a condition that can never work", "subscriptions: [{when: data.x - sender > 1}]", "1:31: subscriptions[0].when: - does not work with a value and text"},
		{"other programs' words for a condition", "subscriptions: [{sender: a, if: x}, {sender: b, condition: x}, {sender: c, filter: x}]", `1:29: subscriptions[0]: unknown key "if" (did you mean "when"?)` + "\n" +
			`c.yaml:1:49: subscriptions[1]: unknown key "condition" (did you mean "when"?)` + "\n" +
			`c.yaml:1:76: subscriptions[2]: unknown key "filter" (did you mean "when"?)`},
		{"an urgency that is an expression", "subscriptions: [{urgency: '{{ data.x > 3 ? high : \"low\" }}'}, {sender: a, urgency: ''}]", "1:44: subscriptions[0].urgency: unknown name high: an expression has sender, event, data and time\n" +
			`c.yaml:1: subscriptions[1].urgency: unknown urgency "": must be low, normal or critical`},
		{"faults in texts over several lines", "subscriptions:\n- title: >-\n    a\n\n    b {{ dta }}\n  body: a\n    b\n    {{ dta }}\n- {sender: a, title: \"a \\\n      b\\n\\\"\n    {{ dta }}\", when: &w\n    dta }\n", "5:10: subscriptions[0].title: unknown name dta (did you mean data?)\n" +
			"c.yaml:8:8: subscriptions[0].body: unknown name dta (did you mean data?)\n" +
			"c.yaml:11:8: subscriptions[1].title: unknown name dta (did you mean data?)\n" +
			"c.yaml:12:5: subscriptions[1].when: unknown name dta (did you mean data?)"},
		{"a fault after a blank that is written as an escape", `subscriptions: [{sender: a, title: "{{\t\n dta }}"}]`, "1:44: subscriptions[0].title: unknown name dta (did you mean data?)"},
		{"a fault after an escape", `subscriptions: [{sender: a, title: "\u00e9 {{ dta }}"}]`, `1: subscriptions[0].title: unknown name dta (did you mean data?), near "é {{ dta }}"`},
		{"an alias of a fault", "subscriptions:\n- {sender: a, title: &t '{{ dta }}'}\n- {sender: b, body: *t}\n", "2:29: subscriptions[0].title: unknown name dta (did you mean data?)"},
		{"Go templates", "subscriptions: [{sender: a, title: '{{.Data.x | default \"y\"}}', body: '{{if .Data.x}}x{{end}}'}, {event: b, when: .Data.x}]", "1:39: subscriptions[0].title: this is a Go template: write {{ data.x ?? \"y\" }}\n" +
			"c.yaml:1:74: subscriptions[0].body: this is a Go template: write {{ data.x ? a : b }}\n" +
			"c.yaml:1:115: subscriptions[1].when: this is a Go template: write data.x"},
		{"another YAML", "%YAML 2.0\n---\nsubscriptions: [{sender: a}]\n", `1: this is not YAML: found incompatible YAML document`},
		{"a fault after a directive", "# mine\n%YAML 1.2\n---\nsubscriptions: [{sendr: a}]\n", `4:18: subscriptions[0]: unknown key "sendr" (did you mean "sender"?)`},
		{"the history's keys as they were", good + "history:\n  listen: 127.0.0.1:8080\n  limit: 5\n  age: 3d\n  hosts: [a]\n", "4:3: history: the key \"limit\" is called \"max_entries\" now\nc.yaml:5:3: history: the key \"age\" is called \"retention\" now\nc.yaml:6:3: history: the key \"hosts\" is called \"allowed_hosts\" now"},
		{"a far-fetched key", "subscriptions: [{xyz: a}]", `1:18: subscriptions[0]: unknown key "xyz"`},
		{"a port for an address", good + "history: {listen: 8080}", `2: history.listen: must be text, not a number: use "127.0.0.1:8080"`},
		{"server and router", "server: a\nrouter: {listen: 127.0.0.1:4000}\n" + good, `2: router: the file has "server" on line 1, too: keep "router" to run a router in this program, or "server" to connect to one that runs elsewhere`},
		{"router and server", "router: {}\nserver: http://a\n" + good, `2: server: the file has "router" on line 1, too: keep "router" to run a router in this program, or "server" to connect to one that runs elsewhere`},
		{"a router that is text", "router: 127.0.0.1:3000\n" + good, `1: router: must be keys and values, not the text "127.0.0.1:3000": write {listen: "127.0.0.1:3000"}`},
		{"a router that is true", "router: true\n" + good, `1: router: must be keys and values, not true or false: write {listen: "127.0.0.1:3000"}`},
		{"a router that is a list", "router: [a]\n" + good, `1: router: must be keys and values, not a list: write {listen: "127.0.0.1:3000"}`},
		{"a router's unknown keys", "router:\n  listn: a\n  port: 3000\n  zebra: 1\n" + good, "2:3: router: unknown key \"listn\" (did you mean \"listen\"?)\nc.yaml:3:3: router: unknown key \"port\" (did you mean \"listen\"?)\nc.yaml:4:3: router: unknown key \"zebra\""},
		{"a router's address", "router: {listen: http://a}\n" + good, `1: router.listen: unknown scheme "http": use tcp://HOST:PORT`},
		{"a router's port alone", "router: {listen: 4000}\n" + good, `1: router.listen: must be text, not a number: use "127.0.0.1:4000"`},
		{"a router at any port", "router: {listen: '127.0.0.1:0'}\n" + good, `1: router.listen: nobody could find a router at port 0: use a number from 1 to 65535`},
		{"a router that listens to a list", "router: {listen: [a]}\n" + good, `1: router.listen: must be text, not a list`},
		{"a router that listens to nothing", "router: {listen: }\n" + good, `1: router.listen: must be text, not nothing`},
		{"a router twice", "router: {}\nrouter: {}\n" + good, `2:1: the key "router" is already on line 1`},
		{"a no-break space after a key", "subscriptions:\n- sender:\u00a0timer\n", `2: subscriptions[0]: must be keys and values, not the text "sender:\u00a0timer": it has a no-break space (U+00A0)`},
		{"a no-break space before a key", "subscriptions:\n- sender: a\n \u00a0event: b\n", `3: this is not YAML: did not find expected key: it has a no-break space (U+00A0)`},
		{"a no-break space in a key", "subscriptions: [{\u00a0sender: a}]", `1:18: subscriptions[0]: unknown key "\u00a0sender" (did you mean "sender"?): it has a no-break space (U+00A0)`},
		{"a no-break space in a name", "subscriptions: [{sender: a\u00a0b}]", `1: subscriptions[0].sender: has a no-break space (U+00A0): remove it, or use quotes if it is meant`},
		{"a zero-width space in a name", "subscriptions: [{sender: timer\u200b}]", `1: subscriptions[0].sender: has a zero-width space (U+200B): remove it, or use quotes if it is meant`},
		{"what looks like other names", "subscriptions: [{sender: ti\u00admer}, {sender: a\u3000b}, {sender: a\u2009b}, {sender: a\u2003b}, {sender: a\u200f}, {sender: \u202eb}, {event: a\u2066b}, {event: a\ufeffb}]",
			`1: subscriptions[0].sender: has a soft hyphen (U+00AD): remove it, or use quotes if it is meant` + "\n" +
				`c.yaml:1: subscriptions[1].sender: has an ideographic space (U+3000): remove it, or use quotes if it is meant` + "\n" +
				`c.yaml:1: subscriptions[2].sender: has a thin space (U+2009): remove it, or use quotes if it is meant` + "\n" +
				`c.yaml:1: subscriptions[3].sender: has an unusual space (U+2003): remove it, or use quotes if it is meant` + "\n" +
				`c.yaml:1: subscriptions[4].sender: has a mark that changes the direction of text (U+200F): remove it, or use quotes if it is meant` + "\n" +
				`c.yaml:1: subscriptions[5].sender: has a mark that changes the direction of text (U+202E): remove it, or use quotes if it is meant` + "\n" +
				`c.yaml:1: subscriptions[6].event: has a mark that changes the direction of text (U+2066): remove it, or use quotes if it is meant` + "\n" +
				`c.yaml:1: subscriptions[7].event: has a zero-width space (U+FEFF): remove it, or use quotes if it is meant`},
		{"curly quotes", "server: “host”\nsubscriptions: [{sender: “timer”}, {sender: a, urgency: ‘low’}, {event: b”}]", `1: server: begins with a curly quotation mark (U+201C): use "straight" ones` + "\n" +
			`c.yaml:2: subscriptions[0].sender: begins with a curly quotation mark (U+201C): use "straight" ones` + "\n" +
			`c.yaml:2: subscriptions[1].urgency: begins with a curly quotation mark (U+2018): use "straight" ones` + "\n" +
			`c.yaml:2: subscriptions[2].event: ends with a curly quotation mark (U+201D): use "straight" ones`},
		{"a long name", "subscriptions: [{sender: " + strings.Repeat("a", 1025) + "}]", `1: subscriptions[0].sender: the name is longer than 1 KiB`},
		{"a name of two-byte letters", "subscriptions: [{sender: x" + strings.Repeat("ü", 512) + "}]", `1: subscriptions[0].sender: the name is longer than 1 KiB`},
		{"port", good + "server: host:99999", `2: server: "99999" is not a port: a port is a number up to 65535`},
		{"port 0", good + "server: host:0", `2: server: a server cannot be at port 0: use a number from 1 to 65535`},
		{"nothing for a server", good + "server:", `2: server: must be text, not nothing`},
		{"every event before one", "subscriptions:\n- sender: a\n- {sender: a, event: b}\n- {sender: a, event: \"#connect\"}\n- {sender: a, event: c, presence: true}\n", `3: subscriptions[1]: never alerts: line 2 matches first`},
		{"everything first", "subscriptions:\n- presence: true\n- event: b\n", `3: subscriptions[1]: never alerts: line 2 matches first`},
		{"true is 1", "subscriptions:\n- event: true\n- event: 1\n", `3: subscriptions[1]: never alerts: line 2 matches first`},
		{"an alias of a subscription", "subscriptions:\n- &a {sender: a}\n- *a\n", `3: subscriptions[1]: never alerts: line 2 matches first`},

		{"what ends lines for YAML alone", "# a\u2028# b\u2029# c\u0085# d\r# e\r\n\n[1]\n", "3: must be keys and values, not a list"},
		{"documents after a carriage return", "server: a\r---\rx: 1", "1: a second document: the file must hold only one\nc.yaml:1: " + none},
		{"a text without its end", "subscriptions:\n- body: |\n    x\n    y {{ data\n\n- sender: a\n", "4:7: subscriptions[0].body: \"{{\" has no \"}}\""},
		{"nothing at the end of the file", good + "? server\n", "2: server: must be text, not nothing"},
		{"a byte order mark", "\ufeffserver: *x\n", `1: this is not YAML: unknown anchor 'x' referenced`},
		{"a tab", "subscriptions:\n\t- {sender: a}\n", `2: this is not YAML: a tab indents this line: indent with spaces`},
		{"indented too little", "subscriptions:\n - sender: a\n   event: b\n  title: x\n", `4: this is not YAML: did not find expected '-' indicator`},
		{"an open list", "server: a\nsubscriptions: [{sender: a}\ndefaults: {}\n", `2: this is not YAML: did not find expected ',' or ']'`},
		{"an open quote", "subscriptions:\n- sender: \"a\n- sender: b\n", `2: this is not YAML: found unexpected end of stream`},
		{"an unknown alias", "server: a\nsubscriptions: *x\n", `2: this is not YAML: unknown anchor 'x' referenced`},
		{"a star without quotes", "subscriptions:\n- sender: a\n- sender: *\n", "3: this is not YAML: did not find expected alphabetic or numeric character: a pattern that begins with * needs quotes"},
		{"a pattern without quotes", "subscriptions: [{event: *-door}]\n", "1: this is not YAML: unknown anchor '-door' referenced: a pattern that begins with * needs quotes"},
		{"a NUL byte", good + "server: \x00\n", `2: this is not YAML: control characters are not allowed`},
		{"two documents", good + "---\nx: 1\n", `2: a second document: the file must hold only one`},
		{"two documents and more", "server: a\n---\nx: 1\n", "1: " + none + "\nc.yaml:2: a second document: the file must hold only one"},
		{"not UTF-8", good + "\xff", `2: this is not UTF-8 text`},
		{"too large", strings.Repeat("#\n", 1<<19) + "#", `1: the file is larger than 1 MiB`},
		{"a fault in a large file", good + strings.Repeat("# comment\n", 4000) + "a: ]\n", `4002: this is not YAML: did not find expected node content`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := config.Parse("c.yaml", []byte(tc.in))
			if err == nil {
				t.Fatal("no problem")
			}
			if diff := cmp.Diff("c.yaml:"+tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What alerts only under a condition leaves something to what comes after it.
func TestWhenLeavesTheRest(t *testing.T) {
	const in = `subscriptions:
- {sender: a, when: data.x > 1, title: one}
- {sender: a, when: data.x > 0}
- {sender: a, event: e}
- {sender: a}
- {sender: a, when: data.x > 1}
`
	_, err := config.Parse("c.yaml", []byte(in))
	if want := "c.yaml:6: subscriptions[4]: never alerts: line 5 matches first"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestWarnings(t *testing.T) {
	for in, want := range map[string]string{
		"subscriptions: [{sender: 5, event: true}]": `c.yaml:1: subscriptions[0].sender: warning: this is the number 5, which is not the text "5": quote it if it is text` + "\n" +
			`c.yaml:1: subscriptions[0].event: warning: this is the value true, which is not the text "true": quote it if it is text`,
		`subscriptions: [{sender: "5"}, {sender: 00:11:22:33:44:55}, {sender: Anna’s phone}, {sender: "“quoted”"}, {sender: , event: "#notify"}]`: "",
		"%YAML 1.2\n---\nsubscriptions: [{sender: a}]":     "",
		"\n# mine\n%YAML 1.2\nsubscriptions: [{event: a}]": "",
		"subscriptions: [{sender: ~, event: null}]": `c.yaml:1: subscriptions[0].sender: warning: ~ is nothing, which means every one: quote it if it is text, or leave "sender" out` + "\n" +
			`c.yaml:1: subscriptions[0].event: warning: null is nothing, which means every one: quote it if it is text, or leave "event" out`,
		`subscriptions: [{sender: "door-*"}, {sender: "*", event: "a?"}, {event: "#[a-z]*"}]`: "",
		`subscriptions: [{sender: "#x*"}]`: `c.yaml:1: subscriptions[0].sender: warning: "#x*" is a channel's name, and channels are events: use event: "#x*"`,
		"subscriptions:\n- {sender: a, resolve: data.x}\n- {sender: b, resolve: data.x, tag: t}\n- {sender: c, resolve: false}\n- {sender: d, resolve: true, tag: t}": `c.yaml:2: subscriptions[0].resolve: warning: takes back only an alert whose event had the same tag in its data: add what both have in common, such as tag: "{{ sender }}"` + "\n" +
			"c.yaml:5: subscriptions[3].resolve: warning: holds for every event, so none is shown",
		"defaults:\n  resolve: data.x\nsubscriptions: [{sender: a, tag: x}, {sender: b}, {sender: c}]": `c.yaml:2: defaults.resolve: warning: takes back only an alert whose event had the same tag in its data: add what both have in common, such as tag: "{{ sender }}"`,
		"defaults: {resolve: data.x}\nsubscriptions: [{sender: a, tag: x}]":                            "",
		"subscriptions: [{sender: a, only_changes: sender}, {sender: b, only_changes: 5}, {sender: c, only_changes: data}, {sender: d, only_changes: time.Hour()}]": "c.yaml:1: subscriptions[0].only_changes: warning: nothing in it changes from one event to the next, so only the first is shown: name what changes, such as data.state\n" +
			"c.yaml:1: subscriptions[1].only_changes: warning: nothing in it changes from one event to the next, so only the first is shown: name what changes, such as data.state",
		`subscriptions: [{sender: a, command: [logger x, y]}]`: `c.yaml:1: subscriptions[0].command[0]: warning: "logger x" is the name of one program: write its arguments by themselves, such as [logger, x]`,
		`subscriptions: [{sender: "#notify"}]`:                 `c.yaml:1: subscriptions[0].sender: warning: "#notify" is a channel's name, and channels are events: use event: "#notify"`,
		"subscriptions: [{sender: \"a\u200b\"}]":               `c.yaml:1: subscriptions[0].sender: warning: has a zero-width space (U+200B): remove it if it is not meant`,
		"subscriptions: [{sender: \"a\\u200e\"}]":              `c.yaml:1: subscriptions[0].sender: warning: has a mark that changes the direction of text (U+200E): remove it if it is not meant`,
		"subscriptions: [{sender: a, title: “Hello”}]":         `c.yaml:1: subscriptions[0].title: warning: begins with a curly quotation mark (U+201C), which will be shown: use "straight" ones if it is not meant`,
	} {
		c, err := config.Parse("c.yaml", []byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, c.Warnings.Error()); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

// With what is wrong comes what may be.
func TestCheck(t *testing.T) {
	text, err := config.Read("testdata/names.yaml")
	c, problems, warnings := config.Check("names.yaml", text)
	if c != nil || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
	lines := func(ps config.Problems) (lines []int) {
		for _, p := range ps {
			lines = append(lines, p.Line)
		}
		return lines
	}
	if diff := cmp.Diff([][]int{{3, 4}, {5}}, [][]int{lines(problems), lines(warnings)}); diff != "" {
		t.Error(diff)
	}
}

func TestLoadServers(t *testing.T) {
	for in, want := range map[string]string{
		"server: host\nsubscriptions: [{sendr: x}]": "host:3000", good: "", "": "", "[1]": "", "servers: x": "error",
		"server: [a, b:4]": "a:3000 or b:4", "servers: {home: a, work: {url: [b, c]}}": "home (a:3000), work (b:3000 or c:3000)",
		"router:\nservers: {home: a}": "router (127.0.0.1:3000), home (a:3000)", "servers: {home: a}\nrouter:": "home (a:3000), router (127.0.0.1:3000)",
		"servers: {home: a}\nserver: b":           "error",
		"defaults: {title: &k server}\n*k : host": "host:3000",
		"router: {listen: '127.0.0.1:4000'}":      "127.0.0.1:4000", "router: {listen: ':4000'}": "127.0.0.1:4000", "router:": "127.0.0.1:3000",
		"router: {listen: x:y}": "error", "router: {}\nserver: a": "error", "server: a\nserver: b": "b:3000",
		"server: http://host": "error", "server: 3000": "error", "server: [": "error",
	} {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(in), 0o600); err != nil {
			t.Fatal(err)
		}
		servers, err := config.LoadServers(path)
		got := (&config.Config{Servers: servers}).Place()
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func ExampleProblems() {
	_, err := config.Parse("config.yaml", []byte("subscriptions:\n  - {sender: timer, titel: Hello}\n"))
	fmt.Println(err)
	// Output: config.yaml:2:21: subscriptions[0]: unknown key "titel" (did you mean "title"?)
}
