package agent_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// withHistory is a bench whose alerts are kept, as "EVENT OUTCOME WHY".
func withHistory(t *testing.T, yaml string) (b *bench, history func() []string) {
	kept := make(chan string, 100)
	b = newBenchOn(t, yaml, (*sigtest.Network).Client, func(o *agent.Options) {
		o.Alerted = func(a agent.Alert) {
			text, _ := a.Event.Data.Text()
			kept <- strings.TrimSpace(fmt.Sprintf("%s %s %s", text, a.Outcome, a.Why))
		}
	})
	return b, func() (lines []string) {
		time.Sleep(pace)
		for range len(kept) {
			lines = append(lines, <-kept)
		}
		return lines
	}
}

// answer is what somebody does with an alert.
func (b *bench) answer(n notify.Notification, kind notify.ResponseKind) {
	b.Respond(notify.Response{Ref: n.Ref, Kind: kind})
	time.Sleep(pace)
}

// What waits is known to explain meanwhile, under the number that it keeps, and goes to
// the history once, when it is decided.
func TestForInTheWholeAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, history := withHistory(t, `subscriptions: [{sender: door, tag: "{{ event }}", for: 30s, title: "{{ event }}", body: "{{ data }}"}]`)
		door := b.add("door", "open", "ring")
		b.fire(door, "open", 1)
		b.fire(door, "ring", 2)
		b.expect("")
		x, _ := b.Explain(1)
		if last := x.Verdicts[len(x.Verdicts)-1]; last.Reason != "waits 30 s in case it is resolved" || x.Decision != agent.Held || b.Status().Unread != 0 {
			t.Errorf("%+v, %d unread", last, b.Status().Unread)
		}
		if got := history(); len(got) > 0 {
			t.Errorf("in the history: %q", got)
		}
		time.Sleep(20 * time.Second)
		b.fire(door, "ring", map[string]any{"resolved": true})
		b.Apply(b.config(`subscriptions: [{sender: other}, {sender: door, tag: "{{ event }}", for: 30s, title: "{{ event }}!", body: "{{ data }}"}]`))
		time.Sleep(10 * time.Second)
		b.expect("open! 1")
		want := []string{"2 " + outcome.Held.String() + " resolved within 30 s", `{"resolved":true} held back resolved: what was held back under its tag is forgotten`, "1 shown"}
		if diff := cmp.Diff(want, history()); diff != "" {
			t.Error(diff)
		}
		for number, want := range map[int]string{1: "when for for deliver: shown: by screen", 2: "when for for: held back: resolved within 30 s"} {
			x, _ := b.Explain(number)
			var stages []string
			for _, v := range x.Verdicts {
				if v.Stage != "match" {
					stages = append(stages, v.Stage)
				}
			}
			last := x.Verdicts[len(x.Verdicts)-1]
			if got := fmt.Sprintf("%s: %s: %s", strings.Join(stages, " "), last.Decision, last.Reason); got != want {
				t.Errorf("%d: %s, want %s", number, got, want)
			}
		}
		if c := b.Status().Counters; c.Received != 3 || c.Shown != 1 || c.Limited != 0 || b.Status().Unread != 1 {
			t.Errorf("%+v", c)
		}
		// One whose subscription is gone is not shown, and one that waits at the end is.
		b.fire(door, "open", 3) // its tag is shown
		b.fire(door, "ring", 4)
		b.expect("open! 3")
		b.Apply(b.config(`subscriptions: [{sender: other, for: 1h}]`))
		b.fire(b.add("other", "e"), "e", 5)
		b.end()
		want = []string{"3 shown", "4 held back its subscription is no longer in the file", "5 not shown the agent ended; it went to the log"}
		if diff := cmp.Diff(want, history()); diff != "" {
			t.Error(diff)
		}
	})
}

