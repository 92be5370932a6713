package agent

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// fifty is a file of fifty rules, ten of them globs with a condition. The event of
// BenchmarkPipeline passes all ten, and is for the last of them.
func fifty() string {
	var b strings.Builder
	b.WriteString("subscriptions:\n")
	for i := range 40 {
		fmt.Fprintf(&b, "- {sender: host-%d, event: disk, when: data.used > 90, title: \"{{ data.disk }} is full\", tag: \"{{ data.disk }}\"}\n", i)
	}
	for i := range 10 {
		fmt.Fprintf(&b, "- {sender: \"door-*\", event: \"r*g\", when: data.floor == %d, title: \"{{ data.name }} rings\", body: \"Floor {{ data.floor }}\", urgency: '{{ data.loud ? \"critical\" : \"low\" }}'}\n", i)
	}
	return b.String()
}

// thousand is a file of a thousand rules, each for a sender of its own or, as one for
// all, with a condition.
func thousand(alike bool) string {
	var b strings.Builder
	b.WriteString("subscriptions:\n")
	for i := range 1000 {
		sender := fmt.Sprintf("sensor-%d", i)
		if alike {
			sender = "sensor-999"
		}
		fmt.Fprintf(&b, "- {sender: %s, event: temp, when: data.temp > %d, title: \"{{ data.room }}: {{ data.temp }}\", urgency: critical}\n", sender, 5000-i)
	}
	return b.String()
}

// The stages alone, from the event as it came to what the desktop is to be sent.
func BenchmarkPipeline(b *testing.B) {
	for _, tc := range []struct {
		name, file string
		ev         sig.Event
	}{
		{"50 rules", fifty(), event("door-1", "ring", `{"floor": 9, "name": "Front door", "loud": true}`)},
		{"1000 rules", thousand(false), event("sensor-999", "temp", `{"room": "attic", "temp": 4500}`)},
		{"1000 alike", thousand(true), event("sensor-999", "temp", `{"room": "attic", "temp": 4001.5}`)},
	} {
		b.Run(tc.name, func(b *testing.B) {
			c, err := config.Parse("c.yaml", []byte(tc.file))
			if err != nil {
				b.Fatal(err)
			}
			pl, m := newPipeline(), new(matcher)
			pl.use(c.Subscriptions)
			m.use(c.Subscriptions)
			var r recents
			now := start
			sub := c.Subscriptions[len(c.Subscriptions)-1].Topic()
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Second)
				p := newPassage(now, tc.ev)
				p.matching = m.match(sub, tc.ev)
				pl.judge(p)
				r.put(p, c.Subscriptions)
				if p.decided().decision != Sent {
					b.Fatalf("%+v", p.verdicts)
				}
			}
		})
	}
}

// hostile is a file with every key. What it reads of the data is all of it.
const hostile = `defaults:
  title: "{{ data.title ?? sender }}: {{ data.text }}"
  %s
  urgency: "{{ data.urgency }}"
  icon: {low: "{{ data.icon }}", normal: "{{ data.icon }}", critical: dialog-error}
  sound: "bell-{{ data.sound }}"
  timeout: 10s
  url: "https://a/{{ data.text }}"
  tag: "{{ data.text }}"
  resolve: data.state == "over"
  only_changes: data
  rate_limit: 1000/1s
  unless: "no {{ data.text }}"
  repeat: 15m
  escalate: {after: 5m, publish: {sender: x, event: y}}
  command: ["true", "{{ data }}"]
  image: true
  actions:
  - {label: "{{ data.text }}", request: {sender: x, method: m, params: "{{ data.list }}"}}
  - {label: Open, open: "https://a/{{ data.text }}"}
  - {label: Later, snooze: 1h}
subscriptions:
- {sender: "e*", event: "h*", when: data == data.a}
- {sender: evil, when: 'any(data.list, # == "x")'}
- {sender: evil, when: 'json(data) contains "}x{"'}
- {sender: evil, when: 'data.text matches "(a|b|aa)*c$"'}
- {sender: evil, event: hostile, when: data != "none"}
`

