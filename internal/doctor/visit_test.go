package doctor

import (
	"context"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"os"

	"sigalert/eventlog"
	"sigalert/internal/reach"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/gateway"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// What is found at an address, and what is said of it.
func TestVisit(t *testing.T) {
	for _, test := range []struct {
		name       string
		addr       string
		server     Status
		says       string
		http, time Status
	}{
		{"sigalert", aRouter(t), OK, ": sigalert test, with stream, replay, publish", OK, OK},
		{"guarded", aRouterWith(t, nobody{}), Wrong, "not admitted: this server requires a valid token", Note, Note},
		{"pysig", aPysig(t), OK, "a pysig server", Note, Note},
		{"nobody", free(t), Wrong, "nothing listens at 127.0.0.1", Note, Note},
		{"silent", aSilent(t), Wrong, "it hangs, or is another program (no answer within 4 s)", Note, Note},
		{"HTTP", aSite(t, nil), Wrong, "it hangs, or is another program", Note, Note},
		{"no port", "127.0.0.1:99999", Wrong, "127.0.0.1:99999 cannot be reached: ", Note, Note},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), lookTime)
			defer cancel()
			began := time.Now()
			p := visit(ctx, test.addr, reach.Proof{})
			if ctx.Err() != nil {
				t.Errorf("it takes %s", time.Since(began))
			}
			o := with(testOptions, func(o *Options) { o.Server = test.addr })
			if r := o.server(file{}, p, noAgent); r.Status != test.server || !strings.Contains(r.Text, test.says) {
				t.Errorf("want %s %q: %+v", test.server, test.says, r)
			}
			if r := http(p); r.Status != test.http {
				t.Errorf("%+v", r)
			}
			if r := clock(p); r.Status != test.time {
				t.Errorf("%+v", r)
			}
		})
	}
}

// The clock's difference is as exact as the Date of HTTP.
func TestBrowse(t *testing.T) {
	for _, off := range []time.Duration{0, time.Minute, -time.Hour} {
		w := browse(t.Context(), aSite(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.Header().Set("Date", time.Now().Add(off).UTC().Format(nethttp.TimeFormat))
		}), reach.Proof{})
		if w.err != nil || !w.read || w.least > off || w.most < off || w.most-w.least < time.Second || w.most-w.least > 3*time.Second {
			t.Errorf("%s: %+v", off, w)
		}
	}
	for text, want := range map[string]Status{"ok\n": OK, "degraded: the store cannot be written\n": Wrong} {
		w := browse(t.Context(), aSite(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = io.WriteString(w, text) }), reach.Proof{})
		if r := http(place{name: "sigalert", web: w}); r.Status != want {
			t.Errorf("%q: %+v", text, r)
		}
	}
	w := browse(t.Context(), aSite(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) { nethttp.Error(w, "no", nethttp.StatusForbidden) }), reach.Proof{})
	if w.err == nil || w.read {
		t.Errorf("%+v", w)
	}
}

func aRouter(t *testing.T) string { return aRouterWith(t, nil) }

func aRouterWith(t *testing.T, access sig.Access) string {
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := sig.NewServerRouter(&sig.ServerOptions{Name: "sigalert test", Access: access})
	t.Cleanup(wait.Start(context.Background(), func(ctx context.Context) { _ = gateway.Serve(ctx, server, carrier, nil) }))
	return carrier.Addr()
}

// nobody is an Access that admits nobody.
type nobody struct{}

func (nobody) Admit(sig.Caller) (sig.Rights, error) { return nil, errors.New("nobody is admitted") }

func aPysig(t *testing.T) string {
	s, err := sigtest.NewPysigServer("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.Addr()
}

func aSilent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

func aSite(t *testing.T, f nethttp.HandlerFunc) string {
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// A probe that nothing can stop is given up, and the others are not held up.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan int)
		began := time.Now()
		slow := start(t.Context(), lookTime, func(context.Context) int { return <-stuck }, -1)
		soon := start(t.Context(), lookTime, func(context.Context) int { return 1 }, -1)
		late := start(t.Context(), lookTime, func(ctx context.Context) int { <-ctx.Done(); return 2 }, -1)
		if a, b, c := slow(), soon(), late(); a != -1 || b != 1 || c != 2 || time.Since(began) > lookTime+time.Second {
			t.Errorf("%d %d %d after %s", a, b, c, time.Since(began))
		}
		close(stuck)
	})
	if most := readTime + lookTime + 2*grace; most > 9*time.Second {
		t.Errorf("all of it may take %s", most)
	}
}

// A bus that takes connections and answers nothing.
func TestHungBus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no Unix sockets: ", err)
	}
	defer l.Close()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+path)
	t.Setenv("XDG_RUNTIME_DIR", "")
	s := start(t.Context(), 100*time.Millisecond, lookAtSession, session{err: errHangs})()
	if r := bus(s); r.Status != Wrong || !strings.Contains(r.Text, "takes connections and does not answer") {
		t.Errorf("%+v", r)
	}
}

// A history is not changed, and not made.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state", "history.db")
	o := with(testOptions, func(o *Options) { o.History = path })
	expect := func(status Status, text string) {
		t.Helper()
		if r := o.history(file{keeps: true}, lookAtStore(path)); r.Status != status || !strings.Contains(r.Text, text) {
			t.Errorf("want %s %q: %+v", status, text, r)
		}
	}
	expect(OK, "there is nothing in it yet")
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("it made %v", files)
	}
	log := eventlog.New(&eventlog.Options{Path: path})
	stop := wait.Start(t.Context(), log.Run)
	<-log.Opened()
	expect(OK, "can be read and written")
	stop()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	expect(OK, "can be read and written")
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("it changed the file")
	}
	for text, says := range map[string]string{"x": "is damaged", strings.Repeat("x", 20_000): "is damaged"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(Wrong, says)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	expect(Wrong, "is not a file")
}

// The whole, on a machine that has nothing.
func TestExamineNothing(t *testing.T) {
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "HOME"} {
		t.Setenv(name, t.TempDir())
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	o := testOptions
	o.Config, o.Server, o.Local = filepath.Join(t.TempDir(), "config.yaml"), "", free(t)
	o.Agent = func(context.Context) (Agent, error) { return Agent{}, ErrNoAgent }
	var names []string
	for _, r := range Examine(t.Context(), o) {
		names = append(names, r.Name+" "+string(r.Status))
	}
	want := "config note, server note, router note, http note, clock note, agent wrong, bus wrong, notifications note, do-not-disturb note, tray note, autostart note, history ok"
	if native {
		want = "config note, server note, router note, http note, clock note, agent wrong, notifications note, autostart note, history ok"
	}
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
