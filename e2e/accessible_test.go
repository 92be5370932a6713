//go:build linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// axeCore is the script of axe-core, in the version that the lock file names.
func axeCore(t testing.TB) string {
	t.Helper()
	need(t, "chromium", "npm")
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("axe", name))
		check(t, err)
		check(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
	npm.Dir = dir
	if said, err := npm.CombinedOutput(); err != nil {
		leaveOut(t, fmt.Sprintf("npm cannot install axe-core: %v\n%s", err, said))
	}
	script, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	check(t, err)
	return string(script)
}

// Every page, in light on a desktop and in dark on a phone, and in each of its
// states, is one in which axe-core finds no fault.
func TestAccessible(t *testing.T) {
	t.Parallel()
	axe := axeCore(t)
	b := newBrowser(t)
	for name, test := range map[string]func(*testing.T, accessible){
		"log": logIsAccessible, "history": historyIsAccessible, "router": routerIsAccessible,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, accessible{b.newTab(t), axe})
		})
	}
}

// accessible is a tab that axe-core looks at.
type accessible struct {
	*tab
	axe string
}

// examine has axe-core find the faults of what the tab shows, and looks for marks
// that do not stand out, which axe-core does not.
func (p accessible) examine(t testing.TB, what string) {
	t.Helper()
	evaluate[bool](t, p.tab, p.axe+"; true")
	for width, scheme := range map[int64]string{1200: "light", 320: "dark"} {
		p.look(t, width, 800, scheme)
		p.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			found, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
				Faults         []string
				Text, Mark     float64
				TextOf, MarkOf string
			}](onPage+examination, chromedp.EvalAwaitPromise))
			if err != nil {
				return err
			}
			for _, fault := range found.Faults {
				t.Errorf("%s, %s: %s", what, scheme, fault)
			}
			if found.Mark < 3 {
				t.Errorf("%s, %s: a contrast of %.2f: %s", what, scheme, found.Mark, found.MarkOf)
			}
			t.Logf("%s, %s: least contrasts: text %.2f (%s), marks %.2f (%s)", what, scheme, found.Text, found.TextOf, found.Mark, found.MarkOf)
			return nil
		}))
	}
	p.look(t, 1200, 800, "light")
}

// onPage is what scripts of tests know about colours.
const onPage = `
	var numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
	var clear = (colour) => numbers(colour)[3] === 0;
	var linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
	var luminance = (colour) => numbers(colour).slice(0, 3).map((v) => linear(v / 255)).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	var contrast = (...colours) => {
		const [dark, light] = colours.map(luminance).sort((a, b) => a - b);
		return (light + .05) / (dark + .05);
	};
	var ground = (e) => { // the colour behind its content
		while (clear(getComputedStyle(e).backgroundColor)) e = e.parentElement;
		return getComputedStyle(e).backgroundColor;
	};
`

// examination finds the faults, the text of the least contrast that axe-core has
// measured, and the mark (the edge of a control, a dot, or a bar of the chart) that
// has the least.
const examination = `(async () => {
	const {violations, passes} = await axe.run({rules: {"target-size": {enabled: true}}});
	const texts = passes.filter(({id}) => id === "color-contrast").flatMap(({nodes}) => nodes)
		.map(({html, any}) => [any[0].data.contrastRatio ?? Infinity, html]);

	const marks = [];
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility()) continue;
		const own = getComputedStyle(e), before = getComputedStyle(e, "::before");
		if (e.matches("button, .button, input, select, textarea") && !clear(own.borderTopColor))
			marks.push([Math.max(...[own.borderTopColor, ground(e)].map((c) => contrast(c, ground(e.parentElement)))), e.outerHTML]);
		if (before.content !== "none" && !clear(before.backgroundColor)) marks.push([contrast(before.backgroundColor, ground(e)), e.outerHTML]);
		if (e.matches("svg path:not(.grid)")) marks.push([contrast(own.fill, ground(e)), e.outerHTML]);
	}
	const least = (all) => { const [value, of] = all.sort((a, b) => a[0] - b[0])[0] ?? [21, "nothing"]; return [value, of.slice(0, 100)]; };
	const [[text, textOf], [mark, markOf]] = [texts, marks].map(least);
	const faults = violations.map(({id, impact, help, nodes}) => [impact + ": " + help + " (" + id + ")", ...nodes.map(({html}) => html.slice(0, 200))].join("\n"));
	return {faults, text, textOf, mark, markOf};
})()`

