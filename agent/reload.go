package agent

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
)

// reload takes over the file where it is good. A bad one changes nothing but
// what is said of it.
func (a *Agent) reload() {
	if a.opts.Config != nil {
		return
	}
	c, err := config.Load(a.opts.ConfigPath)
	if err != nil {
		a.refuse(err)
		return
	}
	if a.configError != "" {
		a.configError = ""
		a.delivery.push(notify.Notification{Title: "Configuration is good again", Body: count(len(c.Subscriptions), "subscription") + " in force.", Key: "config"})
	}
	a.apply(c)
}

// refuse says what is wrong with the file, once for each new problem.
func (a *Agent) refuse(err error) {
	first, more := err.Error(), 0
	var problems config.Problems
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
	if first == a.configError {
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
	now := time.Now()
	if a.receiver != nil && a.receiver.server != c.Server {
		a.lostBefore += a.receiver.client.Dropped()
		a.receiver.stop()
		a.receiver = nil
	}
	old := a.presence
	a.presence = newPresence(c.Subscriptions)
	if a.receiver == nil {
		a.receiver = receive(a.ctx, c.Server, a.opts.Carrier(c.Server), a.log, a.wakeLoop)
		a.link = newLinkWatch(c.Server, now)
	} else {
		a.presence.inherit(old)
	}
	a.config, a.matcher = c, c.Subscriptions
	a.version++
	version, r := a.version, a.receiver
	pass := func(f func()) {
		select {
		case a.asked <- func() {
			if version == a.version {
				f()
			}
		}:
		case <-r.ctx.Done():
		}
	}
	r.listen(c.Subscriptions,
		func(i int, ev sig.Event) { pass(func() { a.event(i, ev) }) },
		func(ev sig.Event) {
			pass(func() { a.presence.observe(time.Now(), ev.Sender, ev.Event.Equal(sig.EventConnect)) })
		})
	if a.link.connected {
		a.askSenders()
	}
	a.subscribed = false
	a.log.Info("configuration in force", "server", c.Server, "subscriptions", len(c.Subscriptions))
}
