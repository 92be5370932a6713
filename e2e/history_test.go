//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
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

		// A file that says so ends it.
		tray = d.tray(t, a.process)
		tray.await(t, "Open history", enabled)
		d.write(t, "config/sigalert/config.yaml", timer(s)+"history: false\n")
		tray.await(t, "Open history", disabled)
		if _, err := http.Get(url[1] + "/healthz"); err == nil {
			t.Error("it is still served")
		}
	})
}

// A click on the digest of a pause opens the page with what was held back, where nothing
// is read until somebody marks it so or folds it out; all pages and the agent agree.
func TestHistoryMarks(t *testing.T) {
	t.Parallel()
	d := newBareDesktop(t)
	bin := program(t)
	opened := d.fakeEditor(t)
	d.startNotifications(t)
	s := d.serve(t, bin)
	a := d.startAgent(t, bin, timer(s)+"history: {token: a-secret-of-this-test}\n")
	a.await(t, subscribedLine)
	d.alerts(t, s, "timer", "tick")
	d.closeNotifications(t) // which is to have read it
	d.ask(t, bin, 0, "pause")
	for _, data := range []string{"one", "two", "three"} {
		s.send(t, "timer", "tick", data)
	}
	var status struct {
		Held   int `json:"held_back"`
		Unread int
	}
	ask := func() { check(t, json.Unmarshal([]byte(d.ask(t, bin, 0, "status", "--json")), &status)) }
	eventually(t, "three are held back", func() bool { ask(); return status.Held == 3 })
	d.ask(t, bin, 0, "resume")
	d.mon.next(t).is(t, "3 alerts while paused", "timer: tick ×3 (last: three)")
	d.clickWith(t, "2", d.window(t, "Dunst", 10)) // the middle button, by its default settings
	var link string
	eventually(t, "the history is opened", func() bool {
		text, _ := os.ReadFile(opened)
		link = strings.TrimSpace(string(text))
		return strings.HasSuffix(link, "&outcome=held+back")
	})

	b := newBrowser(t)
	p, q := b.newTab(t), b.newTab(t)
	p.visit(t, link)
	p.until(t, "the page is live", `live.textContent === "Live"`)
	p.shows(t, "timer | tick | three", "timer | tick | two", "timer | tick | one")
	unread := func(p *tab, want ...string) {
		t.Helper()
		p.until(t, fmt.Sprintf("%q are unread", want), fmt.Sprintf(
			`[...document.querySelectorAll("#log .unread")].map((row) => row.querySelector(".excerpt").textContent).join(" ") === %q`, strings.Join(want, " ")))
		eventually(t, "the agent agrees", func() bool { ask(); return status.Unread == len(want) })
	}
	unread(p, "two", "one") // the click was on the last
	q.visit(t, strings.SplitAfter(link, "/?")[0]+"token=a-secret-of-this-test")
	q.until(t, "the page is live", `live.textContent === "Live"`)
	unread(q, "two", "one")

	evaluate[bool](t, p, `document.querySelector("#log .unread button").focus(), true`)
	p.press(t, kb.Enter)
	unread(p, "one")
	unread(q, "one")
	p.until(t, "the focus is on the row", `document.activeElement.matches("summary") && document.activeElement.closest("li").textContent.includes("two")`)
	q.click(t, "#log .unread summary")
	unread(q)
	unread(p)

	s.send(t, "timer", "tick", "four")
	q.until(t, "it waits while a row is folded out", `!fresh.hidden`)
	q.click(t, "#fresh")
	unread(q, "four")
	q.click(t, ".news button")
	unread(q)
	p.calm(t, link)
}

