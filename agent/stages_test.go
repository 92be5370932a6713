package agent

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
)

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
		p.add(chooser{new(tags)}.judge(p))
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

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func at(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }

func TestLimitCountsAFlood(t *testing.T) {
	l := newFloods()
	shown := 0
	for i := range 47 {
		if l.admit(at(float64(i)/100), event("build-server", "e", "")) {
			shown++
		}
	}
	if shown != flood.Count {
		t.Errorf("%d shown, want %d", shown, flood.Count)
	}
	critical := passed(at(0.5), event("build-server", "e", `{"urgency": "critical"}`))
	if v := l.judge(critical); v.decision != Passed {
		t.Errorf("a critical one was held back: %+v", v)
	}
	if v := l.judge(passed(at(0.5), event("build-server", "e", ""))); v.decision != Held || v.reason != "more than 5 alerts in 2 s, merged into one" {
		t.Errorf("another one: %+v", v)
	}
	if n, ok := l.summary(at(0.6)); ok {
		t.Errorf("too early: %+v", n)
	}
	n, ok := l.summary(l.next())
	want := notify.Notification{Title: "43 more events from build-server", Body: "Last: build-server: e", Key: "flood-1"}
	if diff := cmp.Diff(want, n); !ok || diff != "" {
		t.Errorf("the count: %v\n%s", ok, diff)
	}
	if !l.next().IsZero() {
		t.Error("nothing new, and yet something is due")
	}
	// It grows in the same notification; after a calm it is another.
	for i := range flood.Count + 1 {
		l.admit(at(2.1+float64(i)/100), event("other", "e", ""))
	}
	if n, _ := l.summary(l.next()); n.Title != "44 more events from 2 senders" || n.Key != "flood-1" {
		t.Errorf("grown: %+v", n)
	}
	for i := range flood.Count + 1 {
		l.admit(at(60+float64(i)/100), event("other", "e", ""))
	}
	if n, _ := l.summary(l.next()); n.Title != "1 more event from other" || n.Key != "flood-2" {
		t.Errorf("another flood: %+v", n)
	}
}

func TestLimitLetsASteadyTrickleThrough(t *testing.T) {
	l := newFloods()
	for i := range 100 {
		if !l.admit(at(float64(i)*0.4), event("s", "e", "")) {
			t.Fatalf("event %d of 5 in 2 s was held back", i)
		}
	}
}

// Events wait with their notifications only where somebody asks what becomes of
// them.
func TestDeliveryCarriesNothingUnasked(t *testing.T) {
	for _, alerted := range []func(Alert){nil, func(Alert) {}} {
		d := newDelivery(Options{Alerted: alerted}, nil, nil)
		d.pushAlert(notify.Notification{}, event("s", "e", `"data"`), nil)
		q, _ := d.pop()
		if asked := alerted != nil; (q.event != nil) != asked || (q.size > 0) != asked {
			t.Errorf("asked: %v, %+v", asked, q)
		}
	}
}

func TestHold(t *testing.T) {
	var h hold
	if h.keep(notify.Notification{Title: "a"}) {
		t.Error("held back without a pause")
	}
	if n, ok := h.resume(); ok {
		t.Errorf("resumed with nothing held: %+v", n)
	}
	h.pause(at(60))
	for i := range 7 {
		if !h.keep(notify.Notification{Title: fmt.Sprint("alert ", i)}) {
			t.Error("not held back")
		}
	}
	if h.expired(at(59)) || !h.expired(at(60)) {
		t.Error("the pause's end")
	}
	n, ok := h.resume()
	want := notify.Notification{Title: "7 alerts while paused", Body: "2 earlier, then:\nalert 2\nalert 3\nalert 4\nalert 5\nalert 6"}
	if diff := cmp.Diff(want, n); !ok || diff != "" {
		t.Errorf("%v\n%s", ok, diff)
	}
	if h.paused || h.expired(at(100)) {
		t.Error("still paused")
	}
}

