package agent_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// remembering is a bench whose agent has a memory in a file.
func remembering(t *testing.T, yaml string, more ...func(*agent.Options)) (b *bench, path string) {
	t.Helper()
	path = filepath.Join(memoryDir(t), "agent.json")
	more = append([]func(*agent.Options){func(o *agent.Options) { o.Memory = path }}, more...)
	return newBenchOn(t, yaml, (*sigtest.Network).Client, more...), path
}

// memoryDir is a folder for a memory, in RAM where there is one: an agent that has every
// write of a simulated week synced to a disk takes seconds.
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "sigalert-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// inTheWay keeps the file from being written.
func inTheWay(o *agent.Options) {
	if err := os.Mkdir(o.Memory+".new", 0o700); err != nil {
		panic(err)
	}
}

func TestRestartMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, timerTick)
		timer := b.add("timer", "tick")
		b.fire(timer, "tick", 1)
		b.end()
		b.fire(timer, "tick", 2)
		b.fire(timer, "tick", 3)
		time.Sleep(10 * time.Second)
		b.start()
		time.Sleep(5 * time.Second)
		b.expect("timer: tick 1; While you were away, 10 s timer tick ×2, last at 00:00")
		b.end()
		b.start()
		time.Sleep(time.Minute)
		b.expect("")
	})
}

// A router whose store is an older copy gives numbers again that an earlier agent had:
// what happens from then on is shown.
func TestNumbersGoBackOverRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, timerTick)
		timer := b.add("timer", "tick")
		b.fire(timer, "tick", 1)
		b.end()
		kept, err := memory.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for at, s := range kept.Servers {
			s.Reached += 1000
			s.Position.Seq = s.Reached
			kept.Servers[at] = s
		}
		writeMemory(t, path, kept)
		b.start()
		time.Sleep(5 * time.Second)
		b.fire(timer, "tick", 2)
		time.Sleep(time.Minute)
		if got := b.screen.take(); !strings.Contains(got, "Events may be lost") || !strings.Contains(got, "timer: tick 2") {
			t.Errorf("shown: %q", got)
		}
		b.end()
		if kept, err = memory.Load(path); err != nil {
			t.Fatal(err)
		}
		for at, s := range kept.Servers {
			if s.Reached >= 1000 {
				t.Errorf("%s: %+v is remembered", at, s)
			}
		}
	})
}

// A kill leaves the file as it was a second before at most, and what was shown since is
// shown once more.
func TestKillLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, timerTick)
		timer := b.add("timer", "tick")
		b.fire(timer, "tick", 1)
		time.Sleep(memoryPause)
		b.fire(timer, "tick", 2) // the file has 1 now
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b.fire(timer, "tick", 3)
		b.expect("timer: tick 1; timer: tick 2; timer: tick 3")
		b.end()
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		b.start()
		time.Sleep(5 * time.Second)
		b.expect("While you were away, 1 s timer tick ×2, last at 00:00")
	})
}

// What a storm has counted and not told yet is told after a kill, and an alert that waits
// for the desktop comes again, alone: what came after it was decided.
func TestKillAmidAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, "subscriptions:\n- {sender: timer}\n- {sender: fire, urgency: critical}")
		timer, fire := b.add("timer", "tick"), b.add("fire", "alarm")
		time.Sleep(10 * time.Second)
		for i := range 12 {
			b.fire(timer, "tick", i)
		}
		time.Sleep(pace)
		b.screen.take()
		b.screen.set(true, nil)
		b.fire(fire, "alarm", 1)
		for i := range 3 {
			b.fire(timer, "tick", i)
		}
		time.Sleep(1500 * time.Millisecond)
		b.kill(path, func() { b.screen.set(false, nil) })
		time.Sleep(time.Minute)
		b.expect("10 more events from timer Last: timer: tick; fire: alarm 1")
		b.end()
		b.start()
		time.Sleep(time.Minute)
		b.expect("")
	})
}

