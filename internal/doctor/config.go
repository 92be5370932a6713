package doctor

import (
	"errors"
	"fmt"
	"io/fs"

	"sigalert/agent/config"
	"sigalert/internal/words"
)

// file is what the configuration says.
type file struct {
	err                error // why it cannot be read
	problems, warnings config.Problems
	subscriptions      int
	servers            []config.Server // none: it names none
	runsRouter         bool            // the agent runs a router at the server that is examined
	keeps              bool            // the agent keeps a history
}

func (o Options) readFile() (f file) {
	c, err := config.LoadRegular(o.Config)
	switch {
	case errors.As(err, &f.problems):
		f.servers, _ = config.LoadServers(o.Config) // which may be right all the same
	case err != nil:
		f.err = err
		if f.missing(o) { // as the one has that the first run writes
			f.servers = []config.Server{{Addresses: []string{o.Local}, Router: &config.Router{Listen: o.Local}}}
		}
	default:
		f.subscriptions, f.warnings, f.servers = len(c.Subscriptions), c.Warnings, c.Servers
		f.keeps = c.History != nil
	}
	return f
}

// missing reports whether the agent is yet to write a first configuration.
func (f file) missing(o Options) bool { return errors.Is(f.err, fs.ErrNotExist) && !o.Named }

const maxDetails = 5

func (o Options) config(f file) Result {
	r := Result{Name: "config", Status: OK}
	switch {
	case f.missing(o):
		r.Status = Note
		r.Text = fmt.Sprintf("there is none at %s yet", o.Config)
		r.Advice = fmt.Sprintf("the first run of %s writes one there", o.Call)
		return r
	case f.err != nil:
		r.Status = Wrong
		r.Text = fmt.Sprintf("%s cannot be read: %v", o.Config, f.err)
		r.Advice = "make it a file that you may read, or name another with --config"
		return r
	case len(f.problems) > 0:
		r.Status = Wrong
		r.Text = fmt.Sprintf("%s has %s, so that an agent goes on with what it had before, or has nothing to alert for", o.Config, words.Count(len(f.problems), "problem"))
		r.Advice = fmt.Sprintf("correct it: %s check shows all of them", o.Call)
	case f.subscriptions == 0:
		r.Status = Wrong
		r.Text = fmt.Sprintf("%s has no subscriptions, so that nothing is alerted for", o.Config)
		r.Advice = `add what to alert for, such as "subscriptions: [{sender: backup}]"`
	case len(f.warnings) > 0:
		r.Status = Note
		r.Text = fmt.Sprintf("%s: %s, %s", o.Config, words.Count(f.subscriptions, "subscription"), words.Count(len(f.warnings), "warning"))
		r.Advice = "see whether that is what you mean"
	default:
		r.Text = fmt.Sprintf("%s: %s", o.Config, words.Count(f.subscriptions, "subscription"))
	}
	for _, p := range append(f.problems, f.warnings...) {
		if len(r.Details) == maxDetails {
			r.Details = append(r.Details, fmt.Sprintf("and %d more", len(f.problems)+len(f.warnings)-maxDetails))
			break
		}
		r.Details = append(r.Details, p.Error())
	}
	return r
}
