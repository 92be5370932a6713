package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/copies"
	"sigalert/sig"
)

// reload takes over the file where it is good. A bad one changes nothing but
// what is said of it.
func (a *Agent) reload(onDemand bool) {
	if a.opts.Config != nil || a.ctx.Err() != nil { // the end begins nothing
		return
	}
	c, err := config.LoadRegular(a.opts.ConfigPath)
	if err != nil {
		a.refuse(err, onDemand)
		return
	}
	if a.configError != "" {
		a.configError = ""
		a.delivery.push(notify.Notification{Title: "Configuration is good again", Body: count(len(c.Subscriptions), "subscription") + " in force.", Key: "config"})
	}
	a.apply(c)
}

// refuse says what is wrong with the file: once for each new problem, and
// whenever that is asked for.
func (a *Agent) refuse(err error, onDemand bool) {
	first, more := err.Error(), 0
	var problems config.Problems
	var unreadable *fs.PathError
	if errors.As(err, &unreadable) {
		first = fmt.Sprintf("cannot read %s: %v", unreadable.Path, unreadable.Err)
	}
	if errors.As(err, &problems) && len(problems) > 0 {
		p := problems[0]
		p.Path = filepath.Base(p.Path)
		first, more = p.Error(), len(problems)-1
		for _, p := range problems {
			a.log.Error(p.Error())
		}
	} else {
		a.log.Error("cannot read the configuration", "err", err)
	}
	if first == a.configError && !onDemand {
		return
	}
	a.configError = first
	body := first
	if more > 0 {
		body += fmt.Sprintf("\nand %s.", count(more, "more problem"))
	}
	if a.config != nil {
		body += "\nThe settings from before stay in force."
	}
	a.delivery.push(notify.Notification{Title: "Configuration problem", Body: body, Urgency: notify.Critical, Key: "config"})
}

// apply makes a good configuration the one in force.
func (a *Agent) apply(c *config.Config) {
	now, server := time.Now(), c.Server
	if a.opts.Server != "" {
		server = a.opts.Server
	}
	if a.receiver != nil && a.receiver.server != server {
		a.lost += a.receiver.client.Dropped()
		a.receiver.stop()
		a.receiver = nil
	}
	old := a.presence
	a.presence = newPresence(c.Subscriptions)
	if a.receiver == nil {
		a.receiver = receive(a.ctx, server, a.opts.Carrier(server), a.log, a.hasNews)
		a.link = newLinkWatch(server, now)
		a.listen(a.receiver)
		a.matcher.forget()
	} else {
		a.presence.inherit(old)
	}
	a.config = c
	a.matcher.use(c.Subscriptions)
	a.receiver.listen(c.Subscriptions)
	a.subscribed, a.failing = false, make(map[*config.Subscription]bool)
	a.log.Info("configuration in force", "server", server, "subscriptions", len(c.Subscriptions))
	a.opts.Configured(c)
}

// listen has a receiver's events come to the loop.
func (a *Agent) listen(r *receiver) {
	pass := func(f func()) {
		select {
		case a.asked <- f:
		case <-r.ctx.Done():
		}
	}
	r.event = func(what copies.Topic, ev sig.Event) { pass(func() { a.event(what, ev) }) }
	r.missed = func(n int) { pass(func() { a.missed(r.server, n) }) }
	r.presence = func(_ copies.Topic, ev sig.Event) {
		pass(func() { a.presence.observe(time.Now(), ev.Sender, ev.Event.Equal(sig.EventConnect)) })
	}
}