// kill ends the agent and has the next one find the file as it is now.
func (b *bench) kill(path string, meanwhile func()) {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	b.end()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		panic(err)
	}
	meanwhile()
	b.start()
}

// What waits for a desktop that hangs at the end is a line of the log, and comes again.
func TestEndWhileTheDesktopHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, timerTick)
		timer := b.add("timer", "tick")
		time.Sleep(10 * time.Second)
		b.screen.set(true, nil)
		b.fire(timer, "tick", 1)
		b.fire(timer, "tick", 2)
		b.end()
		if got := b.log.alerts(); got != "timer: tick | 1; timer: tick | 2" {
			t.Errorf("logged: %q", got)
		}
		b.screen.set(false, nil)
		time.Sleep(time.Hour)
		b.start()
		time.Sleep(time.Minute)
		b.expect("While you were away, 1 h timer tick ×2, last at 00:00")
	})
}

// A clock that was set back by hours between two runs makes nothing wait for hours.
func TestClockSetBackBetweenRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, "subscriptions:\n- {sender: timer, for: 1m}\n- {sender: fire, urgency: critical, repeat: {every: 10m, at_most: 1}}")
		timer, fire := b.add("timer", "tick"), b.add("fire", "alarm")
		b.fire(timer, "tick", 1)
		b.fire(fire, "alarm", 1)
		time.Sleep(2 * time.Second)
		b.expect("fire: alarm 1")
		b.end()
		s, err := memory.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		const ahead = 5 * time.Hour
		s.Waiting[0].Since, s.Waiting[0].Until = s.Waiting[0].Since.Add(ahead), s.Waiting[0].Until.Add(ahead)
		s.Repeating[0].Due = s.Repeating[0].Due.Add(ahead)
		for name, server := range s.Servers {
			server.Heard = server.Heard.Add(ahead)
			s.Servers[name] = server
		}
		s.Away = map[string]memory.Digest{"gone": {Kinds: []memory.Kind{{Name: "door ring", Count: 2}}, Due: time.Now().Add(ahead)}}
		writeMemory(t, path, s)
		b.start()
		time.Sleep(2 * time.Minute)
		got := b.screen.take()
		for _, want := range []string{"door ring ×2", "timer: tick 1"} {
			if !strings.Contains(got, want) {
				t.Errorf("shown: %q, want %q", got, want)
			}
		}
		time.Sleep(10 * time.Minute)
		if got := b.screen.take(); !strings.Contains(got, "Shown again (1 of 1)") {
			t.Errorf("shown: %q", got)
		}
	})
}

const memoryPause = time.Second

// While the desktop hangs, the file is not ahead of what waits for it.
func TestMemoryWaitsForTheDesktop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, timerTick)
		timer := b.add("timer", "tick")
		b.fire(timer, "tick", 1)
		time.Sleep(2 * memoryPause)
		at := position(t, path)
		b.screen.set(true, nil)
		b.fire(timer, "tick", 2)
		b.fire(timer, "tick", 3)
		time.Sleep(2 * memoryPause)
		if got := position(t, path); got != at {
			t.Errorf("from %d to %d while the desktop hangs", at, got)
		}
		b.screen.set(false, nil)
		time.Sleep(10 * time.Second) // the first of them is given up
		if got := position(t, path); got != at+2 {
			t.Errorf("at %d afterwards, want %d", got, at+2)
		}
	})
}

func position(t *testing.T, path string) uint64 {
	t.Helper()
	s, err := memory.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s.Servers["127.0.0.1:3000"].Position.Seq
}