func logIsAccessible(t *testing.T, p accessible) {
	l := newLog(t, "--limit", "1000")
	l.open(t, p.tab)
	p.examine(t, "an empty log")
	p.visit(t, l.url+"?q=nothing")
	p.examine(t, "nothing matches")

	l.stays(t, "door", "bell", "ring")
	for i := range 12 {
		l.send(t, fmt.Sprint("sender-", i%9), "event", fmt.Sprintf(`{"title": "Nr %d", "message": "text", "url": "https://a.example/", "n": %[1]d}`, i))
	}
	l.send(t, "timer", "tick", `"the last"`)
	l.holds(t, "the last")
	l.open(t, p.tab)
	p.examine(t, "rows")
	p.click(t, "#log summary")
	p.click(t, "#clear summary")
	l.send(t, "timer", "tick", "more")
	p.until(t, "something new waits", "!fresh.hidden")
	p.click(t, "#pause")
	p.examine(t, "a pause, and a row and a question that are open")
	p.fill(t, `form[action="add"] [name="sender"]`, "door")
	p.fill(t, `form[action="add"] [name="event"]`, "knock")
	p.click(t, `form[action="add"] button`)
	p.until(t, "the page says what is wrong", `said.matches(".trouble:popover-open")`)
	p.examine(t, "an error")
	evaluate[bool](t, p.tab, `document.querySelector('form[action="add"]').submit(), true`) // as without scripts
	p.until(t, "the answer is a page", `document.querySelector("[role=alert]:not([popover])")`)
	p.examine(t, "an error, without scripts")
	for _, path := range []string{"?before=5", "regs"} {
		p.visit(t, l.url+path)
		p.examine(t, path)
	}
	l.open(t, p.tab)
	l.server.kill()
	p.until(t, "the page says that the server is lost", `document.querySelector("#status .state").matches(".off, .wait")`)
	p.examine(t, "no server")
	l.process.kill()
	p.until(t, "the page says that the log is lost", `live.matches(".off")`)
	p.examine(t, "no log")
}

func historyIsAccessible(t *testing.T, p accessible) {
	s, address := newHistory(t)
	s.send(t, "timer", "tick", `"shown"`)
	s.home.ask(t, s.bin, 0, "pause")
	s.send(t, "timer", "tick", `"held back"`)
	p.visit(t, address)
	p.examine(t, "the form for the token")
	p.fill(t, `[name="token"]`, "wrong")
	p.click(t, "button")
	p.until(t, "the page says that it is wrong", `document.querySelector("[role=alert]")`)
	p.examine(t, "a wrong token")
	p.visit(t, address+"?token=a-secret-of-this-test")
	p.until(t, "there are two alerts", `document.querySelectorAll("#log .unread").length === 2`)
	p.examine(t, "alerts")
}

func routerIsAccessible(t *testing.T, p accessible) {
	s := newRouter(t)
	p.visit(t, "http://"+s.addr+"/")
	p.examine(t, "the form")
	p.click(t, "button")
	p.until(t, "it is sent", `document.querySelector("[role=status]")`)
	p.examine(t, "sent")
	evaluate[bool](t, p.tab, `document.querySelector("[name=event]").value = "#connect", true`)
	p.click(t, "button")
	p.until(t, "it is refused", `document.querySelector("[role=alert]")`)
	p.examine(t, "an error")
}
