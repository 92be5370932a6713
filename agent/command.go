package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/plain"
	"sigalert/internal/queue"
	"sigalert/internal/wait"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	commandQueue   = 64
	commandData    = 8 << 20 // bytes that wait, of what commands read and of their arguments
	commandTimeout = 30 * time.Second
	commandOutput  = 4 << 10 // bytes of output that are kept
)

// commands runs the commands of alerts, one after the other. They wait in a queue of 64;
// when it is full, or holds 8 MiB, the newest is dropped and counted.
type commands struct {
	log  *slog.Logger
	tell func(notify.Notification) // called by serve alone

	ready wait.Token // there may be something in the queue

	mu      sync.Mutex // guards the fields below
	queue   queue.Queue[job]
	dropped uint64
	failing map[string]bool // by subscription; those whose last run failed, which was told
}

// job is a command that waits.
type job struct {
	sub   string // the subscription's identity
	line  int
	args  []string
	shell bool // the last of args is a line for it
	env   []string
	input []byte
	done  func(why string) // called once it has run, with why it failed, if it did; nil: nobody asks
}

// size is how much memory it takes, in bytes.
func (j *job) size() int {
	size := len(j.input)
	for _, texts := range [][]string{j.args, j.env} {
		for _, text := range texts {
			size += len(text)
		}
	}
	return size
}

func newCommands(log *slog.Logger, tell func(notify.Notification)) *commands {
	return &commands{
		log:     log,
		tell:    tell,
		ready:   wait.NewToken(),
		queue:   queue.New(commandQueue, commandData, (*job).size),
		failing: make(map[string]bool),
	}
}

// run has a command of an alert run, if there is one. It does not wait. The
// notification says why that was not possible, unless it has been told.
func (c *commands) run(p *passage, command *config.Command) (n notify.Notification, failed bool) {
	if command == nil {
		return n, false
	}
	if err := c.start(p, command, nil); err != nil {
		return c.failed(p.sub.ID(), p.sub.Line, err.Error())
	}
	return n, false
}

var errCommandsFull = errors.New("too many were waiting: the newest are not run")

// start has a command run. done, which may be nil, is called once it has, unless the
// agent ends first; the error says why it will not.
func (c *commands) start(p *passage, command *config.Command, done func(why string)) error {
	j, err := newJob(p, command)
	if err != nil {
		return err
	}
	j.done = done
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.queue.Fits(j) {
		c.dropped++
		return errCommandsFull
	}
	c.queue.Push(j)
	c.ready.Raise()
	return nil
}

// commandInput is what a command reads.
type commandInput struct {
	Server  string    `json:"server,omitempty"` // its name; "": it has none
	Sender  sig.Name  `json:"sender"`
	Event   sig.Name  `json:"event"`
	Data    any       `json:"data"`
	Time    time.Time `json:"time"`
	Title   string    `json:"title"`
	Body    string    `json:"body"`
	Urgency string    `json:"urgency"`
	Tag     string    `json:"tag,omitempty"`
	URL     string    `json:"url,omitempty"`
}

func inputOf(p *passage) (in commandInput, err error) {
	n := p.alert.Cut()
	in = commandInput{
		Server: p.server, Sender: p.ev.Sender, Event: p.ev.Event, Time: p.ev.Time,
		Title: n.Title, Body: n.Body, Urgency: n.Urgency.String(), Tag: p.said.Tag, URL: n.URL,
	}
	data, err := p.seen.Text()
	if len(data) > 0 {
		in.Data = json.RawMessage(data)
	}
	return in, err
}

func newJob(p *passage, command *config.Command) (j job, err error) {
	in, err := inputOf(p)
	if err != nil {
		return j, err
	}
	j = job{sub: p.sub.ID(), line: p.sub.Line}
	if j.input, err = json.Marshal(in); err != nil {
		return j, err
	}
	for _, v := range []struct{ name, value string }{
		{"SENDER", in.Sender.String()}, {"EVENT", in.Event.String()}, {"TIME", in.Time.Format(time.RFC3339)},
		{"TITLE", in.Title}, {"BODY", in.Body}, {"URGENCY", in.Urgency}, {"TAG", in.Tag}, {"URL", in.URL},
	} {
		j.env = append(j.env, "SIGALERT_"+v.name+"="+plain.Text(v.value, maxAnswer))
	}
	if j.shell = command.Shell != ""; j.shell {
		j.args = []string{command.Shell}
		return j, nil
	}
	for i, t := range command.Args {
		arg, err := t.Render(p.seen)
		if err != nil {
			return j, fmt.Errorf("argument %d: %w", i, err)
		}
		if strings.ContainsRune(arg, 0) {
			return j, fmt.Errorf("argument %d has a NUL character", i)
		}
		j.args = append(j.args, arg)
	}
	return j, nil
}

// serve runs commands until ctx ends. Those that wait then are not run.
func (c *commands) serve(ctx context.Context) {
	for ctx.Err() == nil {
		c.mu.Lock()
		j, ok := c.queue.Pop()
		c.mu.Unlock()
		if ok {
			c.do(ctx, j)
			continue
		}
		select {
		case <-ctx.Done():
		case <-c.ready:
		}
	}
	c.mu.Lock()
	left := len(c.queue.Take())
	c.dropped += uint64(left)
	c.mu.Unlock()
	if left > 0 {
		c.log.Warn("commands were not run: the agent ended", "count", left)
	}
}

func (c *commands) do(ctx context.Context, j job) {
	limited, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := commandOf(limited, j)
	cmd.Env = append(os.Environ(), j.env...)
	cmd.Stdin = bytes.NewReader(j.input)
	var out firstBytes
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return // our own end is not the command's trouble
	case limited.Err() != nil:
		err = fmt.Errorf("it ran for longer than %s, and was ended", words.Span(commandTimeout))
	case errors.Is(err, exec.ErrWaitDelay): // what it left running has its output
		err = nil
	}
	why := ""
	if err != nil {
		why = err.Error()
		if said := strings.TrimSpace(string(out)); said != "" {
			why += ": " + said
		}
	}
	if j.done != nil {
		j.done(why)
	}
	if err != nil {
		if n, ok := c.failed(j.sub, j.line, why); ok {
			c.tell(n)
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failing[j.sub] {
		delete(c.failing, j.sub)
		c.log.Info("the command works again", "line", j.line)
	}
}

// failed notes that a command failed. The notification says so, once until it works
// again.
func (c *commands) failed(sub string, line int, why string) (n notify.Notification, first bool) {
	c.mu.Lock()
	told := c.failing[sub]
	c.failing[sub] = true
	c.mu.Unlock()
	if told {
		c.log.Debug("a command failed again", "line", line, "err", why)
		return n, false
	}
	c.log.Warn("a command failed", "line", line, "err", plain.Line(why, maxReason))
	return notify.Notification{
		Title: fmt.Sprintf("The command of line %d failed", line), Body: plain.Text(why, maxAnswer), Key: fmt.Sprintf("command %d", line),
	}, true
}

// lost counts the commands that were not run.
func (c *commands) lost() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// firstBytes keeps the beginning of what is written.
type firstBytes []byte

func (b *firstBytes) Write(p []byte) (int, error) {
	*b = append(*b, p[:min(len(p), commandOutput-len(*b))]...)
	return len(p), nil
}
