package agent_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

const timerTick = `{subscriptions: [{sender: timer, event: tick}, {sender: timer}, {event: "#notify"}]}`

func TestEventIsAlertedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, timerTick)
		timer, other := b.add("timer", "tick", "tock", "#notify"), b.add("other", "#notify", "tick")
		b.fire(timer, "tick", 1)
		b.fire(timer, "tock", 2)
		b.fire(timer, "#notify", 3)
		b.fire(other, "#notify", 4)
		b.fire(other, "tick", 5)
		b.expect("timer: tick 1; timer: tock 2; timer: #notify 3; other: #notify 4")
		if got := b.Status().Counters; got.Received != 4 || got.Shown != 4 || got.Dropped != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestServerLostAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, timerTick)
		if got := b.Status().Line(); got != "Connected to 127.0.0.1:3000, 3 subscriptions, sender not seen yet: timer" {
			t.Errorf("status: %s", got)
		}
		b.network.Cut() // and back at once
		time.Sleep(time.Minute)
		b.expect("")

		b.stop()
		time.Sleep(9 * time.Second)
		b.expect("")
		time.Sleep(2 * time.Second)
		b.expect("Lost the server cannot reach memory: the server is down\nTrying again until it answers.")
		if st := b.Status(); !st.Lost || st.Line() != "No connection to 127.0.0.1:3000" {
			t.Errorf("status: %s", st.Line())
		}
		time.Sleep(3 * time.Minute)
		b.up()
		timer := b.add("timer", "tick")
		b.Reconnect()
		time.Sleep(time.Second)
		b.expect("Back after 3 m The server 127.0.0.1:3000 is answering.; Events may be lost: the router restarted How many is unknown.")
		b.fire(timer, "tick", "again")
		b.expect("timer: tick again")
	})
}

func TestPauseHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, timerTick)
		timer := b.add("timer", "tick")
		b.Pause(0)
		b.fire(timer, "tick", 1)
		b.fire(timer, "tick", 2)
		b.expect("")
		if st := b.Status(); st.Held != 2 || st.Line() != "Paused, 2 held back. Connected to 127.0.0.1:3000, 3 subscriptions" {
			t.Errorf("status: %s", st.Line())
		}
		b.Resume()
		b.expect("2 alerts while paused timer: tick ×2 (last: 2)")
		b.fire(timer, "tick", 3)
		b.expect("timer: tick 3")

		b.Pause(30 * time.Minute)
		b.fire(timer, "tick", 4)
		time.Sleep(29 * time.Minute)
		b.expect("")
		time.Sleep(2 * time.Minute)
		b.expect("1 alert while paused timer: tick (4)")
	})
}

func TestPresenceAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{sender: timer, presence: true}]`)
		timer := b.add("timer", "tick")
		time.Sleep(3 * time.Second)
		b.expect("timer connected")
		if err := b.server.RemoveSender(timer); err != nil {
			t.Fatal(err)
		}
		time.Sleep(13 * time.Second)
		b.expect("timer disconnected")
		b.add("timer", "tick")
		time.Sleep(3 * time.Second)
		b.expect("timer is back after 13 s")
		// The server goes, and returns without the sender.
		b.stop()
		b.up()
		time.Sleep(time.Second)
		b.Reconnect()
		time.Sleep(15 * time.Second)
		b.expect("timer disconnected")
	})
}

// Senders that return with the server, while the agent is still subscribing,
// have not gone.
func TestServerRestartMakesNobodyGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		yaml := "subscriptions:\n"
		for i := range 8 {
			yaml += fmt.Sprintf("- {sender: s%d, event: e, presence: true}\n", i)
		}
		b := newBench(t, yaml)
		returns := func() {
			for i := range 8 {
				time.Sleep(5 * time.Millisecond)
				b.add(sig.Name(fmt.Sprintf("s%d", i)), "e")
			}
		}
		returns()
		time.Sleep(5 * time.Second)
		b.expect("8 senders came or went s0 connected\ns1 connected\ns2 connected\ns3 connected\ns4 connected\ns5 connected\ns6 connected\ns7 connected")
		b.stop()
		b.network.Delay(3 * time.Millisecond)
		b.up()
		b.Reconnect()
		returns()
		time.Sleep(time.Minute)
		b.expect("")
	})
}

// What a reload leaves as it was misses nothing.
func TestReloadLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		yaml := func(i int) string {
			return fmt.Sprintf("subscriptions: [{sender: timer, urgency: critical, title: '{{ data }}', body: ''}, {sender: other%d}]", i)
		}
		b := newBench(t, yaml(0))
		timer := b.add("timer", "tick")
		var want []string
		for i := range 100 {
			c, err := config.Parse("config.yaml", []byte(yaml(i+1)))
			if err != nil {
				t.Fatal(err)
			}
			if err := timer.Trigger("tick", i); err != nil {
				t.Fatal(err)
			}
			b.Apply(c)
			want = append(want, fmt.Sprint(i))
			if i%10 == 9 {
				time.Sleep(time.Second) // the desktop has a queue of 64
			}
		}
		b.expect(strings.Join(want, "; "))
	})
}

func TestExpressionThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const yaml = `subscriptions: [{sender: a, title: '{{ data - 9 }}'}, {sender: b, body: '{{ data - 9 }}'}]`
		b := newBench(t, yaml)
		one, two := b.add("a", "e"), b.add("b", "e")
		for want := 1; want <= 2; want++ {
			for range 3 {
				b.fire(one, "e", "x")
				b.fire(two, "e", "x")
				time.Sleep(2 * time.Second)
			}
			b.expect("a: e x; b: e x; a: e x; b: e x; a: e x; b: e x")
			if got := b.log.count("an expression failed"); got != 2*want {
				t.Errorf("%d warnings, want one for each subscription and configuration: %d", got, 2*want)
			}
			c, err := config.Parse("config.yaml", []byte(yaml))
			if err != nil {
				t.Fatal(err)
			}
			b.Apply(c)
		}
	})
}

func TestFloodIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `{subscriptions: [{sender: build-server}, {sender: fire, urgency: critical}]}`)
		builds, fire := b.add("build-server", "done"), b.add("fire", "alarm")
		for i := range 47 {
			if err := builds.Trigger("done", i); err != nil {
				t.Fatal(err)
			}
		}
		b.fire(fire, "alarm", nil)
		time.Sleep(2 * time.Second)
		b.expect("build-server: done 0; build-server: done 1; build-server: done 2; build-server: done 3; build-server: done 4; " +
			"fire: alarm; 42 more events from build-server Last: build-server: done")
		if got := b.Status().Counters; got.Limited != 42 || got.Received != 48 {
			t.Errorf("%+v", got)
		}
	})
}

func TestNotOfferedIsShownAndTakenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{sender: timer, event: tick}]`)
		timer := b.add("timer", "other")
		synctest.Wait()
		if got := b.Status().Line(); got != "Connected to 127.0.0.1:3000, 1 subscription, 1 not offered (timer: tick)" {
			t.Errorf("status: %s", got)
		}
		if err := b.server.RemoveSender(timer); err != nil {
			t.Fatal(err)
		}
		timer = b.add("timer", "tick")
		time.Sleep(10 * pace)
		b.fire(timer, "tick", 1)
		b.expect("timer: tick 1")
	})
}

func TestSenderThatWasNeverThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{sender: timr}, {sender: door}]`)
		b.add("timer", "tick")
		b.network.Cut()
		time.Sleep(time.Second)
		const line = "Connected to 127.0.0.1:3000, 2 subscriptions"
		if got := b.Status().Line(); got != line+", 2 senders not seen yet, such as timr (did you mean timer?)" {
			t.Errorf("status: %s", got)
		}
		door := b.add("door", "ring")
		b.fire(door, "ring", 1)
		b.expect("door: ring 1")
		if got := b.Status().Line(); got != line+", sender not seen yet: timr (did you mean timer?)" {
			t.Errorf("after an event: %s", got)
		}
		b.add("timr", "tick") // which fires nothing
		time.Sleep(5 * time.Minute)
		if got := b.Status().Line(); got != line {
			t.Errorf("when all are there: %s", got)
		}
	})
}

// A notification server that hangs holds up nothing else, and what it does not
// take is counted.
func TestHungDesktop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{sender: fire, urgency: critical}]`)
		fire := b.add("fire", "alarm")
		b.screen.set(true, nil)
		b.fire(fire, "alarm", 0) // this one is under way, no longer in the queue
		for i := range 99 {
			if err := fire.Trigger("alarm", 1+i); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(3 * time.Second)
		b.Pause(0)
		synctest.Wait()
		if st := b.Status(); st.Counters.Received != 100 || !st.Paused || st.Counters.Dropped != 35 {
			t.Errorf("%+v", st.Counters)
		}
		b.Resume()
		b.screen.set(false, nil)
		time.Sleep(10 * time.Second)
		if got := b.Status().Counters; got.Shown != 64 || got.Logged != 1 || got.Dropped != 35 {
			t.Errorf("%+v", got)
		}
		b.screen.take()
		b.screen.set(false, errors.New("no server"))
		b.fire(fire, "alarm", nil)
		if st := b.Status(); fmt.Sprint(st.DeliveryError) != "no server" || st.Counters.Logged != 2 {
			t.Errorf("%q %+v", fmt.Sprint(st.DeliveryError), st.Counters)
		}
	})
}

