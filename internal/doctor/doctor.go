// Package doctor finds out what keeps alerts from being seen, and says what to do
// about it.
//
// [Examine] changes nothing: it makes no file, starts no program and shows no
// notification. Each part of an alert's path is looked at by a probe, and judged by a
// function that makes a [Result] of what the probe found. The probes run side by side,
// and one that hangs is given up: the whole takes less than ten seconds.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"sigalert/internal/plain"
	"sigalert/internal/reach"
)

// Status says how a part of the path is.
type Status string

// The statuses. Wrong is what was asked for and does not work: alerts that are not
// shown or not kept, or an agent that does not start at login. A Note is worth knowing,
// and stops no alert.
const (
	OK    Status = "ok"
	Note  Status = "note"
	Wrong Status = "wrong"
)

// A Result is what was found out about one part of the path.
type Result struct {
	Name    string   `json:"name"`
	Status  Status   `json:"status"`
	Text    string   `json:"text"`
	Details []string `json:"details,omitempty"`
	Advice  string   `json:"advice,omitempty"` // what to do
}

// Options say what to examine. Those without a default must be given.
type Options struct {
	Config  string      // the configuration's path
	Named   bool        // somebody has named it, so that it must be there
	Server  string      // host:port; default: the configuration's servers, or Local
	Proof   reach.Proof // for Server
	Local   string      // host:port of this machine's router
	Folder  string      // where this user's routers say how they are used from this machine
	History string      // the history's path
	Stores  string      // the folder with the stores of routers
	Program string      // this program's path
	Call    string      // this program, as it is called on a command line
	XEmbed  bool        // this build's icon is shown by panels that know only XEmbed, too
	// Agent asks the running agent how it stands. Its error wraps ErrNoAgent if none
	// is running. It may hang.
	Agent func(context.Context) (Agent, error)
}

// ErrNoAgent says that no agent is running.
var ErrNoAgent = errors.New("no agent is running")

// Agent is how the running agent stands.
type Agent struct {
	Line        string // in words
	Config      string // its configuration's path
	Server      string // host:port or, if they have names, those of all
	Router      bool   // it runs the router of one
	Connected   bool
	Unlinked    string    // why there is no connection; "": not known
	Paused      bool      // it holds alerts back
	PausedUntil time.Time // zero: until it is resumed
	Quiet       string    // why it holds alerts back; "": it does not
	Muted       int       // subscriptions that are paused by themselves
	Undelivered string    // why the last alert was not shown; "": it was
}

const (
	readTime = 2 * time.Second // for the configuration, which names the server
	lookTime = 6 * time.Second // for everything else
)

// Examine looks at each part of an alert's path, and returns the results in the order
// of the path.
func Examine(ctx context.Context, o Options) []Result {
	file := start(ctx, readTime, func(context.Context) file { return o.readFile() }, file{err: errHangs})()
	askPlaces := o.visitAll(ctx, o.servers(file))
	askAgent := start(ctx, lookTime, o.askAgent, running{err: errHangs})
	askSession := start(ctx, lookTime, lookAtSession, session{err: errHangs})
	askLogin := start(ctx, lookTime, func(context.Context) login { return lookAtLogin() }, login{err: errHangs})
	askStore := start(ctx, lookTime, func(context.Context) store { return lookAtStore(o.History) }, store{err: errHangs})
	askUnused := start(ctx, lookTime, func(context.Context) unused { return lookForUnused(o.Stores, time.Now()) }, unused{})
	places, running, session := askPlaces(), askAgent(), askSession()

	results := []Result{o.config(file)}
	for _, p := range places {
		results = append(results, o.place(file, p, running)...)
	}
	results = append(results, o.at(places, running).agent(running))
	if native {
		results = append(results, o.nativeNotifications())
	} else {
		results = append(results, bus(session), notifications(session), quiet(session), o.tray(session))
	}
	results = append(results, o.autostart(askLogin()), o.history(file, askStore()))
	results = append(results, askUnused().stores()...)
	for i := range results {
		results[i].clean()
	}
	return results
}

// native is a desktop whose notifications and icons need no bus.
const native = runtime.GOOS == "windows" || runtime.GOOS == "darwin"

func (o Options) nativeNotifications() Result {
	return Result{
		Name: "notifications", Status: Note, Text: "the system shows them, and cannot be asked whether it does",
		Advice: fmt.Sprintf("to see one: %s test", o.Call),
	}
}

var errHangs = errors.New("no answer in time")

// start starts a probe. The result is what it finds, or hung if it takes longer than d:
// a file system, or a library that is stuck, cannot be stopped.
func start[F any](ctx context.Context, d time.Duration, probe func(context.Context) F, hung F) (result func() F) {
	ctx, cancel := context.WithTimeout(ctx, d)
	found := make(chan F, 1)
	go func() { found <- probe(ctx) }()
	return func() F {
		defer cancel()
		select {
		case f := <-found:
			return f
		case <-ctx.Done():
		}
		select {
		case f := <-found: // it may have had its own end in time
			return f
		case <-time.After(grace):
			return hung
		}
	}
}

// grace is for a probe that ends because its time is over.
const grace = 200 * time.Millisecond

const maxText = 500

// clean makes what peers and files say safe to show.
func (r *Result) clean() {
	r.Text, r.Advice = plain.Line(r.Text, maxText), plain.Line(r.Advice, maxText)
	for i, line := range r.Details {
		r.Details[i] = plain.Line(line, maxText)
	}
}
