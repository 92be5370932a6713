//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"
)

// The history says of each alert whether it was shown, and if not, why. The tray
// opens it, and it outlives the agent.
func TestHistory(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		s := d.serve(t, bin)
		opened := d.fakeEditor(t)
		a := d.startAgent(t, bin, timer(s)+"history: {listen: '127.0.0.1:0'}\n")
		tray := d.tray(t, a.process)
		tray.is(t, s.connected(1))
		tray.await(t, "Open history", enabled)
		_, url := a.await(t, `msg=history url=(http://127\.0\.0\.1:\d+)/`)

		d.alerts(t, s, "timer", "tick")
		d.choose(t, tray, "Pause alerts")
		tray.await(t, "Pause alerts", checked)
		s.send(t, "timer", "tick", "while paused")
		tray.is(t, "Paused, 1 held back")

		reader := newReader(t)
		if status, text := reader.get(t, url[1]+"/?fmt=plain"); status != 401 {
			t.Errorf("without a key: %d %s", status, text)
		}
		d.choose(t, tray, "Open history")
		var link string
		eventually(t, "the history is opened", func() bool {
			text, _ := os.ReadFile(opened)
			link = strings.TrimSpace(string(text))
			return strings.HasPrefix(link, url[1]+"/?key=")
		})
		if status, page := reader.get(t, link); status != 200 || !strings.Contains(page, "sigalert history") || !strings.Contains(page, a.config) {
			t.Errorf("with the key: %d %s", status, page)
		}
		if status, _ := newReader(t).get(t, link); status != 401 {
			t.Errorf("with the key again: %d", status)
		}
		want := "timer: tick \"while paused\" [held back: paused]\ntimer: tick \"an event\" [shown]\n"
		reader.shows(t, url[1], want)

		// The same port, as the session is of it.
		a.terminate(t)
		a = d.startAgent(t, bin, timer(s)+"history: {listen: '"+strings.TrimPrefix(url[1], "http://")+"'}\n")
		a.await(t, `msg=history url=`)
		reader.shows(t, url[1], want)

		// A file without it ends it.
		tray = d.tray(t, a.process)
		tray.await(t, "Open history", enabled)
		d.write(t, "config/sigalert/config.yaml", timer(s))
		tray.await(t, "Open history", disabled)
		if _, err := http.Get(url[1] + "/healthz"); err == nil {
			t.Error("it is still served")
		}
	})
}

// A port that another has is waited for, and told of.
func TestHistoryWaitsForItsPort(t *testing.T) {
	d := newDesktop(t)
	bin := program(t)
	s := d.serve(t, bin)
	a := d.startAgent(t, bin, timer(s)+fmt.Sprintf("history: {listen: '%s'}\n", s.addr))
	d.mon.next(t).says(t, "There is no history", "address already in use")
	a.await(t, subscribedLine)
	d.alerts(t, s, "timer", "tick")
}

// reader is a browser without a window.
type reader struct{ client *http.Client }

func newReader(t testing.TB) reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return reader{&http.Client{Jar: jar, Timeout: patience}}
}

func (r reader) get(t testing.TB, url string) (status int, text string) {
	t.Helper()
	response, err := r.client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// shows waits until the log has these lines, each behind its time.
func (r reader) shows(t testing.TB, url, want string) {
	t.Helper()
	got := ""
	defer func() {
		if t.Failed() {
			t.Logf("the log:\n%s\nwant:\n%s", got, want)
		}
	}()
	eventually(t, "the history is as it should be", func() bool {
		_, text := r.get(t, url+"/?fmt=plain")
		got = ""
		for line := range strings.Lines(text) {
			got += line[min(len(time.DateTime)+len(".000 "), len(line)):]
		}
		return got == want
	})
}
