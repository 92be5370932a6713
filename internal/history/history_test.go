package history

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/eventlog"
	"sigalert/internal/wait"
	"sigalert/sig"
)

// historyBench is a history, and what it tells.
type historyBench struct {
	*History
	path string
	end  func()

	mu    sync.Mutex // guards the fields below
	told  []notify.Notification
	lines bytes.Buffer
}

func (b *historyBench) Tell(n notify.Notification) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, n)
}

func (b *historyBench) Status() agent.Status { return agent.Status{} }

func (b *historyBench) MarkRead() {}

func (b *historyBench) Unread() map[int]sig.Event { return nil }

func (b *historyBench) Respond(notify.Response) {}

func (b *historyBench) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.Write(line)
}

// runHistory runs a history until end is called.
func runHistory(t *testing.T) *historyBench {
	t.Helper()
	b := &historyBench{path: filepath.Join(t.TempDir(), "history.db")}
	b.History = New(Options{
		Path:    b.path,
		Config:  "c.yaml",
		Changed: func() {},
		Logger:  slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	b.delay = 20 * time.Millisecond
	b.end = wait.Start(t.Context(), func(ctx context.Context) { b.Run(ctx, b) })
	t.Cleanup(b.end)
	return b
}

func (b *historyBench) wants(h *config.History) { b.Configured(&config.Config{History: h}) }

func (b *historyBench) alert(n int) {
	data := sig.JSONData(fmt.Append(nil, n))
	b.Alerted(agent.Alert{Event: sig.Event{Sender: "timer", Event: "tick", Data: data, Time: time.Now()}})
}

func (b *historyBench) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.mu.Lock()
			defer b.mu.Unlock()
			t.Fatalf("never: %s\n%s", what, &b.lines)
		}
	}
}

func (b *historyBench) pageIsThere(t *testing.T) (url string) {
	t.Helper()
	b.await(t, "the page is there", func() bool {
		link := b.Link()
		url, _, _ = strings.Cut(link, "?")
		return link != ""
	})
	return url
}

// tells are the notifications so far, title and text.
func (b *historyBench) tells() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all strings.Builder
	for _, n := range b.told {
		fmt.Fprintf(&all, "%s: %s: %s\n", n.Key, n.Title, n.Body)
	}
	return all.String()
}

func (b *historyBench) tellsOnly(t *testing.T, want string) {
	t.Helper()
	if got := b.tells(); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

func (b *historyBench) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.String()
}

// kept ends the history, and returns how much of it there is.
func (b *historyBench) kept(t *testing.T) (n int, limits eventlog.Limits) {
	t.Helper()
	b.end()
	log, err := eventlog.Open(&eventlog.Options{Path: b.path})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	return log.State().Count(), log.Limits()
}

func anyPort() *config.History { return &config.History{Listen: "127.0.0.1:0", MaxEntries: 10_000} }

// Whatever changes of the page and the limits, the log takes every alert.
func TestHistoryMissesNothing(t *testing.T) {
	t.Parallel()
	b := runHistory(t)
	changes := []func(*config.History){
		func(h *config.History) {},
		func(h *config.History) { h.Listen = "localhost:0" },
		func(h *config.History) { h.Token = "secret" },
		func(h *config.History) { h.MaxEntries = 5000 },
		func(h *config.History) { h.Retention = 24 * time.Hour },
		func(h *config.History) { h.AllowedHosts = []string{"log.example"} },
	}
	const rounds, alerts = 3, 20
	n := 0
	for range rounds {
		for _, change := range changes {
			c := anyPort()
			change(c)
			b.wants(c)
			for range alerts {
				b.alert(n)
				n++
				time.Sleep(time.Millisecond)
			}
		}
	}
	b.await(t, "the last limits are in force", func() bool {
		log, _ := b.wanted()
		return log.Limits() == eventlog.Limits{Count: 10_000}
	})
	if got, _ := b.kept(t); got != n {
		t.Errorf("%d of %d alerts", got, n)
	}
	b.tellsOnly(t, "")
}

// Other limits leave the page alone, as does the same once more.
func TestHistoryKeepsItsPage(t *testing.T) {
	t.Parallel()
	b := runHistory(t)
	b.wants(anyPort())
	url := b.pageIsThere(t)
	c := anyPort()
	c.MaxEntries, c.Retention = 7, time.Hour
	b.wants(c)
	b.wants(&config.History{Listen: c.Listen, MaxEntries: c.MaxEntries, Retention: c.Retention})
	b.await(t, "the limits are in force", func() bool {
		log, _ := b.wanted()
		return log.Limits() == eventlog.Limits{Count: 7, Age: time.Hour}
	})
	if again := b.pageIsThere(t); again != url {
		t.Errorf("it was at %s, and is at %s", url, again)
	}
	c = anyPort()
	c.AllowedHosts = []string{"log.example"}
	b.wants(c)
	b.await(t, "another page", func() bool { return strings.Count(b.logged(), "msg=history") == 2 })
	url = b.pageIsThere(t)
	for host, want := range map[string]string{
		"log.example":   "401 open this page from the tray's menu",
		"other.example": `421 this log is not known as "other.example": use the machine's address, or add it to history.allowed_hosts in the agent's configuration`,
	} {
		request, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if got := fmt.Sprintf("%d %s", response.StatusCode, text); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, %v", host, got, err)
		}
	}
}

