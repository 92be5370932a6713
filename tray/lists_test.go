package tray

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

var listTests = []struct {
	name                  string
	unread                int
	lists                 Lists
	line                  string
	recent, subscriptions []string // the title, and what is under it
}{
	{
		"nothing", 0, Lists{}, "Connected",
		[]string{"Recent alerts (disabled)"},
		[]string{"Subscriptions (disabled)"},
	}, {
		"a few", 2,
		Lists{
			Muted: 1,
			Recent: []Recent{
				{Number: 9, Time: "14:02", Title: "Door", Actions: []Action{{0, "Open"}, {2, "Snooze"}}},
				{Number: 7, Time: "13:58", Title: "disk_space", Why: "held back"},
			},
			Subscriptions: []Subscription{
				{Line: 4, Label: "door: ring"},
				{Line: 5, Label: "every event of disk", State: "not offered", Muted: true},
			},
		},
		"Connected, 2 new alerts",
		[]string{"Recent alerts (2 new)", "14:02  Door", "      → Open", "      → Snooze", "13:58  disk__space (held back)", "Mark all as read"},
		[]string{"Subscriptions (1 muted)", "[x] door: ring", "[ ] every event of disk (not offered)"},
	}, {
		"one", 1,
		Lists{Recent: []Recent{{Number: 10, Time: "14:03", Title: "Door"}}, Subscriptions: []Subscription{{Line: 4, Label: "door: ring"}}, More: 985},
		"Connected, 1 new alert",
		[]string{"Recent alerts (1 new)", "14:03  Door", "Mark all as read"},
		[]string{"Subscriptions", "[x] door: ring", "and 985 more: see sigalert status (disabled)"},
	},
}

// listing is an agent with lists.
func listing(unread int, lists Lists) *fakeAgent {
	a := newFakeAgent(State{Line: "Connected", Unread: unread})
	a.lists = lists
	return a
}

func (a *fakeAgent) list(unread int, lists Lists) {
	a.mu.Lock()
	a.state.Unread, a.lists = unread, lists
	a.mu.Unlock()
	a.news()
}

func checkLists(t *testing.T, ui *fakeUI, line string, recent, subscriptions []string) {
	t.Helper()
	if got := ui.lines()[0]; got != line+" (disabled)" || ui.tooltip != "sigalert: "+line {
		t.Errorf("line %q, tooltip %q, want %q", got, ui.tooltip, line)
	}
	for _, want := range [][]string{recent, subscriptions} {
		title := ui.items[slices.IndexFunc(ui.items, func(it *fakeItem) bool { return it.String() == want[0] })]
		if got := ui.submenu(title); !slices.Equal(got, want[1:]) {
			t.Errorf("under %s\n%s\nwant\n%s", want[0], strings.Join(got, "\n"), strings.Join(want[1:], "\n"))
		}
	}
}

// Each state is shown after each other one, and as the first.
func TestLists(t *testing.T) {
	for _, from := range listTests {
		for _, to := range listTests {
			t.Run(from.name+", "+to.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ui, agent := &fakeUI{}, listing(from.unread, from.lists)
					defer start(ui, agent)()
					checkLists(t, ui, from.line, from.recent, from.subscriptions)
					ui.writes = 0
					agent.list(to.unread, to.lists)
					time.Sleep(listPace)
					synctest.Wait()
					checkLists(t, ui, to.line, to.recent, to.subscriptions)
					if from.name == to.name && ui.writes != 0 {
						t.Errorf("%d writes without a change", ui.writes)
					}
				})
			})
		}
	}
}

// fullAgent has more of everything than can be shown, and a number in its texts.
func fullAgent(number int) *fakeAgent {
	a := newFakeAgent(State{
		Look: Paused, Paused: true, History: true, Waiting: true, Unread: 1000, PausedUntil: "Mon 8:00",
		Line: fmt.Sprint(number, strings.Repeat(" subscriptions,", 20)),
	})
	l := Lists{
		Muted: 300, Version: strings.Repeat("1.", 100),
		Config: strings.Repeat("/deep", 50) + "/config.yaml", Store: strings.Repeat("/deep", 50) + "/history.db",
	}
	for i := range 1000 {
		text := fmt.Sprint(i+number, strings.Repeat(" much text\n\x00\u202e", 100))
		l.Recent = append(l.Recent, Recent{
			Number: i + number, Time: "14:02", Title: text, Why: "held back",
			Actions: []Action{{0, text}, {1, text}, {2, text}, {3, text}},
		})
		l.Subscriptions = append(l.Subscriptions, Subscription{Line: i + number, Label: text, State: "not offered", Muted: i%3 == 0})
	}
	a.lists = l
	return a
}

