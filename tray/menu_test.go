package tray

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"
)

// fakeUI records what a desktop would show. It is used by one goroutine.
type fakeUI struct {
	look    Look
	tooltip string
	items   []*fakeItem // nil is a separator
	writes  int
	icon    [2]chan struct{} // what a click on it sends on; nil: the menu opens
	open    chan struct{}    // what the opening of the menu sends on
}

func (u *fakeUI) setIcon(l Look)                              { u.look = l; u.writes++ }
func (u *fakeUI) setTooltip(text string)                      { u.tooltip = text; u.writes++ }
func (u *fakeUI) addSeparator()                               { u.items = append(u.items, nil) }
func (u *fakeUI) escape(s string) string                      { return strings.ReplaceAll(s, "_", "__") }
func (u *fakeUI) iconClicks() (first, second <-chan struct{}) { return u.icon[0], u.icon[1] }
func (u *fakeUI) opened() <-chan struct{}                     { return u.open }
func (u *fakeUI) addItem(under item, label string, checkbox bool) (item, <-chan struct{}) {
	parent, _ := under.(*fakeItem)
	it := &fakeItem{ui: u, under: parent, label: label, checkbox: checkbox, enabled: true, clicked: make(chan struct{})}
	u.items = append(u.items, it)
	return it, it.clicked
}

// lines tells the menu as a person sees it, without the submenus.
func (u *fakeUI) lines() []string { return u.submenu(nil) }

// submenu tells what is under an item.
func (u *fakeUI) submenu(under *fakeItem) []string {
	var all []string
	for _, it := range u.items {
		if it == nil && under == nil || it != nil && it.under == under && !it.hidden {
			all = append(all, it.String())
		}
	}
	return all
}

func (u *fakeUI) item(label string) *fakeItem {
	return u.items[slices.IndexFunc(u.items, func(it *fakeItem) bool { return it != nil && it.label == label })]
}

type fakeItem struct {
	ui                         *fakeUI
	under                      *fakeItem
	label                      string
	checkbox, enabled, checked bool
	hidden                     bool
	clicked                    chan struct{}
}

// SetTitle also shows the item, as the libraries for GTK and Windows do.
func (i *fakeItem) SetTitle(s string) { i.label, i.hidden = s, false; i.ui.writes++ }
func (i *fakeItem) Enable()           { i.enabled = true; i.ui.writes++ }
func (i *fakeItem) Disable()          { i.enabled = false; i.ui.writes++ }
func (i *fakeItem) Check()            { i.checked = true; i.ui.writes++ }
func (i *fakeItem) Uncheck()          { i.checked = false; i.ui.writes++ }
func (i *fakeItem) Show()             { i.hidden = false; i.ui.writes++ }
func (i *fakeItem) Hide()             { i.hidden = true; i.ui.writes++ }

func (i *fakeItem) String() string {
	if i == nil {
		return "---"
	}
	s := i.label
	if i.checkbox {
		s = map[bool]string{true: "[x] ", false: "[ ] "}[i.checked] + s
	}
	if !i.enabled {
		s += " (disabled)"
	}
	return s
}

// click clicks as the libraries do: it is lost when nobody receives.
func (i *fakeItem) click() bool {
	select {
	case i.clicked <- struct{}{}:
		return true
	default:
		return false
	}
}

// fakeAgent records the calls and holds those that hold is set for.
type fakeAgent struct {
	changed chan struct{}
	hold    chan struct{}

	mu    sync.Mutex // guards the fields below
	state State
	lists Lists
	calls []string
}

func newFakeAgent(s State) *fakeAgent {
	return &fakeAgent{state: s, changed: make(chan struct{}, 1)}
}

func (a *fakeAgent) called(what string) {
	a.mu.Lock()
	a.calls = append(a.calls, what)
	a.mu.Unlock()
	if a.hold != nil {
		<-a.hold
	}
}

func (a *fakeAgent) set(s State) {
	a.mu.Lock()
	a.state = s
	a.mu.Unlock()
	a.news()
}

func (a *fakeAgent) news() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

