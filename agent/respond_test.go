package agent_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

const doorbell = `{subscriptions: [
  {sender: door, event: ring, tag: bell, actions: [
    {label: Open, request: {method: open, params: {floor: "{{ data.floor }}"}}},
    {label: Camera, open: "https://camera.example/{{ data.floor }}"},
    {label: Quiet, snooze: 1h},
    {label: Answer, reply: {sender: door, method: say}}]},
  {sender: lamp}]}`

// last is the last notification shown, whose buttons can be pressed.
func (b *bench) last() notify.Notification {
	b.t.Helper()
	time.Sleep(pace)
	b.screen.mu.Lock()
	defer b.screen.mu.Unlock()
	if len(b.screen.shown) == 0 {
		b.t.Fatal("nothing is shown")
	}
	return b.screen.shown[len(b.screen.shown)-1]
}

// press presses a button.
func (b *bench) press(n notify.Notification, button int) {
	b.Respond(notify.Response{Ref: n.Ref, Kind: notify.Acted, Action: button})
	time.Sleep(pace)
}

// withDoor is a bench with a door that opens on request; asked gets its requests.
func withDoor(t *testing.T, more ...func(*agent.Options)) (b *bench, door *sig.Sender, asked chan string) {
	b = newBenchOn(t, doorbell, (*sigtest.Network).Client, more...)
	asked = make(chan string, 10)
	door, err := b.server.AddSenderWith("door", sig.SenderOptions{
		Events: []sig.Name{"ring"},
		Requests: map[sig.Name]sig.RequestFunc{"": func(_ context.Context, method sig.Name, params sig.Data) (any, error) {
			text, _ := params.JSON()
			asked <- fmt.Sprintf("%s %s", method, text)
			switch {
			case strings.Contains(string(text), "9"):
				return nil, errors.New("the door is stuck")
			case strings.Contains(string(text), "8"):
				time.Sleep(5 * time.Second)
			}
			return "opened", nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, door, asked
}

func TestButtons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened []string
		b, door, asked := withDoor(t, func(o *agent.Options) {
			o.Open = func(url string) { opened = append(opened, url) }
			o.OpenAlert = func(ev sig.Event, _ bool) { opened = append(opened, "history: "+ev.Sender.String()) }
		})
		b.fire(door, "ring", map[string]any{"floor": 2})
		ring := b.last()
		want := []notify.Action{{Label: "Open"}, {Label: "Camera"}, {Label: "Quiet"}, {Label: "Answer", Reply: true}}
		if diff := cmp.Diff(want, ring.Actions); diff != "" || ring.Ref == 0 {
			t.Errorf("buttons of %d: %s", ring.Ref, diff)
		}
		if n := b.Status().Unread; n != 1 {
			t.Errorf("%d unread, want 1", n)
		}
		b.screen.take()

		b.press(ring, 0)
		if answer := b.last(); answer.Title != "door: opened" || answer.Key != ring.Key {
			t.Errorf("the answer is %+v", answer)
		}
		if n := b.Status().Unread; n != 0 {
			t.Errorf("%d unread after a button, want 0", n)
		}
		b.press(ring, 1)
		b.Respond(notify.Response{Ref: ring.Ref, Kind: notify.Clicked})
		b.Respond(notify.Response{Ref: ring.Ref, Kind: notify.Replied, Action: 3, Text: "Coming"})
		time.Sleep(pace)
		if got := <-asked + ", " + <-asked; got != `open {"floor":2}, say "Coming"` {
			t.Errorf("requests: %s", got)
		}
		if diff := cmp.Diff([]string{"https://camera.example/2", "history: door"}, opened); diff != "" {
			t.Errorf("opened: %s", diff)
		}
		b.screen.take()
		for _, r := range []notify.Response{
			{Ref: 99, Kind: notify.Acted}, {Ref: ring.Ref, Kind: notify.Acted, Action: 7}, {Ref: ring.Ref, Kind: notify.Acted, Action: -1},
			{Ref: ring.Ref, Kind: notify.Expired}, {Ref: ring.Ref, Kind: notify.Withdrawn},
		} {
			b.Respond(r)
		}
		b.expect("This alert is too old Buttons work for the last 256 alerts.")
	})
}

// A click on what the agent itself has to say opens the history there.
func TestClickOnTheAgentsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := make(chan sig.Event, 10)
		b := newBenchOn(t, "subscriptions: [{sender: backup, expect_every: 1h}]", (*sigtest.Network).Client, func(o *agent.Options) {
			o.OpenAlert = func(ev sig.Event, _ bool) { opened <- ev }
		})
		click := func(title string) {
			t.Helper()
			n, at := b.last(), time.Now()
			if !strings.HasPrefix(n.Title, title) || !n.Click {
				t.Fatalf("shown: %+v", n)
			}
			b.Respond(notify.Response{Ref: n.Ref, Kind: notify.Dismissed})
			b.answer(n, notify.Clicked)
			if len(opened) != 1 {
				t.Fatalf("opened %d times", len(opened))
			}
			if ev := <-opened; ev.Sender != "sigalert" || at.Sub(ev.Time) > time.Minute {
				t.Errorf("opened: %v", ev)
			}
			b.screen.take()
		}
		time.Sleep(time.Hour)
		click("Nothing from backup")
		b.stop()
		time.Sleep(30 * time.Second)
		click("Lost the server")
		b.expect("")
	})
}