func TestFullMenu(t *testing.T) {
	ui := &fakeUI{}
	newMenu(fullAgent(0), ui)
	if len(ui.items) >= 60 {
		t.Errorf("%d items", len(ui.items))
	}
	recent, subscriptions := ui.submenu(ui.item("Recent alerts (1,000 new)")), ui.submenu(ui.item("Subscriptions (300 muted)"))
	if len(recent) != MaxRecent+maxActions+1 || !strings.HasPrefix(recent[4], "14:02  1 much") || !strings.HasSuffix(recent[4], "… (held back)") || !strings.HasPrefix(recent[5], "      → 1 much") {
		t.Errorf("recent alerts:\n%s", strings.Join(recent, "\n"))
	}
	if last := len(subscriptions) - 1; last != MaxSubscriptions || subscriptions[last] != "and 985 more: see sigalert status (disabled)" {
		t.Errorf("subscriptions:\n%s", strings.Join(subscriptions, "\n"))
	}
	for _, it := range ui.items {
		if it == nil {
			continue
		}
		if n := utf8.RuneCountInString(it.label); n > maxWidth || strings.ContainsAny(it.label, "\n\x00\u202e") {
			t.Errorf("%d characters: %q", n, it.label)
		}
	}
	if about := ui.submenu(ui.item("About")); !strings.HasSuffix(about[1], "/deep/config.yaml") || !strings.HasPrefix(about[2], "History: …") {
		t.Errorf("about: %q", about)
	}
	if !strings.HasSuffix(ui.tooltip, ", 1,000 new alerts") || !strings.Contains(ui.tooltip, "…") {
		t.Errorf("tooltip %q", ui.tooltip)
	}
}

// A thousand alerts in ten seconds do not make the menu rewrite its lists as often.
func TestListsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{}, fullAgent(0)
		defer start(ui, agent)()
		ui.writes = 0
		for i := range 100 {
			next := fullAgent(i)
			agent.set(next.state)
			agent.list(next.state.Unread, next.lists)
			time.Sleep(settle)
		}
		time.Sleep(listPace)
		synctest.Wait()
		lists := (MaxRecent + maxActions + 2*MaxSubscriptions) * 11 // a check may change too
		if top := 3 * 101; ui.writes > lists+top {
			t.Errorf("%d writes, want at most %d", ui.writes, lists+top)
		}
		if got := ui.submenu(ui.item("Recent alerts (1,000 new)"))[0]; !strings.HasPrefix(got, "14:02  99 ") {
			t.Errorf("the last change is not shown: %q", got)
		}
	})
}

func TestClicksOnLists(t *testing.T) {
	for label, want := range map[string][]string{
		"14:02  Door":                       {"MarkRead", "ShowAgain(9)"},
		"      → Snooze":                    {"MarkRead", "Act(9, 2)"},
		"13:58  disk__space (held back)":    {"MarkRead", "ShowAgain(7)"},
		"Mark all as read":                  {"MarkRead"},
		"door: ring":                        {"Mute(4, true)"},
		"every event of disk (not offered)": {"Mute(5, false)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ui, agent := &fakeUI{}, listing(2, listTests[1].lists)
			defer start(ui, agent)()
			it := ui.item(label)
			was := it.checked
			it.checked = it.checkbox && !it.checked // as the desktop does
			it.click()
			synctest.Wait()
			if got := agent.took(); !slices.Equal(got, want) {
				t.Errorf("%s: calls %q, want %q", label, got, want)
			}
			if it.checked != was {
				t.Errorf("%s: the check does not follow the agent", label)
			}
		})
	}
}

// A click on a row that has just changed was meant for what was there before.
func TestClickOnARowThatHasJustChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{}, listing(2, listTests[1].lists)
		defer start(ui, agent)()
		agent.list(1, listTests[2].lists)
		synctest.Wait()
		it := ui.item("14:03  Door")
		it.click()
		synctest.Wait()
		if got := agent.took(); len(got) > 0 {
			t.Errorf("calls %q", got)
		}
		time.Sleep(steady)
		it.click()
		synctest.Wait()
		if got := agent.took(); !slices.Equal(got, []string{"MarkRead", "ShowAgain(10)"}) {
			t.Errorf("calls %q", got)
		}
	})
}

