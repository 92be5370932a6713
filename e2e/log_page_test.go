//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// The log's page in Chromium, as a person uses it.
func TestLogPage(t *testing.T) {
	b := newBrowser(t)
	for name, test := range map[string]func(*testing.T, *browser){
		"is live":               pageIsLive,
		"begins with a log":     pageBeginsWithLog,
		"lets one read":         pageLetsRead,
		"keeps to the limit":    pageKeepsToLimit,
		"comes back":            pageComesBack,
		"shows an hour":         pageShowsHour,
		"filters":               pageFilters,
		"changes":               pageChanges,
		"runs no text":          pageRunsNoText,
		"refuses other sites":   pageRefusesOtherSites,
		"refuses them anywhere": pageRefusesOtherSitesAnywhere,
		"refuses other names":   pageRefusesOtherNames,
		"fits a phone":          pageFitsPhone,
		"needs no scripts":      pageNeedsNoScripts,
		"asks for the token":    pageAsksForToken,
		"says it is full":       pageSaysItIsFull,
		"opens with a token":    pageOpensWithToken,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

// logPage is a running "sigalert log".
type logPage struct {
	*process
	*server
	url, token string
}

// newLog starts a server, and a log of its events that has its subscriptions.
func newLog(t testing.TB, args ...string) *logPage {
	t.Helper()
	s := newHome(t).serve(t, program(t))
	p := s.home.beginLog(t, s, args...)
	_, m := p.await(t, `^(http://127\.0\.0\.1:\d+/)$`)
	l := &logPage{p, s, m[1], ""}
	if i := slices.Index(args, "--token"); i >= 0 {
		l.token = args[i+1]
	}
	eventually(t, "the server has the subscriptions", func() bool {
		regs := l.get(t, "regs?fmt=plain")
		return strings.Count(regs, "\n") == strings.Count(regs, " (active)\n")
	})
	return l
}

// named is the log's address by a name that is not this machine's to a browser.
func (l *logPage) named() string { return strings.Replace(l.url, "127.0.0.1", "log.test", 1) }

// open opens the page, and waits until it follows the log.
func (l *logPage) open(t testing.TB, p *tab) {
	t.Helper()
	p.visit(t, l.url)
	p.until(t, "the page is live", `live.textContent === "Live"`)
}

// get returns what the log answers at an address.
func (l *logPage) get(t testing.TB, path string) string {
	t.Helper()
	ask, err := http.NewRequest("GET", l.url+path, nil)
	check(t, err)
	ask.Header.Set("Authorization", "Bearer "+l.token)
	r, err := http.DefaultClient.Do(ask)
	check(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	check(t, err)
	return string(text)
}

// holds waits until the log has an event whose line has this text.
func (l *logPage) holds(t testing.TB, text string) {
	t.Helper()
	eventually(t, "the log holds "+text, func() bool { return strings.Contains(l.get(t, "?fmt=plain"), text) })
}

// sent sends one event, and returns when the server has said that it has it.
func (s *server) sent(t testing.TB, sender, event, data string) time.Time {
	t.Helper()
	p := start(t, s.home.env, s.bin, "send", "--server", "tcp://"+s.addr, sender, event, data, "--log-level", "info")
	p.await(t, "msg=sent")
	return time.Now()
}

// stays connects a sender that stays, and returns when it has sent its event once.
func (s *server) stays(t testing.TB, sender, event, data string) {
	t.Helper()
	c := sig.NewClientRouter(tcp.NewClient(s.addr), nil)
	t.Cleanup(wait.Start(context.Background(), c.Run))
	there, err := c.AddRemoteSender(t.Context(), sig.Name(sender), sig.Name(event))
	check(t, err)
	check(t, there.Trigger(t.Context(), sig.Name(event), data))
}

// rows returns the events on the page, without those of senders that come and go.
func (p *tab) rows(t testing.TB) []string {
	t.Helper()
	return evaluate[[]string](t, p, `[...document.querySelectorAll("#log > li:not(.presence)")].map((row) =>
		["sender", "event", "excerpt"].map((c) => row.querySelector("." + c).textContent.trim()).join(" | "))`)
}

func (p *tab) shows(t testing.TB, want ...string) {
	t.Helper()
	if got := p.rows(t); !slices.Equal(got, want) {
		t.Errorf("the page shows %q, want %q", got, want)
	}
}

// An event that is sent is on the open page at once, and nothing was reloaded.
func pageIsLive(t *testing.T, b *browser) {
	l := newLog(t)
	p := b.newTab(t)
	l.open(t, p)
	if got := evaluate[string](t, p, `empty.innerText`); !strings.Contains(got, "sigalert send --server "+l.addr+" timer tick") {
		t.Errorf("the empty page says %q", got)
	}
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
		told := l.sent(t, "timer", "tick", text)
		p.until(t, text+" appears", fmt.Sprintf("seen[%q]", text))
		took = append(took, time.UnixMilli(evaluate[int64](t, p, fmt.Sprintf("seen[%q]", text))).Sub(told))
	}
	slices.Sort(took)
	t.Logf("from the server's answer to the page: median %v, at most %v", took[len(took)/2], took[len(took)-1])

	p.until(t, "the chart has them", `chart.querySelector(".legend").innerText.includes("timer")`)
	colours := evaluate[[]string](t, p, `[...document.querySelectorAll(".legend li, .sender")].map((e) => getComputedStyle(e, "::before").backgroundColor)`)
	if len(slices.Compact(colours)) != 1 {
		t.Errorf("one sender has the colours %v", colours)
	}
	p.calm(t, l.url)
}

// Whoever reads a row, has selected something, or is elsewhere with the
// keyboard is not disturbed by what comes.
func pageLetsRead(t *testing.T, b *browser) {
	l := newLog(t, "--limit", "1000")
	l.stays(t, "door", "bell", "first")
	l.holds(t, "first")
	p := b.newTab(t)
	l.open(t, p)

	p.click(t, "#log summary")
	const place = `JSON.stringify(document.querySelector("details[open]").getBoundingClientRect())`
	before := evaluate[string](t, p, place)
	l.send(t, "timer", "tick", "while reading")
	p.until(t, "the page says that something is new", `!fresh.hidden && fresh.textContent === "1 new event"`)
	if after := evaluate[string](t, p, place); after != before {
		t.Errorf("the open row has moved from %s to %s", before, after)
	}
	p.click(t, "#fresh")
	p.until(t, "what is new comes", `fresh.hidden && log.querySelector(".new .excerpt")`)
	if !evaluate[bool](t, p, `document.querySelector("details[open] .excerpt").textContent === "first"`) {
		t.Error("the open row is no longer open")
	}
	p.click(t, "#log details[open] summary")

	evaluate[bool](t, p, `getSelection().selectAllChildren([...log.querySelectorAll(".excerpt")].find((e) => e.textContent === "first")), true`)
	l.send(t, "timer", "tick", "while selected")
	p.until(t, "the page says that something is new", `!fresh.hidden`)
	if got := evaluate[string](t, p, `getSelection().toString()`); got != "first" {
		t.Errorf("the selection is %q", got)
	}
	evaluate[bool](t, p, `getSelection().empty(), true`)
	l.send(t, "timer", "tick", "later")
	p.until(t, "all rows are there", `log.textContent.includes("later") && fresh.hidden`)

	const focus = `document.activeElement.closest(".legend")?.className + " " + document.activeElement.textContent`
	evaluate[bool](t, p, `document.querySelector(".legend a").focus(), true`)
	before = evaluate[string](t, p, focus)
	l.send(t, "timer", "tick", "while focused")
	p.until(t, "the chart counts on", `chart.textContent.includes("timer 4")`)
	if got := evaluate[string](t, p, focus); got != before {
		t.Errorf("the focus has gone from %s to %s", before, got)
	}

	evaluate[bool](t, p, `document.body.style.minHeight = "400vh", scrollTo(0, log.offsetTop + 100), true`)
	l.send(t, "timer", "tick", "while below")
	p.until(t, "the page says that something is new", `!fresh.hidden`)
	p.click(t, "#fresh")
	p.until(t, "the newest is seen", `fresh.hidden && log.getBoundingClientRect().top >= 0`)
	p.calm(t, l.url)
}

// What the log no longer has goes from the page too, and many events at once
// leave no silent gap.
func pageKeepsToLimit(t *testing.T, b *browser) {
	l := newLog(t, "--limit", "150", "--subscribe", "timer:tick")
	p := b.newTab(t)
	l.open(t, p)
	many := start(t, l.home.env, l.bin, "send", "--server", "tcp://"+l.addr, "timer", "tick", "one of many", "--every", "1us", "--count", "2000")
	if code := many.wait(t); code != 0 {
		t.Fatalf("sigalert send ends with %d", code)
	}
	l.send(t, "timer", "tick", "the last")
	p.until(t, "the last appears", `log.firstElementChild?.textContent.includes("the last")`)
	p.until(t, "the page keeps to the limit", `log.querySelectorAll("li[id]").length <= 150`)
	p.until(t, "the counter is right", `document.querySelector(".kept").textContent === "150 events of at most 150"`)
	if !evaluate[bool](t, p, `log.querySelectorAll("li[id]").length === 150 || log.querySelector(".gap a") !== null`) {
		t.Errorf("the page has %d rows, and says nothing of the others", evaluate[int](t, p, `log.children.length`))
	}
	p.calm(t, l.url)
}

func pageFilters(t *testing.T, b *browser) {
	l := newLog(t, "--limit", "1000")
	l.send(t, "timer", "tick", `{"n": 1, "text": "Grüße"}`)
	l.send(t, "door", "bell", "ring")
	l.send(t, "timer", "tock", "7")
	l.holds(t, "timer: tock")
	p := b.newTab(t)
	l.open(t, p)
	p.shows(t, "timer | tock | 7", "door | bell | ring", "timer | tick | n 1 text Grüße")

	at := func(search string) {
		t.Helper()
		p.until(t, "the address has "+search, fmt.Sprintf(`location.pathname + location.search === %q && live.textContent === "Live"`, search))
	}
	p.fill(t, `#filter [name="sender"]`, "timer")
	p.press(t, kb.Enter)
	at("/?sender=timer")
	p.shows(t, "timer | tock | 7", "timer | tick | n 1 text Grüße")

	p.fill(t, `#filter [name="event"]`, "tick")
	p.fill(t, `#filter [name="q"]`, "GRÜSS")
	p.click(t, "#filter button")
	at("/?q=GR%C3%9CSS&sender=timer&event=tick")
	p.shows(t)
	p.until(t, "the page says that there is nothing", `empty.innerText === "No event matches the filter."`)
	p.fill(t, `#filter [name="q"]`, "GRÜ")
	p.press(t, kb.Enter)
	at("/?q=GR%C3%9C&sender=timer&event=tick")
	p.shows(t, "timer | tick | n 1 text Grüße")

	// What comes obeys the filter too, and a second page at its address agrees.
	for _, data := range []string{"Grütze", "salt"} {
		l.send(t, "timer", "tock", data)
		l.send(t, "door", "tick", data)
		l.send(t, "timer", "tick", data)
	}
	l.send(t, "timer", "tick", "mehr Grün")
	p.until(t, "the last appears", `log.textContent.includes("mehr Grün")`)
	want := []string{"timer | tick | mehr Grün", "timer | tick | Grütze", "timer | tick | n 1 text Grüße"}
	p.shows(t, want...)
	second := b.newTab(t)
	second.visit(t, evaluate[string](t, p, "location.href"))
	second.shows(t, want...)

	// Names in a row, and in the chart's legend, lead to their events.
	p.click(t, "#filter a.button")
	at("/")
	p.click(t, `#log a.event[title="Only bell events"]`)
	at("/?event=bell")
	p.shows(t, "door | bell | ring")
	p.click(t, "#log a.sender")
	at("/?event=bell&sender=door")
	p.click(t, `.legend a[href="./?sender=door"]`)
	at("/?sender=door")
	p.shows(t, "door | tick | salt", "door | tick | Grütze", "door | bell | ring")
	p.shortcut(t, "/", "Slash")
	p.press(t, "salt", kb.Enter)
	at("/?q=salt&sender=door")
	p.calm(t, l.url)
	second.calm(t, l.url)
}

// Subscribing, unsubscribing, clearing and the limits, with the mouse and with
// the keyboard alone.
func pageChanges(t *testing.T, b *browser) {
	l := newLog(t, "--limit", "1000")
	l.stays(t, "door", "bell", "ring")
	l.holds(t, "door: bell")
	p := b.newTab(t)
	l.open(t, p)
	subscriptions := func(want ...string) {
		t.Helper()
		listed, _ := json.Marshal(append([]string{}, want...))
		p.until(t, fmt.Sprintf("the subscriptions are %q", want),
			fmt.Sprintf(`JSON.stringify([...subscriptions.querySelectorAll("li p")].map((s) => s.textContent)) === %q`, listed))
		if got := l.get(t, "regs?fmt=plain"); strings.Count(got, "\n") != len(want) {
			t.Errorf("/regs has %s", got)
		}
	}
	says := func(text string) {
		t.Helper()
		p.until(t, "the page says "+text, fmt.Sprintf("said.textContent === %q", text))
	}
	tabTo := func(what string) {
		t.Helper()
		for range 100 {
			if evaluate[bool](t, p, "document.activeElement.matches("+fmt.Sprintf("%q", what)+")") {
				return
			}
			p.press(t, kb.Tab)
		}
		t.Fatalf("Tab does not lead to %s", what)
	}

	// The keyboard alone.
	subscriptions("every event active")
	p.press(t, kb.Tab)
	if got := evaluate[string](t, p, `document.activeElement.innerText`); got != "Skip to the events" {
		t.Errorf("Tab leads to %q first", got)
	}
	tabTo(`#subscriptions button`)
	p.press(t, kb.Enter)
	subscriptions()
	says("Removed the subscription to every event.")
	if got := evaluate[string](t, p, `document.activeElement.id`); got != "subscriptions" {
		t.Errorf("after the button that is gone the focus is on %q", got)
	}
	tabTo(`form[action="add"] [name="sender"]`)
	p.press(t, "timer", kb.Tab, "tick", kb.Enter)
	subscriptions("timer: tick active")
	says("Subscribed to timer: tick.")
	tabTo(`#clear summary`)
	p.press(t, kb.Enter, kb.Tab)
	if got := evaluate[string](t, p, `document.querySelector("#clear p").innerText`); got != "Remove all events from the log permanently?" {
		t.Errorf("clear asks %q", got)
	}
	if len(p.rows(t)) == 0 {
		t.Error("the log was cleared without an answer")
	}
	p.press(t, kb.Enter)
	p.until(t, "the list is empty", `log.children.length === 0 && !empty.hidden`)
	says("Cleared 1 event.")
	if got := l.get(t, "?fmt=plain"); got != "" {
		t.Errorf("cleared, the log has %q", got)
	}

	// An event that its sender does not offer; and the mouse.
	p.fill(t, `form[action="add"] [name="sender"]`, "door")
	p.fill(t, `form[action="add"] [name="event"]`, "knock")
	p.click(t, `form[action="add"] button`)
	says("Not subscribed to door: knock: the sender is connected and does not offer this event.")
	if !evaluate[bool](t, p, `said.matches(".trouble:popover-open") && document.querySelector('form[action="add"] [name="event"]').value === "knock"`) {
		t.Error("a failure looks like a success, or has lost what was typed")
	}
	p.press(t, kb.Escape)
	p.until(t, "Escape hides it", `!said.matches(":popover-open")`)
	p.fill(t, `form[action="add"] [name="event"]`, "bell")
	p.click(t, `form[action="add"] button`)
	subscriptions("timer: tick active", "door: bell active")
	p.click(t, `button[aria-label="Remove the subscription to timer: tick"]`)
	subscriptions("door: bell active")

	p.fill(t, `[name="limit"]`, "50")
	p.do(t, chromedp.SetValue(chromedp.CSS(`[name="age"]`), "7d"))
	p.click(t, `form[action="config"] button`)
	says("Saved.")
	if got := l.get(t, "config"); !strings.Contains(got, `"limit":50,"age":"7d"`) {
		t.Errorf("the limits are %s", got)
	}
	p.calm(t, l.url, "409 (Conflict)")
}

// Nothing runs out of a phone's screen, and each thing is shown the way it runs.
func pageFitsPhone(t *testing.T, b *browser) {
	long := strings.Repeat("unbroken", 50)
	l := newLog(t, "--limit", "1000", "--subscribe", ":", "--subscribe", long+":"+long)
	l.send(t, long, long, `"`+long+`"`)
	l.send(t, "مرسل", "حدث", `"مرحبا! هل تريدين أن نلتقي غدا في المقهى الجديد قرب المكتبة؟"`)
	l.send(t, "object", "of many", `{"from": "ליאור", "big": 12345678901234567890, "list": [1, {"a": null}], "text": "`+long+`", "שם": "ערך"}`)
	l.holds(t, "object: of many")
	p := b.newTab(t)
	for _, scheme := range []string{"light", "dark"} {
		p.look(t, 360, 740, scheme)
		for _, path := range []string{"", "?sender=" + long, "regs"} {
			p.visit(t, l.url+path)
			if path == "" {
				p.until(t, "the page is live", `live.textContent === "Live"`)
			}
			evaluate[bool](t, p, `document.querySelectorAll("details").forEach((d) => d.open = true), true`)
			if got := evaluate[[]float64](t, p, `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`); got[0] > got[1] {
				t.Errorf("/%.20s, %s: %v px wide on a screen of %v px", path, scheme, got[0], got[1])
			}
		}
	}
	l.open(t, p)
	for what, expression := range map[string]string{
		"text from right to left runs so": `[...log.querySelectorAll(".excerpt")].filter((e) => getComputedStyle(e).direction === "rtl").length === 1`,
		"an object's data is formatted": `[...log.querySelectorAll("li")].find((r) => r.querySelector(".event").textContent === "of many").querySelector("pre").textContent ===
			'{\n  "from": "ליאור",\n  "big": 12345678901234567890,\n  "list": [\n    1,\n    {\n      "a": null\n    }\n  ],\n  "text": "` + long + `",\n  "שם": "ערך"\n}'`,
		"each time has the exact one as its title": `[...log.querySelectorAll("li > time")].every((time) =>
			time.title.includes(time.dateTime.slice(20, 23)) && time.title.includes(new Date(time.dateTime).getFullYear()) && / ago|now/.test(time.textContent))`,
		"what can be pressed is large enough": `[...document.querySelectorAll("a:not(.skip), button, input, select, summary")].filter((e) => e.checkVisibility()).every((e) => e.getBoundingClientRect().height >= 43.5)`,
	} {
		if !evaluate[bool](t, p, expression) {
			t.Errorf("it is not so that %s", what)
		}
	}
	p.calm(t, l.url)
}

func pageNeedsNoScripts(t *testing.T, b *browser) {
	l := newLog(t, "--limit", "1000")
	l.stays(t, "door", "bell", "ring")
	l.send(t, "timer", "tick", "7")
	l.holds(t, "timer: tick")
	p := b.newTab(t)
	p.noScripts(t)
	p.visit(t, l.url)
	p.shows(t, "timer | tick | 7", "door | bell | ring")
	if got := evaluate[string](t, p, `live.textContent`); got != "Reload to see what is new" {
		t.Errorf("the page says %q of itself", got)
	}
	p.fill(t, `#filter [name="event"]`, "bell")
	p.press(t, kb.Enter)
	p.until(t, "the filter is in the address", `location.search === "?q=&sender=&event=bell"`)
	p.shows(t, "door | bell | ring")

	p.fill(t, `form[action="add"] [name="sender"]`, "door")
	p.fill(t, `form[action="add"] [name="event"]`, "knock")
	p.press(t, kb.Enter)
	p.until(t, "the page says what is wrong", `document.querySelector("[role=alert]")?.textContent.includes("does not offer this event")`)
	p.click(t, "main a")
	p.fill(t, `form[action="add"] [name="sender"]`, "timer")
	p.press(t, kb.Enter)
	p.until(t, "the subscription is listed", `subscriptions.textContent.includes("every event of timer")`)
	p.click(t, `button[aria-label="Remove the subscription to every event"]`)
	p.until(t, "the subscription is gone", `document.querySelectorAll("#subscriptions button").length === 1`)
	p.click(t, "#clear summary")
	p.click(t, "#clear button")
	p.until(t, "the list is empty", `location.pathname === "/" && log.children.length === 0 && !empty.hidden`)
	p.calm(t, l.url, "409 (Conflict)")
}
