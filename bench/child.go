package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// childArgument makes this program a child: a process whose memory is measured,
// or that is killed. It is asked one line at a time on its standard input, and
// answers each with a line.
const childArgument = "child"

const slowly = 5 * time.Minute // for the longest task of a child

// process is a child as its parent sees it.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan string // closed when the child's output ends
}

// start runs a child and waits for its first line.
func start(ctx context.Context, args ...string) (p *process, first string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{childArgument}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	p = &process{cmd: cmd, in: in, answers: make(chan string, 16)}
	go func() { // ends with the child, which stop waits for
		defer close(p.answers)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.answers <- lines.Text()
		}
	}()
	if first, err = p.answer(); err != nil {
		p.kill()
		return nil, "", err
	}
	return p, first, nil
}

func (p *process) answer() (string, error) {
	timeout := time.NewTimer(slowly)
	defer timeout.Stop()
	select {
	case line, ok := <-p.answers:
		if !ok {
			return "", errors.New("a child has ended")
		}
		if text, failed := strings.CutPrefix(line, "error "); failed {
			return "", errors.New(text)
		}
		return line, nil
	case <-timeout.C:
		return "", errors.New("a child does not answer")
	}
}

// ask gives the child a task and waits until it is done.
func (p *process) ask(task string) error {
	if _, err := fmt.Fprintln(p.in, task); err != nil {
		return err
	}
	_, err := p.answer()
	return err
}

// stop has the child end by itself.
func (p *process) stop() {
	p.in.Close()
	p.join()
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.join()
}

func (p *process) join() {
	for range p.answers {
	}
	p.cmd.Wait() // a child that was killed is no success; others have said what was wrong
}

// memory is what the process has in RAM, in KB, after it gave back what it
// does not need.
func (p *process) memory() (float64, error) {
	if err := p.ask("free"); err != nil {
		return 0, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			return strconv.ParseFloat(fields[1], 64)
		}
	}
	return 0, errors.New("no VmRSS")
}

// child is the main function of the other processes.
func child(ctx context.Context) error {
	if err := manyFiles(); err != nil {
		return err
	}
	if len(os.Args) != 5 {
		return errors.New("a child is started by its parent only")
	}
	s := systems()[0]
	if os.Args[3] == systems()[1].name {
		s = systems()[1]
	}
	switch role, addr := os.Args[2], os.Args[4]; role {
	case "server":
		return serverChild(s, addr)
	case "clients":
		return clientsChild(ctx, s, addr)
	default:
		return fmt.Errorf("no child is a %q", role)
	}
}

// answerTasks says hello, and does what is asked until the input ends.
func answerTasks(hello string, do func(task string) error) error {
	fmt.Println(hello)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := do(lines.Text()); err != nil {
			fmt.Println("error", err)
			continue
		}
		fmt.Println("done")
	}
	return lines.Err()
}

// manyFiles allows this process as many open files as there may be.
func manyFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
