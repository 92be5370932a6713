package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/words"
)

// reload reads the file because somebody asks for it.
func (a *Agent) reload() {
	if a.opts.Config == nil {
		c, err := config.LoadRegular(a.opts.ConfigPath)
		_ = a.take(c, err, true) // which says so
	}
}

// take takes over what the file says if it is good. A bad one changes only what
// is said about it, and one that the router cannot go by, all but the router. It returns
// what is wrong.
func (a *Agent) take(c *config.Config, err error, onDemand bool) error {
	if a.ctx.Err() != nil { // nothing begins at the end
		return err
	}
	if err == nil {
		err = a.apply(c)
	}
	if err != nil {
		a.refuse(err, onDemand)
		return err
	}
	if a.configErr != nil {
		a.configErr = nil
		a.delivery.push(notify.Notification{Title: "Configuration is valid again", Body: words.Count(len(c.Subscriptions), "subscription") + " in force.", Key: "config"})
	}
	return nil
}

// refuse says what is wrong with the file: once for each new problem, and
// whenever somebody asks.
func (a *Agent) refuse(err error, onDemand bool) {
	first, more := err, 0
	var problems config.Problems
	var unreadable *fs.PathError
	var own *routerError
	if errors.As(err, &unreadable) {
		first = fmt.Errorf("cannot read %s: %w", unreadable.Path, unreadable.Err)
	}
	switch {
	case errors.As(err, &problems) && len(problems) > 0:
		p := problems[0]
		p.Path = filepath.Base(p.Path)
		first, more = p, len(problems)-1
		for _, p := range problems {
			a.log.Error(p.Error())
		}
	case errors.As(err, &own):
		a.log.Error(err.Error())
	default:
		a.log.Error("cannot read the configuration", "err", err)
	}
	if sameText(first, a.configErr) && !onDemand {
		return
	}
	a.configErr = first
	body := first.Error()
	if more > 0 {
		body += fmt.Sprintf("\nand %s.", words.Count(more, "more problem"))
	}
	if a.config != nil && own == nil {
		body += "\nThe previous settings stay in force."
	}
	a.delivery.push(notify.Notification{Title: "Configuration problem", Body: body, Urgency: notify.Critical, Key: "config"})
}