// What a button is answered takes the place of its alert, even if that has no tag.
func TestAnswerReplaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{sender: a, actions: [{label: Ask, request: {sender: nobody, method: m}}]}]`)
		a := b.add("a", "e")
		b.fire(a, "e", 1)
		one := b.last()
		b.fire(a, "e", 2)
		two := b.last()
		b.press(one, 0)
		if answer := b.last(); one.Key == "" || one.Key == two.Key || answer.Key != one.Key {
			t.Errorf("alerts %q and %q, and the first's answer %q", one.Key, two.Key, answer.Key)
		}
		b.screen.take()
	})
}

func TestButtonsWhoseRequestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, door, _ := withDoor(t)
		b.fire(door, "ring", map[string]any{"floor": 9})
		ring := b.last()
		b.screen.take()
		b.press(ring, 0)
		b.expect("door: the door is stuck")

		// A slow answer is announced, and takes the announcement's place.
		b.fire(door, "ring", map[string]any{"floor": 8})
		slow := b.last()
		b.screen.take()
		b.press(slow, 0)
		time.Sleep(2 * time.Second)
		b.expect("door: waiting for an answer")
		time.Sleep(4 * time.Second)
		b.expect("door: opened")

		// Without a link it waits for up to a minute.
		b.fire(door, "ring", map[string]any{"floor": 1})
		late := b.last()
		b.stop()
		time.Sleep(time.Second)
		b.screen.take()
		b.press(late, 0)
		time.Sleep(5 * time.Second)
		b.expect("door: waiting for an answer")
		time.Sleep(2 * time.Minute)
		if got := b.screen.take(); !strings.Contains(got, "door: no answer within 1 m") {
			t.Errorf("shown: %q", got)
		}
	})
}

func TestSnooze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, door, _ := withDoor(t)
		lamp := b.add("lamp", "on")
		b.fire(door, "ring", nil)
		b.press(b.last(), 2)
		b.screen.take()
		b.fire(door, "ring", nil)
		b.fire(lamp, "on", nil)
		b.expect("lamp: on")
		if sub := b.Status().Subscriptions[0]; !sub.Muted || sub.Held != 1 || time.Until(sub.MutedUntil) < 59*time.Minute {
			t.Errorf("%+v", sub)
		}
		time.Sleep(time.Hour)
		b.expect("1 alert while paused: door: ring door: ring")
		b.fire(door, "ring", nil)
		again := b.last()
		b.expect("door: ring")
		if sub := b.Status().Subscriptions[0]; sub.Muted {
			t.Errorf("%+v", sub)
		}
		b.Mute(2, time.Time{})
		b.press(again, 2)
		if sub := b.Status().Subscriptions[0]; !sub.Muted || !sub.MutedUntil.IsZero() {
			t.Errorf("a snooze ends what was to last: %+v", sub)
		}
	})
}

// All subscriptions on a line are muted with it.
func TestMuteOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "subscriptions: [{sender: door}, {sender: lamp}]") // which begin on line 1
		door, lamp := b.add("door", "ring"), b.add("lamp", "on")
		b.Mute(1, time.Time{})
		b.fire(door, "ring", nil)
		b.fire(lamp, "on", nil)
		b.expect("")
		b.Unmute(1)
		b.expect("1 alert while paused: every event of door door: ring; 1 alert while paused: every event of lamp lamp: on")
	})
}

func TestMuteAndShowAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, door, _ := withDoor(t)
		b.Mute(2, time.Time{})
		b.fire(door, "ring", 1)
		b.fire(door, "ring", 2)
		b.expect("")
		if sub := b.Status().Subscriptions[0]; !sub.Muted || sub.Held != 2 {
			t.Errorf("%+v", sub)
		}
		b.Unmute(2)
		b.expect("2 alerts while paused: door: ring door: ring ×2 (last: 2)")
		b.fire(door, "ring", 3)
		b.expect("door: ring 3")
		recent := b.Recent(10, false)
		if len(recent) != 3 || recent[0].Decision != agent.Shown || recent[1].Decision != agent.Held || recent[2].Number != 1 {
			t.Errorf("%+v", recent)
		}
		b.ShowAgain(recent[0].Number)
		b.ShowAgain(recent[1].Number)
		b.ShowAgain(1000)
		b.expect("door: ring 3\nshown: by screen (00:00); door: ring held back: its subscription is muted (00:00)")
		if n := b.Status().Unread; n != 1 {
			t.Errorf("%d unread, want 1", n)
		}
		b.MarkRead()
		time.Sleep(pace)
		if n := b.Status().Unread; n != 0 {
			t.Errorf("%d unread after all were marked, want 0", n)
		}
	})
}

// An event that never happened is explained on a copy of what the agent knows.
func TestExplainChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `{subscriptions: [{sender: a, only_changes: data, rate_limit: 2/1m, tag: t}]}`)
		a := b.add("a", "e")
		b.fire(a, "e", 1)
		for i := range 20 {
			x, err := b.ExplainEvent(t.Context(), sig.Event{Sender: "a", Event: "e", Data: sig.JSONData(fmt.Appendf(nil, "%d", i+2))})
			if err != nil || x.Decision != agent.Sent || x.Sent == nil || x.Sent.Title != "a: e" || x.Number != 0 {
				t.Fatalf("%d: %+v, %v", i, x, err)
			}
		}
		x, err := b.ExplainEvent(t.Context(), sig.Event{Sender: "a", Event: "e", Data: sig.JSONData([]byte("1"))})
		if err != nil || x.Decision != agent.Filtered || x.Sent != nil {
			t.Errorf("%+v, %v", x, err)
		}
		b.expect("a: e 1")
		b.fire(a, "e", 2)
		b.expect("a: e 2")
		if got := b.Status().Counters; got.Received != 2 || got.Filtered != 0 {
			t.Errorf("%+v", got)
		}
		if x, ok := b.Explain(2); !ok || x.Decision != agent.Shown || must(x.Data.JSON()) != "2" {
			t.Errorf("%+v, %v", x, ok)
		}
		if _, ok := b.Explain(3); ok {
			t.Error("an event that never happened has a number")
		}
	})
}

func must[T ~[]byte](text T, err error) string {
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// A request that waits for a server of which the file no longer speaks is given up.
func TestRequestAtAnotherServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, door, _ := withDoor(t)
		b.fire(door, "ring", nil)
		ring := b.last()
		b.stop()
		time.Sleep(time.Second)
		b.screen.take()
		b.press(ring, 0)
		time.Sleep(2 * time.Second)
		b.expect("door: waiting for an answer")
		c, err := config.Parse("config.yaml", []byte("{server: tcp://other:3000, subscriptions: [{sender: x}]}"))
		if err != nil {
			t.Fatal(err)
		}
		b.Apply(c)
		b.expect("door: no answer: the agent has left the server")
	})
}

// The latest alerts, and those that somebody may still answer, can be answered after a
// restart, and say what became of them.
func TestAnswersAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "agent.json")
		var opened []string
		b, door, asked := withDoor(t, func(o *agent.Options) {
			o.Memory = path
			o.Open = func(url string) { opened = append(opened, url) }
			o.OpenAlert = func(ev sig.Event, _ bool) { opened = append(opened, "history: "+ev.Sender.String()) }
		})
		lamp := b.add("lamp", "on")
		b.fire(door, "ring", map[string]any{"floor": 2})
		ring := b.last()
		for i := range 60 {
			b.fire(lamp, "on", map[string]any{"urgency": "low", "n": i})
			time.Sleep(time.Minute)
		}
		b.fire(lamp, "on", strings.Repeat("x", 2000))
		time.Sleep(time.Minute)
		read := b.last()
		b.Respond(notify.Response{Ref: read.Ref, Kind: notify.Dismissed})
		time.Sleep(time.Second)
		before := b.Recent(100, true)
		b.screen.take()
		b.end()
		b.start()
		time.Sleep(time.Second)
		b.expect("")

		if n := b.Status().Unread; n != 41 {
			t.Errorf("%d unread, want 32 and 10 less the one that was read", n)
		}
		for i, x := range b.Recent(10, true) {
			if i == 0 { // its data is too large to keep
				if x.Number != before[0].Number || !strings.Contains(fmt.Sprint(x.Verdicts), "data") {
					t.Errorf("the newest: %+v", x)
				}
				continue
			}
			sameData := cmp.Comparer(func(a, b sig.Data) bool {
				x, _ := a.JSON()
				y, _ := b.JSON()
				return string(x) == string(y)
			})
			ignored := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Verdicts" }, cmp.Ignore())
			if diff := cmp.Diff(before[i], x, ignored, sameData); diff != "" {
				t.Errorf("number %d: %s", i, diff)
			}
			if got, want := x.Verdicts[len(x.Verdicts)-1], before[i].Verdicts[len(before[i].Verdicts)-1]; got != want {
				t.Errorf("number %d: %+v, want %+v", i, got, want)
			}
		}

		b.press(ring, 0)
		b.expect("This alert is too old Buttons work for the last 256 alerts.")
		b.fire(door, "ring", map[string]any{"floor": 3})
		ring = b.last()
		b.screen.take()
		time.Sleep(time.Second)
		b.end()
		b.start()
		b.press(ring, 0)
		b.press(ring, 1)
		b.press(ring, 2)
		b.Respond(notify.Response{Ref: ring.Ref, Kind: notify.Clicked})
		b.Respond(notify.Response{Ref: ring.Ref, Kind: notify.Replied, Action: 3, Text: "Coming"})
		time.Sleep(pace)
		if got := <-asked + ", " + <-asked; got != `open {"floor":3}, say "Coming"` {
			t.Errorf("requests: %s", got)
		}
		if diff := cmp.Diff([]string{"https://camera.example/3", "history: door"}, opened); diff != "" {
			t.Errorf("opened: %s", diff)
		}
		if !b.Status().Subscriptions[0].Muted {
			t.Error("not snoozed")
		}
	})
}