func (a *fakeAgent) took() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

func (a *fakeAgent) State() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}
func (a *fakeAgent) Lists() Lists {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lists
}
func (a *fakeAgent) Changed() <-chan struct{} { return a.changed }
func (a *fakeAgent) SetPaused(on bool)        { a.called(fmt.Sprintf("SetPaused(%v)", on)) }
func (a *fakeAgent) PauseFor(d time.Duration) { a.called(fmt.Sprintf("PauseFor(%v)", d)) }
func (a *fakeAgent) PauseUntilTomorrow()      { a.called("PauseUntilTomorrow") }
func (a *fakeAgent) MarkRead()                { a.called("MarkRead") }
func (a *fakeAgent) ShowAgain(n int)          { a.called(fmt.Sprintf("ShowAgain(%d)", n)) }
func (a *fakeAgent) Act(n, action int)        { a.called(fmt.Sprintf("Act(%d, %d)", n, action)) }
func (a *fakeAgent) Mute(line int, on bool)   { a.called(fmt.Sprintf("Mute(%d, %v)", line, on)) }
func (a *fakeAgent) SendTest()                { a.called("SendTest") }
func (a *fakeAgent) OpenHistory()             { a.called("OpenHistory") }
func (a *fakeAgent) EditConfig()              { a.called("EditConfig") }
func (a *fakeAgent) Reload()                  { a.called("Reload") }
func (a *fakeAgent) Reconnect()               { a.called("Reconnect") }
func (a *fakeAgent) Quit()                    { a.called("Quit") }

var states = []struct {
	name    string
	state   State
	lines   []string // of the menu that depend on the state
	tooltip string
}{
	{
		"connected", State{Look: Connected, Line: "Connected to 127.0.0.1:3000, 3 subscriptions"},
		[]string{"Connected to 127.0.0.1:3000, 3 subscriptions (disabled)", "[ ] Pause alerts", "Open history (disabled)", "Reconnect now (disabled)"},
		"sigalert: Connected to 127.0.0.1:3000, 3 subscriptions",
	}, {
		"connecting", State{Look: Connecting, Line: "Connecting to build_server:3000", Waiting: true, History: true},
		[]string{"Connecting to build__server:3000 (disabled)", "[ ] Pause alerts", "Open history", "Reconnect now"},
		"sigalert: Connecting to build_server:3000",
	}, {
		"paused", State{Look: Paused, Line: "Paused", Paused: true, History: true},
		[]string{"Paused (disabled)", "[x] Pause alerts", "Open history", "Reconnect now (disabled)"},
		"sigalert: Paused",
	}, {
		"trouble while paused", State{Look: Trouble, Line: "No\tserver\x00", Paused: true, Waiting: true},
		[]string{"No server  (disabled)", "[x] Pause alerts", "Open history (disabled)", "Reconnect now"},
		"sigalert: No server ",
	},
}

func checkShown(t *testing.T, ui *fakeUI, look Look, lines []string, tooltip string) {
	t.Helper()
	want := []string{
		lines[0], "---",
		"Recent alerts (disabled)", lines[1], "Pause for a while", "Subscriptions (disabled)", lines[2], "Send a test alert", "---",
		"Edit configuration", "Reload", lines[3], "About", "---",
		"Quit",
	}
	if got := ui.lines(); !slices.Equal(got, want) {
		t.Errorf("menu\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if ui.look != look || ui.tooltip != tooltip {
		t.Errorf("look %d, tooltip %q, want %d, %q", ui.look, ui.tooltip, look, tooltip)
	}
}

func TestFirstState(t *testing.T) {
	for _, test := range states {
		t.Run(test.name, func(t *testing.T) {
			ui := &fakeUI{}
			newMenu(newFakeAgent(test.state), ui)
			checkShown(t, ui, test.state.Look, test.lines, test.tooltip)
		})
	}
}

// start runs a menu within a synctest bubble, and returns what ends it.
func start(ui *fakeUI, agent *fakeAgent) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	m := newMenu(agent, ui)
	done := make(chan struct{})
	go func() { m.run(ctx); close(done) }()
	synctest.Wait()
	return func() { cancel(); <-done }
}

