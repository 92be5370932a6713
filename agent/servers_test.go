package agent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// newSite is a bench that has no agent: a server that is not up yet.
func newSite(t *testing.T) *bench {
	return &bench{t: t, screen: newScreen(), network: new(sigtest.Network), stop: func() {}}
}

// newSites is a bench whose agent has further servers at these addresses.
func newSites(t *testing.T, yaml string, sites map[string]*bench, more ...func(*agent.Options)) *bench {
	t.Helper()
	return newBenchOn(t, yaml, (*sigtest.Network).Client, append(more, func(o *agent.Options) {
		own := o.Carrier
		o.Carrier = func(addr string) sig.ClientCarrier {
			if site := sites[addr]; site != nil {
				return site.network.Client()
			}
			return own(addr)
		}
	})...)
}

func (b *bench) reload(yaml string) {
	b.t.Helper()
	c, err := config.Parse("config.yaml", []byte(yaml))
	if err != nil {
		b.t.Fatal(err)
	}
	b.Apply(c)
	time.Sleep(time.Second)
}

const homeAndWork = "servers: {home: home, work: work}\n"

// What one server does is said with its name, and the other's alerts come as ever.
func TestOneOfTwoIsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := newSite(t)
		b := newSites(t, homeAndWork+"subscriptions: [{sender: door, presence: true}]", map[string]*bench{"work:3000": work})
		line := func(want string) {
			t.Helper()
			time.Sleep(pace)
			if got := b.Status().Line(); got != want {
				t.Errorf("status: %s, want %s", got, want)
			}
		}
		line("Connecting to work. Connected to home, 1 subscription")
		door := b.add("door", "ring")
		b.fire(door, "ring", 1)
		b.expect("door: ring 1")
		time.Sleep(3 * time.Second)
		b.expect("home: door connected")
		time.Sleep(time.Minute)
		b.expect("work: cannot reach the server cannot reach memory: the server is down\nTrying again until it answers.")
		line("No connection to work. Connected to home, 1 subscription")
		if st := b.Status(); st.Connected || !st.Lost || st.Server != "home, work" || len(st.Servers) != 2 || !st.Servers[0].Connected || st.Servers[0].Lost || st.Servers[1].Address != "work:3000" {
			t.Errorf("%+v", st)
		}
		b.fire(door, "ring", 2)
		b.expect("door: ring 2")

		work.up()
		b.Reconnect()
		time.Sleep(time.Second)
		b.expect("work: connected after 1 m The server work:3000 is answering.")
		line("Connected to home, work, 1 subscription")
		other := work.add("door", "ring")
		time.Sleep(3 * time.Second)
		b.expect("work: door connected")
		work.network.Freeze(true) // silent, as if black-holed
		b.fire(other, "ring", "lost?")
		b.fire(door, "ring", 3)
		b.expect("door: ring 3")
		time.Sleep(3 * time.Minute)
		if got := b.screen.take(); !strings.HasPrefix(got, "work: lost the server ") || strings.Count(got, ";") > 0 {
			t.Errorf("shown: %q", got)
		}
		b.fire(door, "ring", 4)
		b.expect("door: ring 4")
		work.network.Freeze(false)
		b.Reconnect()
		time.Sleep(15 * time.Second)
		got := b.screen.take()
		for _, want := range []string{"work: back after ", `work: while you were away, 3 m door ring ×1, last at 00:01`} {
			if !strings.Contains(got, want) {
				t.Errorf("shown: %q, want %q", got, want)
			}
		}
		b.fire(door, "ring", 5)
		b.expect("door: ring 5")
	})
}

