package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"

	"sigalert/internal/control"
	"sigalert/internal/sessionbus"
	"sigalert/internal/wait"
)

const (
	takeOver   = 10 * time.Second       // for the first to make way
	maxStart   = 2 * time.Second        // for the first to have its history
	tryAgain   = 100 * time.Millisecond // in the meantime
	staysGone  = 2 * time.Second        // a desktop that is away for less is not lost
	maxAsking  = 5 * time.Second        // for one question and its answer
	lookAround = 2 * time.Second        // for another agent in our place
)

// instance is this user's only agent. Its lock says so, and its socket answers
// those that start after it, and the commands that speak to it.
type instance struct {
	lock   *flock.Flock
	file   fs.FileInfo     // of the lock
	socket *control.Server // nil: there can be none
}

// A second start asks the agent that runs, over the socket beside the lock.
type (
	startParams struct {
		Bus string `json:"bus"` // the ID of the second's session bus; "": it has none
	}
	startAnswer struct {
		State string `json:"state"`
		URL   string `json:"url,omitempty"` // of stateRunning: opens the history, if there is one
	}
)

// The states of a first agent.
const (
	stateEnding   = "ending"   // it has lost its desktop, and makes way
	stateRunning  = "running"  // it stays
	stateStarting = "starting" // it stays; perhaps there is a URL soon
)

// firstPage is the page of the first's history, a [history.History].
type firstPage interface {
	Link() string
	Coming() bool
}

// running is the error of a second start.
type running struct{ history string }

func (r running) Error() string {
	text := "an agent is already running; end it with \"sigalert quit\" before you start another"
	if r.history != "" {
		text += "\nFor a minute its history is at " + r.history
	}
	return text
}

// onlyInstance makes this process the user's only agent. If one runs that has lost
// its desktop, it waits for that to end. The error is [running] if one stays.
func (p *program) onlyInstance(ctx context.Context) (*instance, error) {
	dir, err := agentFolder()
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	socket := filepath.Join(dir, socketFile)
	bus, looked := "", false
	for began := time.Now(); ; {
		got, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
		}
		if got {
			return p.newInstance(lock, socket)
		}
		if !looked {
			bus, looked = ourBus(ctx), true
		}
		answer, err := askFirst(ctx, socket, bus) // it may be starting or ending, and not answer
		if err == nil && answer.State == stateRunning {
			return nil, running{answer.URL}
		}
		limit := takeOver
		if answer.State == stateStarting {
			limit = maxStart
		}
		if time.Since(began) > limit || !wait.Sleep(ctx, tryAgain, nil) {
			return nil, running{}
		}
	}
}

const lockFile, socketFile = "sigalert.lock", "sigalert.sock"

// agentFolder is where the lock and the socket of a new agent are: the runtime folder,
// unless there can be no socket in it.
func agentFolder() (string, error) {
	if control.CheckFolder(xdg.RuntimeDir) == nil {
		return xdg.RuntimeDir, nil
	}
	dir := stateFolder()
	return dir, os.MkdirAll(dir, 0o700)
}

// stateFolder is for what is to outlive the process. A service of a user that has no home
// gets one from systemd.
func stateFolder() string {
	first, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
	if first != "" && os.Getenv("HOME") == "" && os.Getenv("XDG_STATE_HOME") == "" {
		return first
	}
	return userStateFolder()
}

func userStateFolder() string { return filepath.Join(xdg.StateHome, "sigalert") }

// ourBus is the ID of the session bus; "" if none answers.
func ourBus(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, staysGone)
	defer cancel()
	desktop, _ := sessionbus.Find(ctx)
	return desktop.Bus
}

// newInstance is for the lock's owner.
func (p *program) newInstance(lock *flock.Flock, socket string) (*instance, error) {
	file, err := lock.Stat()
	if err != nil {
		return nil, err
	}
	i := &instance{lock: lock, file: file}
	if i.socket, err = control.Listen(socket); err != nil {
		p.log.Warn("commands such as status cannot speak to this agent, and another start cannot ask it to make way", "err", err)
	}
	if i.socket != nil {
		i.socket.Large = []string{"entries"}
	}
	return i, nil
}

// close is called once serve has returned.
func (i *instance) close() {
	if i.socket != nil {
		i.socket.Close()
	}
	_ = i.lock.Unlock()
}

// serve answers requests until ctx ends. It calls quit if this agent is to make way for
// another.
func (i *instance) serve(ctx context.Context, p *program, methods map[string]control.Method, quit func()) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	if i.socket != nil {
		tasks.Go(func() { i.socket.Serve(ctx, methods) })
	}
	for wait.Sleep(ctx, lookAround, nil) {
		if i.replaced() {
			p.log.Info("another agent has taken over")
			quit()
		}
	}
}

// replaced reports whether another agent holds the lock that is in the place of
// ours: a logout may remove the folder, and the next login make it anew.
func (i *instance) replaced() bool {
	file, err := os.Stat(i.lock.Path())
	if err != nil || os.SameFile(file, i.file) {
		return false
	}
	return locked(i.lock.Path())
}

// answerStart is the method start, for other starts, which open the page.
func (p *program) answerStart(page firstPage, quit func()) control.Method {
	return control.Handler(func(ctx context.Context, asked startParams) (any, error) {
		switch {
		case asked.Bus != "" && lostDesktop(ctx, asked.Bus):
			p.log.Info("the desktop is gone: another agent takes over")
			quit()
			return startAnswer{State: stateEnding}, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case page.Coming():
			return startAnswer{State: stateStarting}, nil
		}
		return startAnswer{State: stateRunning, URL: page.Link()}, nil
	})
}

// lostDesktop reports whether the desktop is gone, and stays gone, for an agent
// that starts on another bus. A bus that outlives its desktop does not count: an
// address may also lead to it.
func lostDesktop(ctx context.Context, another string) bool {
	short, cancel := context.WithTimeout(ctx, staysGone)
	defer cancel()
	for short.Err() == nil {
		desktop, err := sessionbus.Find(short)
		if err == nil && (desktop.Bus == another || desktop.Shows) {
			return false
		}
		wait.Sleep(short, tryAgain, nil)
	}
	return ctx.Err() == nil
}

func askFirst(ctx context.Context, socket, bus string) (answer startAnswer, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxAsking)
	defer cancel()
	err = control.Call(ctx, socket, "start", startParams{bus}, &answer)
	return answer, err
}

// showRunning opens the history of the agent that runs already. The error says
// that one is running; nil: the history opens.
func (p *program) showRunning(err error) error {
	var r running
	if !errors.As(err, &r) || r.history == "" || !hasScreen() {
		return err
	}
	cmd := browser(r.history)
	if cmd.Start() != nil {
		return err
	}
	fmt.Fprintln(p.out, "An agent is already running: its history opens in a browser.")
	return nil
}
