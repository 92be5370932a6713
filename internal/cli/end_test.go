//go:build linux

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// fullPipe is a pipe that nobody reads and that holds no byte more.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	for err := error(nil); !errors.Is(err, syscall.EAGAIN); {
		_, err = syscall.Write(fds[1], []byte("x"))
	}
	if err := syscall.SetNonblock(fds[1], false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fds[0]) })
	w := os.NewFile(uintptr(fds[1]), "full")
	t.Cleanup(func() { w.Close() })
	return w
}

// startAgent starts an agent without a server or a desktop, and waits until it
// takes signals.
func startAgent(t *testing.T, stderr *os.File) (cmd *exec.Cmd, ended <-chan error) {
	t.Helper()
	return startAgentOn(t, nil, stderr)
}

// startAgentOn starts it in a session of its own; terminal, if not nil, is that
// session's.
func startAgentOn(t *testing.T, terminal, stderr *os.File) (cmd *exec.Cmd, ended <-chan error) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte("server: 127.0.0.1:1\nsubscriptions: [{sender: a}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command("sigalert", "--config", config)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "GORACE=atexit_sleep_ms=0"}
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if terminal != nil {
		cmd.Stdin, cmd.SysProcAttr.Setctty = terminal, true
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "sigalert.lock")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not start")
		}
	}
	return cmd, done
}

func endsWell(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
}

// The first SIGTERM ends an agent whose log nobody reads.
func TestAgentWhoseLogNobodyReads(t *testing.T) {
	cmd, ended := startAgent(t, fullPipe(t))
	time.Sleep(500 * time.Millisecond) // it has things to say by then
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	endsWell(t, ended)
}

// A logout may send both; the second must not cut the end short.
func TestAgentAtALogout(t *testing.T) {
	cmd, ended := startAgent(t, fullPipe(t)) // so the end takes a second
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	endsWell(t, ended)
}

// The end of its terminal ends the agent too.
func TestAgentWhoseTerminalEnds(t *testing.T) {
	ours, its := terminal(t)
	_, ended := startAgentOn(t, its, fullPipe(t))
	its.Close()
	ours.Close()
	endsWell(t, ended)
}

// Any other hangup is somebody's who asks for a reload, in a terminal and without.
func TestHangupReloads(t *testing.T) {
	_, its := terminal(t)
	for name, terminal := range map[string]*os.File{"terminal": its, "no terminal": nil} {
		t.Run(name, func(t *testing.T) {
			log, err := os.Create(filepath.Join(t.TempDir(), "log"))
			if err != nil {
				t.Fatal(err)
			}
			cmd, ended := startAgentOn(t, terminal, log)
			says(t, log, "configuration in force")
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			says(t, log, "Configuration reloaded | 1 subscription at 127.0.0.1:1")
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			endsWell(t, ended)
		})
	}
}

// So does it end those who wait for their reader.
func TestWhoseOutputNobodyReads(t *testing.T) {
	l, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := sig.NewServerRouter(nil)
	defer wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, l) })()
	sender, err := server.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][2]*os.File{
		"output": {fullPipe(t), nil}, "both": {fullPipe(t), fullPipe(t)},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sigalert", "listen", "--server", l.Addr())
			cmd.Stdout, cmd.Stderr = files[0], files[1]
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			for range 50 { // it has things to print by then
				if err := sender.Trigger("tick", nil); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Millisecond)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			endsWell(t, ended)
		})
	}
}

func says(t *testing.T, log *os.File, what string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(log.Name())
		if strings.Contains(string(text), what) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log has no %q, %v:\n%s", what, err, text)
		}
	}
}

// terminal opens a terminal: our side of it, and a program's.
func terminal(t *testing.T) (ours, its *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { ours.Close() })
	var locked, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &locked, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	its, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { its.Close() })
	return ours, its
}