// Senders of one name on two servers have nothing to do with each other.
func TestSameNameOnTwoServers(t *testing.T) {
	for name, tc := range map[string]struct {
		sub  string
		do   func(b *bench, home, work func(data any))
		want string
	}{
		"one tag": {"sender: door", func(b *bench, home, work func(any)) {
			home(map[string]any{"tag": "t", "message": "h"})
			work(map[string]any{"tag": "t", "message": "w"})
			work(map[string]any{"tag": "t", "resolved": true})
			home(map[string]any{"tag": "t", "message": "h2"})
		}, `door: ring h; door: ring w; closes tag work "door" t; door: ring h2`},
		"of one server": {"sender: door, server: w*", func(b *bench, home, work func(any)) { home(1); work(2) }, "door: ring 2"},
		"only_changes":  {"sender: door, only_changes: data", func(b *bench, home, work func(any)) { home(1); work(1); home(1); work(2) }, "door: ring 1; door: ring 1; door: ring 2"},
		"alike":         {"sender: door, urgency: critical", func(b *bench, home, work func(any)) { home(1); work(1); work(1) }, "door: ring 1; door: ring 1; door: ring (×2) 1"},
		"held back": {"sender: door", func(b *bench, home, work func(any)) {
			b.Pause(0)
			home(1)
			work(2)
			work(3)
			b.Resume()
		}, "3 alerts while paused work: door: ring ×2 (last: 3)\nhome: door: ring (1)"},
		"a flood": {"sender: door", func(b *bench, home, work func(any)) {
			for i := range 7 {
				work(i)
			}
			home(8)
			time.Sleep(3 * time.Second)
		}, "door: ring 0; door: ring 1; door: ring 2; door: ring 3; door: ring 4; 2 more events from door at work Last: work: door: ring; 1 more event from door at home Last: home: door: ring"},
		"for": {"sender: door, for: 10s, tag: t, resolve: data == 0, body: '{{ data }}'", func(b *bench, home, work func(any)) {
			home(1)
			work(2)
			home(0)
			time.Sleep(10 * time.Second)
		}, "door: ring 2"},
		"a limit": {"sender: door, rate_limit: 1/1h", func(b *bench, home, work func(any)) {
			home(1)
			home(2)
			work(3)
			time.Sleep(3 * time.Second)
		}, "door: ring 1; 2 more events from 2 senders Last: work: door: ring"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				work := newSite(t)
				work.up()
				b := newSites(t, homeAndWork+"subscriptions: [{"+tc.sub+"}]", map[string]*bench{"work:3000": work})
				doors := [2]*sig.Sender{b.add("door", "ring"), work.add("door", "ring")}
				fire := func(i int) func(any) { return func(data any) { b.fire(doors[i], "ring", data) } }
				tc.do(b, fire(0), fire(1))
				b.expect(tc.want)
			})
		})
	}
}

// A button asks the server that the alert came from, and an escalation is published there.
func TestAnswersGoWhereTheAlertCameFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := newSite(t)
		work.up()
		b := newSites(t, homeAndWork+`subscriptions:
- {sender: door, urgency: critical, actions: [{label: Open, request: {method: open}}], escalate: {after: 1m, publish: {sender: oncall, event: e}}}
- {sender: oncall, title: "{{ data.sender }} at {{ data.server }} is unanswered", body: ""}`, map[string]*bench{"work:3000": work})
		doors := make(map[string]*sig.Sender)
		for name, site := range map[string]*bench{"home": b, "work": work} {
			door, err := site.server.AddSenderWith("door", sig.SenderOptions{
				Events:   []sig.Name{"ring"},
				Requests: map[sig.Name]sig.RequestFunc{"open": func(context.Context, sig.Name, sig.Data) (any, error) { return "opened at " + name, nil }},
			})
			if err != nil {
				t.Fatal(err)
			}
			doors[name] = door
		}
		published := 0
		work.server.AddListener("oncall", "e", func(sig.Event) { published++ })
		b.fire(doors["home"], "ring", 1)
		b.fire(doors["work"], "ring", 2)
		ring := b.last()
		b.screen.take()
		b.press(ring, 0)
		b.expect("door: opened at work")
		b.fire(doors["work"], "ring", 3)
		time.Sleep(2 * time.Minute)
		if got := b.screen.take(); got != "door: ring 3; door at home is unanswered; door at work is unanswered" {
			t.Errorf("shown: %q", got)
		}
		if published != 1 {
			t.Errorf("published %d times at work, want once: home's is home's", published)
		}
		b.reload("servers: {home: home}\nsubscriptions: [{sender: door}]")
		b.press(ring, 0)
		b.expect("door: its server is no longer in the configuration")
	})
}

