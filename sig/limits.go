package sig

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"sigalert/internal/wait"
)

// Limits are how much clients may have of a server; see [ServerRouter.SetLimits]. In each
// field, 0 is the default and a number below 0 means that there is no limit.
type Limits struct {
	// Clients is how many clients may be connected, at most three quarters of them from
	// one address. Of those that have said nothing yet, an address may have 256: then the
	// oldest gives way. Any more are refused, and their connections closed.
	// Default 20,000.
	Clients int
	// Connects is how many new connections an address may make per second, and ten times
	// as many at once. An address of IPv6 is a network of 64 bits. Default 1,000.
	Connects int
	// FailedLogins is how many wrong tokens an address may show per minute, and at once.
	// After that, its tokens are refused unseen until some of that time has passed, except
	// those that have been right from there before. Loopback has no such limit: whoever is
	// there would lock out everybody on this machine. Default 60.
	FailedLogins int
	// Listeners is how many listeners a client may have, and TokenListeners how many all
	// clients with the same token. In a minute these may add that many, but at least
	// 100,000, and that many at once; one that adds more is slowed down.
	// Default 10,000 and 100,000.
	Listeners, TokenListeners int
	// Senders is how many senders a client may have. Default 1,000.
	Senders int
	// Streams is how many streams of events there may be over HTTP. Default 1,000.
	Streams int
	// Events is how many events may be sent per second with a token or, where there are
	// none, by a client, and ten times as many at once. A publication beyond that is
	// refused, with the time after which to try again; a connected sender is slowed down.
	// Default 10,000.
	Events int
	// Unread is how many bytes of messages may wait for all clients together, besides
	// events. When there are more, nothing is read from clients that have some, and
	// long answers are refused. Default 64 MiB.
	Unread int
	// Reading is how many bytes of unfinished messages are kept, besides 64 KiB for each
	// client. When there are more, the client that began first gives way.
	// Default 32 MiB.
	Reading int
}

// noLimit is more than there can be of anything.
const noLimit = math.MaxInt32

func (l Limits) withDefaults() *Limits {
	for _, d := range []struct {
		value *int
		def   int
	}{
		{&l.Clients, 20_000}, {&l.Connects, 1000}, {&l.FailedLogins, 60}, {&l.Listeners, 10_000}, {&l.TokenListeners, 100_000},
		{&l.Senders, 1000}, {&l.Streams, 1000}, {&l.Events, 10_000}, {&l.Unread, 64 << 20}, {&l.Reading, 32 << 20},
	} {
		switch {
		case *d.value == 0:
			*d.value = d.def
		case *d.value < 0:
			*d.value = noLimit
		}
	}
	return &l
}

// bounds are a server's limits, and how often they have been reached.
type bounds struct {
	limits atomic.Pointer[Limits]
	over   [overs]atomic.Uint64
	born   time.Time
}

// age is how long the server has been there.
func (b *bounds) age() time.Duration { return time.Since(b.born) }

// atOnce is how many seconds' worth may come at once of what is limited per second.
const atOnce = 10 * time.Second

// pace limits how often something happens. It is the time up to which all that has
// happened would have taken at the highest rate.
type pace struct {
	until atomic.Int64 // nanoseconds since the server was made, whatever the clock says
}

// take notes that something happens n times, or returns for how long it may not happen.
// One that may happen does so however high n is.
func (p *pace) take(now time.Duration, n int, each, burst time.Duration) (wait time.Duration) {
	for {
		until := p.until.Load()
		from := max(until, int64(now))
		if wait := time.Duration(from) - now - burst; wait > 0 {
			return wait
		}
		if p.until.CompareAndSwap(until, from+int64(n)*int64(each)) {
			return 0
		}
	}
}

// wait is for how long it may not happen; 0: it may.
func (p *pace) wait(now, burst time.Duration) time.Duration {
	return max(0, time.Duration(p.until.Load())-now-burst)
}

// isOver reports whether it is as if nothing had happened.
func (p *pace) isOver(now time.Duration) bool { return time.Duration(p.until.Load()) <= now }

