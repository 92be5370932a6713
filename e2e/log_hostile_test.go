//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// Text in names and data is shown as it is, and never run.
func pageRunsNoText(t *testing.T, b *browser) {
	events := [][3]string{
		{`<script>window.hit=1</script>`, `"><img src=x onerror="window.hit=1">`, `{"</pre><script>window.hit=1</script>": "<svg onload=window.hit=1>", "__proto__": {"a": 1}}`},
		{`javascript:window.hit=1`, `' autofocus onfocus='window.hit=1`, `</summary></details><script>window.hit=1</script>`},
		{"a\nevent: cleared\ndata: x\n\n", "]]><!--", "\u2028{{.}}${window.hit=1}</script><iframe srcdoc='<script>parent.hit=1</script>'>"},
	}
	want := []string{
		`"a\nevent: cleared\ndata: x\n\n"` + " | ]]><!-- | {{.}}${window.hit=1}</script><iframe srcdoc='<script>parent.hit=1</script>'>",
		"javascript:window.hit=1 | ' autofocus onfocus='window.hit=1 | </summary></details><script>window.hit=1</script>",
		`<script>window.hit=1</script> | "\"><img src=x onerror=\"window.hit=1\">" | </pre><script>window.hit=1</script> <svg onload=window.hit=1> __proto__ {"a":1}`,
	}
	l := newLog(t, "--limit", "1000")
	p := b.newTab(t)
	l.open(t, p)
	look := func(when string) {
		t.Helper()
		p.until(t, "all rows are there", `log.querySelectorAll("li:not(.presence)").length === 3`)
		evaluate[bool](t, p, `document.querySelectorAll("details").forEach((d) => d.open = true), true`)
		if got := p.rows(t); !slices.Equal(got, want) {
			t.Errorf("%s: %q\nwant %q", when, got, want)
		}
		if evaluate[bool](t, p, `"hit" in window || document.querySelector("script:not([src]), img:not([src='assets/icon.svg']), iframe, #log svg, [onload], [onerror], [onfocus]") !== null`) {
			t.Errorf("%s: a text has become a part of the page", when)
		}
	}
	for _, e := range events {
		l.send(t, e[0], e[1], e[2])
	}
	look("live")
	p.until(t, "the legend has all", `document.querySelectorAll(".legend li").length === 3`)
	l.open(t, p)
	look("loaded")

	p.fill(t, `form[action="add"] [name="sender"]`, `"><script>window.hit=1</script>`)
	p.press(t, kb.Enter)
	p.until(t, "the subscription is listed", `subscriptions.textContent.includes('every event of "\\"><script>window.hit=1</script>"')`)
	p.click(t, `#log a.sender[href^="./?sender=javascript"]`)
	p.until(t, "the name leads to its events", `location.search === "?sender=javascript%3Awindow.hit%3D1" && live.textContent === "Live"`)
	p.shows(t, want[1])
	if evaluate[bool](t, p, `"hit" in window`) {
		t.Error("an address was run")
	}
	p.calm(t, l.url)
}

// No page of another site, port or host can clear the log, whatever it tries.
func pageRefusesOtherSites(t *testing.T, b *browser) {
	l := newLog(t, "--limit", "1000")
	p := b.newTab(t)
	l.resists(t, p, l.url, "refused")
	// It was for no other reason: typing the address does clear the log.
	p.visit(t, l.url+"clear")
	if got := l.get(t, "?fmt=plain"); got != "" {
		t.Errorf("cleared, the log has %q", got)
	}
}

// Nor can one where the browser does not say whose page asks, because the log's
// address is neither encrypted nor this machine's own to it; not even where it
// has a session, and the page is one of the same host.
func pageRefusesOtherSitesAnywhere(t *testing.T, b *browser) {
	l := newLog(t, "--limit", "1000", "--host", "log.test")
	l.resists(t, b.newTab(t), l.named(), "refused")

	l = newLog(t, "--limit", "1000", "--host", "log.test", "--token", "a-token-for-this-test")
	p := b.newTab(t)
	p.logIn(t, l)
	l.resists(t, p, l.named(), "refused", "Token") // strangers' links have no session
	p.visit(t, l.named())
	p.until(t, "the session was there all the time", `log.textContent.includes("stays")`)
}

// resists has other sites' pages try to clear the log at this address. Where its
// answer can be seen, it is one of these.
func (l *logPage) resists(t testing.TB, p *tab, address string, says ...string) {
	t.Helper()
	l.send(t, "timer", "tick", "stays")
	l.holds(t, "timer: tick")
	before := l.get(t, "?fmt=plain")
	attacks := map[string]string{
		"image":     `<img src="%sclear" onerror="done = true">`,
		"form GET":  `<form action="%sclear"></form><script>document.forms[0].submit()</script>`,
		"form POST": `<form action="%sclear" method="post"></form><script>document.forms[0].submit()</script>`,
		"fetch":     `<script>fetch("%sclear", {mode: "no-cors", credentials: "include"}).finally(() => done = true)</script>`,
		"POST":      `<script>fetch("%sclear", {mode: "no-cors", method: "POST", credentials: "include"}).finally(() => done = true)</script>`,
		"frame":     `<iframe src="%sclear" onload="done = true"></iframe>`,
		"link":      `<a href="%sclear">a prize</a>`,
		"window":    `<script>location = "%sflush"</script>`,
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!DOCTYPE html><script>done = false</script>"+attacks[r.FormValue("how")], r.FormValue("log"))
	}))
	defer other.Close()
	seen, _ := json.Marshal(says)
	for _, host := range []string{"127.0.0.1", "localhost", "log.test", "evil.test"} {
		from := strings.Replace(other.URL, "127.0.0.1", host, 1)
		for how := range attacks {
			p.visit(t, from+"/?"+url.Values{"how": {how}, "log": {address}}.Encode())
			if how == "link" {
				p.click(t, "a")
			}
			p.until(t, how+" from "+from+" has tried", fmt.Sprintf(`window.done ||
				location.href.startsWith(%q) && %s.some((text) => document.body.innerText.includes(text))`, address, seen))
			if got := l.get(t, "?fmt=plain"); got != before {
				t.Fatalf("%s from %s has changed the log: %q", how, from, got)
			}
		}
	}
}

// A name that leads to this machine, but is not its own, shows nothing.
func pageRefusesOtherNames(t *testing.T, b *browser) {
	l := newLog(t)
	l.send(t, "timer", "tick", "a secret")
	l.holds(t, "a secret")
	p := b.newTab(t)
	for _, path := range []string{"", "?fmt=plain", "clear", "api/events", "assets/log.js"} {
		p.visit(t, strings.Replace(l.url, "127.0.0.1", "evil.test", 1)+path)
		if got := evaluate[string](t, p, `document.body.innerText`); !strings.HasPrefix(strings.TrimPrefix(got, `{"error":"`), "this log is not known as ") || strings.Contains(got, "secret") {
			t.Errorf("/%s says %.100q", path, got)
		}
	}
	l.holds(t, "a secret")
}