// Editing the file leaves the servers alone that stay, whatever they are called.
func TestEditingTheServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const subs = "subscriptions: [{sender: door}]"
		work, den := newSite(t), newSite(t)
		work.up()
		den.up()
		b := newSites(t, homeAndWork+subs, map[string]*bench{"work:3000": work, "den:3000": den})
		home, office, shed := b.add("door", "ring"), work.add("door", "ring"), den.add("door", "ring")
		dials := func(atHome, atWork, atDen int) {
			t.Helper()
			if h, w, d := b.network.Dials(), work.network.Dials(), den.network.Dials(); h != atHome || w != atWork || d != atDen {
				t.Errorf("dialled %d, %d and %d times, want %d, %d and %d", h, w, d, atHome, atWork, atDen)
			}
		}
		first := [3]int{b.network.Dials(), work.network.Dials(), 0}
		b.reload("servers: {house: home, den: den}\n" + subs)
		dials(first[0], first[1], den.network.Dials())
		if got := b.Status().Line(); got != "Connected to house, den, 1 subscription" {
			t.Errorf("status: %s", got)
		}
		b.fire(home, "ring", 1)
		b.fire(office, "ring", 2) // nobody asks any more
		b.fire(shed, "ring", 3)
		b.expect("door: ring 1; door: ring 3")
		b.reload("server: home\n" + subs)
		dials(first[0], first[1], den.network.Dials())
		b.fire(home, "ring", 4)
		b.fire(shed, "ring", 5)
		b.expect("door: ring 4")
		if got := b.Status(); got.Line() != "Connected to home:3000, 1 subscription" || got.Server != "home:3000" {
			t.Errorf("status: %s", got.Line())
		}
	})
}

// Each server goes on where it was after a restart, also if others come or go, or it gets
// another address or name.
func TestEachServerIsRemembered(t *testing.T) {
	for name, tc := range map[string]struct{ after, want string }{
		"as it was":       {homeAndWork, "home: while you were away, 1 h door ring ×1, last at 00:00; work: while you were away, 1 h door ring ×2, last at 00:00"},
		"renamed":         {"servers: {work: home, home: work}\n", "work: while you were away, 1 h door ring ×1, last at 00:00; home: while you were away, 1 h door ring ×2, last at 00:00"},
		"one is gone":     {"server: work\n", "While you were away, 1 h door ring ×2, last at 00:00"},
		"another address": {"servers: {home: home, work: [work, den]}\n", "home: while you were away, 1 h door ring ×1, last at 00:00; work: while you were away, 1 h door ring ×2, last at 00:00"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const subs = "subscriptions: [{sender: door}]"
				work := newSite(t)
				work.up()
				path := t.TempDir() + "/agent.json"
				var next *config.Config
				b := newSites(t, homeAndWork+subs, map[string]*bench{"work:3000": work}, func(o *agent.Options) {
					o.Memory = path
					next = o.Config
				})
				home, office := b.add("door", "ring"), work.add("door", "ring")
				time.Sleep(time.Second)
				b.end()
				b.fire(home, "ring", 1)
				b.fire(office, "ring", 2)
				b.fire(office, "ring", 3)
				time.Sleep(time.Hour)
				c, err := config.Parse("config.yaml", []byte(tc.after+subs))
				if err != nil {
					t.Fatal(err)
				}
				*next = *c
				b.start()
				time.Sleep(5 * time.Second)
				got := strings.Split(b.screen.take(), "; ")
				for _, want := range strings.Split(tc.want, "; ") {
					if !strings.Contains(strings.Join(got, "; "), want) {
						t.Errorf("shown: %q, want %q", got, want)
					}
				}
				if len(got) != strings.Count(tc.want, ";")+1 {
					t.Errorf("shown: %q", got)
				}
			})
		})
	}
}

// What one server has forgotten is said of that one.
func TestGapOfOneServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := newSite(t)
		work.memory = 2
		work.up()
		b := newSites(t, homeAndWork+"subscriptions: [{sender: door}]", map[string]*bench{"work:3000": work})
		door := work.add("door", "ring")
		b.fire(door, "ring", 0)
		b.screen.take()
		work.network.Cut()
		for i := range 5 {
			if err := door.Trigger("ring", i); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second)
		b.expect("door: ring 3; door: ring 4; work: 3 events lost: the router had forgotten them")
		work.stop()
		work.up()
		time.Sleep(time.Minute)
		work.stop()
		time.Sleep(time.Hour)
		work.up()
		time.Sleep(time.Minute)
		if got := b.screen.take(); !strings.Contains(got, "work: events may be lost: the router restarted") {
			t.Errorf("shown: %q", got)
		}
	})
}