func TestLinkSaysSoOnceAfterTheGrace(t *testing.T) {
	l := newLinkWatch("host:3000", at(0))
	if _, ok := l.observe(at(1), true, nil); ok {
		t.Error("the first connection is not news")
	}
	l.observe(at(100), false, errors.New("refused"))
	if _, ok := l.due(at(109)); ok {
		t.Error("announced within the grace")
	}
	if _, ok := l.observe(at(109.5), true, nil); ok {
		t.Error("a link that returned within the grace is announced")
	}
	l.observe(at(200), false, errors.New("refused"))
	n, ok := l.due(at(210))
	want := notify.Notification{Title: "Lost the server", Body: "refused\nTrying again until it answers.", Key: "server"}
	if diff := cmp.Diff(want, n); !ok || diff != "" {
		t.Errorf("%v\n%s", ok, diff)
	}
	if _, ok := l.due(at(300)); ok || !l.next().IsZero() {
		t.Error("announced twice")
	}
	n, ok = l.observe(at(380), true, nil)
	want = notify.Notification{Title: "Back after 3 m", Body: "The server host:3000 is answering.", Key: "server"}
	if diff := cmp.Diff(want, n); !ok || diff != "" {
		t.Errorf("%v\n%s", ok, diff)
	}
}

func TestLinkHasMoreGraceAfterAWake(t *testing.T) {
	l := newLinkWatch("host:3000", at(0))
	l.observe(at(1), true, nil)
	l.woke(at(100))
	l.observe(at(105), false, errors.New("gone"))
	if _, ok := l.due(at(159)); ok {
		t.Error("announced within the grace of a wake")
	}
	if _, ok := l.due(at(160)); !ok {
		t.Error("not announced after it")
	}
}

func TestServerThatWasNeverThere(t *testing.T) {
	l := newLinkWatch("host:3000", at(0))
	l.observe(at(0), false, errors.New("cannot reach host:3000: connection refused"))
	if n, ok := l.due(at(10)); !ok || n.Title != "Cannot reach the server" {
		t.Errorf("%v %+v", ok, n)
	}
	if n, ok := l.observe(at(70), true, nil); !ok || n.Title != "Connected after 1 m" {
		t.Errorf("%v %+v", ok, n)
	}
}

func TestPresence(t *testing.T) {
	newOne := func() *presence {
		p := newPresence([]config.Subscription{{Sender: "timer", Presence: true}, {Sender: "other"}, {Sender: "clock", Presence: true}})
		p.sync(at(0), []sig.Name{"timer", "other"})
		return p
	}
	quiet := func(p *presence, s float64) {
		t.Helper()
		if n, ok := p.due(at(s)); ok {
			t.Errorf("at %v: %+v", s, n)
		}
	}
	tells := func(p *presence, s float64, title string) {
		t.Helper()
		p.due(at(s))
		n, ok := p.due(at(s + 2))
		if !ok || n.Title != title {
			t.Errorf("at %v: %v %+v, want %q", s, ok, n, title)
		}
	}
	p := newOne()
	quiet(p, 100)
	p.observe(at(100), "timer", false)
	p.observe(at(109), "timer", true)
	quiet(p, 200) // back within the grace
	p.observe(at(200), "timer", false)
	quiet(p, 209)
	tells(p, 210, "timer disconnected")
	quiet(p, 300)
	p.observe(at(380), "timer", true)
	tells(p, 380, "timer is back after 3 m")
	p.observe(at(400), "other", false)
	quiet(p, 500) // not watched
	p.observe(at(500), "clock", true)
	tells(p, 500, "clock connected")

	// Without the server nothing is known.
	p.observe(at(600), "clock", false)
	p.offline()
	quiet(p, 700)
	p.sync(at(700), []sig.Name{"clock"})
	quiet(p, 800)
	tells(p, 800, "timer disconnected") // it did not come back with the server

	// The server's answer is older than what was heard since it was asked.
	p = newOne()
	p.asked()
	p.observe(at(10), "timer", false)
	p.observe(at(11), "clock", true)
	p.sync(at(12), []sig.Name{"timer"})
	if !p.senders["clock"].connected || p.senders["timer"].connected {
		t.Error("a stale list of senders was believed")
	}

	// Without an answer, what is heard is announced all the same.
	p = newPresence([]config.Subscription{{Sender: "timer", Presence: true}})
	p.asked()
	p.unanswered()
	p.observe(at(20), "timer", true)
	tells(p, 20, "timer connected")
	p.observe(at(30), "timer", false)
	tells(p, 40, "timer disconnected")

	many := newPresence([]config.Subscription{{Presence: true}})
	many.sync(at(0), nil)
	for i, s := range []sig.Name{"c", "a", "b"} {
		many.observe(at(1+float64(i)/2), s, true)
	}
	n, ok := many.due(at(3))
	want := notify.Notification{Title: "3 senders came or went", Body: "a connected\nb connected\nc connected"}
	if diff := cmp.Diff(want, n); !ok || diff != "" {
		t.Errorf("%v\n%s", ok, diff)
	}
}

