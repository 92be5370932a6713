//go:build linux

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The pages with the keyboard alone, on a screen, on one at 200 %, and at 400 %, which
// is 320 pixels wide.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	for name, test := range map[string]func(*testing.T, *tab){
		"log": logByKeyboard, "news": newsAreQuiet, "history": historyByKeyboard, "router": routerByKeyboard,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, b.newTab(t))
		})
	}
}

// reachable fails the test unless Tab leads to each control of the page, in their
// order and once around, and each then shows that it has the focus; nor may anything
// be out of a small screen, even with the spacing of letters and lines that some
// readers need.
func (p *tab) reachable(t testing.TB, what string) {
	t.Helper()
	for _, size := range [][2]int64{{1200, 800}, {600, 400}, {320, 256}} {
		p.look(t, size[0], size[1], "light")
		controls := evaluate[int](t, p, onPage+`var controls = () => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
			.filter((e) => e.checkVisibility()); controls().length`)
		p.press(t, kb.Tab) // as somebody who uses the keyboard
		for n := 0; n <= controls && !evaluate[bool](t, p, `document.activeElement === controls()[0]`); n++ {
			p.press(t, kb.Tab)
		}
		for i := range controls {
			if i > 0 {
				p.press(t, kb.Tab)
			}
			if fault := evaluate[string](t, p, focusFault); fault != fmt.Sprint(i) {
				t.Errorf("%s, %d px: Tab leads to %s, not to %d", what, size[0], fault, i)
			}
		}
		if got := evaluate[[]float64](t, p, `document.styleSheets[0].insertRule("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"),
			[document.documentElement.scrollWidth, document.documentElement.clientWidth]`); got[0] > got[1] {
			t.Errorf("%s: %v px wide on a screen of %v px", what, got[0], got[1])
		}
		evaluate[bool](t, p, `document.styleSheets[0].deleteRule(0), true`)
	}
	p.look(t, 1200, 800, "light")
}

// focusFault is the number of the control that has the focus, and what is wrong with how
// it shows that.
const focusFault = `(() => {
	const e = document.activeElement, own = getComputedStyle(e), box = e.getClientRects()[0];
	const faults = [controls().indexOf(e)];
	if (own.outlineStyle === "none" || parseFloat(own.outlineWidth) < 2) faults.push("it does not show the focus");
	else if (contrast(own.outlineColor, ground(e.parentElement)) < 3) faults.push("it hardly shows the focus");
	const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
	if (!seen || !e.contains(seen) && !seen.contains(e)) faults.push("it is hidden by " + seen?.outerHTML.slice(0, 200));
	if (faults.length > 1 || faults[0] === -1) faults.push(e.outerHTML.slice(0, 200));
	return faults.join(", ");
})()`

// tabTo presses Tab until what has the focus matches the selector.
func (p *tab) tabTo(t testing.TB, selector string) {
	t.Helper()
	for range 100 {
		if evaluate[bool](t, p, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
		p.press(t, kb.Tab)
	}
	t.Fatalf("Tab does not lead to %s", selector)
}

// focusOn waits until what has the focus matches the selector.
func (p *tab) focusOn(t testing.TB, selector string) {
	t.Helper()
	p.until(t, "the focus is on "+selector, fmt.Sprintf("document.activeElement.matches(%q)", selector))
}

func logByKeyboard(t *testing.T, p *tab) {
	l := newLog(t, "--limit", "1000")
	l.open(t, p)
	p.reachable(t, "empty")
	l.stays(t, "door", "bell", "ring")
	for n := range 8 {
		l.send(t, fmt.Sprint("sender-", n), "event", fmt.Sprintf(`{"title": "Number %d", "url": "https://a.example/"}`, n))
	}
	l.holds(t, "Number 7")
	p.visit(t, l.url+"?limit=5")
	p.until(t, "the page is live", `live.textContent === "Live"`)
	p.reachable(t, "rows")

	// To the rows at once, and what is folded out keeps still until Escape.
	l.open(t, p)
	p.press(t, kb.Tab, kb.Enter)
	p.focusOn(t, "#log")
	p.tabTo(t, "#log li:nth-child(2) summary")
	p.press(t, kb.Enter)
	p.until(t, "the row is open", `document.activeElement.parentElement.open`)
	l.send(t, "timer", "tick", "while reading")
	p.until(t, "something new waits", `!fresh.hidden`)
	p.press(t, kb.Tab) // into the fold
	p.focusOn(t, "#log .about a")
	p.reachable(t, "an open row")
	p.tabTo(t, "#log .about a")
	p.press(t, kb.Escape)
	p.focusOn(t, "#log li:nth-child(2) summary")
	if evaluate[bool](t, p, `document.querySelector("#log [open]") !== null`) {
		t.Error("Escape does not fold the row in")
	}
	p.tabTo(t, "#filter button")
	p.until(t, "what waited is there", `fresh.hidden && log.firstElementChild.textContent.includes("while reading")`)

	// Nothing moves during a pause.
	p.tabTo(t, `#pause`)
	p.press(t, " ")
	p.until(t, "it is paused", `pause.ariaPressed === "true"`)
	chart := evaluate[string](t, p, `chart.textContent`)
	l.send(t, "timer", "tick", "while paused")
	p.until(t, "something new waits", `!fresh.hidden`)
	p.until(t, "the rest of the page goes on", `document.querySelector(".kept").textContent.startsWith("11 events")`)
	if got := evaluate[string](t, p, `chart.textContent`); got != chart {
		t.Errorf("in a pause the chart becomes %s", got)
	}
	p.tabTo(t, "#fresh")
	p.press(t, kb.Enter)
	p.until(t, "what waited is there", `fresh.hidden && log.firstElementChild.textContent.includes("while paused")`)
	p.focusOn(t, "#log")
	l.send(t, "timer", "tick", "still paused")
	p.until(t, "something new waits", `!fresh.hidden`)
	p.tabTo(t, "#pause")
	p.press(t, kb.Enter)
	p.until(t, "everything is there", `log.firstElementChild.textContent.includes("still paused") && chart.textContent !== `+fmt.Sprintf("%q", chart))

	// A question that is not answered.
	p.tabTo(t, "#clear summary")
	p.press(t, " ", kb.Tab)
	p.focusOn(t, "#clear button")
	p.press(t, kb.Escape)
	p.focusOn(t, "#clear summary")
	if evaluate[bool](t, p, `document.querySelector("#clear").open`) {
		t.Error("Escape leaves the question open")
	}

	// Whoever wants no motion gets none.
	for motion, want := range map[string]string{"no-preference": "fresh", "reduce": "none"} {
		p.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: motion}},
			})
			return err
		}))
		l.send(t, "timer", "tick", motion)
		p.until(t, motion+" appears", fmt.Sprintf("log.firstElementChild.textContent.includes(%q)", motion))
		if got := evaluate[string](t, p, `getComputedStyle(log.firstElementChild).animationName`); got != want {
			t.Errorf("%s: the animation is %s", motion, got)
		}
	}
	p.calm(t, l.url)
}