func (b *bench) config(yaml string) *config.Config {
	b.t.Helper()
	c, err := config.Parse("config.yaml", []byte(yaml))
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// A click, a button, a close and what resolves end it; the end of its time on the screen
// does not.
func TestRepeatInTheWholeAgent(t *testing.T) {
	for name, tc := range map[string]struct {
		do    func(b *bench, door *sig.Sender, n notify.Notification)
		again int
	}{
		"nothing":  {func(*bench, *sig.Sender, notify.Notification) {}, 3},
		"expired":  {func(b *bench, _ *sig.Sender, n notify.Notification) { b.answer(n, notify.Expired) }, 3},
		"clicked":  {func(b *bench, _ *sig.Sender, n notify.Notification) { b.answer(n, notify.Clicked) }, 0},
		"closed":   {func(b *bench, _ *sig.Sender, n notify.Notification) { b.answer(n, notify.Dismissed) }, 0},
		"a button": {func(b *bench, _ *sig.Sender, n notify.Notification) { b.press(n, 0) }, 0},
		"shown":    {func(b *bench, _ *sig.Sender, n notify.Notification) { b.ShowAgain(int(n.Ref)) }, 0},
		"resolved": {func(b *bench, door *sig.Sender, _ notify.Notification) {
			b.fire(door, "ring", map[string]any{"resolved": true, "tag": "t"})
		}, 0},
		"the event": {func(b *bench, door *sig.Sender, _ notify.Notification) {
			b.fire(door, "ring", map[string]any{"tag": "u"})
		}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, `subscriptions: [{sender: door, title: Ring, body: B, repeat: {every: 15m, at_most: 3}}]`)
				door := b.add("door", "ring")
				b.fire(door, "ring", map[string]any{"tag": "t", "actions": []any{map[string]any{"label": "A", "open": "https://a/"}}})
				n := b.last()
				b.screen.take()
				tc.do(b, door, n)
				b.screen.take()
				time.Sleep(2 * time.Hour)
				shown := b.screen.take()
				if got := strings.Count(shown, "Ring B\nShown again ("); got != tc.again {
					t.Errorf("%d times: %s", got, shown)
				}
			})
		})
	}
}

// A critical alert that nobody answers is published, with all that an agent needs to show it.
func TestEscalatePublishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [
  {sender: disk, urgency: critical, tag: "{{ data.n }}", title: Disk, body: "{{ data.n }}", escalate: {after: 5m, publish: {sender: oncall, event: unanswered}}},
  {sender: oncall, event: unanswered}]`)
		disk := b.add("disk", "full")
		b.fire(disk, "full", map[string]any{"n": 1})
		b.answer(b.last(), notify.Dismissed)
		b.fire(disk, "full", map[string]any{"n": 2})
		b.answer(b.last(), notify.Expired)
		b.expect("Disk 1; Disk 2")
		time.Sleep(5 * time.Minute)
		if n := b.last(); n.Urgency != notify.Critical {
			t.Errorf("%+v", n)
		}
		b.expect("Disk 2")
		time.Sleep(time.Hour)
		b.expect("")
		x, _ := b.Explain(2)
		var said []string
		for _, v := range x.Verdicts {
			if v.Stage == "escalate" {
				said = append(said, v.Reason)
			}
		}
		if diff := cmp.Diff([]string{"escalated after 5 m, if nobody clicks or closes it", "nobody clicked or closed it within 5 m: it is published as oncall: unanswered"}, said); diff != "" || x.Decision != agent.Shown {
			t.Errorf("%s: %s", x.Decision, diff)
		}
		// Without a server it is published once there is one, or said that it was not.
		b.fire(disk, "full", map[string]any{"n": 3})
		b.stop()
		time.Sleep(4*time.Minute + 50*time.Second)
		b.screen.take()
		time.Sleep(11 * time.Minute)
		if got := b.screen.take(); !strings.HasPrefix(got, "The escalation of line 2 failed ") {
			t.Errorf("without a server: %s", got)
		}
	})
}

// What does not come is said once, and its alert closed when something comes. A server
// that is away has time to come back.
func TestExpectInTheWholeAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{sender: backup, title: B, body: "{{ data }}", expect_every: 25h}]`)
		backup := b.add("backup", "done")
		time.Sleep(2 * time.Hour)
		b.fire(backup, "done", 1)
		b.expect("B 1")
		time.Sleep(24 * time.Hour)
		b.stop()
		time.Sleep(48 * time.Hour)
		b.up()
		backup = b.add("backup", "done")
		b.Reconnect()
		time.Sleep(59 * time.Minute)
		b.screen.take() // that the server was lost
		time.Sleep(2 * time.Minute)
		b.expect("Nothing from backup since Saturday 02:00 Expected every 25h.")
		time.Sleep(100 * time.Hour)
		b.expect("")
		b.fire(backup, "done", 2)
		if got := b.screen.take(); !strings.HasPrefix(got, "closes sha256:") || !strings.HasSuffix(got, "; B 2") {
			t.Errorf("when it comes: %s", got)
		}
		b.Mute(1, time.Time{})
		time.Sleep(26 * time.Hour)
		b.expect("")
		b.Unmute(1)
		b.expect("1 alert while paused: every event of backup Nothing from backup since yesterday 07:01")
	})
}