// Pauses, of the agent and of a subscription, go on after a restart with what they hold
// back, and end when they are to; so do the tags that are open.
func TestPausesAndTagsSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, "subscriptions:\n- {sender: timer, event: tick}\n- {sender: door}")
		timer, door := b.add("timer", "tick"), b.add("door", "open")
		b.Mute(2, time.Now().Add(time.Hour))
		b.fire(door, "open", map[string]any{"tag": "door"})
		b.expect("door: open tag: door")
		b.Pause(30 * time.Minute)
		b.fire(timer, "tick", 1)
		b.fire(door, "open", 2)
		b.end()
		b.start()
		b.expect("")
		if st := b.Status(); !st.Paused || st.Held != 1 || st.Subscriptions[0].Held != 1 {
			t.Errorf("%+v", st)
		}
		b.fire(door, "open", map[string]any{"tag": "door", "resolved": true})
		time.Sleep(31 * time.Minute)
		got := b.screen.take()
		if !strings.Contains(got, "closes tag") || !strings.Contains(got, "while paused") {
			t.Errorf("shown: %q", got)
		}
		time.Sleep(time.Hour)
		if b.Status().Paused || b.Status().Subscriptions[0].Muted {
			t.Error("a pause does not end")
		}
	})
}

// What nobody has read is the same to the history after a restart.
func TestUnreadSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, timerTick)
		timer := b.add("timer", "tick")
		for i := range 3 {
			b.fire(timer, "tick", i)
		}
		b.Respond(notify.Response{Ref: 2, Kind: notify.Dismissed})
		unread := func() map[int]string {
			time.Sleep(pace)
			all := make(map[int]string)
			for number, ev := range b.Unread() {
				all[number] = fmt.Sprint(ev.Seq, ev.Time.UnixMicro()) // by which the history knows it
			}
			return all
		}
		want := unread()
		b.end()
		b.start()
		if got := unread(); len(want) != 2 || !maps.Equal(got, want) {
			t.Errorf("unread: %v, before %v", got, want)
		}
	})
}

// A memory that cannot be written is told of once, alerts go on, and it recovers.
func TestMemoryThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, timerTick, inTheWay)
		timer := b.add("timer", "tick")
		for i := range 3 {
			b.fire(timer, "tick", i)
			time.Sleep(10 * time.Second)
		}
		got := b.screen.take()
		for i := range 3 {
			if !strings.Contains(got, fmt.Sprintf("timer: tick %d", i)) {
				t.Errorf("shown: %q", got)
			}
		}
		if n := strings.Count(got, "The agent's memory cannot be saved"); n != 1 {
			t.Errorf("told %d times: %q", n, got)
		}
		if n := b.log.count("cannot write the agent's memory"); n != 1 {
			t.Errorf("logged %d times", n)
		}
		if err := os.Remove(path + ".new"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		b.expect("The agent's memory can be saved again")
		if position(t, path) == 0 {
			t.Error("nothing was written")
		}
	})
}

// Where there is no room for what a pause holds back, it becomes a line of the log at
// the end.
func TestEndWithoutRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, timerTick, inTheWay)
		timer := b.add("timer", "tick")
		b.Pause(0)
		b.fire(timer, "tick", 1)
		b.end()
		if got := b.log.alerts(); !strings.Contains(got, "1 alert while paused | timer: tick") {
			t.Errorf("logged: %q", got)
		}
	})
}

func TestDamagedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, timerTick)
		b.end()
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		b.start()
		b.expect("What happened before is forgotten cannot use " + path + ", which is " + path + ".unreadable now: unexpected end of JSON input")
		b.fire(b.add("timer", "tick"), "tick", 1)
		b.expect("timer: tick 1")
		b.end()
		b.start()
		b.expect("")
	})
}

// Without a configuration, what an earlier agent left stays as it is.
func TestMemoryWithoutAConfiguration(t *testing.T) {
	kept := memory.State{
		Servers:   map[string]memory.Server{"a:3000": {Position: sig.Position{Epoch: "e", Seq: 3}, Reached: 3, Heard: time.Now().UTC().Round(0)}},
		Untold:    []notify.Notification{{Title: "3 more events from timer", Key: "flood-1"}},
		Waiting:   []memory.Waiting{{Sub: "s", Sender: "a", Event: "b", Until: time.Now().Add(time.Hour).UTC().Round(0)}},
		Repeating: []memory.Repeating{{Sub: "s", Alert: notify.Notification{Title: "a"}}},
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "agent.json")
	writeMemory(t, path, kept)
	h := newHost(t, "subscriptions: 7", func(o *agent.Options) { o.Memory = path })
	eventually(t, "the file is refused", func() bool { return h.screen.take() != "" })
	h.Pause(0)
	h.end()
	got, err := memory.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Pause == nil {
		t.Error("the pause is not remembered")
	}
	kept.Pause, got.Pause = nil, nil
	got.Tags, got.Away, got.Muted = nil, nil, nil
	if diff := cmp.Diff(kept, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(2*time.Hour)); diff != "" {
		t.Errorf("it is not the same (-want +got):\n%s", diff)
	}
}