// Each state is shown after each other one, so whatever changes is updated.
func TestChanges(t *testing.T) {
	for _, from := range states {
		for _, to := range states {
			synctest.Test(t, func(t *testing.T) {
				ui, agent := &fakeUI{}, newFakeAgent(from.state)
				defer start(ui, agent)()
				ui.writes = 0
				agent.set(to.state)
				time.Sleep(settle)
				synctest.Wait()
				checkShown(t, ui, to.state.Look, to.lines, to.tooltip)
				if from.state == to.state && ui.writes != 0 {
					t.Errorf("%d writes without a change", ui.writes)
				}
			})
		}
	}
}

func TestClicks(t *testing.T) {
	for label, want := range map[string]string{
		"Pause alerts":        "SetPaused(true)",
		"15 minutes":          "PauseFor(15m0s)",
		"1 hour":              "PauseFor(1h0m0s)",
		"Until 8:00 tomorrow": "PauseUntilTomorrow",
		"Send a test alert":   "SendTest",
		"Open history":        "OpenHistory",
		"Edit configuration":  "EditConfig",
		"Reload":              "Reload",
		"Reconnect now":       "Reconnect",
		"Quit":                "Quit",
	} {
		synctest.Test(t, func(t *testing.T) {
			ui, agent := &fakeUI{}, newFakeAgent(State{Waiting: true, History: true})
			defer start(ui, agent)()
			if !ui.item(label).click() {
				t.Errorf("%s: the click was lost", label)
			}
			synctest.Wait()
			if got := agent.took(); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: calls %q, want %q", label, got, want)
			}
		})
	}
}

func TestClicksOnTheIcon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{icon: [2]chan struct{}{make(chan struct{}), make(chan struct{})}}, newFakeAgent(State{})
		defer start(ui, agent)()
		for _, i := range []int{0, 1, 0} {
			ui.icon[i] <- struct{}{}
			synctest.Wait()
		}
		agent.set(State{Paused: true})
		ui.icon[1] <- struct{}{}
		synctest.Wait()
		want := []string{"OpenHistory", "SetPaused(true)", "OpenHistory", "SetPaused(false)"}
		if got := agent.took(); !slices.Equal(got, want) {
			t.Errorf("calls %q, want %q", got, want)
		}
	})
}

func TestPauseClickedWhilePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{}, newFakeAgent(State{Paused: true})
		defer start(ui, agent)()
		ui.item("Pause alerts").click()
		synctest.Wait()
		if got := agent.took(); !slices.Equal(got, []string{"SetPaused(false)"}) {
			t.Errorf("calls %q", got)
		}
	})
}

// The desktop turns the check mark with the click. It is put back if the agent
// stays as it was.
func TestCheckMarkFollowsAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{}, newFakeAgent(State{})
		defer start(ui, agent)()
		it := ui.item("Pause alerts")
		it.checked = true
		it.click()
		synctest.Wait()
		if it.checked {
			t.Error("still checked")
		}
	})
}

func TestSlowCallHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{}, newFakeAgent(State{Look: Connecting})
		agent.hold = make(chan struct{})
		stop := start(ui, agent)
		ui.item("Send a test alert").click()
		synctest.Wait()
		if ui.item("Send a test alert").click() {
			t.Error("a second call began during the first")
		}
		ui.item("Quit").click()
		agent.set(State{Look: Connected})
		synctest.Wait()
		if ui.look != Connected {
			t.Error("the state is not followed during a call")
		}
		if got := agent.took(); !slices.Equal(got, []string{"SendTest", "Quit"}) {
			t.Errorf("calls %q", got)
		}
		close(agent.hold)
		stop()
	})
}

func TestUpdatesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{}, newFakeAgent(State{})
		defer start(ui, agent)()
		ui.writes = 0
		for i := range 1000 {
			agent.set(State{Line: fmt.Sprint(i)})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(settle)
		synctest.Wait()
		if maxWrites := 2 * 11; ui.writes > maxWrites { // the line and the tooltip
			t.Errorf("%d writes in a second, want at most %d", ui.writes, maxWrites)
		}
		if ui.tooltip != "sigalert: 999" {
			t.Errorf("the last change is not shown: %q", ui.tooltip)
		}
	})
}

func TestClosedChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{}, newFakeAgent(State{})
		defer start(ui, agent)()
		close(agent.changed)
		time.Sleep(2 * settle)
		synctest.Wait()
		ui.item("Reload").click()
		synctest.Wait()
		if got := agent.took(); len(got) != 1 {
			t.Errorf("calls %q", got)
		}
	})
}

func TestClean(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"plain", "plain"},
		{"two\nlines", "two lines"},
		{"nul\x00", "nul "},
		{"bad \xff byte", "bad \uFFFD byte"},
		{strings.Repeat("x", 99), strings.Repeat("x", 99)},
		{strings.Repeat("x", 101), strings.Repeat("x", 99) + "…"},
		{strings.Repeat("😀", 60), strings.Repeat("😀", 49) + "…"},
	} {
		got := clean(test.in, maxLine)
		if got != test.want {
			t.Errorf("clean(%q) = %q, want %q", test.in, got, test.want)
		}
		if n := len(utf16.Encode([]rune(got))); n > maxLine {
			t.Errorf("clean(%q) has %d units", test.in, n)
		}
	}
}

// A line that would make the menu too wide goes on below, and is whole in the tooltip.
func TestLongLine(t *testing.T) {
	const connected = "Connected to 127.0.0.1:3000, 4 subscriptions"
	for _, test := range []struct{ line, first, rest string }{
		{connected, connected, ""},
		{connected + ", sender not seen yet: doorbell", connected + ",", "sender not seen yet: doorbell"},
		{"Paused, 2 held back. " + connected + ", 12 dropped", "Paused, 2 held back. Connected to 127.0.0.1:3000,", "4 subscriptions, 12 dropped"},
		{"Configuration: /home/somebody/.config/sigalert/config.yaml: no such file", "Configuration: /home/somebody/.config/sigalert/config.yaml:", "no such file"},
		{strings.Repeat("x", 60), strings.Repeat("x", 60), ""},
		{strings.Repeat("x", 61), strings.Repeat("x", 60), "x"},
		{strings.Repeat("x", 60) + " y", strings.Repeat("x", 60), "y"},
		{strings.Repeat("ü", 70) + " y", strings.Repeat("ü", 60), strings.Repeat("ü", 10) + " y"},
		{"a, " + strings.Repeat("x", 58), "a,", strings.Repeat("x", 58)},
		{"a, " + strings.Repeat("x", 97), "a, " + strings.Repeat("x", 57), strings.Repeat("x", 39) + "…"},
	} {
		ui := &fakeUI{}
		m := newMenu(newFakeAgent(State{Line: "Starting"}), ui)
		for range 2 { // also after a short one
			m.show(State{Line: "Starting"}, false)
			if top := ui.lines()[:2]; !slices.Equal(top, []string{"Starting (disabled)", "---"}) {
				t.Fatalf("the top is %q", top)
			}
			m.show(State{Line: test.line}, false)
			want := []string{test.first + " (disabled)"}
			if test.rest != "" {
				want = append(want, test.rest+" (disabled)")
			}
			want = append(want, "---")
			if top := ui.lines()[:len(want)]; !slices.Equal(top, want) || ui.tooltip != "sigalert: "+clean(test.line, maxLine) {
				t.Errorf("%q: the top is %q, the tooltip %q", test.line, top, ui.tooltip)
			}
		}
	}
}

func TestLooksHaveIcons(t *testing.T) {
	seen := map[string]Look{}
	for _, l := range []Look{Connected, Connecting, Paused, Trouble} {
		data := string(l.icon())
		if other, double := seen[data]; double || data == "" {
			t.Errorf("look %d: no icon of its own (%d)", l, other)
		}
		seen[data] = l
	}
}