// What another alert holds back is in the history as such, and told when that is resolved.
func TestUnlessInTheWholeAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, history := withHistory(t, `subscriptions: [{sender: router, tag: router-down}, {sender: host, unless: router-down}]`)
		router, host := b.add("router", "down"), b.add("host", "down")
		b.fire(router, "down", 1)
		b.fire(host, "down", 2)
		b.fire(host, "down", 3)
		b.expect("router: down 1")
		b.fire(router, "down", map[string]any{"resolved": true})
		time.Sleep(pace)
		if got := b.screen.take(); !strings.HasSuffix(got, `; 2 alerts while "router-down" was shown host: down ×2 (last: 3)`) {
			t.Errorf("at its end: %s", got)
		}
		want := []string{"1 shown", `2 held back "router-down" is shown`, `3 held back "router-down" is shown`, `{"resolved":true} held back resolved: what its tag showed is closed`}
		if diff := cmp.Diff(want, history()); diff != "" {
			t.Error(diff)
		}
		if c := b.Status().Counters; c.Limited != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// What waits, is shown again, is held back by another alert, or is expected goes on after
// a restart.
func TestWaitsOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, `subscriptions: [
  {sender: a, tag: "{{ event }}", for: 1h, title: A, body: "{{ data }}"},
  {sender: b, title: B, body: B, repeat: {every: 1h, at_most: 2}},
  {sender: router, tag: down, title: R, body: R}, {sender: host, title: H, body: H, unless: down},
  {sender: job, event: done, expect_every: 2h}]`)
		a, router := b.add("a", "e", "f"), b.add("router", "e")
		senders := map[sig.Name]*sig.Sender{"b": b.add("b", "e"), "host": b.add("host", "e"), "job": b.add("job", "done")}
		b.fire(a, "e", 1)
		b.fire(a, "f", 2)
		b.fire(senders["b"], "e", 1)
		b.fire(router, "e", 1)
		b.fire(senders["host"], "e", 1)
		b.fire(senders["job"], "done", 1)
		b.expect("B B; R R; job: done 1")
		time.Sleep(30 * time.Minute)
		b.end()
		b.expect("")
		b.fire(a, "f", map[string]any{"resolved": true})
		time.Sleep(time.Minute)
		b.start()
		b.expect("")
		time.Sleep(30 * time.Minute)
		if got := b.screen.take(); !strings.Contains(got, "A 1") || !strings.Contains(got, "B B\nShown again (1 of 2)") || strings.Count(got, ";") != 1 {
			t.Errorf("after an hour: %s", got)
		}
		b.fire(router, "e", map[string]any{"resolved": true})
		if got := b.screen.take(); !strings.Contains(got, `1 alert while "down" was shown host: e (H)`) {
			t.Errorf("at the end of what held it back: %s", got)
		}
		time.Sleep(61 * time.Minute)
		if got := b.screen.take(); !strings.Contains(got, "No done from job since 00:00 Expected every 2h.") || !strings.Contains(got, "Shown again (2 of 2)") || strings.Count(got, ";") != 1 {
			t.Errorf("after two hours: %s", got)
		}
		b.end()
		b.start()
		time.Sleep(5 * time.Hour)
		b.expect("")
	})
}

