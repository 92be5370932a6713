//go:build linux

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// logPage is a running "sigalert log".
type logPage struct {
	*process
	*server
	url string
}

// log starts a log of the server's events.
func (s *server) log(t testing.TB, args ...string) *logPage {
	t.Helper()
	p := start(t, s.home.env, append([]string{s.bin, "log", "--server", "tcp://" + s.addr, "--listen", "127.0.0.1:0"}, args...)...)
	_, m := p.await(t, `^(http://127\.0\.0\.1:\d+/)$`)
	return &logPage{p, s, m[1]}
}

// open opens the page, and waits until it follows the log.
func (l *logPage) open(t testing.TB, p *tab) {
	t.Helper()
	p.visit(t, l.url)
	p.until(t, "the page is live", `live.textContent === "Live"`)
}

// sent sends one event, and returns when the server has said that it has it.
func (s *server) sent(t testing.TB, sender, event, data string) time.Time {
	t.Helper()
	p := start(t, s.home.env, s.bin, "send", "--server", "tcp://"+s.addr, sender, event, data)
	p.await(t, "msg=sent")
	return time.Now()
}

func TestLogPage(t *testing.T) {
	b := newBrowser(t)
	for name, test := range map[string]func(*testing.T, *browser){
		"is live": pageIsLive,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

// An event that is sent is on the open page at once, and nothing was reloaded.
func pageIsLive(t *testing.T, b *browser) {
	s := newHome(t).serve(t, program(t))
	l := s.log(t)
	p := b.newTab(t, 1200)
	l.open(t, p)
	evaluate[bool](t, p, `
		window.seen = {};
		new MutationObserver((changes) => {
			for (const change of changes) for (const row of change.addedNodes) {
				const text = /event \d+/.exec(row.textContent);
				if (text) seen[text[0]] = Date.now();
			}
		}).observe(document.getElementById("log"), {childList: true}),
		true`)
	var took []time.Duration
	for n := range 10 {
		text := fmt.Sprintf("event %d", n)
		told := s.sent(t, "timer", "tick", text)
		p.until(t, text+" appears", fmt.Sprintf("seen[%q]", text))
		took = append(took, time.UnixMilli(evaluate[int64](t, p, fmt.Sprintf("seen[%q]", text))).Sub(told))
	}
	slices.Sort(took)
	t.Logf("from the server's answer to the page: median %v, at most %v", took[len(took)/2], took[len(took)-1])
	p.calm(t, l.url)
}
