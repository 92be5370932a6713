//go:build linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// line is one line of a process's output.
type line struct {
	text  string
	err   bool // on standard error
	after time.Duration
}

// process is a command that the test owns: it ends with the test, and its
// output is shown if the test fails.
type process struct {
	name   string
	cmd    *exec.Cmd
	lines  *feed[line]
	exited chan struct{} // closed when it has ended and all its output is in lines
	code   int           // valid once exited is closed; -1 if a signal ended it
	seen   int           // lines that await has passed; the test's goroutine only
}

// start starts a command with this environment and nothing else of ours.
func start(t testing.TB, env []string, argv ...string) *process {
	t.Helper()
	return startWith(t, env, nil, argv...)
}

// startWith also passes one open file, as descriptor 3.
func startWith(t testing.TB, env []string, file *os.File, argv ...string) *process {
	t.Helper()
	p := &process{
		name:   argv[0][strings.LastIndexByte(argv[0], '/')+1:],
		cmd:    exec.Command(argv[0], argv[1:]...),
		lines:  newFeed[line](),
		exited: make(chan struct{}),
	}
	began := time.Now()
	writer := func(isErr bool) *lineWriter {
		return &lineWriter{emit: func(s string) { p.lines.add(line{s, isErr, time.Since(began)}) }}
	}
	stdout, stderr := writer(false), writer(true)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, stdout, stderr
	if file != nil {
		p.cmd.ExtraFiles = []*os.File{file}
	}
	// A grandchild that keeps the output open must not keep us waiting.
	p.cmd.WaitDelay = 2 * time.Second
	if err := startOwned(p.cmd); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	go func() {
		defer close(p.exited)
		if err := p.cmd.Wait(); err != nil && p.cmd.ProcessState == nil {
			stderr.emit("wait: " + err.Error())
		}
		stdout.flush()
		stderr.flush()
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		p.end()
		if p.showsToken() {
			t.Errorf("%s has written a token to standard error", p.name)
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", strings.Join(append([]string{p.name}, argv[1:]...), " "), p.text())
		}
	})
	return p
}

// end asks the process to end, then makes it.
func (p *process) end() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(5 * time.Second):
		p.kill()
	}
}

// kill ends it as a crash would, and returns when it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// text returns all output so far.
func (p *process) text() string {
	lines, _ := p.lines.from(0)
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "  %7.3f %s\n", l.after.Seconds(), l.text)
	}
	return b.String()
}

var aToken = regexp.MustCompile(`sigalert_[A-Za-z0-9_-]{43}`)

// showsToken reports whether a log or an error has a token. Standard output is for those that
// were asked for.
func (p *process) showsToken() bool {
	lines, _ := p.lines.from(0)
	return slices.ContainsFunc(lines, func(l line) bool { return l.err && aToken.MatchString(l.text) })
}

// stdout returns the lines of standard output so far.
func (p *process) stdout() []string {
	lines, _ := p.lines.from(0)
	var out []string
	for _, l := range lines {
		if !l.err {
			out = append(out, l.text)
		}
	}
	return out
}

// await returns the next line that matches, with its submatches, and passes it.
func (p *process) await(t testing.TB, pattern string) (line, []string) {
	t.Helper()
	l, m := p.within(patience, pattern)
	if m == nil {
		select {
		case <-p.exited:
			t.Fatalf("%s ended (%d) without a line that matches %q", p.name, p.code, pattern)
		default:
			t.Fatalf("no line of %s matches %q within %v", p.name, pattern, patience)
		}
	}
	return l, m
}

// pass passes all lines that are there.
func (p *process) pass() {
	lines, _ := p.lines.from(0)
	p.seen = len(lines)
}

func (p *process) within(d time.Duration, pattern string) (line, []string) {
	re := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	go func() {
		select {
		case <-p.exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	l, n, ok := p.lines.wait(ctx, p.seen, func(l line) bool { return re.MatchString(l.text) })
	if !ok {
		return line{}, nil
	}
	p.seen = n + 1
	return l, re.FindStringSubmatch(l.text)
}

// wait waits for the process to end by itself and returns its exit code.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		t.Fatalf("%s has not ended within %v", p.name, patience)
	}
	return p.code
}

// running fails the test if the process has ended.
func (p *process) running(t testing.TB) {
	t.Helper()
	select {
	case <-p.exited:
		t.Fatalf("%s has ended with %d", p.name, p.code)
	default:
	}
}

// terminate ends it as a logout does and returns its exit code.
func (p *process) terminate(t testing.TB) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	return p.wait(t)
}

// memory returns a field of /proc/PID/status in MiB, such as VmRSS or VmHWM.
func (p *process) memory(t testing.TB, field string) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid()))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + field + `:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no %s of %s", field, p.name)
	}
	kb, _ := strconv.Atoi(string(m[1]))
	return float64(kb) / 1024
}

// descriptors returns how many the process has open.
func (p *process) descriptors(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid()))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// cpu returns the time that the process has used, in ticks of 10 ms.
func (p *process) cpu(t testing.TB) int {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid()))
	if err != nil {
		t.Fatal(err)
	}
	// The name in parentheses may hold spaces; user and system time are fields 14 and 15.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}
