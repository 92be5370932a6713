package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent/config"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

var carriers = map[string]func(*sigtest.Network) sig.ClientCarrier{
	"sigalert": (*sigtest.Network).Client,
	"pysig":    asPysig,
}

// What the first subscription is refused, or not yet in force for, the second
// brings; the alert is the first's all the same.
func TestFirstIsNotInForce(t *testing.T) {
	for name, carrier := range carriers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBenchOn(t, `subscriptions:
- {sender: builds, event: done, title: "built {{ data }}", body: "", urgency: critical}
- {sender: builds, urgency: critical}
`, carrier)
				builds := b.add("builds", "begun")
				time.Sleep(pace)
				b.fire(builds, "begun", 1)
				b.expect("builds: begun 1")
				if got := b.Status().Subscriptions[0].Status; got != sig.Refused {
					t.Fatalf("the first is %v", got)
				}
				if err := b.server.RemoveSender(builds); err != nil {
					t.Fatal(err)
				}
				builds = b.add("builds", "done")
				for i := range 5 { // the first comes into force meanwhile
					b.fire(builds, "done", i)
				}
				b.expect("built 0; built 1; built 2; built 3; built 4")
			})
		})
	}
}

// A narrower subscription that is put above a wider one, and later a server
// that is back and brings the wider one first, lose nothing and double nothing.
func TestFirstComesIntoForce(t *testing.T) {
	const wide = "subscriptions: [{sender: builds, urgency: critical, title: '{{ data }}', body: ''}]"
	narrow := "subscriptions:\n"
	for i := range 20 { // take their time
		narrow += fmt.Sprintf("- {sender: other%d}\n", i)
	}
	narrow += "- {sender: builds, event: done, urgency: critical, title: 'built {{ data }}', body: ''}\n- {sender: builds}\n"
	c, err := config.Parse("config.yaml", []byte(narrow))
	if err != nil {
		t.Fatal(err)
	}
	for server, carrier := range carriers {
		for name, data := range map[string]func(int) any{
			"differing": func(i int) any { return i },
			"alike":     func(int) any { return "x" },
		} {
			t.Run(server+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBenchOn(t, wide, carrier)
					b.network.Delay(5 * time.Millisecond)
					b.Apply(c)
					synctest.Wait()
					b.firesMeanwhile(server == "pysig", data)

					b.stop()
					synctest.Wait()
					b.up()
					b.Reconnect()
					b.firesMeanwhile(server == "pysig", data)
				})
			})
		}
	}
}

// firesMeanwhile fires events while the last subscription but one comes into
// force, which follows the last if late.
func (b *bench) firesMeanwhile(late bool, data func(int) any) {
	b.t.Helper()
	builds := b.add("builds", "done")
	status := func() [2]sig.ListenerStatus {
		st := b.Status().Subscriptions
		return [2]sig.ListenerStatus{st[len(st)-2].Status, st[len(st)-1].Status}
	}
	for tries := 1000; status()[1] != sig.Active && tries > 0; tries-- {
		time.Sleep(time.Millisecond)
	}
	if got := status(); late && got != [2]sig.ListenerStatus{sig.Pending, sig.Active} {
		b.t.Errorf("before: %v", got)
	}
	var want []string
	alike := make(map[any]int)
	for i := range 60 {
		if err := builds.Trigger("done", data(i)); err != nil {
			b.t.Fatal(err)
		}
		shown := fmt.Sprint("built ", data(i))
		if alike[data(i)]++; alike[data(i)] > 1 {
			shown += fmt.Sprintf(" (×%d)", alike[data(i)])
		}
		want = append(want, shown)
		time.Sleep(30 * time.Millisecond)
	}
	if got := status(); got != [2]sig.ListenerStatus{sig.Active, sig.Active} {
		b.t.Errorf("after: %v", got)
	}
	time.Sleep(5 * time.Second)
	b.expect(strings.Join(want, "; "))
	time.Sleep(foldCalm)
}

// foldCalm is how long alike critical alerts share a notification after the last one.
const foldCalm = time.Minute

// An event alerts once, by the first subscription that matches and whose condition
// holds, whichever listener brings it; where none holds, it counts for nothing.
func TestWhenPicksTheSubscription(t *testing.T) {
	for name, carrier := range carriers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBenchOn(t, `defaults: {body: "{{ data }}", urgency: critical}
subscriptions:
- {sender: s, event: e, when: data > 20, title: hot}
- {sender: s, event: e, when: data > 10, title: warm, urgency: '{{ data > 15 ? "low" : "critical" }}'}
- {sender: s, when: data > 5, title: mild}
- {event: e, when: data == 0, title: cold}
- {sender: s, event: e, when: data - 1 == -3, title: fails, presence: true}
`, carrier)
				s := b.add("s", "e", "f")
				time.Sleep(pace)
				for _, data := range []any{30, 12, 7, 0, 3, 3, "x", -2} {
					b.fire(s, "e", data)
				}
				b.fire(s, "f", 30)
				b.fire(s, "f", 3)
				b.expect("hot 30; warm 12; mild 7; cold 0; fails x; fails -2; mild 30")
				if got := b.Status().Counters; got.Received != 7 || got.Limited != 0 {
					t.Errorf("%+v", got)
				}
				if got := b.log.count("an expression failed"); got != 1 {
					t.Errorf("%d warnings", got)
				}
			})
		})
	}
}

// An urgency of the subscription's decides what the limit holds back, and its tag what
// is closed when it is over.
func TestExpressionsBeforeTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{sender: s, body: "{{ data.n }}", urgency: '{{ data.n % 2 == 0 ? "critical" : "low" }}', tag: "{{ data.host }}"}]`)
		s := b.add("s", "e")
		time.Sleep(pace)
		for i := range 20 {
			if err := s.Trigger("e", map[string]any{"n": i, "host": fmt.Sprint("h", i), "urgency": "critical"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second)
		b.expect("s: e 0; s: e 1; s: e 2; s: e 3; s: e 4; s: e 5; s: e 6; s: e 7; s: e 8; s: e 9; s: e 10; s: e 12; s: e 14; s: e 16; s: e 18; 5 more events from s Last: s: e")
		b.fire(s, "e", map[string]any{"n": 3, "host": "h3", "resolved": true})
		b.expect(`closes tag "s" h3`)
		if got := b.Status().Counters; got.Received != 21 || got.Limited != 5 {
			t.Errorf("%+v", got)
		}
	})
}
