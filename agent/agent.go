package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/wait"
	"sigalert/internal/zone"
	"sigalert/sig"
)

// Options are an agent's settings. Notifier is required, and one of ConfigPath
// and Config.
type Options struct {
	// ConfigPath is the file to read, and to follow as it changes.
	ConfigPath string
	// Server, a host:port, replaces the configuration's servers, and its router.
	Server string
	// Router binds the router that the configuration asks for. Default: the agent
	// runs none, and only connects to its address.
	Router BindFunc
	// Config replaces the file.
	Config *config.Config
	// Notifier shows the alerts, one at a time.
	Notifier Notifier
	// Fallback gets the alerts that Notifier did not show; calls may overlap.
	// Default: one log line each.
	Fallback func(notify.Notification)
	// Alerted is called once for each event that a subscription alerts for, as
	// soon as it is known what became of it, and likewise for what the agent itself
	// reports of the server, of senders that come and go, and of events that were
	// lost, as events of the sender sigalert; once for each storm, when it is over;
	// and never after Run has returned. It
	// must not wait, and several goroutines may call it at once. An event whose
	// data is too large to keep until the desktop answers comes without it, and
	// Why says so. Default: none.
	Alerted func(Alert)
	// Memory is the path of the file that keeps what is to outlive the process: how
	// far the server's events have come, pauses, and what is not told yet. Default:
	// none.
	Memory string
	// Local is the folder in which this user's routers on this machine say how they are
	// used. Default: none.
	Local string
	// Flush returns once what Alerted was given is on the disk, or cannot be written,
	// or ctx has ended: Memory must not be ahead of it. Default: it is at once.
	Flush func(ctx context.Context)
	// Open opens an address that a button of an alert is for, and OpenAlert the
	// history at an alert that was clicked or, if that was held back, at what was held
	// back: a digest of it was clicked. Neither must wait. Default: nothing is opened.
	Open      func(url string)
	OpenAlert func(ev sig.Event, held bool)
	// Silence follows whether the desktop asks for silence, until ctx ends, and calls
	// changed with why, such as "the screen is locked", and with "" when it no longer
	// does. It runs while the configuration has do_not_disturb: hold. Default: it is
	// never asked for.
	Silence func(ctx context.Context, changed func(why string))
	// Configured is called whenever a good configuration comes into force, by the
	// goroutine of Run. It must not wait. Default: none.
	Configured func(*config.Config)
	// Changed is called after Status may have changed. It must not wait.
	// Default: none.
	Changed func()
	// Carrier makes the carrier to a server. Default: TCP, with TLS where the
	// configuration asks for it.
	Carrier func(server string) sig.ClientCarrier
	// Logger gets what a user should know. Default: none.
	Logger *slog.Logger
}

// Agent is an agent that runs or can be run. Its methods may be called by any
// goroutine; those that ask it for something return once the request is queued,
// and do nothing once it has ended.
type Agent struct {
	opts     Options
	log      *slog.Logger
	delivery *delivery
	recents  recents
	zone     func() *time.Location // of this machine

	asked chan func()   // what the loop is to do, in order
	news  wait.Token    // the connection or the delivery has changed
	done  chan struct{} // closed once the loop has ended

	mu     sync.Mutex // guards the field below
	status Status

	// The fields below belong to the loop.
	ctx           context.Context // Run's
	tasks         sync.WaitGroup
	config        *config.Config // nil: there was no good one yet
	configErr     error          // what is wrong with the file now
	servers       []*server      // in the file's order; none until there is a configuration
	memory        remembering
	pipeline      *pipeline
	unfollow      context.CancelFunc // ends Options.Silence; nil: it does not run
	commands      *commands
	requests      int // of buttons, that are under way
	expects       expects
	crowded       time.Time // until when what tellUnasked shows waits
	crowding      time.Time // since when it waits; zero: it does not
	unseen        unseen
	counters      Counters
	lost          uint64               // dropped by receivers that have ended, or by servers
	failing       map[failure]bool     // those that were logged
	stale         bool                 // the subscriptions' status may have changed
	subscriptions []SubscriptionStatus // as it was last
}

// New returns an agent that does nothing until Run.
func New(opts Options) *Agent {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Changed == nil {
		opts.Changed = func() {}
	}
	if opts.Open == nil {
		opts.Open = func(string) {}
	}
	if opts.OpenAlert == nil {
		opts.OpenAlert = func(sig.Event, bool) {}
	}
	if opts.Configured == nil {
		opts.Configured = func(*config.Config) {}
	}
	log := opts.Logger
	if opts.Fallback == nil {
		opts.Fallback = func(n notify.Notification) { log.Info("alert", "text", n.Line()) }
	}
	a := &Agent{
		opts:  opts,
		log:   log,
		zone:  zone.Local,
		asked: make(chan func(), 64),
		news:  wait.NewToken(),
		done:  make(chan struct{}),
	}
	a.pipeline = newPipeline()
	a.delivery = newDelivery(opts, a.news.Raise, a.recents.decide)
	a.commands = newCommands(log, func(n notify.Notification) { a.ask(func() { a.tell(n) }) })
	return a
}

// Run alerts until ctx ends, and has ended everything that it started when it
// returns. What is left to alert for then goes to Fallback: the desktop may be
// ending too. With a Memory, the next run alerts for it. It may be called once.
func (a *Agent) Run(ctx context.Context) {
	a.ctx = ctx
	a.recall()
	a.tasks.Go(func() { a.delivery.run(ctx) })
	a.tasks.Go(func() { a.commands.serve(ctx) })
	a.tasks.Go(func() { watchWake(ctx, func() { a.ask(a.woke) }) })
	if a.opts.Config != nil {
		_ = a.apply(a.opts.Config) // no router runs yet
	} else {
		a.tasks.Go(func() {
			config.Watch(ctx, a.opts.ConfigPath, func(c *config.Config, err error) { a.ask(func() { _ = a.take(c, err, false) }) })
		})
	}
	a.loop(ctx)
	close(a.done)
	for _, s := range a.servers {
		s.receiver.stop()
	}
	for range len(a.asked) { // what has come and was not looked at
		(<-a.asked)()
	}
	a.tasks.Wait()
	remembered := a.endMemory() // before what waits for the desktop is given up
	a.tellRest(remembered)
	a.delivery.end()
	if !remembered {
		a.tellHeld()
	}
	for _, s := range a.servers {
		s.router.end() // last: it may have other clients
	}
}

// loop does what is asked and what is due, one after the other.
func (a *Agent) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var next time.Time // when something is due; zero: never
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-a.asked:
			f()
			a.memory.changed = true
		case <-a.news:
			if ctx.Err() == nil { // our own end is not the link's trouble
				a.stale, a.memory.changed = true, true
				a.observeLinks(time.Now())
			}
		case <-timer.C:
		}
		now := a.now() // once: it looks at the disk whether the zone is another
		if len(a.servers) > 0 && !next.IsZero() && now.Sub(next) > stoppedGap {
			a.stoodStill(next, now)
		}
		a.tellDue(now)
		a.publish(now)
		a.remember(now)
		if next = a.next(); !next.IsZero() {
			timer.Reset(max(0, next.Sub(now)))
		} else {
			timer.Stop()
		}
	}
}

// ask has the loop do something, unless the agent has ended.
func (a *Agent) ask(f func()) {
	select {
	case a.asked <- f:
	case <-a.done:
	}
}

// Status is the agent's present state.
func (a *Agent) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}
