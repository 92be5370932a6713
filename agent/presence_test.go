package agent

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
)

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
}

func TestUnseen(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(`subscriptions: [{event: "#notify"}, {sender: bakup}, {sender: "5"}, {sender: garage, event: a}, {sender: garage, event: b}]`))
	if err != nil {
		t.Fatal(err)
	}
	var u unseen
	start := time.Unix(0, 0)
	u.use(c.Subscriptions, c.Servers)
	if len(u.named()) > 0 || !u.next("").IsZero() {
		t.Errorf("before the server has said anything: %v, %s", u.named(), u.next(""))
	}
	news := u.sync(start, "", []sig.Name{"backup", "timer", sig.Number(5)})
	if diff := cmp.Diff([]string{"bakup (did you mean backup?)", `"5" (did you mean 5?)`, "garage"}, news); diff != "" {
		t.Error(diff)
	}
	if got := unseenLine(u.named()); got != ", 3 senders not seen yet, such as bakup (did you mean backup?)" {
		t.Error(got)
	}
	if news := u.sync(start, "", []sig.Name{"timer"}); len(news) > 0 {
		t.Errorf("said again: %q", news)
	}
	u.saw("", "garage")
	u.saw("", "timer")
	u.saw("", "5")
	if got := unseenLine(u.named()); got != ", sender not seen yet: bakup" {
		t.Error(got)
	}
	u.use(c.Subscriptions, c.Servers) // what was seen stays seen
	if news := u.sync(start, "", nil); len(news) > 0 || fmt.Sprint(u.named()) != "[bakup]" {
		t.Errorf("%q, %v", news, u.named())
	}
	if u.due(start.Add(59*time.Second), "") || !u.due(start.Add(time.Minute), "") || u.due(start.Add(2*time.Minute), "") {
		t.Error("asked at the wrong time")
	}
	if u.saw("", "bakup"); unseenLine(u.named()) != "" || !u.next("").IsZero() {
		t.Errorf("%v, %s", u.named(), u.next(""))
	}
}