// A critical alert after a restart has nothing to do with those of before: it neither
// takes their place nor ends what is to be done about them.
func TestFoldsAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, `subscriptions: [{sender: disk, urgency: critical, title: "{{ data }}", body: B, repeat: {every: 15m, at_most: 1}}]`)
		disk := b.add("disk", "full")
		b.fire(disk, "full", "one")
		first := b.last()
		b.expect("one B")
		b.end()
		time.Sleep(time.Minute)
		b.start()
		b.fire(disk, "full", "two")
		if n := b.last(); n.Key == first.Key {
			t.Errorf("both have the key %s", n.Key)
		}
		b.expect("two B")
		time.Sleep(time.Hour)
		if got := b.screen.take(); !strings.Contains(got, "one B\nShown again") || !strings.Contains(got, "two B\nShown again") {
			t.Errorf("shown again: %s", got)
		}
	})
}

// An escalation for which there is no server is not lost with the agent, and one that
// fails for another reason is not tried again.
func TestEscalationOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, `subscriptions: [
  {sender: disk, urgency: critical, escalate: {after: 5m, publish: {sender: oncall, event: unanswered}}},
  {sender: oncall, event: unanswered, title: On call, body: B}]`)
		b.fire(b.add("disk", "full"), "full", 1)
		b.expect("disk: full 1")
		b.stop()
		time.Sleep(6 * time.Minute)
		b.screen.take() // that the server was lost
		b.end()
		b.up()
		b.start()
		time.Sleep(2 * time.Minute)
		if got := b.screen.take(); !strings.Contains(got, "On call B") {
			t.Errorf("after the restart: %s", got)
		}
		b.end()
		b.start()
		time.Sleep(time.Hour)
		b.expect("")
	})
}