// A screen reader says what comes: at once, then many at a time, and nothing during a pause.
func newsAreQuiet(t *testing.T, p *tab) {
	l := newLog(t, "--limit", "1000")
	l.open(t, p)
	evaluate[bool](t, p, `window.said_ = [], window.times_ = [], new MutationObserver(() => {
		said_.push(document.getElementById("news").textContent);
		times_.push(performance.now());
	}).observe(document.querySelector("#news[role=status]"), {childList: true}), true`)
	p.click(t, "#pause")
	l.send(t, "window", "open", "")
	p.until(t, "it waits", "!fresh.hidden")
	l.send(t, "door", "bell", "ring")
	p.until(t, "both wait", `fresh.textContent.startsWith("2 ")`)
	if got := evaluate[[]string](t, p, "said_"); len(got) != 0 {
		t.Errorf("in a pause a screen reader says %q", got)
	}
	p.click(t, "#pause")
	p.until(t, "both are told", `said_.join() === "2 new events, the last: door bell"`)
	many := start(t, l.home.env, l.bin, "send", "--server", "tcp://"+l.addr, "timer", "tick", "one of many", "--every", "1ms", "--count", "200")
	if code := many.wait(t); code != 0 {
		t.Fatalf("sigalert send ends with %d", code)
	}
	p.until(t, "the others are told", `said_.at(-1).endsWith(" new events, the last: timer tick")`)
	if !evaluate[bool](t, p, "times_.every((at, i) => i === 0 || at - times_[i - 1] > 9900)") {
		t.Errorf("a screen reader says %q, at %v", evaluate[[]string](t, p, "said_"), evaluate[[]float64](t, p, "times_"))
	}
	p.calm(t, l.url)
}

// newHistory starts an agent, and returns its server and the address of its history.
func newHistory(t testing.TB) (s *server, address string) {
	t.Helper()
	h := newHome(t)
	s = h.serve(t, program(t))
	a := h.startAgent(t, s.bin, timer(s)+"history: {token: a-secret-of-this-test}\n")
	_, m := a.await(t, `msg=history url=(http://127\.0\.0\.1:\d+/)`)
	eventually(t, "it is subscribed", func() bool { return strings.Contains(a.text(), subscribedLine) })
	return s, m[1]
}

func historyByKeyboard(t *testing.T, p *tab) {
	s, address := newHistory(t)
	for _, data := range []string{"one", "two", "three"} {
		s.send(t, "timer", "tick", data)
	}
	p.visit(t, address)
	p.focusOn(t, `[name="token"]`)
	p.press(t, "a-secret-of-this-test", kb.Enter)
	p.until(t, "the page is live", `window.live?.textContent === "Live" && document.querySelectorAll("#log .unread").length === 3`)
	p.reachable(t, "alerts")
	p.tabTo(t, `#log .unread button`)
	p.press(t, " ")
	p.until(t, "one is read", `document.querySelectorAll("#log .unread").length === 2`)
	p.focusOn(t, "#log summary")
	p.tabTo(t, ".news button")
	p.press(t, kb.Enter)
	p.until(t, "all are read", `document.querySelector(".unread, .news") === null`)
	p.focusOn(t, "#status")
	p.calm(t, address, "401 (Unauthorized)", "Password forms")
}

func routerByKeyboard(t *testing.T, p *tab) {
	s := newRouter(t)
	p.visit(t, "http://"+s.addr+"/")
	p.reachable(t, "the form")
	p.visit(t, "http://"+s.addr+"/")
	p.focusOn(t, `[name="message"]`)
	p.press(t, "hello", kb.Tab, "c", kb.Tab, kb.Enter)
	tells := func(text string) {
		t.Helper()
		p.until(t, "the page says "+text, fmt.Sprintf(`document.getElementById(document.activeElement.getAttribute("aria-describedby"))?.textContent.includes(%q)`, text))
	}
	tells("Sent to 0 listeners.")
	p.tabTo(t, `[name="event"]`)
	evaluate[bool](t, p, "document.activeElement.select(), true")
	p.press(t, "#connect", kb.Enter)
	tells("#connect")
	if got := fmt.Sprint(s.published(t)); !strings.Contains(got, `"urgency":"critical"`) {
		t.Errorf("sent: %s", got)
	}
}
