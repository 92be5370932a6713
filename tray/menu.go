package tray

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"sigalert/internal/wait"
)

const (
	// settle is the shortest time between two updates: an agent may change its
	// state with every event, and a panel redraws the open menu each time.
	settle = 100 * time.Millisecond

	// maxLine is in UTF-16 units: Windows cuts tooltips at 127, and loses the
	// end of the text when it does.
	maxLine = 100

	// maxWidth is in characters. No desktop breaks a label: its menu would become
	// wider than a small screen, and lose the end of it.
	maxWidth = 60
)

// A menu is the icon's menu and what it shows. It belongs to the goroutine that
// calls newMenu and then run.
type menu struct {
	agent Agent
	ui    backend

	line, rest, pause, history, reconnect item

	clicks []click
	acted  wait.Token // a click's call has returned
	shown  State
	onRest string // what rest shows; "": it is hidden
}

// A click is what one menu item does, and perhaps the icon with it.
type click struct {
	clicked <-chan struct{}
	icon    <-chan struct{} // the icon itself was clicked; nil: never
	call    func()
}

// newMenu adds the items to ui and shows the present state.
func newMenu(agent Agent, ui backend) *menu {
	m := &menu{agent: agent, ui: ui, acted: wait.NewToken()}
	m.line, _ = ui.addItem("sigalert", false)
	m.line.Disable()
	m.rest, _ = ui.addItem("", false)
	m.rest.Disable()
	m.rest.Hide()
	ui.addSeparator()
	first, second := ui.iconClicks()
	m.pause = m.add("Pause alerts", true, second, func() { agent.SetPaused(!agent.State().Paused) })
	m.add("Send a test alert", false, nil, agent.SendTest)
	m.history = m.add("Open history", false, first, agent.OpenHistory)
	m.add("Edit configuration", false, nil, agent.EditConfig)
	m.add("Reload", false, nil, agent.Reload)
	m.reconnect = m.add("Reconnect now", false, nil, agent.Reconnect)
	ui.addSeparator()
	m.add("Quit", false, nil, agent.Quit)

	s := agent.State()
	ui.setIcon(s.Look)
	m.setLine(s.Line)
	m.setPaused(s.Paused)
	enable(m.history, s.History)
	enable(m.reconnect, s.Waiting)
	m.shown = s
	return m
}

func (m *menu) add(label string, checkbox bool, icon <-chan struct{}, call func()) item {
	it, clicked := m.ui.addItem(label, checkbox)
	m.clicks = append(m.clicks, click{clicked, icon, call})
	return it
}

// run serves clicks and follows the agent's state until ctx has ended and the
// calls under way have returned.
func (m *menu) run(ctx context.Context) {
	var calls sync.WaitGroup
	for _, c := range m.clicks {
		calls.Go(func() { c.serve(ctx, m.acted) })
	}
	m.follow(ctx)
	calls.Wait()
}

func (c click) serve(ctx context.Context, acted wait.Token) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.clicked:
		case <-c.icon:
		}
		c.call()
		acted.Raise()
	}
}

// follow shows the agent's state after each change and each click.
func (m *menu) follow(ctx context.Context) {
	changed := m.agent.Changed()
	for {
		clicked := false
		select {
		case <-ctx.Done():
			return
		case _, open := <-changed:
			if !open {
				changed = nil
			}
		case <-m.acted:
			clicked = true
		}
		m.show(m.agent.State(), clicked)
		if !wait.Sleep(ctx, settle, nil) {
			return
		}
	}
}

// show updates what differs from the state shown. A click may have changed a check
// mark although the agent's state stayed the same, so after one the mark is always
// set.
func (m *menu) show(s State, clicked bool) {
	if s.Look != m.shown.Look {
		m.ui.setIcon(s.Look)
	}
	if s.Line != m.shown.Line {
		m.setLine(s.Line)
	}
	if clicked || s.Paused != m.shown.Paused {
		m.setPaused(s.Paused)
	}
	if s.History != m.shown.History {
		enable(m.history, s.History)
	}
	if s.Waiting != m.shown.Waiting {
		enable(m.reconnect, s.Waiting)
	}
	m.shown = s
}

func (m *menu) setLine(line string) {
	line = clean(line)
	m.ui.setTooltip("sigalert: " + line)
	line, rest := wrap(line)
	m.line.SetTitle(m.ui.escape(line))
	if rest == m.onRest {
		return
	}
	m.onRest = rest
	m.rest.SetTitle(m.ui.escape(rest)) // first: some libraries show what they change
	if rest == "" {
		m.rest.Hide()
	} else {
		m.rest.Show()
	}
}

// wrap breaks a line of at most maxLine in two of at most maxWidth, after a comma if
// possible, or else after a word.
func wrap(line string) (first, rest string) {
	all := []rune(line)
	if len(all) <= maxWidth {
		return line, ""
	}
	head := string(all[:maxWidth+1]) // its end may be the blank
	for _, end := range []string{", ", " "} {
		blank := strings.LastIndex(head, end) + len(end) - 1
		if blank >= len(end) && utf8.RuneCountInString(line[blank+1:]) <= maxWidth {
			return line[:blank], line[blank+1:]
		}
	}
	return string(all[:maxWidth]), string(all[maxWidth:])
}

func (m *menu) setPaused(on bool) {
	if on {
		m.pause.Check()
	} else {
		m.pause.Uncheck()
	}
}

func enable(it item, on bool) {
	if on {
		it.Enable()
	} else {
		it.Disable()
	}
}

// clean makes text fit for one line on any desktop: valid UTF-8 without control
// characters, which D-Bus and C strings do not take, and at most maxLine.
func clean(text string) string {
	var b strings.Builder
	units := 0
	for _, r := range strings.ToValidUTF8(text, string(utf8.RuneError)) {
		if unicode.IsControl(r) {
			r = ' '
		}
		if units += utf16.RuneLen(r); units >= maxLine {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