// The number of new alerts stays for a moment, so that it can be read.
func TestOpeningMarksRead(t *testing.T) {
	for _, title := range []bool{false, true} { // of the submenu, as in the build for GTK
		synctest.Test(t, func(t *testing.T) {
			ui, agent := &fakeUI{open: make(chan struct{})}, listing(2, listTests[1].lists)
			defer start(ui, agent)()
			if title {
				ui.item("Recent alerts (2 new)").click()
			} else {
				ui.open <- struct{}{}
			}
			time.Sleep(reading - 1)
			synctest.Wait()
			if got := agent.took(); len(got) > 0 {
				t.Errorf("calls %q at once", got)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if got := agent.took(); !slices.Equal(got, []string{"MarkRead"}) {
				t.Errorf("calls %q", got)
			}
		})
	}
}

// Items stay as they are while somebody may be reading them, until one is clicked.
func TestOpenMenuStays(t *testing.T) {
	for _, clicked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ui, agent := &fakeUI{open: make(chan struct{})}, listing(0, listTests[1].lists)
			defer start(ui, agent)()
			time.Sleep(listPace)
			ui.open <- struct{}{}
			synctest.Wait()
			recent := ui.item("Recent alerts")
			now := func() []string { return slices.Concat(ui.lines(), ui.submenu(recent)) }
			before := now()
			agent.list(1, listTests[2].lists)
			agent.set(State{Look: Trouble, Line: "Lost"})
			time.Sleep(still - time.Millisecond)
			synctest.Wait()
			if got := now(); !slices.Equal(got, before) || ui.look != Trouble || ui.tooltip != "sigalert: Lost" {
				t.Errorf("the icon is %v, %q, and the open menu\n%s", ui.look, ui.tooltip, strings.Join(got, "\n"))
			}
			if got := agent.took(); len(got) > 0 {
				t.Errorf("calls %q", got)
			}
			if clicked {
				ui.item("Reload").click()
			} else {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(settle)
			synctest.Wait()
			if got := now(); slices.Equal(got, before) || got[0] != "Lost (disabled)" {
				t.Errorf("afterwards it is\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// A click on "Pause alerts" would otherwise do the opposite of what the item says.
func TestOpenMenuShowsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{open: make(chan struct{})}, listing(0, listTests[1].lists)
		defer start(ui, agent)()
		ui.open <- struct{}{}
		for _, paused := range []bool{true, false} {
			agent.set(State{Paused: paused})
			time.Sleep(settle)
			synctest.Wait()
			if got := ui.item("Pause alerts").checked; got != paused {
				t.Errorf("the menu says that it is paused: %v", got)
			}
		}
	})
}

// It is noticed even if the alerts that it shows do not count as read yet.
func TestOpenedAgainAfterAClick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ui, agent := &fakeUI{open: make(chan struct{})}, listing(2, listTests[1].lists)
		defer start(ui, agent)()
		for range 2 {
			ui.item("Reload").click()
			time.Sleep(settle)
			synctest.Wait()
			select {
			case ui.open <- struct{}{}:
			default:
				t.Fatal("nobody notices that the menu is opened")
			}
			synctest.Wait()
		}
		time.Sleep(settle)
		agent.set(State{Line: "Lost"})
		time.Sleep(still - settle - time.Millisecond)
		synctest.Wait()
		if ui.lines()[0] == "Lost (disabled)" {
			t.Error("an item of the open menu changes")
		}
	})
}

func TestPausedUntil(t *testing.T) {
	ui := &fakeUI{}
	m := newMenu(newFakeAgent(State{}), ui)
	for _, test := range []struct {
		state State
		want  string
	}{
		{State{Paused: true}, "[x] Pause alerts"},
		{State{Paused: true, PausedUntil: "14:30"}, "[x] Pause alerts, until 14:30"},
		{State{Paused: true, PausedUntil: "Tue 8:00"}, "[x] Pause alerts, until Tue 8:00"},
		{State{PausedUntil: "Tue 8:00"}, "[ ] Pause alerts"},
	} {
		if m.show(test.state, false); !slices.Contains(ui.lines(), test.want) {
			t.Errorf("%+v shows\n%s", test.state, strings.Join(ui.lines(), "\n"))
		}
	}
}

func TestAbout(t *testing.T) {
	ui := &fakeUI{}
	m := newMenu(listing(0, Lists{Version: "1.2", Config: "/home/me/config.yaml"}), ui)
	about := ui.item("About")
	if got := ui.submenu(about); !slices.Equal(got, []string{"sigalert 1.2 (disabled)", "Configuration: /home/me/config.yaml"}) {
		t.Errorf("%q", got)
	}
	m.showLists(0, Lists{Version: "1.2", Store: "/home/me/history.db"})
	if got := ui.submenu(about); !slices.Equal(got, []string{"sigalert 1.2 (disabled)", "History: /home/me/history.db (disabled)"}) {
		t.Errorf("%q", got)
	}
}
