//go:build linux

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigalert/sig"
)

// shell is an interactive shell at a terminal of its own.
type shell struct {
	keys   *os.File
	screen *os.File // a file that has all that was printed
}

func startShell(t *testing.T, addr string, args ...string) *shell {
	t.Helper()
	ours, its := terminal(t)
	screen, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "TERM=dumb", "SIGALERT_SERVER=" + addr, "GORACE=atexit_sleep_ms=0"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = its, its, its
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		_, _ = screen.ReadFrom(ours)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		its.Close()
		ours.Close()
		<-printed
		screen.Close()
	})
	return &shell{ours, screen}
}

func (s *shell) types(t *testing.T, keys string) {
	t.Helper()
	if _, err := s.keys.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// At a terminal, the command has it, gets its keys once, and can be stopped.
func TestRunAtATerminal(t *testing.T) {
	t.Parallel()
	addr, _ := startRouter(t)
	s := startShell(t, addr, "bash", "--norc", "-i")
	s.types(t, `sigalert run -- sh -c 'trap "echo IN""T" INT; test -t 0 && test -t 1 && test -t 2 && echo te""rminal; while :; do sleep 0.05; done'`+"\n")
	says(t, s.screen, "terminal\r\n")
	s.types(t, "\x03")
	says(t, s.screen, "INT\r\n")
	s.types(t, "\x1a")
	says(t, s.screen, "Stopped")
	s.types(t, "fg\n")
	says(t, s.screen, "fg\r\n")
	time.Sleep(300 * time.Millisecond) // a second INT would have come by now
	text, err := os.ReadFile(s.screen.Name())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "INT\r\n"); n != 1 {
		t.Errorf("Ctrl+C came %d times:\n%s", n, text)
	}
	s.types(t, "\x1c")
	s.types(t, "echo co''de $?\n")
	says(t, s.screen, "code 131\r\n")
}

// block is an example in docs/run.md, with two seconds in place of thirty.
func block(t *testing.T, language string) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/run.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(doc), "```"+language+"\n")
	code, _, closed := strings.Cut(code, "```")
	if !ok || !closed {
		t.Fatalf("docs/run.md has no example in %s", language)
	}
	return strings.Replace(code, " 30", " 2", 1)
}

// hear passes on what a sender of this name publishes, as "event data".
func hear(t *testing.T, server *sig.ServerRouter, sender sig.Name) <-chan string {
	t.Helper()
	events := make(chan string, 100)
	server.AddListener(sender, "", func(ev sig.Event) {
		text, _ := ev.Data.JSON()
		events <- string(ev.Event) + " " + string(text)
	})
	return events
}

func hears(t *testing.T, events <-chan string, want string) {
	t.Helper()
	select {
	case got := <-events:
		if !strings.HasPrefix(got, want) {
			t.Fatalf("%s, not %s", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("no %s", want)
	}
}

// After a command that could not be started, too, a signal ends the wait for its report.
func TestSignalWithoutACommand(t *testing.T) {
	c := newChild([]string{"./none"}, false)
	defer c.release()
	if end := c.wait(c.start()); end.code != 127 {
		t.Errorf("exit code %d", end.code)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.signalled:
	case <-time.After(10 * time.Second):
		t.Error("the signal went unnoticed")
	}
}

// The hooks tell when a long command ends, and of nothing else.
func TestShellHooks(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		args []string
	}{
		"bash": {"", []string{"bash", "--rcfile", "FILE", "-i"}},
		"zsh":  {".zshrc", []string{"env", "ZDOTDIR=FOLDER", "zsh", "-i"}},
		"fish": {"config.fish", []string{"fish", "--no-config", "-i", "-C", "source FILE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needProgram(t, name)
			dir := t.TempDir()
			file := filepath.Join(dir, tc.file+"rc")
			if tc.file != "" {
				file = filepath.Join(dir, tc.file)
			}
			if err := os.WriteFile(file, []byte(block(t, name)+"echo rea''dy\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			for i, arg := range tc.args {
				tc.args[i] = strings.NewReplacer("FILE", file, "FOLDER", dir).Replace(arg)
			}
			addr, server := routerItself(t)
			events := hear(t, server, "shell")
			s := startShell(t, addr, tc.args...)
			says(t, s.screen, "ready")
			s.types(t, "true\n")
			s.types(t, "sleep 3.1\n")
			hears(t, events, `finished "sleep 3.1: exit code 0 after `)
			s.types(t, "sh -c 'sleep 3.1; exit 3'\n")
			hears(t, events, `failed "sh -c 'sleep 3.1; exit 3': exit code 3 after `)
			s.types(t, "true\n")
			time.Sleep(200 * time.Millisecond)
			if len(events) > 0 {
				t.Errorf("too much: %s", <-events)
			}
		})
	}
}

// The line for cron, as cron runs it.
func TestCronLine(t *testing.T) {
	addr, server := routerItself(t)
	events := hear(t, server, "backup")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rsync"), []byte("#!/bin/sh\necho broken\nexit 23\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	env := []string{"HOME=" + dir, "SHELL=/bin/sh", "SIGALERT_SERVER=" + addr}
	var command string
	for line := range strings.Lines(block(t, "cron")) {
		if fields := strings.Fields(line); len(fields) > 5 {
			command = strings.Join(fields[5:], " ")
		} else if line = strings.TrimSpace(line); strings.HasPrefix(line, "PATH=") {
			env = append(env, "PATH="+dir+":"+os.Getenv("PATH")+":"+line[len("PATH="):])
		}
	}
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Env = env
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 23 || string(text) != "broken\n" {
		t.Fatalf("%v: %s", err, text)
	}
	hears(t, events, `failed {"message":"rsync -a /home /mnt/backup: failed with exit code 23 after 0.`)
}