// An event that is as large as one can be goes through the stages, and to the command.
func BenchmarkHostile(b *testing.B) {
	members := func(n int, value string) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, `, "%d": %s`, i, value)
		}
		return `{"a": 1` + text.String() + "}"
	}
	shapes := map[string]string{
		"100,000 members": members(100_000, "1"),
		"75,000 members":  members(75_000, `"a"`),
		"500,000 numbers": `{"list": [1` + strings.Repeat(",1", 500_000) + `]}`,
		"list of numbers": `[1` + strings.Repeat(",1", 500_000) + `]`,
		"nested":          strings.Repeat(`{"a":`, 4_500) + strings.Repeat("[", 4_500) + strings.Repeat(`"aaaa", `, 120_000) + "1" + strings.Repeat("]", 4_500) + strings.Repeat("}", 4_500),
		"one text":        `{"text": "` + strings.Repeat("a", 1_000_000) + `"}`,
		"escapes":         `{"list": ["` + strings.Repeat(`\n","`, 190_000) + `"]}`,
		"one message":     `{"message": "` + strings.Repeat(`\n`, 500_000) + `"}`,
	}
	for _, body := range []string{"body: \"{{ data }}\"", ""} {
		c, err := config.Parse("c.yaml", fmt.Appendf(nil, hostile, body))
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(shapes)) {
			ev := event("evil", "hostile", shapes[name])
			b.Run(fmt.Sprintf("%s/%q", name, body), func(b *testing.B) {
				pl, m := newPipeline(), new(matcher)
				pl.use(c.Subscriptions)
				m.use(c.Subscriptions)
				var r recents
				now := start
				b.ReportAllocs()
				for b.Loop() {
					now = now.Add(time.Minute)
					pl.changes = changes{}
					p := newPassage(now, ev)
					p.matching = everyone(c.Subscriptions, "", ev)
					pl.judge(p)
					r.put(p, c.Subscriptions)
					if p.decided().decision != Sent {
						b.Fatalf("%+v", p.verdicts)
					}
					_, _ = newJob(p, p.sub.Command) // may fail: an argument takes too much work
				}
			})
		}
	}
}

// An event through the whole agent, from a router in memory to the desktop's call.
func BenchmarkAgent(b *testing.B) {
	for _, tc := range []struct{ name, file, sender, event, data string }{
		{"50 rules", fifty(), "door-1", "ring", `{"floor": 9, "name": "Front door", "loud": true}`},
		{"1000 rules", thousand(false), "sensor-999", "temp", `{"room": "attic", "temp": 4500}`},
	} {
		b.Run(tc.name, func(b *testing.B) {
			c, err := config.Parse("c.yaml", []byte(tc.file))
			if err != nil {
				b.Fatal(err)
			}
			network, server := new(sigtest.Network), sig.NewServerRouter(nil)
			ctx, cancel := context.WithCancel(b.Context())
			carrier := network.Up()
			served := make(chan struct{})
			go func() { defer close(served); _ = server.Serve(ctx, carrier) }()
			got := make(desktopFunc, 1)
			a := New(Options{Config: c, Notifier: got, Carrier: func(string) sig.ClientCarrier { return network.Client() }})
			ran := make(chan struct{})
			go func() { defer close(ran); a.Run(ctx) }()
			defer func() { cancel(); <-ran; <-served }()
			ev := sig.Publication{Sender: sig.Name(tc.sender), Event: sig.Name(tc.event), Data: sig.JSONData([]byte(tc.data))}
			for !a.Status().Connected || a.Status().pending() > 0 {
				time.Sleep(time.Millisecond)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := server.Publish(ev); err != nil {
					b.Fatal(err)
				}
				<-got
			}
		})
	}
}

type desktopFunc chan notify.Notification

func (d desktopFunc) Notify(_ context.Context, n notify.Notification) (notify.Receipt, error) {
	d <- n
	return notify.Receipt{}, nil
}