// What an escalation publishes may be alerted for by the same subscription, and is not
// published about again.
func TestEscalationIsNoLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{urgency: critical, title: "{{ event }}", body: B, escalate: {after: 5m, publish: {sender: oncall, event: unanswered}}}]`)
		b.fire(b.add("disk", "full"), "full", 1)
		b.expect("full B")
		time.Sleep(24 * time.Hour)
		b.expect("unanswered B")
		x := b.Recent(1, false)[0]
		if said := fmt.Sprint(x.Verdicts); !strings.Contains(said, "not escalated: it is what its subscription publishes") {
			t.Errorf("%s", said)
		}
	})
}

// An alert is not shown again while another one holds it back; explain says how often it
// was.
func TestRepeatWaitsForWhatHoldsItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, `subscriptions: [
  {sender: host, title: Host, body: B, unless: router-down, repeat: {every: 10h, at_most: 3}},
  {sender: router, tag: router-down, title: Router, body: B}]`)
		host, router := b.add("host", "e"), b.add("router", "e")
		b.fire(host, "e", 1)
		b.fire(router, "e", 1)
		b.expect("Host B; Router B")
		b.end()
		b.start()
		time.Sleep(11 * time.Hour)
		b.expect("")
		b.fire(router, "e", map[string]any{"resolved": true})
		b.screen.take()
		time.Sleep(20 * time.Hour)
		b.expect("Host B\nShown again (1 of 3), unanswered since 00:00; Host B\nShown again (2 of 3), unanswered since yesterday 00:00")
		x, _ := b.Explain(1)
		var said []string
		for _, v := range x.Verdicts {
			if v.Stage == "repeat" {
				said = append(said, v.Reason)
			}
		}
		if diff := cmp.Diff([]string{"shown again 2 times, at most 3"}, said); diff != "" || x.Decision != agent.Shown {
			t.Errorf("%s: %s", x.Decision, diff)
		}
	})
}

// An escalation is in the history, and status counts the alerts that wait for something.
func TestPendingAndEscalatedAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, history := withHistory(t, `subscriptions: [
  {sender: disk, urgency: critical, tag: down, title: Disk, escalate: {after: 5m, publish: {sender: oncall, event: unanswered}}},
  {sender: door, for: 1h}, {sender: host, unless: down}, {sender: bell, repeat: 2h}]`)
		b.fire(b.add("disk", "e"), "e", 1)
		for _, sender := range []sig.Name{"door", "host", "bell"} {
			s := b.add(sender, "e")
			b.fire(s, "e", 1)
			b.fire(s, "e", 2)
		}
		if got, want := b.Status().Pending, (agent.Pending{Waiting: 2, Inhibited: 2, Repeating: 2, Escalating: 1}); got != want {
			t.Errorf("%+v", got)
		}
		history()
		time.Sleep(6 * time.Minute)
		want := []string{`{"title":"Disk","message":"nobody clicked or closed it within 5 m: it is published as oncall: unanswered"}`}
		if diff := cmp.Diff(want, history()); diff != "" {
			t.Error(diff)
		}
		if n := b.Status().Pending.Escalating; n != 0 {
			t.Errorf("%d are to be escalated", n)
		}
	})
}

// A memory that somebody has edited does no harm.
func TestEditedMemory(t *testing.T) {
	for name, state := range map[string]string{
		"empty":       `"waiting": [{}], "inhibitors": [{}], "repeating": [{}], "escalating": [{}], "expected": {"": {}}`,
		"null":        `"waiting": null, "inhibitors": null, "repeating": null, "escalating": null, "expected": null`,
		"no names":    `"inhibitors": [{"tag": "t", "keys": ["tag \"a\" t", "k"], "held": {"count": 1, "last": [{"name": "n", "key": "tag \"a\" t"}]}}], "tags": {"tag \"a\" t": true}`,
		"no counts":   `"inhibitors": [{"tag": "t", "keys": ["tag \"a\" t"], "held": {"count": -7, "last": [{"name": "n", "key": "k"}], "names": {"n": -1}}}], "tags": {"tag \"a\" t": true}`,
		"odd numbers": `"repeating": [{"sub": "a\u0001\u0001\u0001", "shown": -9, "alert": {"Ref": 77}}], "escalating": [{"sub": "a\u0001\u0001\u0001", "data": {"x": 1}, "alert": {"Ref": 99}}]`,
		"odd times":   `"waiting": [{"sub": "c\u0001\u0001\u0001", "since": "9999-01-01T00:00:00Z", "until": "0001-01-01T00:00:00Z"}], "expected": {"a\u0001\u0001\u0001": {"last": "9999-01-01T00:00:00Z", "counted": -1}}`,
		"twice":       `"inhibitors": [{"tag": "t", "keys": ["k"]}, {"tag": "t", "keys": ["l"]}], "waiting": [{"key": "tag \"a\" t"}, {"key": "tag \"a\" t"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, path := remembering(t, `subscriptions: [{sender: a, tag: t, urgency: critical, title: T, body: B, repeat: 10m, expect_every: 1h, escalate: {after: 1m, publish: {sender: b, event: e}}}, {sender: c, unless: t, for: 1m}]`)
				a := b.add("a", "e")
				b.end()
				if err := os.WriteFile(path, []byte(`{"version": 1, "state": {`+state+`}}`), 0o600); err != nil {
					t.Fatal(err)
				}
				b.start()
				b.fire(a, "e", map[string]any{"resolved": true})
				b.fire(a, "e", 1)
				time.Sleep(2 * time.Minute)
				if got := b.screen.take(); !strings.Contains(got, "T B") {
					t.Errorf("%s", got)
				}
				time.Sleep(90 * time.Minute)
				if got := b.screen.take(); !strings.Contains(got, "T B\nShown again (8 of 8)") || !strings.Contains(got, "Nothing from a since") {
					t.Errorf("later: %s", got)
				}
			})
		})
	}
}