// A port that another program has is reported and waited for; meanwhile the alerts
// are kept.
func TestHistoryWaitsForItsPort(t *testing.T) {
	t.Parallel() // it waits 10 s
	d := newDesktop(t)
	bin := program(t)
	s := d.serve(t, bin)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	addr := other.Addr().String()
	a := d.startAgent(t, bin, timer(s)+fmt.Sprintf("history: {listen: '%s', token: a-secret-of-this-test}\n", addr))
	told := d.mon.next(t)
	told.says(t, "The history's page cannot be shown yet", addr+" is in use by another program", "choose another history.listen in "+a.config)
	a.await(t, subscribedLine)
	d.alerts(t, s, "timer", "tick")

	other.Close()
	over := d.mon.next(t)
	over.says(t, "The history's page can be shown now", "http://"+addr+"/")
	if over.replaces != told.id {
		t.Errorf("%v does not replace %v", over, told)
	}
	page := "http://" + addr + "/?fmt=plain&token=a-secret-of-this-test"
	eventually(t, "the alert is in the history", func() bool {
		status, text := newReader(t).get(t, page)
		return status == 200 && strings.HasSuffix(text, "timer: tick \"an event\" [shown]\n")
	})
}

// With other settings of its own the history has the same entries, and misses
// none.
func TestHistoryWithOtherSettings(t *testing.T) {
	h := newHome(t)
	bin := program(t)
	s := h.serve(t, bin)
	a := h.startAgent(t, bin, timer(s)+"history: {listen: '127.0.0.1:0', token: a-token-for-this-test-0}\n")
	pages := regexp.MustCompile(`msg=history url=(\S+)`)
	awaitPage := func(n int) (url string) { // the other lines come in any order
		eventually(t, fmt.Sprintf("there is page %d", n), func() bool {
			all := pages.FindAllStringSubmatch(a.text(), -1)
			if len(all) == n {
				url = all[n-1][1]
			}
			return url != "" && strings.Contains(a.text(), "msg=subscribed")
		})
		return url
	}
	url := awaitPage(1)
	const rounds = 5
	for i := range rounds {
		h.write(t, "config/sigalert/config.yaml", timer(s)+fmt.Sprintf("history: {listen: '127.0.0.1:0', token: a-token-for-this-test-%d, allowed_hosts: [h%d.example]}\n", i+1, i+1))
		for range 4 { // some before the save has taken force, and some after
			s.send(t, "timer", "tick", "an event")
		}
		url = awaitPage(i + 2)
	}
	request, err := http.NewRequest("GET", fmt.Sprintf("%s?fmt=plain&token=a-token-for-this-test-%d", url, rounds), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = fmt.Sprintf("h%d.example", rounds)
	eventually(t, "all alerts are in the history", func() bool {
		status, text := newReader(t).do(t, request)
		return status == 200 && strings.Count(text, "timer: tick") == 4*rounds
	})
}

// An alert that waits is in the history once it is decided, and once only, whenever the
// agent is killed.
func TestHistoryOfWhatWaits(t *testing.T) {
	const waits = 3 * time.Second
	for name, after := range map[string]time.Duration{
		"before it is remembered":   200 * time.Millisecond,
		"while it waits":            waits - time.Second,
		"just after it was shown":   waits + 200*time.Millisecond,
		"after that was remembered": waits + 2*time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			bin := program(t)
			s := h.serve(t, bin)
			config := "server: " + s.addr + "\nsubscriptions: [{sender: timer, event: tick, for: 3s}]\n"
			a := h.startAgent(t, bin, config)
			a.await(t, subscribedLine)
			time.Sleep(1500 * time.Millisecond) // the first write
			s.send(t, "timer", "tick", "an event")
			began := time.Now()
			if after < waits {
				h.explains(t, bin, 1, "held back")
				if text := h.ask(t, bin, 0, "history", "--json"); text != "" {
					t.Errorf("while it waits the history has %s", text)
				}
			}
			time.Sleep(time.Until(began.Add(after)))
			a.kill()
			a = h.startAgent(t, bin, config)
			eventually(t, "it is ready", func() bool {
				return strings.Contains(a.text(), "msg=subscribed") && strings.Contains(a.text(), "msg=history")
			})
			count := func() int { return strings.Count(h.ask(t, bin, 0, "history", "--json"), `"an event"`) }
			eventually(t, "it is in the history", func() bool { return count() > 0 })
			time.Sleep(waits + 3*time.Second) // in which it might come again
			if n := count(); n != 1 {
				t.Errorf("it is there %d times", n)
			}
		})
	}
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
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.do(t, request)
}

func (r reader) do(t testing.TB, request *http.Request) (status int, text string) {
	t.Helper()
	response, err := r.client.Do(request)
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

// shows waits until the log has these lines, each after its time.
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
