package agent

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/wait"
)

const (
	memoryPause  = time.Second     // between two writes
	memoryIdle   = 5 * time.Minute // how old the time may get at which a silent server was heard
	memoryFlush  = 5 * time.Second // for what Options.Flush waits for
	maxServers   = 32              // that are remembered
	memoryFailed = "What happens now may be lost or shown twice after a restart. Alerts go on."
)

// remembering is the agent's side of its memory. The zero value has none.
type remembering struct {
	keeper  *memory.Keeper // nil: there is no memory
	stop    func()         // the keeper
	changed bool           // the state may have
	next    time.Time      // when it may be written again
	servers map[string]memory.Server
	before  memory.State // what an earlier agent left, until there is a configuration
	whole   bool         // the file has everything; known once stop has returned
}

// recall takes over what an earlier agent left, and begins to remember.
func (a *Agent) recall() {
	if a.opts.Memory == "" {
		return
	}
	s, err := memory.Load(a.opts.Memory)
	if err != nil {
		a.log.Error("what happened before is forgotten", "err", err)
		a.delivery.push(notify.Notification{Title: "What happened before is forgotten", Body: err.Error(), Key: "memory"})
	}
	m := &a.memory
	if m.servers = s.Servers; m.servers == nil {
		m.servers = make(map[string]memory.Server)
	}
	m.before = s
	a.pipeline.quiet.restore(time.Now(), s.Pause, s.Muted)
	a.recents.restore(s.Alerts, s.Numbers)
	a.recallScreen(s.Screen)
	m.keeper = memory.NewKeeper(a.opts.Memory, a.flush, a.memoryTrouble)
	m.stop = wait.Start(context.WithoutCancel(a.ctx), func(ctx context.Context) { m.whole = m.keeper.Run(ctx) })
}

// recallStages takes over what the stages of an earlier agent left, once it is known for
// which subscriptions.
func (a *Agent) recallStages(subs []config.Subscription) {
	s, now := a.memory.before, time.Now().Round(0)
	a.memory.before = memory.State{}
	a.ended(a.pipeline.restore(s, subs, now))
	a.expects.restore(s.Expected, now.In(a.zone()))
	for _, n := range s.Untold {
		a.tell(n)
	}
}

// desktop is a Notifier whose notifications outlive the process.
type desktop interface {
	Screen() notify.Screen
	Restore(notify.Screen)
	Server(ctx context.Context) (notify.Server, error)
}

// recallScreen takes over what an earlier agent has shown, and begins to hear what is
// done with it.
func (a *Agent) recallScreen(s notify.Screen) {
	d, ok := a.opts.Notifier.(desktop)
	if !ok || len(s.Shown) == 0 {
		return
	}
	d.Restore(s)
	a.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(a.ctx, deliveryTimeout)
		defer cancel()
		_, _ = d.Server(ctx) // the next notification tries again
	})
}

// flush waits until what Options.Alerted was given is on the disk.
func (a *Agent) flush(ctx context.Context) {
	if a.opts.Flush != nil {
		ctx, cancel := context.WithTimeout(ctx, memoryFlush)
		defer cancel()
		a.opts.Flush(ctx)
	}
}

// memoryTrouble says that the memory cannot be written, or can be again.
func (a *Agent) memoryTrouble(err error) {
	n := notify.Notification{Title: "The agent's memory can be saved again", Key: "memory"}
	if err == nil {
		a.log.Info("the agent's memory can be written now")
	} else {
		a.log.Error("cannot write the agent's memory, trying again", "err", err)
		n.Title, n.Body = "The agent's memory cannot be saved", err.Error()+"\n"+memoryFailed
	}
	a.ask(func() { a.delivery.push(n) })
}

// remember has the memory written, if it is time, or if it is where a server's events
// begin for us: without that, nothing of an absence could be had.
func (a *Agent) remember(now time.Time) {
	m := &a.memory
	if m.keeper == nil || !m.changed || now.Before(m.next) && !a.begins() {
		return
	}
	m.changed, m.next = false, now.Add(memoryPause)
	m.keeper.Keep(a.state(now))
}

// begins reports whether it has just become known where a server's events are.
func (a *Agent) begins() bool {
	return slices.ContainsFunc(a.servers, func(s *server) bool {
		return s.cursor.reached.Epoch != "" && a.memory.since(s.addresses).Position.Epoch == ""
	})
}

// hurry has the memory written at once: somebody has just asked for what is in it.
func (m *remembering) hurry() { m.next = time.Time{} }

// due is when remember has something to do; zero: never.
func (m *remembering) due() time.Time {
	if m.keeper == nil || !m.changed {
		return time.Time{}
	}
	return m.next
}

// memoryKey is under which name a server is remembered.
func memoryKey(addresses []string) string { return strings.Join(addresses, " ") }

// since is where an earlier agent ended at a server; without an epoch, it is not known. If
// it was not at exactly these addresses, one of them is enough: should another router be
// there, it has another epoch.
func (m *remembering) since(addresses []string) memory.Server {
	s, ok := m.servers[memoryKey(addresses)]
	if ok {
		return s
	}
	for at, o := range m.servers {
		shared := slices.ContainsFunc(strings.Fields(at), func(a string) bool { return slices.Contains(addresses, a) })
		if shared && o.Heard.After(s.Heard) {
			s = o
		}
	}
	return s
}

// note takes over how far a server's events have come, and when it was heard. While
// nothing comes, that time is of no interest but for how long ago it is.
func (m *remembering) note(addresses []string, s memory.Server, heard time.Time) {
	server := memoryKey(addresses)
	was, known := m.servers[server]
	if s.Heard = was.Heard; s.Position.Epoch == "" || m.servers == nil || known && reflect.DeepEqual(s, was) && heard.Sub(was.Heard) < memoryIdle {
		return
	}
	s.Heard = heard
	m.servers[server] = s
	if len(m.servers) <= maxServers {
		return
	}
	oldest := server
	for name, s := range m.servers {
		if s.Heard.Before(m.servers[oldest].Heard) {
			oldest = name
		}
	}
	delete(m.servers, oldest)
}

// state is what is to be remembered.
func (a *Agent) state(now time.Time) memory.State {
	s := a.memory.before
	if a.config != nil {
		s = a.pipeline.state()
		s.Expected = a.expects.state(now, a.ctx.Err() != nil)
	}
	s.Pause, s.Muted = a.pipeline.quiet.state()
	s.Untold = newestOf(append(a.delivery.untold(), s.Untold...))
	s.Alerts, s.Numbers = a.recents.state()
	if d, ok := a.opts.Notifier.(desktop); ok {
		s.Screen = d.Screen()
	}
	for _, server := range a.servers {
		if n, ok := server.lost(server.gone.when); ok {
			s.Untold = append(s.Untold, n)
		}
		server.remember()
	}
	s.Servers = maps.Clone(a.memory.servers)
	return s
}

// newestOf leaves out what a later one with the same key takes the place of.
func newestOf(all []notify.Notification) (newest []notify.Notification) {
	for i, n := range all {
		if n.Key == "" || !slices.ContainsFunc(all[i+1:], func(o notify.Notification) bool { return notify.ShortKey(o.Key) == notify.ShortKey(n.Key) }) {
			newest = append(newest, n)
		}
	}
	return newest
}

// endMemory writes the memory once more, and reports whether that was done.
func (a *Agent) endMemory() bool {
	m := &a.memory
	if m.keeper == nil {
		return false
	}
	m.keeper.Keep(a.state(time.Now()))
	m.stop()
	return m.whole
}
