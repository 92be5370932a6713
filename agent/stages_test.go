package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func at(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }

func event(sender, name sig.Name, data string) sig.Event {
	ev := sig.Event{Sender: sender, Event: name}
	if data != "" {
		ev.Data = sig.JSONData([]byte(data))
	}
	return ev
}

// passed is an event that comes now, on its way.
func passed(now time.Time, ev sig.Event, matching ...*config.Subscription) *passage {
	p := newPassage(now, ev)
	p.matching = matching
	return p
}

// shown is what an event that comes now is shown as.
func shown(now time.Time, s config.Subscription, ev sig.Event) (notify.Notification, []string) {
	p := passed(now, ev)
	p.sub = &s
	settle(p)
	renderer{}.judge(p)
	return p.alert, told(p)
}

// told is what failed, for people.
func told(p *passage) (lines []string) {
	for _, v := range p.verdicts {
		if v.err != nil {
			lines = append(lines, v.key+": "+v.err.Error())
		}
	}
	return lines
}

// subscribed are a file's subscriptions.
func subscribed(t *testing.T, yaml string) []config.Subscription {
	t.Helper()
	c, err := config.Parse("c.yaml", []byte("subscriptions:\n"+yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c.Subscriptions
}

func TestMatchIsTheFirstInTheFile(t *testing.T) {
	var m matcher
	m.use([]config.Subscription{
		{Sender: "timer", Event: "tick"}, {Sender: "timer"}, {Event: "#notify"}, {Event: "tock"},
		{Sender: "clock", Event: sig.EventConnect}, {},
	})
	for _, tc := range []struct {
		sender, event sig.Name
		want          int // -1: none
	}{
		{"timer", "tick", 0}, {"timer", "tock", 1}, {"timer", "", 1}, {"timer", "#notify", 1}, {"clock", "#notify", 2}, {"clock", "tock", 3},
		{"clock", sig.EventConnect, 4}, {"timer", sig.EventConnect, -1}, {"clock", sig.EventDisconnect, -1}, {"x", "y", 5},
	} {
		alerts := 0
		for i, s := range m.subs {
			got := m.match(s.Topic(), event(tc.sender, tc.event, ""))
			if len(got) == 0 {
				continue
			}
			if alerts++; tc.want < 0 || got[0] != &m.subs[tc.want] {
				t.Errorf("%s: %s at subscription %d: %v", tc.sender, tc.event, i, got)
			}
		}
		if want := min(tc.want+1, 1); alerts != want {
			t.Errorf("%s: %s alerts %d times, want %d", tc.sender, tc.event, alerts, want)
		}
	}
}

// An event alerts once, by the first subscription, whichever listener brings it. A
// copy that was asked for before a reload no longer alerts.
func TestMatchTakesOneCopy(t *testing.T) {
	subs := []config.Subscription{{Sender: "s", Event: "e"}, {Sender: "s"}, {Event: "e"}}
	// Each is a copy: its listener, the event's data, and "!" where it alerts.
	// Or "-" a lost connection, "~" a reload without b.
	for name, copies := range map[string]string{
		"all in force":                       "a1! b1 c1 b2! c2 a2 c3! b3 a3",
		"the first is not":                   "b1! c1 c2! b2",
		"a connection between":               "b1! - a1! b1",
		"who was ahead is not asked for":     "b1! ~ a1! c1 c2! a2",
		"a copy that is no longer asked for": "a1! ~ b1 c1 b2 c2! a2",
	} {
		m := new(matcher)
		m.use(subs)
		for _, c := range strings.Fields(copies) {
			switch c {
			case "-":
				m.forget()
				continue
			case "~":
				m.use([]config.Subscription{subs[0], subs[2]})
				continue
			}
			ev := event("s", "e", c[1:2])
			got := m.match(subs[c[0]-'a'].Topic(), ev)
			if (len(got) > 0) != strings.HasSuffix(c, "!") || len(got) > 0 && got[0] != &m.subs[0] {
				t.Errorf("%s: %s in %q: %v", name, c, copies, got)
			}
		}
	}
}

// Subscriptions that ask for the same have one listener, which brings one copy.
func TestMatchCountsListeners(t *testing.T) {
	subs := subscribed(t, "- {sender: s, event: e, when: data > 1}\n- {sender: s, event: e}\n- {sender: s}\n")
	var m matcher
	m.use(subs)
	narrow, wide := subs[0].Topic(), subs[2].Topic()
	late := event("s", "e", `"late"`)
	if got := m.match(narrow, late); len(got) != 3 || got[0] != &subs[0] {
		t.Errorf("matching: %v", got)
	}
	for i := range 300 {
		ev := event("s", "e", fmt.Sprint(i))
		if len(m.match(narrow, ev)) != 3 || len(m.match(wide, ev)) != 0 {
			t.Fatalf("event %d", i)
		}
	}
	if got := m.match(wide, late); len(got) != 0 {
		t.Errorf("a copy after 300 others, all of whose copies had come, alerts: %v", got)
	}
}

func TestDefaultText(t *testing.T) {
	for _, tc := range []struct{ data, want string }{
		{"", ""}, {`null`, ""}, {`"a\nb"`, "a\nb"}, {`5`, "5"}, {`1e400`, "1e400"}, {`12345678901234567890`, "12345678901234567890"}, {`true`, "true"},
		{`[1, [2, "x"]]`, `[1,[2,"x"]]`}, {`NaN`, ""}, {`[NaN]`, "[null]"}, {`{}`, ""}, {`[]`, "[]"}, {`""`, ""},
		{`{"z": 1, "a": "text", "list": [1, {"b": null}], "none": null}`, "z: 1\na: text\nlist: [1,{\"b\":null}]\nnone: "},
		{`"\ud800"`, "\ufffd"},
	} {
		n, failed := shown(start, config.Subscription{}, event("timer", "tick", tc.data))
		if failed != nil || n.Title != "timer: tick" || n.Body != tc.want {
			t.Errorf("%s: got %q, %q, %v, want %q", tc.data, n.Title, n.Body, failed, tc.want)
		}
	}
	if n, _ := shown(start, config.Subscription{}, event("timer", "", "1")); n.Title != "timer" {
		t.Errorf("a broadcast's title is %q", n.Title)
	}
	if n, _ := shown(start, config.Subscription{}, event(sig.Number(5), sig.Number(1.5), "")); n.Title != "5: 1.5" {
		t.Errorf("numbers as names: %q", n.Title)
	}
}

// What the data says about itself is used where the subscription does not say it.
func TestPayload(t *testing.T) {
	subs := subscribed(t, "- {sender: a, title: T, body: B, urgency: normal, tag: S}\n- {sender: b, title: T}\n- {sender: c, tag: ''}\n")
	all, titled, tagless := subs[0], subs[1], subs[2]
	const tag = `tag "s" `
	for _, tc := range []struct {
		sub  config.Subscription
		data string
		want notify.Notification
	}{
		{data: `{"title": "Disk full", "message": "97 %", "priority": "max", "tag": "disk", "click": "https://a/", "icon": "drive-harddisk"}`,
			want: notify.Notification{Title: "Disk full", Body: "97 %", Urgency: notify.Critical, Key: tag + "disk", URL: "https://a/", Icon: "drive-harddisk"}},
		{sub: all, data: `{"title": "Disk full", "message": "97 %", "priority": "max", "tag": "disk", "click": "https://a/", "icon": "drive-harddisk"}`,
			want: notify.Notification{Title: "T", Body: "B", Key: tag + "S", URL: "https://a/", Icon: "drive-harddisk"}},
		{data: `{"message": "hello"}`, want: notify.Notification{Title: "s: e", Body: "hello"}},
		{data: `{"message": ""}`, want: notify.Notification{Title: "s: e"}},
		// Without a message the body is the data, without what the title says.
		{data: `{"title": "Door", "urgency": "low", "room": 7, "url": "http://a/"}`,
			want: notify.Notification{Title: "Door", Body: "room: 7\nurl: http://a/", Urgency: notify.Low, URL: "http://a/"}},
		{data: `{"title": "Door"}`, want: notify.Notification{Title: "Door"}},
		{sub: tagless, data: `{"message": "x", "tag": "disk"}`, want: notify.Notification{Title: "s: e", Body: "x"}},
		{sub: titled, data: `{"title": "Door"}`, want: notify.Notification{Title: "T", Body: "title: Door"}},
		{data: `{"room": 7, "priority": 1}`, want: notify.Notification{Title: "s: e", Body: "room: 7\npriority: 1", Urgency: notify.Low}},
		{data: `{"title": 7, "message": [1], "urgency": "red", "tag": 1, "url": "file:///etc/passwd", "icon": "/a.png"}`,
			want: notify.Notification{Title: "s: e", Body: "title: 7\nmessage: [1]\nurgency: red\ntag: 1\nurl: file:///etc/passwd\nicon: /a.png"}},
	} {
		got, failed := shown(start, tc.sub, event("s", "e", tc.data))
		if diff := cmp.Diff(tc.want, got); diff != "" || failed != nil {
			t.Errorf("%s: %v\n%s", tc.data, failed, diff)
		}
	}
	late := event("s", "e", `{"message": "hello"}`)
	late.Time, late.Replayed = start.Add(-time.Hour), true
	if n, _ := shown(start, config.Subscription{}, late); n.Body != "hello\nat 11:00" {
		t.Errorf("a message that comes late: %q", n.Body)
	}
	one, _ := shown(start, config.Subscription{}, event("5", "e", `{"tag": "x"}`))
	other, _ := shown(start, config.Subscription{}, event(sig.Number(5), "f", `{"tag": "x"}`))
	if one.Key == other.Key {
		t.Errorf("two senders share the tag %q", one.Key)
	}
}

// What is replayed after a while says when it was, by our clock's zone.
func TestDefaultTextOfAReplayedEvent(t *testing.T) {
	now := start.In(time.FixedZone("", 2*60*60)) // 14:00
	timed := subscribed(t, `- {sender: s, body: '{{ time.Format("15:04:05") }}'}`)[0]
	for _, tc := range []struct {
		replayed bool
		ago      time.Duration
		data     string
		want     string
	}{
		{true, time.Hour, `"text"`, "text\nat 13:00"},
		{true, time.Hour, "", "at 13:00"},
		{true, time.Hour, `{"a": 1}`, "a: 1\nat 13:00"},
		{true, 61 * time.Second, "1", "1\nat 13:58"},
		{true, time.Minute, "1", "1"},
		{true, -time.Hour, "1", "1"}, // the server's clock is not ours
		{false, time.Hour, "1", "1"},
		{true, 14*time.Hour + time.Second, "1", "1\non 2025-12-31 at 23:59"},
	} {
		ev := event("s", "e", tc.data)
		ev.Time, ev.Replayed = now.Add(-tc.ago).UTC(), tc.replayed
		if n, failed := shown(now, config.Subscription{}, ev); failed != nil || n.Body != tc.want {
			t.Errorf("%+v: got %q, %v", tc, n.Body, failed)
		}
		want := ev.Time.In(now.Location()).Format("15:04:05")
		if n, failed := shown(now, timed, ev); failed != nil || n.Body != want {
			t.Errorf("%+v: an expression's time is %q, want the event's, %q, %v", tc, n.Body, want, failed)
		}
	}
}

// A mebibyte of any shape becomes something to read.
func TestLargeData(t *testing.T) {
	for name, data := range map[string]string{
		"text":   `"` + strings.Repeat("x", 1<<20) + `"`,
		"array":  "[" + strings.Repeat("1,", 1<<19) + "1]",
		"object": `{"a": 1` + strings.Repeat(`, "b": 2`, 1<<17) + "}",
		"nested": strings.Repeat("[", 900) + strings.Repeat("]", 900),
	} {
		n, failed := shown(start, config.Subscription{}, event("s", "e", data))
		if failed != nil || n.Body == "" {
			t.Errorf("%s: %.20q, %v", name, n.Body, failed)
		}
	}
}

func TestWhen(t *testing.T) {
	subs := subscribed(t, `
- {sender: s, event: a, when: data.temp > 30 && data.room != "attic"}
- {sender: s, event: b, when: event == "e"}
- {sender: s, event: c, when: data + 1 > 2}
- {sender: s, event: d}
- {sender: s, event: e, when: false}
`)
	for _, tc := range []struct {
		matching, data, want string // names of events
		failed               []string
	}{
		{"", "", "", nil},
		{"ad", `{"temp": 31, "room": "kitchen"}`, "a", nil},
		{"ad", `{"temp": 31, "room": "attic"}`, "d", nil},
		{"ad", `{"temp": "31"}`, "d", nil},
		{"ad", "[1]", "d", nil},
		{"ea", `{}`, "", nil},
		{"abd", `{}`, "b", nil},
		{"ecd", "2", "c", nil},
		{"ecd", "1", "d", nil},
		{"ecd", "", "c", []string{"when: data + 1 > 2: cannot add nil and a number: give a default with ??"}},
	} {
		var matching []*config.Subscription
		for _, name := range tc.matching {
			matching = append(matching, &subs[name-'a'])
		}
		p := passed(start, event("s", "e", tc.data), matching...)
		p.add(chooser{new(tags), new(waits)}.judge(p))
		name := ""
		if p.sub != nil {
			name = p.sub.Event.String()
		}
		if diff := cmp.Diff(tc.failed, told(p)); name != tc.want || diff != "" {
			t.Errorf("%s of %q: got %q, want %q\n%s", tc.data, tc.matching, name, tc.want, diff)
		}
	}
}

// An expression that fails leaves what the alert has without it.
func TestExpressions(t *testing.T) {
	sub := subscribed(t, `
- sender: s
  title: "{{ sender }} says {{ data.word }} "
  body: |

    {{ data.list[0] + 1 }}

    {{ data.more }}
  urgency: '{{ data.level == nil ? "" : data.level }}'
  tag: ' {{ data.host + "!" }} '
`)[0]
	const tag = `tag "s" `
	for _, tc := range []struct {
		data   string
		want   notify.Notification
		failed []string
	}{
		{`{"word": "hello", "list": [1], "host": "h", "level": "critical"}`,
			notify.Notification{Title: "s says hello ", Body: "\n2", Urgency: notify.Critical, Key: tag + "h!"}, nil},
		{`{"list": [1], "host": "h", "level": 2, "more": "on \r\n \n", "urgency": "critical", "tag": "t"}`,
			notify.Notification{Title: "s says  ", Body: "\n2\n\non ", Urgency: notify.Low, Key: tag + "h!"}, nil},
		{`{"list": [1], "host": "h", "urgency": "critical"}`,
			notify.Notification{Title: "s says  ", Body: "\n2", Urgency: notify.Critical, Key: tag + "h!"}, nil},
		{`{"list": ["x"], "message": "m", "level": " loud\n", "urgency": "critical", "tag": "t"}`,
			notify.Notification{Title: "s says  ", Body: "m", Urgency: notify.Critical, Key: tag + "t"},
			[]string{
				`urgency: unknown urgency "loud": must be low, normal or critical`,
				`tag: data.host + "!": cannot add nil and text: give a default with ??`,
				`body: data.list[0] + 1: cannot add text and a number`,
			}},
		{`5`, notify.Notification{Title: "s says  ", Body: "5"}, []string{
			`tag: data.host + "!": cannot add nil and text: give a default with ??`,
			`body: data.list[0] + 1: cannot add nil and a number: give a default with ??`,
		}},
	} {
		n, failed := shown(start, sub, event("s", "e", tc.data))
		if diff := cmp.Diff(tc.want, n) + cmp.Diff(tc.failed, failed); diff != "" {
			t.Errorf("%s:\n%s", tc.data, diff)
		}
	}
}

// Events wait with their notifications only where somebody asks what becomes of
// them.
func TestDeliveryCarriesNothingUnasked(t *testing.T) {
	for _, alerted := range []func(Alert){nil, func(Alert) {}} {
		d := newDelivery(Options{Alerted: alerted}, nil, nil)
		d.pushAlert(notify.Notification{}, event("s", "e", `"data"`), nil, nil)
		q, _ := d.pop()
		if asked := alerted != nil; (q.event != nil) != asked || (q.size > 0) != asked {
			t.Errorf("asked: %v, %+v", asked, q)
		}
	}
}

// What recents keeps is bounded, whatever events bring.
func TestRecentsAreBounded(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(`subscriptions: [{sender: s, title: "{{ data.list[:2] }}", actions: [{label: A, request: {sender: s, method: m, params: {a: ["{{ data.text }}"]}}}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	var r recents
	pl := newPipeline()
	for n := range 2 * maxAlerts {
		p := newPassage(start.Add(time.Duration(n)*time.Hour), event("s", "e", `{"list": ["a", "b"], "text": "`+strings.Repeat("x", 100_000)+`"}`))
		p.matching = everyone(c.Subscriptions, "", p.ev)
		pl.judge(p)
		r.put(p, c.Subscriptions)
	}
	if got := r.newest(maxAlerts, true); len(got) != maxKept/100_000 || got[0].sent.Title != `["a","b"]` {
		t.Errorf("%d are kept, the last with %+v", len(got), got[0].sent)
	}
}