func TestPresenceIsBounded(t *testing.T) {
	p := newPresence([]config.Subscription{{Presence: true}})
	p.sync(at(0), nil)
	for i := range maxSenders + 10 {
		p.observe(at(1), sig.Number(float64(i)), true)
	}
	if len(p.senders) != maxSenders {
		t.Errorf("%d senders kept in mind", len(p.senders))
	}
	l := newFloods()
	for i := range 2 * maxCounted {
		l.admit(at(0), event(sig.Number(float64(i)), "e", ""))
	}
	if len(l.senders) != maxCounted {
		t.Errorf("%d senders counted", len(l.senders))
	}
}

func TestSuspended(t *testing.T) {
	// A time without a monotonic reading has only a wall clock: no suspend can
	// be seen, and none is invented.
	if suspended(at(0), at(5)) {
		t.Error("no suspend")
	}
	now := time.Now()
	if suspended(now, now.Add(time.Hour)) {
		t.Error("an hour on both clocks is not a suspend")
	}
}

func TestUnseen(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(`subscriptions: [{event: "#notify"}, {sender: bakup}, {sender: "5"}, {sender: garage, event: a}, {sender: garage, event: b}]`))
	if err != nil {
		t.Fatal(err)
	}
	var u unseen
	start := time.Unix(0, 0)
	u.use(c.Subscriptions)
	if len(u.named) > 0 || !u.next().IsZero() {
		t.Errorf("before the server has said anything: %v, %s", u.named, u.next())
	}
	news := u.sync(start, []sig.Name{"backup", "timer", sig.Number(5)})
	if diff := cmp.Diff([]string{"bakup (did you mean backup?)", `"5" (did you mean 5?)`, "garage"}, news); diff != "" {
		t.Error(diff)
	}
	if got := unseenLine(u.named); got != ", 3 senders not seen yet, such as bakup (did you mean backup?)" {
		t.Error(got)
	}
	if news := u.sync(start, []sig.Name{"timer"}); len(news) > 0 {
		t.Errorf("said again: %q", news)
	}
	u.saw("garage")
	u.saw("timer")
	u.saw("5")
	if got := unseenLine(u.named); got != ", sender not seen yet: bakup" {
		t.Error(got)
	}
	u.use(c.Subscriptions) // what was seen stays seen
	if news := u.sync(start, nil); len(news) > 0 || fmt.Sprint(u.named) != "[bakup]" {
		t.Errorf("%q, %v", news, u.named)
	}
	if u.due(start.Add(59*time.Second)) || !u.due(start.Add(time.Minute)) || u.due(start.Add(2*time.Minute)) {
		t.Error("asked at the wrong time")
	}
	if u.saw("bakup"); unseenLine(u.named) != "" || !u.next().IsZero() {
		t.Errorf("%v, %s", u.named, u.next())
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
		p.matching = everyone(c.Subscriptions, p.ev)
		pl.judge(p)
		r.put(p, c.Subscriptions)
	}
	if got := r.newest(maxAlerts, true); len(got) != maxKept/100_000 || got[0].sent.Title != `["a","b"]` {
		t.Errorf("%d are kept, the last with %+v", len(got), got[0].sent)
	}
}
