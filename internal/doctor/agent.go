package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"sigalert/internal/autostart"
	"sigalert/internal/words"
)

// running is the agent that runs.
type running struct {
	Agent
	err error // wraps ErrNoAgent if none does
}

func (o Options) askAgent(ctx context.Context) (r running) {
	r.Agent, r.err = o.Agent(ctx)
	return r
}

func (o Options) agent(a running) Result {
	r := Result{Name: "agent", Status: Wrong}
	switch {
	case errors.Is(a.err, ErrNoAgent):
		r.Text = "none is running, so that nothing is alerted for"
		r.Advice = fmt.Sprintf(`start it with "%s &", and at each login with "%[1]s autostart enable"`, o.Call)
	case errors.Is(a.err, errHangs), errors.Is(a.err, context.DeadlineExceeded), errors.Is(a.err, os.ErrDeadlineExceeded):
		r.Text = "one is running and does not answer"
		r.Advice = "end it and start it again"
	case a.err != nil:
		r.Text = fmt.Sprintf("the one that is running cannot be asked: %v", a.err)
		r.Advice = "end it and start it again"
	case !a.Connected:
		r.Text = "it is running, and has no connection to a server: " + a.Line
		if a.Unlinked != "" {
			r.Text += " (" + a.Unlinked + ")"
		}
		r.Advice = `see to the config and the server; it tries again by itself, and at once with "Reconnect now" in the menu of its icon`
	case a.Undelivered != "":
		r.Text = fmt.Sprintf("the last alert was not shown: %s", a.Undelivered)
		r.Advice = fmt.Sprintf(`it is in the agent's log; "%s test" tries again`, o.Call)
	case a.Paused:
		until := "until it is resumed"
		if !a.PausedUntil.IsZero() {
			until = "until " + a.PausedUntil.Local().Format(time.DateTime)
		}
		r.Text = "it is paused, and holds alerts back " + until
		r.Advice = fmt.Sprintf(`resume it with "%s resume", or in the menu of its icon`, o.Call)
	case a.Quiet != "":
		r.Status = Note
		r.Text = fmt.Sprintf("it is running, and holds alerts back (%s): %s", a.Quiet, a.Line)
		r.Advice = "quiet_hours and do_not_disturb in the configuration say when; what is held back is shown afterwards"
	case a.Config != "" && !samePath(a.Config, o.Config):
		r.Status = Note
		r.Text = fmt.Sprintf("it is running, with another configuration than the one examined here, %s: %s", a.Config, a.Line)
		r.Advice = "to examine that one: --config " + a.Config
	case a.Server != "" && a.Server != o.Server:
		r.Status = Note
		r.Text = fmt.Sprintf("it is running, with another server than the one examined here: %s", a.Line)
		r.Advice = "to examine that one: --server " + a.Server
	case a.Muted > 0:
		r.Status = Note
		r.Text = fmt.Sprintf("it is running, and holds back the alerts of %s: %s", words.Count(a.Muted, "subscription"), a.Line)
		r.Advice = fmt.Sprintf(`"%s status" says which, and "%[1]s resume --line N" resumes one`, o.Call)
	default:
		r.Status, r.Text = OK, "it is running: "+a.Line
	}
	return r
}

func samePath(a, b string) bool {
	absolute, err := filepath.Abs(b)
	return err == nil && a == absolute || sameFile(a, b)
}

func sameFile(a, b string) bool {
	aInfo, aErr := os.Stat(a)
	bInfo, bErr := os.Stat(b)
	return aErr == nil && bErr == nil && os.SameFile(aInfo, bInfo)
}

// login is what the next login starts.
type login struct {
	autostart.Entry
	err error
}

func lookAtLogin() (l login) {
	l.Entry, l.err = autostart.Status()
	return l
}

func (o Options) autostart(l login) Result {
	r := Result{Name: "autostart", Status: Note, Advice: fmt.Sprintf(`to start the agent at login: "%s autostart enable"`, o.Call)}
	switch {
	case errors.Is(l.err, errors.ErrUnsupported):
		r.Text, r.Advice = "this system has none that sigalert knows", ""
	case l.err != nil:
		r.Text, r.Advice = fmt.Sprintf("it is not known whether the agent starts at login: %v", l.err), ""
	case l.Broken:
		r.Status, r.Text = Wrong, fmt.Sprintf("the agent does not start at login: there is %s, but %s", l.Where, l.Fault)
		r.Advice = fmt.Sprintf(`write it anew with "%s autostart enable"`, o.Call)
	case l.Where == "":
		r.Text = "the agent does not start at login"
	case !l.Enabled:
		r.Text = fmt.Sprintf("the agent does not start at login: there is %s, but %s", l.Where, l.Fault)
	case l.Exe == "":
		r.Status, r.Text, r.Advice = OK, "the agent starts at login: "+l.Where, ""
	case !o.starts(l.Exe):
		r.Text = fmt.Sprintf("login starts another program than this one: %s runs %s, and this is %s", l.Where, l.Exe, o.Program)
		r.Advice = fmt.Sprintf(`if this one is to start: "%s autostart enable"`, o.Call)
	default:
		r.Status, r.Text, r.Advice = OK, fmt.Sprintf("the agent starts at login: %s runs %s", l.Where, l.Exe), ""
	}
	return r
}

// starts reports whether an entry's program is this one.
func (o Options) starts(program string) bool {
	if path, err := exec.LookPath(program); err == nil {
		program = path
	}
	return sameFile(program, o.Program)
}
