package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"

	"sigalert/internal/sessionbus"
	"sigalert/internal/wait"
)

// A second start asks the agent that runs, over a socket beside the lock:
//
//	> start BUS            BUS is the ID of the second's session bus; nothing if it has none
//	< ending               the first has lost its desktop, and makes way
//	< running URL          it stays; URL opens its history, if there is one
//	< starting             it stays; perhaps there is a URL soon

const (
	takeOver   = 10 * time.Second       // for the first to make way
	maxStart   = 2 * time.Second        // for the first to have its history
	tryAgain   = 100 * time.Millisecond // in the meantime
	staysGone  = 2 * time.Second        // a desktop that is away for less is not lost
	maxAsking  = 5 * time.Second        // for one question and its answer
	lookAround = 2 * time.Second        // for another agent in our place
)

// instance is this user's only agent. Its lock says so, and its socket answers
// those that start after it.
type instance struct {
	lock   *flock.Flock
	file   fs.FileInfo  // of the lock
	socket net.Listener // nil: there can be none
}

// firstPage is the page of the first's history, a [history.History].
type firstPage interface {
	Link() string
	Coming() bool
}

// running is the error of a second start.
type running struct{ history string }

func (r running) Error() string {
	text := "an agent is already running; quit it from its tray menu before you start another"
	if r.history != "" {
		text += "\nFor a minute its history is at " + r.history
	}
	return text
}

// onlyInstance makes this process the user's only agent. If one runs that has lost
// its desktop, it waits for that to end. The error is [running] if one stays.
func (p *program) onlyInstance(ctx context.Context) (*instance, error) {
	dir := xdg.RuntimeDir
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = filepath.Join(xdg.StateHome, "sigalert")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	lock := flock.New(filepath.Join(dir, "sigalert.lock"))
	socket := filepath.Join(dir, "sigalert.sock")
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
		if url, stays := strings.CutPrefix(answer, "running "); err == nil && stays {
			return nil, running{url}
		}
		limit := takeOver
		if answer == "starting" {
			limit = maxStart
		}
		if time.Since(began) > limit || !wait.Sleep(ctx, tryAgain, nil) {
			return nil, running{}
		}
	}
}

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
	_ = os.Remove(socket) // of one that ended
	l, err := net.Listen("unix", socket)
	if err != nil {
		p.log.Warn("another start cannot ask this agent to make way", "err", err)
		return i, nil
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // it may be another agent's by then
	i.socket = l
	return i, nil
}

// close is called once serve has returned.
func (i *instance) close() {
	if i.socket != nil {
		i.socket.Close()
	}
	_ = i.lock.Unlock()
}

// serve answers other starts until ctx ends. It calls quit if this agent is to
// make way for another.
func (i *instance) serve(ctx context.Context, p *program, page firstPage, quit func()) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	if i.socket != nil {
		defer i.socket.Close()
		tasks.Go(func() { i.answerAll(ctx, p, page, quit) })
	}
	for wait.Sleep(ctx, lookAround, nil) {
		if i.replaced() {
			p.log.Info("another agent has taken over")
			quit()
		}
	}
}

func (i *instance) answerAll(ctx context.Context, p *program, page firstPage, quit func()) {
	for ctx.Err() == nil {
		conn, err := i.socket.Accept()
		if err != nil {
			wait.Sleep(ctx, tryAgain, nil)
			continue
		}
		if i.answer(ctx, conn, page) {
			p.log.Info("the desktop is gone: another agent takes over")
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
	other := flock.New(i.lock.Path())
	got, err := other.TryLock()
	if got {
		_ = other.Unlock()
	}
	return err == nil && !got
}

// answer answers one question, and reports whether this agent is to make way.
func (i *instance) answer(ctx context.Context, conn net.Conn, page firstPage) (ending bool) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	_ = conn.SetDeadline(time.Now().Add(maxAsking))
	question, err := readLine(conn)
	bus, ok := strings.CutPrefix(question, "start ")
	if err != nil || !ok {
		return false
	}
	if bus != "" && lostDesktop(ctx, bus) {
		fmt.Fprintln(conn, "ending")
		return true
	}
	if page.Coming() {
		fmt.Fprintln(conn, "starting")
	} else {
		fmt.Fprintln(conn, "running "+page.Link())
	}
	return false
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

func askFirst(ctx context.Context, socket, bus string) (answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxAsking)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := fmt.Fprintln(conn, "start "+bus); err != nil {
		return "", err
	}
	return readLine(conn)
}

// readLine reads a short line.
func readLine(conn net.Conn) (string, error) {
	line, err := bufio.NewReaderSize(conn, 1024).ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(line), "\n"), nil
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