// What comes while there is no log waits for it, and what does not fit is
// counted.
func TestHistoryWaitsForItsFile(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, eventlog.MaxWaiting, eventlog.MaxWaiting + 42} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			b := runHistory(t)
			other, err := eventlog.Open(&eventlog.Options{Path: b.path})
			if err != nil {
				t.Fatal(err)
			}
			b.wants(anyPort())
			told := "history: Alerts are not being kept yet: " + b.path + " is in use by another process\nTrying again every few seconds; until then up to 4096 alerts wait.\n"
			b.await(t, "it is told", func() bool { return b.tells() != "" })
			for i := range n {
				b.alert(i)
			}
			b.await(t, "it is tried again", func() bool { return strings.Contains(b.logged(), "level=DEBUG msg=\"still cannot open the log\"") })
			b.tellsOnly(t, told)
			if err := other.Close(); err != nil {
				t.Fatal(err)
			}
			b.pageIsThere(t)
			missing := ""
			if n > eventlog.MaxWaiting {
				missing = "42 were lost, because too many were waiting."
			}
			b.tellsOnly(t, told+"history: Alerts are being kept now: "+missing+"\n")
			if got, _ := b.kept(t); got != min(n, eventlog.MaxWaiting) {
				t.Errorf("%d of %d alerts", got, n)
			}
		})
	}
}

// Limits that were corrected while another had the file are the only ones that
// remove anything.
func TestHistoryCorrectsItsLimits(t *testing.T) {
	t.Parallel()
	for name, correct := range map[string]func(b *historyBench, h *config.History){
		"corrected":               (*historyBench).wants,
		"switched off and on too": func(b *historyBench, h *config.History) { b.wants(nil); b.wants(h) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := runHistory(t)
			other, err := eventlog.Open(&eventlog.Options{Path: b.path, Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			const alerts = 500
			for range alerts {
				other.Offer(eventlog.Entry{Sender: "timer", Event: "tick", Data: []byte("1"), Time: time.Now()})
			}
			stop := wait.Start(t.Context(), other.Run)
			b.await(t, "the file has alerts", func() bool { return other.State().Count() == alerts })
			c := anyPort()
			c.MaxEntries = 10
			b.wants(c)
			b.await(t, "it is told", func() bool { return b.tells() != "" })
			correct(b, &config.History{Listen: c.Listen, MaxEntries: 1000})
			stop()
			if err := other.Close(); err != nil {
				t.Fatal(err)
			}
			b.pageIsThere(t)
			if n, limits := b.kept(t); n != alerts || limits.Count != 1000 {
				t.Errorf("%d of %d alerts, with %+v", n, alerts, limits)
			}
		})
	}
}

// A port that another has is told of once, and waited for; the alerts are kept.
func TestHistoryWaitsForItsPort(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	b := runHistory(t)
	c := anyPort()
	c.Listen = other.Addr().String()
	b.wants(c)
	told := "history: The history's page cannot be shown yet: " + c.Listen +
		" is in use by another program: choose another history.listen in c.yaml\nAlerts are being kept, and the page will come as soon as it can.\n"
	b.await(t, "it is tried again", func() bool { return strings.Contains(b.logged(), "level=DEBUG msg=\"The history's page") })
	b.alert(1)
	b.tellsOnly(t, told)
	if b.Shown() {
		t.Error("there is a page")
	}
	other.Close()
	b.pageIsThere(t)
	b.await(t, "it is told", func() bool { return b.tells() != told })
	b.tellsOnly(t, told+"history: The history's page can be shown now: It is at http://"+c.Listen+"/, and \"Open history\" in the tray's menu opens it.\n")
	if got, _ := b.kept(t); got != 1 {
		t.Errorf("%d alerts", got)
	}
}

// A configuration that takes force ends the wait for the next attempt.
func TestHistoryTriesAtOnceWhatIsConfigured(t *testing.T) {
	t.Parallel()
	b := runHistory(t)
	b.delay = time.Hour // nothing reads it before a page is wanted
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c := anyPort()
	c.Listen = other.Addr().String()
	b.wants(c)
	b.await(t, "it is told", func() bool { return b.tells() != "" })
	other.Close()
	same := *c
	b.wants(&same)
	b.pageIsThere(t)
}

// What is alerted until the end is kept, however often the history was switched on
// before that.
func TestHistoryKeepsWhatComesLast(t *testing.T) {
	t.Parallel()
	for times := range 4 {
		b := runHistory(t)
		for n := range times {
			b.wants(nil)
			b.wants(anyPort())
			b.alert(n)
		}
		if got, _ := b.kept(t); got != times {
			t.Errorf("%d of %d alerts are kept:\n%s", got, times, b.logged())
		}
		b.tellsOnly(t, "")
	}
}

// Switched off, nothing is kept, and nothing waits.
func TestHistoryOff(t *testing.T) {
	t.Parallel()
	b := runHistory(t)
	b.alert(0)
	b.wants(anyPort())
	b.pageIsThere(t)
	b.alert(1)
	b.wants(nil)
	b.await(t, "the page has gone", func() bool { return !b.Shown() })
	b.alert(2)
	b.wants(anyPort())
	b.alert(3)
	b.pageIsThere(t)
	if got, _ := b.kept(t); got != 2 {
		t.Errorf("%d alerts are kept", got)
	}
}
