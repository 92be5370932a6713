//go:build linux

package systemd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// manager listens where a service reports.
func manager(t *testing.T, name string) (next func() string) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return func() string {
		t.Helper()
		b := make([]byte, 1000)
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestManagerHears(t *testing.T) {
	for what, name := range map[string]string{
		"a path":          filepath.Join(t.TempDir(), "notify"),
		"abstract socket": "@sigalert-test-" + strconv.Itoa(os.Getpid()),
	} {
		t.Run(what, func(t *testing.T) {
			next := manager(t, name)
			m := Find(slog.New(slog.DiscardHandler))
			m.Ready("listening on :3000")
			if got := next(); got != "READY=1\nSTATUS=listening on :3000" {
				t.Errorf("%q", got)
			}
			m.Reload(func() string {
				text, found := strings.CutPrefix(next(), "RELOADING=1\nMONOTONIC_USEC=")
				if micros, err := strconv.Atoi(text); !found || err != nil || micros <= 0 {
					t.Errorf("%q", text)
				}
				return "new"
			})
			if got := next(); got != "READY=1\nSTATUS=new" {
				t.Errorf("%q", got)
			}
			m.Stopping("ending")
			if got := next(); got != "STOPPING=1\nSTATUS=ending" {
				t.Errorf("%q", got)
			}
		})
	}
}

// The watchdog hears of the service only while that is alive.
func TestWatchdog(t *testing.T) {
	next := manager(t, filepath.Join(t.TempDir(), "notify"))
	t.Setenv("WATCHDOG_USEC", "60000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	m := Find(slog.New(slog.DiscardHandler))
	asked := 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go m.Watch(ctx, func(ctx context.Context) error {
		switch asked++; {
		case asked < 3:
			return errors.New("busy")
		case asked == 3:
			<-ctx.Done() // it hangs
			return ctx.Err()
		case asked == 4:
			m.Ready("alive")
			return nil
		}
		cancel()
		return nil
	})
	for _, want := range []string{"READY=1\nSTATUS=alive", "WATCHDOG=1"} {
		if got := next(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}

	t.Setenv("WATCHDOG_PID", "1") // it is for another process
	neverAsked := func(context.Context) error {
		t.Error("asked")
		return nil
	}
	Find(m.log).Watch(t.Context(), neverAsked)
	t.Setenv("WATCHDOG_PID", "")
	t.Setenv("WATCHDOG_USEC", "9223372036854775807") // more than a duration can hold
	Find(m.log).Watch(t.Context(), neverAsked)
}

func TestNoManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	m := Find(nil)
	m.Ready("")
	m.Watch(t.Context(), nil)
	if m.Reload(func() string { return "" }); m != nil {
		t.Error(m)
	}
}

func TestSocket(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	unix, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	us := strconv.Itoa(os.Getpid())
	for _, tc := range []struct {
		name, pid, count string
		from             net.Listener
		err              string // "": none
		none             bool
	}{
		{name: "one", pid: us, count: "1", from: tcp},
		{name: "none", none: true, from: tcp},
		{name: "none, in so many words", pid: us, count: "0", none: true, from: tcp},
		{name: "for another process", pid: "1", count: "1", none: true, from: tcp},
		{name: "several", pid: us, count: "2", from: tcp, err: "systemd passes 2 sockets"},
		{name: "of another kind", pid: us, count: "1", from: unix, err: "takes one of TCP"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("LISTEN_PID", tc.pid)
			t.Setenv("LISTEN_FDS", tc.count)
			t.Setenv("LISTEN_FDNAMES", "x")
			file, err := tc.from.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			l, err := socket(func() *os.File { return file })
			if l != nil {
				defer l.Close()
			}
			switch {
			case tc.err != "":
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Error(err)
				}
			case err != nil || (l == nil) != tc.none:
				t.Error(l, err)
			case l != nil && l.Addr().String() != tcp.Addr().String():
				t.Error(l.Addr())
			}
			if os.Getenv("LISTEN_PID")+os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_FDNAMES") != "" {
				t.Error("other programs would find the variables")
			}
		})
	}
}
