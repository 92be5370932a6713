//go:build linux

package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// At a name, whose pages browsers trust less than this machine's own, the token
// opens the log, and the page can change what it likes, without scripts too.
func pageOpensWithToken(t *testing.T, b *browser) {
	l := newLog(t, "--host", "log.test", "--token", "a-token-for-this-test")
	l.stays(t, "door", "bell", "ring")
	l.holds(t, "door: bell")
	p := b.newTab(t)
	p.noScripts(t)
	p.logIn(t, l)
	p.shows(t, "door | bell | ring")
	p.fill(t, `form[action="add"] [name="sender"]`, "timer")
	p.press(t, kb.Enter)
	p.until(t, "the subscription is listed", `location.pathname === "/" && subscriptions.textContent.includes("every event of timer")`)
	p.click(t, "#clear summary")
	p.click(t, "#clear button")
	p.until(t, "the list is empty", `location.pathname === "/" && log.children.length === 0 && !empty.hidden`)
	p.calm(t, l.named(), "401 (Unauthorized)", "Cross-Origin-Opener-Policy header has been ignored", "Password forms")
}

// logIn opens the log by its name, as a person who types the token.
func (p *tab) logIn(t testing.TB, l *logPage) {
	t.Helper()
	p.visit(t, l.named())
	p.fill(t, `[name="token"]`, "wrong")
	p.press(t, kb.Enter)
	p.until(t, "the page says that the token is wrong", `document.querySelector("[role=alert]")?.textContent === "Wrong token."`)
	p.fill(t, `[name="token"]`, l.token)
	p.press(t, kb.Enter)
	p.until(t, "the log is open", `document.querySelector("#log") !== null`)
}

// Where the session has ended, the page asks for the token: as soon as something
// is changed, and at once where the log's process is another.
func pageAsksForToken(t *testing.T, b *browser) {
	l := newLog(t, "--host", "log.test", "--token", "a-token-for-this-test")
	p := b.newTab(t)
	p.logIn(t, l)
	p.until(t, "the page is live", `live.textContent === "Live"`)
	p.dropCookies(t)
	p.click(t, `form[action="config"] button`)
	p.until(t, "the page asks for the token", `document.querySelector('[name="token"]') !== null`)

	p.logIn(t, l)
	p.until(t, "the page is live", `live.textContent === "Live"`)
	l.process.kill()
	address := strings.Trim(strings.TrimPrefix(l.url, "http://"), "/")
	start(t, l.home.env, l.bin, "log", "--server", "tcp://"+l.addr, "--listen", address, "--host", "log.test", "--token", "another-token-than-before").await(t, "^"+l.url)
	p.until(t, "the page asks for the token again", `document.querySelector('[name="token"]') !== null`)
}