// Time counts only while all servers of a subscription are there, and a sender is missing
// only if it is on none of them.
func TestWhatIsExpectedOfTwoServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := newSite(t)
		work.up()
		b := newSites(t, homeAndWork+`subscriptions:
- {sender: backup, server: home, expect_every: 1h}
- {sender: backup, expect_every: 1h}
- {sender: bakcup, server: work}
- {sender: bakcup, server: home}`, map[string]*bench{"work:3000": work})
		backup := work.add("backup", "done")
		work.network.Cut()
		b.network.Cut()
		time.Sleep(2 * time.Second)
		unseen := func(want string) {
			t.Helper()
			time.Sleep(pace)
			var got []string
			for _, u := range b.Status().Unseen {
				got = append(got, u.String())
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("unseen: %q, want %q", got, want)
			}
		}
		unseen("backup, bakcup (did you mean backup?), bakcup")
		b.add("bakcup", "e")
		time.Sleep(5 * time.Minute)
		unseen("backup (did you mean bakcup?), bakcup (did you mean backup?)")
		b.fire(backup, "done", "home")
		b.expect("backup: done home")
		work.network.Cut()
		work.stop()
		time.Sleep(2 * time.Minute)
		unseen("backup (did you mean bakcup?)")
		time.Sleep(10 * time.Hour)
		if got := b.screen.take(); !strings.Contains(got, "home: nothing from backup since") && !strings.Contains(got, "home: nothing from backup for") || strings.Contains(got, "Nothing from backup") {
			t.Errorf("shown: %q", got)
		}
		work.up()
		b.Reconnect()
		time.Sleep(time.Minute)
		b.screen.take()
		time.Sleep(time.Hour)
		b.expect("Nothing from backup since 00:05 Expected every 1h.")
	})
}

// A server that is named on the command line takes the place of all, and every
// subscription is for it.
func TestServersReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := newSite(t)
		work.up()
		b := newSites(t, homeAndWork+"subscriptions: [{sender: door, server: home}, {sender: bell}]", map[string]*bench{"work:3000": work}, func(o *agent.Options) { o.Server = "work:3000" })
		b.fire(work.add("door", "ring"), "ring", 1)
		b.fire(work.add("bell", "ring"), "ring", 2)
		b.expect("door: ring 1; bell: ring 2")
		if got := b.Status().Line(); got != "Connected to work:3000, 2 subscriptions" || b.network.Dials() > 0 {
			t.Errorf("status: %s", got)
		}
	})
}

// refusing is an address at which nobody listens.
type refusing struct{}

func (refusing) String() string { return "refusing" }

func (refusing) Dial(context.Context) (sig.Conn, error) { return nil, errors.New("nobody listens") }

// Of several addresses the first that answers counts, and where a router was left it goes
// on when it is back.
func TestSeveralAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		two := newSite(t)
		two.up()
		b := newBenchOn(t, "{server: [none, one, two], subscriptions: [{sender: door}]}", (*sigtest.Network).Client, func(o *agent.Options) {
			own := o.Carrier
			o.Carrier = func(addr string) sig.ClientCarrier {
				switch addr {
				case "none:3000":
					return refusing{}
				case "two:3000":
					return two.network.Client()
				}
				return own(addr)
			}
		})
		at := func(want string) {
			t.Helper()
			if got := b.Status().Line(); !strings.HasPrefix(got, want) {
				t.Errorf("status: %s, want %s", got, want)
			}
		}
		door, other := b.add("door", "ring"), two.add("door", "ring")
		at("Connected to one:3000, 1 subscription")
		b.fire(other, "ring", 0)
		time.Sleep(time.Hour) // that was before its time
		b.fire(door, "ring", 1)
		b.fire(other, "ring", 2)
		b.expect("door: ring 1")
		b.network.Freeze(true)
		b.fire(door, "ring", 3)
		time.Sleep(2 * time.Minute)
		at("Connected to two:3000")
		b.fire(door, "ring", "meanwhile")
		b.fire(other, "ring", 4)
		time.Sleep(time.Hour)
		if got := b.screen.take(); !strings.Contains(got, "Events may be lost: another router answers") || !strings.Contains(got, "door ring ×1") || !strings.HasSuffix(got, "door: ring 4") {
			t.Errorf("shown: %q", got)
		}
		b.network.Freeze(false)
		two.stop()
		time.Sleep(5 * time.Second)
		at("Connected to one:3000")
		b.fire(door, "ring", 5)
		if got := b.screen.take(); !strings.Contains(got, "door: ring 5") || !strings.Contains(got, "door: ring meanwhile") || strings.Contains(got, "ring 1") || !strings.Contains(got, "ring") {
			t.Errorf("shown: %q", got)
		}
	})
}
