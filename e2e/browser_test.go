//go:build linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a Chromium without a window that the test owns.
type browser struct {
	ctx context.Context
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	need(t, "chromium")
	h := newHome(t)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath("chromium"),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("host-resolver-rules", "MAP evil.test 127.0.0.1, MAP log.test 127.0.0.1"),
		chromedp.UserDataDir(filepath.Join(h.dir, "chromium")),
		chromedp.NoInheritEnv, chromedp.Env(h.env...),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
			// chromedp starts it from a thread that stays until it has ended.
			c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
			c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
		}),
	)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(cancel) // waits until it has ended
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &browser{ctx}
}

// tab is a page of the browser, with cookies of its own.
type tab struct {
	ctx context.Context

	mu       sync.Mutex // guards the fields below
	asked    []string   // the addresses of all requests
	problems []string   // what the console has shown, and scripts that failed
}

// newTab opens an empty tab on a desktop's screen.
func (b *browser) newTab(t testing.TB) *tab {
	t.Helper()
	p := &tab{}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.hear))
	p.ctx = ctx
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first action
		t.Fatalf("open a tab: %v", err)
	}
	p.look(t, 1200, 800, "light")
	return p
}

// hear records what happens in the tab.
func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.asked = append(p.asked, e.Request.URL)
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		p.problems = append(p.problems, fmt.Sprintf("console.%s: %v", e.Type, e.Args))
	case *cdplog.EventEntryAdded:
		p.problems = append(p.problems, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
	}
}

// calm fails the test if the tab has asked any other server than that of the
// address, if a script has failed, or if the console shows anything other than
// the server's refusals of what it should refuse.
func (p *tab) calm(t testing.TB, address string, refused ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	own, _ := url.Parse(address)
	for _, a := range p.asked {
		if u, err := url.Parse(a); err != nil || u.Host != own.Host || u.Scheme != own.Scheme {
			t.Errorf("the page asks for %s", a)
		}
	}
	for _, problem := range p.problems {
		if !slices.ContainsFunc(refused, func(what string) bool { return strings.Contains(problem, what) }) {
			t.Errorf("the console shows: %s", problem)
		}
	}
}

// do runs actions, each of which ends in good time.
func (p *tab) do(t testing.TB, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for i, a := range actions {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		err := chromedp.Do(ctx, a)
		cancel()
		if err != nil {
			t.Fatalf("action %d of %d in the browser: %v", i+1, len(actions), err)
		}
	}
}

func (p *tab) visit(t testing.TB, address string) {
	t.Helper()
	p.do(t, chromedp.Navigate(address))
}

// noScripts keeps the tab from running scripts.
func (p *tab) noScripts(t testing.TB) {
	t.Helper()
	p.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

func (p *tab) dropCookies(t testing.TB) {
	t.Helper()
	p.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.ClearBrowserCookies, chromedp.Void{})
		return err
	}))
}

// inBackground keeps pages that the tab opens hidden until it is shown.
func (p *tab) inBackground(t testing.TB) (show func()) {
	t.Helper()
	p.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `Object.defineProperty(document, "hidden", {configurable: true, value: true})`,
		})
		return err
	}))
	return func() {
		t.Helper()
		evaluate[bool](t, p, `delete document.hidden && document.dispatchEvent(new Event("visibilitychange"))`)
	}
}

func (p *tab) click(t testing.TB, selector string) {
	t.Helper()
	p.do(t, chromedp.Click(chromedp.CSS(selector)))
}

// fill replaces what a field holds, as a person who types would.
func (p *tab) fill(t testing.TB, selector, text string) {
	t.Helper()
	p.click(t, selector)
	evaluate[bool](t, p, "document.activeElement.select(), true")
	p.press(t, text)
}

// press presses keys: letters, and those of package kb.
func (p *tab) press(t testing.TB, keys ...string) {
	t.Helper()
	for _, k := range keys {
		p.do(t, chromedp.KeyEvent(k))
	}
}

// shortcut presses a key whose letter the page may keep from being typed.
func (p *tab) shortcut(t testing.TB, key, code string) {
	t.Helper()
	for _, press := range []input.DispatchKeyEventParams{
		{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: code, Text: key},
		{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: code},
	} {
		p.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, input.DispatchKeyEvent, press)
			return err
		}))
	}
}

// look shows the tab as a screen of this width and colour scheme does.
func (p *tab) look(t testing.TB, width, height int64, scheme string) {
	t.Helper()
	p.do(t, chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// evaluate returns what an expression is in the page.
func evaluate[T any](t testing.TB, p *tab, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits until an expression is true of a loaded page, even if the tab shows
// another page at first.
func (p *tab) until(t testing.TB, what, expression string) {
	t.Helper()
	is := func(expression string) (ok bool) {
		ctx, cancel := context.WithTimeout(p.ctx, time.Second)
		defer cancel()
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && !!(`+expression+")"))
		return err == nil && ok
	}
	for give := time.After(patience); !is(expression); {
		select {
		case <-give:
			t.Fatalf("not within %v: %s; the page at %s:\n%.2000s", patience, what,
				evaluate[string](t, p, "location.href"), evaluate[string](t, p, "document.body.innerText"))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// picture saves what the tab shows for the documentation, if a folder for it is
// given.
func (p *tab) picture(t testing.TB, name string) {
	t.Helper()
	if os.Getenv("SIGALERT_PICTURES") == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	check(t, err)
	m, err := png.Decode(bytes.NewReader(text))
	check(t, err)
	savePicture(t, name, fewColours(m))
}

// fewColours is a picture in its 256 most frequent colours: half the size, and the
// same to the eye.
func fewColours(m image.Image) image.Image {
	counts := make(map[color.Color]int)
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			counts[m.At(x, y)]++
		}
	}
	byCount := func(a, b color.Color) int { return counts[b] - counts[a] }
	palette := color.Palette(slices.SortedFunc(maps.Keys(counts), byCount))
	few := image.NewPaletted(m.Bounds(), palette[:min(256, len(palette))])
	draw.Draw(few, few.Rect, m, m.Bounds().Min, draw.Src)
	return few
}
