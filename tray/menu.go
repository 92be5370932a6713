package tray

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/internal/wait"
	"sigalert/internal/words"
)

const (
	// settle is the shortest time between two updates: an agent may change its
	// state with every event, and a panel redraws the open menu each time.
	settle = 100 * time.Millisecond

	// listPace is that of the lists: one more alert changes all of their lines.
	listPace = time.Second

	// reading is how long the number of new alerts stays after the menu was opened.
	reading = 3 * time.Second

	// still is how long the items stay as they are after the menu was opened, unless one
	// is clicked or a pause begins or ends: LXQt's panel closes an open menu when an item
	// changes.
	still = 15 * time.Second
)

// A menu is the icon's menu and what it shows. It belongs to the goroutine that
// calls newMenu and then run. No library can remove an item or insert one, so the
// menu is made whole, and what is not needed is hidden.
type menu struct {
	agent Agent
	ui    backend

	line, rest, pause, history, reconnect *entry
	version, config, store                *entry
	recent                                recentList
	subscriptions                         subscriptionList

	clickable []*entry
	acted     wait.Token                // a click's call has returned
	opened    atomic.Pointer[time.Time] // when the menu was; nil: it has been clicked since
	look      Look
	tooltip   string
}

// newMenu adds the items to ui and shows the present state.
func newMenu(agent Agent, ui backend) *menu {
	m := &menu{agent: agent, ui: ui, acted: wait.NewToken()}
	pauseFor := func(d time.Duration) func(context.Context) {
		return func(context.Context) { agent.PauseFor(d) }
	}
	m.line = m.add(nil, "sigalert", nil)
	m.rest = m.add(nil, "", nil)
	ui.addSeparator()
	m.recent = m.addRecent()
	m.pause = m.addCheck(nil, "Pause alerts", func(context.Context) { agent.SetPaused(!agent.State().Paused) })
	pause := m.add(nil, "Pause for a while", nil)
	m.add(pause, "15 minutes", pauseFor(15*time.Minute))
	m.add(pause, "1 hour", pauseFor(time.Hour))
	m.add(pause, "Until 8:00 tomorrow", func(context.Context) { agent.PauseUntilTomorrow() })
	m.subscriptions = m.addSubscriptions()
	m.history = m.add(nil, "Open history", func(context.Context) { agent.OpenHistory() })
	m.add(nil, "Send a test alert", func(context.Context) { agent.SendTest() })
	ui.addSeparator()
	m.add(nil, "Edit configuration", func(context.Context) { agent.EditConfig() })
	m.add(nil, "Reload", func(context.Context) { agent.Reload() })
	m.reconnect = m.add(nil, "Reconnect now", func(context.Context) { agent.Reconnect() })
	about := m.add(nil, "About", nil)
	m.version = m.add(about, "", nil)
	m.config = m.add(about, "", func(context.Context) { agent.EditConfig() })
	m.store = m.add(about, "", nil)
	ui.addSeparator()
	m.add(nil, "Quit", func(context.Context) { agent.Quit() })
	m.history.icon, m.pause.icon = ui.iconClicks()

	s := agent.State()
	m.look = s.Look
	ui.setIcon(s.Look)
	m.show(s, false)
	m.showLists(s.Unread, agent.Lists())
	return m
}

// add appends an item under another one, or to the menu itself. A nil call is an
// item that only says something, or that has others under it.
func (m *menu) add(under *entry, label string, call func(context.Context)) *entry {
	return m.addEntry(under, label, false, call)
}

func (m *menu) addCheck(under *entry, label string, call func(context.Context)) *entry {
	return m.addEntry(under, label, true, call)
}

func (m *menu) addEntry(under *entry, label string, checkbox bool, call func(context.Context)) *entry {
	e := &entry{call: call, escape: m.ui.escape, checkbox: checkbox, shown: face{label: label}}
	var parent item
	if under != nil {
		parent = under.item
	}
	e.item, e.clicked = m.ui.addItem(parent, label, checkbox)
	if call != nil {
		m.clickable = append(m.clickable, e)
	}
	return e
}

// run serves clicks and follows the agent's state until ctx has ended and the
// calls under way have returned.
func (m *menu) run(ctx context.Context) {
	var calls sync.WaitGroup
	for _, e := range m.clickable {
		calls.Go(func() { e.serve(ctx, m.acted) })
	}
	calls.Go(func() { m.serveOpened(ctx) })
	m.follow(ctx)
	calls.Wait()
}

// serveOpened notes when the menu is opened, and marks the alerts as read a moment later.
func (m *menu) serveOpened(ctx context.Context) {
	var read <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.ui.opened():
			if m.openFor() <= 0 { // no longer than that, however often it is opened
				m.opened.Store(new(time.Now()))
			}
			if read == nil && m.agent.State().Unread > 0 {
				read = time.After(reading)
			}
		case <-read:
			read = nil
			m.agent.MarkRead()
		}
	}
}

// openFor is how long the menu counts as open from now on.
func (m *menu) openFor() time.Duration {
	if at := m.opened.Load(); at != nil {
		return still - time.Since(*at)
	}
	return 0
}

// follow shows the agent's state after each change and each click.
func (m *menu) follow(ctx context.Context) {
	changed := m.agent.Changed()
	var listed time.Time       // when the lists were shown
	var later <-chan time.Time // they, or all items, are to be shown again
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
			m.opened.Store(nil)
		case <-later:
			later = nil
		}
		s := m.agent.State()
		open := m.openFor()
		m.show(s, open > 0)
		if early := max(listPace-time.Since(listed), open); clicked || early <= 0 {
			m.showLists(s.Unread, m.agent.Lists())
			listed, later = time.Now(), nil
		} else if later == nil {
			later = time.After(early)
		}
		if !wait.Sleep(ctx, settle, nil) {
			return
		}
	}
}

// show updates what differs from the state shown, except the lists; only the icon and its
// tooltip if the menu is open.
func (m *menu) show(s State, open bool) {
	if s.Look != m.look {
		m.look = s.Look
		m.ui.setIcon(s.Look)
	}
	line, tail := clean(s.Line, maxLine), ""
	if s.Unread > 0 {
		tail = ", " + words.Count(s.Unread, "new alert")
		line = clean(s.Line, maxLine-len(tail)) + tail
	}
	if line != m.tooltip {
		m.tooltip = line
		m.ui.setTooltip("sigalert: " + line)
	}
	if open && s.Paused == m.pause.shown.checked { // otherwise a click would do the opposite of what it says
		return
	}
	line, rest := wrap(line)
	m.line.show(face{label: line, disabled: true})
	m.rest.show(face{label: rest, disabled: true, hidden: rest == ""})
	pause := "Pause alerts"
	if s.Paused && s.PausedUntil != "" {
		pause = fit(pause, ", until "+s.PausedUntil)
	}
	m.pause.show(face{label: pause, checked: s.Paused})
	m.history.show(face{label: "Open history", disabled: !s.History})
	m.reconnect.show(face{label: "Reconnect now", disabled: !s.Waiting})
}

// showLists updates what may take many calls.
func (m *menu) showLists(unread int, s Lists) {
	m.recent.show(unread, s.Recent)
	m.subscriptions.show(s)
	m.version.show(face{label: fit("sigalert "+s.Version, ""), disabled: true})
	m.config.show(face{label: fitPath("Configuration: ", s.Config), hidden: s.Config == ""})
	m.store.show(face{label: fitPath("History: ", s.Store), disabled: true, hidden: s.Store == ""})
}

func numbered(title string, n int, what string) string {
	if n == 0 {
		return title
	}
	return title + " (" + words.Number(n) + " " + what + ")"
}