// The file is real, and so is the time.
func TestEditingTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("subscriptions: [{sender: timer, event: tick}]")
	network := new(sigtest.Network)
	server := sig.NewServerRouter(nil)
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	carrier := network.Up()
	tasks.Go(func() { _ = server.Serve(ctx, carrier) })
	timer, err := server.AddSender("timer", "tick", "tock")
	if err != nil {
		t.Fatal(err)
	}
	changed := make(chan struct{}, 1)
	s := newScreen()
	a := agent.New(agent.Options{
		ConfigPath: path, Notifier: s,
		Carrier: func(string) sig.ClientCarrier { return network.Client() },
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	})
	tasks.Go(func() { a.Run(ctx) })
	until := func(what string, cond func(agent.Status) bool) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for !cond(a.Status()) {
			select {
			case <-changed:
			case <-deadline:
				t.Fatalf("timed out: %s, %+v", what, a.Status())
			}
		}
	}
	in := func(name string) func(agent.Status) bool {
		return func(st agent.Status) bool {
			return len(st.Subscriptions) == 1 && st.Subscriptions[0].Topic.String() == name && st.Subscriptions[0].Status == sig.Active
		}
	}
	shown := func(want string) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for got := ""; got != want; got += s.take() {
			if got != "" && !strings.HasPrefix(want, got) {
				t.Fatalf("shown %q, want %q", got, want)
			}
			select {
			case <-s.more:
			case <-deadline:
				t.Fatalf("shown %q, want %q", got, want)
			}
		}
	}
	until("the first configuration", in("timer: tick"))
	write("subscriptions: [{sender: timer, event: tock}]")
	until("the second", in("timer: tock"))
	for _, e := range []sig.Name{"tick", "tock"} {
		if err := timer.Trigger(e, nil); err != nil {
			t.Fatal(err)
		}
	}
	shown("timer: tock")

	write("subscriptions:\n  - {sendr: timer}\n")
	until("the bad file", func(st agent.Status) bool { return st.ConfigError != nil })
	shown("Configuration problem " + a.Status().ConfigError.Error() + "\nThe previous settings stay in force.")
	if !strings.HasPrefix(a.Status().ConfigError.Error(), "config.yaml:2:6: ") {
		t.Errorf("the problem: %s", a.Status().ConfigError)
	}
	if err := timer.Trigger("tock", "still"); err != nil {
		t.Fatal(err)
	}
	shown("timer: tock still")

	write("subscriptions: [{sender: timer, event: tick}]")
	until("good again", in("timer: tick"))
	shown(fmt.Sprintf("Configuration is valid again %s in force.", "1 subscription"))
}

// What the screen gets of floods, by the whole way from a router.
func TestFloodsOnTheScreen(t *testing.T) {
	for name, tc := range map[string]struct {
		urgency string
		events  int
		every   time.Duration
		most    int // notifications that replace none
		last    string
	}{
		"an hour of 5 a second": {"normal", 18_000, time.Second / 5, 6, "17,995 more events from timer"},
		"10,000 in a second":    {"normal", 10_000, time.Second / 10_000, 6, "9,995 more events from timer"},
		"300 alike criticals":   {"critical", 300, time.Second / 300, 1, "timer: tick (×300)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, f := newAlertedBench(t, `{subscriptions: [{sender: timer, urgency: `+tc.urgency+`}]}`)
				timer := b.add("timer", "tick")
				time.Sleep(pace)
				for range tc.events {
					if err := timer.Trigger("tick", nil); err != nil {
						t.Fatal(err)
					}
					time.Sleep(tc.every)
				}
				time.Sleep(5 * time.Minute)
				first, last := b.screen.newAndLast()
				if first > tc.most || last != tc.last {
					t.Errorf("%d new notifications, the last is %q; want %d and %q", first, last, tc.most, tc.last)
				}
				events, summaries := 0, ""
				for _, a := range f.take() {
					if a.Event.Sender == "sigalert" {
						summaries += fmt.Sprint(a.Event.Data.Value())
					} else {
						events++
					}
				}
				if got := b.Status().Counters; events != tc.events || got.Received != uint64(tc.events) || got.Dropped != 0 {
					t.Errorf("%d events in the history; %+v", events, got)
				}
				if (summaries == "") != (tc.urgency == "critical") {
					t.Errorf("the storm's end in the history: %q", summaries)
				}
			})
		})
	}
}