// maySend waits until the client may send one more event. A connected sender is not
// refused, as a publisher is: pysig's would fail with an error that it does not expect,
// and what [RemoteSender.Post] has sent would be lost.
func (c *session) maySend() error {
	waited, err := c.slowDown(&c.account.events, 1, c.server.perEvent(), atOnce, overEvents, textEvents, c.server.limits.Load().Events)
	if waited {
		c.account.late.Add(1)
	}
	if err == nil {
		c.account.in.Add(1)
		c.taken.Add(1)
	}
	return err
}

// mayListen waits until the client may add n more listeners.
func (c *session) mayListen(n int) error {
	_, err := c.slowDown(&c.account.listens, n, c.server.perListener(), time.Minute, overListens, "listeners are added too fast: at most %d per minute are allowed", c.server.mostListens())
	return err
}

// slowDown waits until the client may do something n more times. If that takes too long,
// the error has text, with how often it may.
func (c *session) slowDown(p *pace, n int, each, burst time.Duration, what over, text string, most int) (waited bool, err error) {
	began := c.server.age()
	for now := began; ; now = c.server.age() {
		pause := p.take(now, n, each, burst)
		switch {
		case pause == 0:
			return waited, nil
		case now-began+pause > slowest:
			return true, c.server.tooFast(what, pause, text, most)
		case !waited:
			waited = true
			c.server.over[what].Add(1)
		}
		c.showLife(now)
		if !wait.Sleep(c.ctx, pause, c.server.accepting.Done()) || c.server.accepting.Err() != nil {
			return waited, exception("the server is ending")
		}
	}
}

const textEvents = "events come too fast: at most %d per second are allowed"

// showLife keeps a client that is slowed down from taking the connection for dead: its
// probes wait to be read behind its events.
func (c *session) showLife(now time.Duration) {
	if c.peer.streaming.Load() && now-c.shown > probeAfter/3 {
		c.shown = now
		_ = c.out.push(c.ctx, []byte(`{"method":"ping"}`+"\n"), answers)
	}
}

// take lets n events happen, or returns an error that says when to try again.
func (b *bounds) take(a *account, n int) error {
	if wait := a.events.take(b.age(), n, b.perEvent(), atOnce); wait > 0 {
		a.late.Add(uint64(n))
		return b.tooFast(overEvents, wait, textEvents, b.limits.Load().Events)
	}
	a.in.Add(uint64(n))
	return nil
}

func (b *bounds) perEvent() time.Duration {
	return time.Second / time.Duration(b.limits.Load().Events)
}

// mostListens is how many listeners the clients with the same token may add per minute:
// also where they may have few, each may come back many times.
func (b *bounds) mostListens() int { return max(100_000, b.limits.Load().TokenListeners) }

func (b *bounds) perListener() time.Duration {
	return time.Minute / time.Duration(b.mostListens())
}

func (b *bounds) perFailure() time.Duration {
	return time.Minute / time.Duration(b.limits.Load().FailedLogins)
}

// tooFast is a refusal of what is allowed after a while.
func (b *bounds) tooFast(what over, wait time.Duration, format string, args ...any) *RemoteError {
	b.over[what].Add(1)
	wait = max(wait, time.Millisecond).Round(time.Millisecond)
	return &RemoteError{Status: statusException, Code: codeTooFast, RetryAfter: wait, Text: fmt.Sprintf(format+textTryAgain+"%s", append(args, wait)...)}
}

// tooMany is a refusal of what is more than is allowed.
func (b *bounds) tooMany(what over, format string, args ...any) error {
	b.over[what].Add(1)
	return exception(format, args...)
}

// over is a limit that a client has come up against.
type over int

const (
	overClients over = iota
	overAddress
	overSilent
	overConnects
	overLogins
	overListeners
	overTokenListeners
	overListens
	overSenders
	overOffered
	overEvents
	overRequests
	overUnread
	overs // how many there are
)

// overNames are for [Stats.Refused], which also has "reading": the carriers count that.
var overNames = [overs]string{
	"clients", "clients_of_address", "silent_clients", "connects", "failed_logins", "listeners", "token_listeners", "added_listeners",
	"senders", "offered_events", "events", "requests", "unread",
}
