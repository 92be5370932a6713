//go:build linux

package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

// A page of a new log, opened where nobody sees it, has what came before it was
// looked at.
func pageBeginsWithLog(t *testing.T, b *browser) {
	l := newLog(t, "--subscribe", "timer:tick")
	p := b.newTab(t)
	show := p.inBackground(t)
	p.visit(t, l.url)
	if got := evaluate[string](t, p, `document.body.dataset.since + " " + document.hidden + " " + stream`); got != "0 true null" {
		t.Fatalf("the page is %s", got)
	}
	l.send(t, "timer", "tick", "first")
	l.holds(t, "first")
	show()
	p.until(t, "the page is live", `live.textContent === "Live"`)
	l.send(t, "timer", "tick", "second")
	p.until(t, "the second appears", `log.textContent.includes("second")`)
	p.shows(t, "timer | tick | second", "timer | tick | first")
	p.calm(t, l.url)
}

// The page outlives the log's process, and then has what came meanwhile.
func pageComesBack(t *testing.T, b *browser) {
	l := newLog(t, "--limit", "1000")
	l.send(t, "timer", "tick", "before")
	l.holds(t, "timer: tick")
	p := b.newTab(t)
	l.open(t, p)
	evaluate[bool](t, p, `window.opened = true`)
	l.process.kill()
	p.until(t, "the page says that the log is away", `live.textContent === "The log is not answering; trying again"`)
	l.send(t, "timer", "tick", "meanwhile")
	address := strings.Trim(strings.TrimPrefix(l.url, "http://"), "/")
	start(t, l.home.env, l.bin, "log", "--server", "tcp://"+l.addr, "--listen", address).await(t, "^"+l.url)
	l.send(t, "timer", "tick", "after")
	p.until(t, "the page is live again", `opened && live.textContent === "Live" && log.textContent.includes("after")`)
	p.until(t, "nothing is there twice, and what was there stays", `[..."before after".split(" ")].every((text) =>
		[...log.querySelectorAll(".excerpt")].filter((e) => e.textContent === text).length === 1)`)
	p.calm(t, l.url, "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")
}

// A page beyond those that can follow the log says so, and follows it once it can.
func pageSaysItIsFull(t *testing.T, b *browser) {
	l := newLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 100 {
		r, err := http.NewRequestWithContext(ctx, "GET", l.url+"api/stream", nil)
		check(t, err)
		response, err := http.DefaultClient.Do(r)
		check(t, err)
		defer response.Body.Close()
	}
	p := b.newTab(t)
	p.visit(t, l.url)
	p.until(t, "the page says that it is not alone", `live.textContent === "Too many pages are following the log; trying again"`)
	cancel()
	p.until(t, "the page is live", `live.textContent === "Live"`)
	p.calm(t, l.url, "503 (Service Unavailable)")
}