// writeMemory writes a file as an earlier agent left it.
func writeMemory(t *testing.T, path string, s memory.State) {
	t.Helper()
	k := memory.NewKeeper(path, func(context.Context) {}, func(err error) { t.Error(err) })
	k.Keep(s)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if !k.Run(ended) {
		t.Fatal("the memory is not written")
	}
}

// A router of the agent's own begins with the agent: nothing can have been lost before.
func TestOwnRouterLosesNothing(t *testing.T) {
	addr, path := freeAddress(t), filepath.Join(t.TempDir(), "agent.json")
	withMemory := func(o *agent.Options) { o.Memory = path }
	h := newHost(t, here(addr), withMemory)
	h.alerts(addr, "first")
	h.end()
	h = newHost(t, here(addr), withMemory)
	h.alerts(addr, "second")
	time.Sleep(1500 * time.Millisecond) // longer than a loss waits to be told
	if got := h.screen.take(); got != "" {
		t.Errorf("shown: %q", got)
	}
}

// Where a server's events begin for the agent is remembered at once: an agent that is
// killed in its first second misses nothing.
func TestKillInTheFirstSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, timerTick)
		b.end()
		b.stop()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		b.start()
		b.Pause(0)
		b.Resume()
		time.Sleep(time.Millisecond) // it has written once
		b.up()
		b.Reconnect()
		timer := b.add("timer", "tick")
		time.Sleep(100 * time.Millisecond)
		b.kill(path, func() {
			b.fire(timer, "tick", 1)
			time.Sleep(10 * time.Second)
		})
		time.Sleep(5 * time.Second)
		b.expect("While you were away, 10 s timer tick ×1, last at 00:00")
	})
}

// What waits for a desktop that hangs is not lost with the agent, although its own router
// forgets the event.
func TestKilledWithItsRouterWhileTheDesktopHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, `{router: {listen: "127.0.0.1:3000"}, subscriptions: [{sender: timer}]}`, func(o *agent.Options) {
			o.Router = func(*config.Router) (*agent.BoundRouter, error) {
				return &agent.BoundRouter{Serve: func(ctx context.Context) error { <-ctx.Done(); return nil }}, nil
			}
		})
		timer := b.add("timer", "tick")
		time.Sleep(10 * time.Second)
		b.screen.set(true, nil)
		b.fire(timer, "tick", map[string]any{"urgency": "critical"})
		b.fire(timer, "tick", 2)
		time.Sleep(2 * time.Second)
		b.kill(path, func() {
			b.stop()
			b.up()
			b.screen.set(false, nil)
		})
		time.Sleep(30 * time.Second)
		if got := b.screen.take(); strings.Count(got, "timer: tick urgency: critical") != 1 || !strings.Contains(got, "timer tick ×1") {
			t.Errorf("shown: %q", got)
		}
		b.end()
		b.start()
		time.Sleep(time.Minute)
		b.expect("")
	})
}

// What somebody asks for is in the file at once.
func TestPauseIsRememberedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, timerTick)
		b.fire(b.add("timer", "tick"), "tick", 1)
		paused := func() bool {
			synctest.Wait()
			s, err := memory.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			return s.Pause != nil
		}
		for range 3 {
			b.Pause(0)
			if !paused() {
				t.Error("a pause is not in the file")
			}
			b.Resume()
			if paused() {
				t.Error("its end is not in the file")
			}
		}
	})
}
