package agent

import (
	"context"
	"errors"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/words"
	"sigalert/sig"
)

// Pause holds alerts back, for d or, if d is 0, until Resume.
func (a *Agent) Pause(d time.Duration) {
	if d == 0 {
		a.PauseUntil(time.Time{})
	} else {
		a.PauseUntil(time.Now().Add(d))
	}
}

// PauseUntil holds alerts back until a time or, if that is zero, until Resume.
func (a *Agent) PauseUntil(until time.Time) {
	a.ask(func() {
		a.pipeline.quiet.pause.pause(until)
		a.memory.hurry()
		if until.IsZero() {
			a.log.Info("paused")
		} else {
			a.log.Info("paused", "until", until)
		}
	})
}

// Mute holds the alerts of the subscriptions on a line of the file back, until a time or,
// if that is zero, until Unmute.
func (a *Agent) Mute(line int, until time.Time) {
	a.onLine(line, func(s *config.Subscription) { a.pipeline.quiet.mute(s, until) })
}

// Unmute ends Mute. A notification for each subscription says what was held back, if
// anything was.
func (a *Agent) Unmute(line int) {
	a.onLine(line, func(s *config.Subscription) {
		if n, ok := a.pipeline.quiet.unmute(s); ok {
			a.tell(n)
		}
	})
}

// onLine changes the subscriptions on a line of the file, which may have several.
func (a *Agent) onLine(line int, change func(*config.Subscription)) {
	a.ask(func() {
		if a.config == nil {
			return
		}
		for i := range a.config.Subscriptions {
			if s := &a.config.Subscriptions[i]; s.Line == line {
				change(s)
				a.memory.hurry()
				a.stale = true
			}
		}
	})
}

// ShowAgain shows an alert again, with what became of it; it is not held back. An alert
// that is forgotten is not shown.
func (a *Agent) ShowAgain(number int) {
	a.ask(func() {
		e := a.recents.get(number)
		if e == nil {
			return
		}
		a.recents.markRead(number)
		a.answered(number)
		a.delivery.push(e.again())
	})
}

// MarkRead marks all alerts up to now as read.
func (a *Agent) MarkRead() { a.ask(func() { a.recents.markRead(0) }) }

// Unread returns the events of the alerts that nobody has clicked, closed or marked as
// read, by their numbers.
func (a *Agent) Unread() map[int]sig.Event { return a.recents.unreadEvents() }

// Resume ends a pause. One notification says how many alerts were held back, if any.
func (a *Agent) Resume() { a.ask(a.resume) }

func (a *Agent) resume() {
	pause := &a.pipeline.quiet.pause
	if !pause.paused {
		return
	}
	a.log.Info("resumed", "held", pause.count)
	a.pipeline.quiet.resume()
	a.memory.hurry()
}

// Woke says that the machine has woken from suspend, which the agent may also notice by
// itself.
func (a *Agent) Woke() { a.ask(a.woke) }

// Reconnect ends the wait for the next attempt to connect. A
// connection that works stays.
func (a *Agent) Reconnect() {
	a.ask(func() {
		for _, s := range a.servers {
			s.receiver.client.Reconnect()
		}
	})
}

// SendTest sends an alert the way that all alerts go. It is not held back.
func (a *Agent) SendTest() {
	a.ask(func() { a.delivery.push(TestAlert()) })
}

// TestAlert is the alert that shows that alerts work.
func TestAlert() notify.Notification {
	return notify.Notification{Title: "sigalert works", Body: "This is a test alert.", Key: "test"}
}

// Reload reads the file now, and shows how that went.
func (a *Agent) Reload() {
	a.ask(func() {
		a.reload()
		if a.configErr == nil && a.config != nil {
			a.delivery.push(notify.Notification{
				Title: "Configuration reloaded",
				Body:  words.Count(len(a.config.Subscriptions), "subscription") + " at " + a.place(),
				Key:   "config",
			})
		}
	})
}

// ReloadNow is Reload for callers that show by themselves how that went. It returns how
// many subscriptions are in force then, and what is wrong with the file.
func (a *Agent) ReloadNow(ctx context.Context) (subscriptions int, err error) {
	c, problem := a.opts.Config, error(nil)
	if c == nil {
		c, problem = config.LoadRegular(a.opts.ConfigPath)
	}
	inForce := 0
	err = a.do(ctx, func() {
		problem = a.take(c, problem, false)
		if a.config != nil {
			inForce = len(a.config.Subscriptions)
		}
	})
	if err != nil {
		return 0, err
	}
	return inForce, problem
}

// Settle returns once everything that the agent was asked for before is done, and
// Status shows it. The error says that the agent, or ctx, ended first.
func (a *Agent) Settle(ctx context.Context) error { return a.do(ctx, func() {}) }

var errEnded = errors.New("the agent is ending")

// do has the loop do something, and waits for that.
func (a *Agent) do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	a.ask(func() {
		f()
		a.publish(a.now())
		close(done)
	})
	select {
	case <-done:
		return nil
	case <-a.done:
		return errEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Tell shows a notification from the program itself. It is not held back.
func (a *Agent) Tell(n notify.Notification) {
	a.ask(func() { a.delivery.push(n) })
}
