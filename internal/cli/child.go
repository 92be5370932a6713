package cli

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a command that has our standard input and output, and our signals.
type child struct {
	cmd       *exec.Cmd
	begun     time.Time
	last      tail
	signals   chan os.Signal
	signalled chan struct{} // closed at the first signal after its end
	exited    chan struct{} // closed at its end, or when it could not be started
	forwarded sync.WaitGroup
	copies    []*copied
}

// copied is output on its way through us.
type copied struct {
	from, into *os.File // the pipe
	done       chan struct{}
	err        error // why it did not arrive; read once done is closed
}

// newChild prepares a command. If detached is true, it ignores what is typed at the
// terminal, as it would without us.
func newChild(args []string, detached bool) *child {
	c := &child{
		cmd:       exec.Command(args[0], args[1:]...),
		signals:   make(chan os.Signal, 8),
		signalled: make(chan struct{}),
		exited:    make(chan struct{}),
	}
	// A write to a reader that has gone must not end us before the command.
	caught := []os.Signal{syscall.SIGPIPE}
	for _, s := range passedOn {
		if !signal.Ignored(s) && !(detached && (s == syscall.SIGINT || s == syscall.SIGQUIT)) {
			caught = append(caught, s)
		}
	}
	if detached {
		signal.Ignore(syscall.SIGINT, syscall.SIGQUIT)
	}
	signal.Notify(c.signals, caught...)
	return c
}

// release gives up the signals.
func (c *child) release() {
	signal.Stop(c.signals)
	close(c.signals)
	c.forwarded.Wait()
}

func (c *child) start() error {
	defer func() {
		for _, o := range c.copies {
			o.into.Close()
		}
	}()
	c.cmd.Stdin = os.Stdin
	stdout, err := c.through(os.Stdout)
	if err != nil {
		return err
	}
	stderr := stdout
	if !sameOutput(os.Stdout, os.Stderr) {
		if stderr, err = c.through(os.Stderr); err != nil {
			return err
		}
	}
	c.cmd.Stdout, c.cmd.Stderr = stdout, stderr
	c.begun = time.Now()
	err = c.cmd.Start()
	c.forwarded.Go(c.forward)
	return err
}

// through returns what the command gets as this file: the file itself if it is a
// terminal, otherwise a pipe, whose text goes to the file and is kept.
func (c *child) through(f *os.File) (*os.File, error) {
	if isTerminal(f) {
		return f, nil
	}
	from, into, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &copied{from: from, into: into, done: make(chan struct{})}
	c.copies = append(c.copies, o)
	go func() {
		defer close(o.done)
		defer from.Close() // if the reader has gone, the command notices as it would without us
		if _, err := io.Copy(f, io.TeeReader(from, &c.last)); !errors.Is(err, syscall.EPIPE) {
			o.err = err
		}
	}()
	return into, nil
}

func sameOutput(a, b *os.File) bool {
	x, err := a.Stat()
	y, failed := b.Stat()
	return err == nil && failed == nil && os.SameFile(x, y)
}

// forward passes signals on until release.
func (c *child) forward() {
	said := false
	for s := range c.signals {
		select {
		case <-c.exited:
			if s != syscall.SIGPIPE && !said {
				said = true
				close(c.signalled)
			}
		default:
			if s != syscall.SIGPIPE && c.cmd.Process != nil && !hasItAlready(s) {
				_ = c.cmd.Process.Signal(s) // it may have ended
			}
		}
	}
}

// wait waits for the command's end, and a moment for its last output. started is the
// error of start.
func (c *child) wait(started error) ending {
	if started == nil {
		_ = c.cmd.Wait() // the state says more
	}
	close(c.exited)
	_, missing := os.Stat(c.cmd.Path)
	switch {
	case errors.Is(started, fs.ErrNotExist) && missing == nil:
		return ending{code: 126, err: errors.New("cannot be run: the interpreter that it needs is missing")}
	case errors.Is(started, exec.ErrNotFound), errors.Is(started, fs.ErrNotExist):
		return ending{code: 127, err: errors.New("not found")}
	case errors.Is(started, exec.ErrDot):
		return ending{code: 127, err: errors.New("not found: type ./ before a program in this folder")}
	case started != nil:
		return ending{code: 126, err: errors.New("cannot be run: " + reason(started))}
	}
	end := endingOf(c.cmd.ProcessState, time.Since(c.begun))
	moment := time.NewTimer(time.Second)
	defer moment.Stop()
	for _, o := range c.copies {
		select {
		case <-o.done:
			continue
		case <-moment.C:
		}
		break
	}
	if end.unwritten = c.unwritten(); end.unwritten != nil {
		end.code = cmp.Or(end.code, 1) // the command may not have noticed
	}
	return end
}

// unwritten is why output has not arrived where it belongs; nil if all has so far, or
// if nobody reads it any more.
func (c *child) unwritten() error {
	for _, o := range c.copies {
		select {
		case <-o.done:
			if o.err != nil {
				return errors.New("its output could not be written: " + reason(o.err))
			}
		default:
		}
	}
	return nil
}

// reason is what is wrong with a file, without its name.
func reason(err error) string {
	var of *fs.PathError
	var looked *exec.Error
	switch {
	case errors.As(err, &of):
		return of.Err.Error()
	case errors.As(err, &looked):
		return looked.Err.Error()
	}
	return err.Error()
}

// drain waits until all output is where it belongs: what the command left running
// may still write. A signal ends the wait.
func (c *child) drain() {
	for _, o := range c.copies {
		select {
		case <-o.done:
		case <-c.signalled:
		}
	}
}

func endingOf(state *os.ProcessState, took time.Duration) ending {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return ending{code: 128 + int(status.Signal()), signal: signalName(status.Signal()), took: took}
	}
	return ending{code: state.ExitCode(), took: took}
}

const (
	tailLines = 20
	tailBytes = 4 << 10
)

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex // guards the fields below
	end []byte
	cut bool // there was more
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, b...)
	if over := len(t.end) - tailBytes - 1; over > 0 {
		t.end, t.cut = append(t.end[:0], t.end[over:]...), true
	}
	return len(b), nil
}

// text is the last lines, whole ones unless the last alone is too long.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimRight(string(t.end), "\r\n")
	if _, whole, ok := strings.Cut(text, "\n"); ok && t.cut {
		text = whole
	}
	lines := strings.Split(text, "\n")
	text = strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
	return strings.ToValidUTF8(text[max(0, len(text)-tailBytes):], "\uFFFD")
}
