package cli

import (
	"log/slog"
	"time"

	"sigalert/agent"
	"sigalert/agent/notify"
	"sigalert/internal/topic"
	"sigalert/internal/wait"
	"sigalert/internal/words"
	"sigalert/internal/zone"
	"sigalert/sig"
	"sigalert/tray"
)

// trayAgent shows the agent to the tray.
type trayAgent struct {
	agent   *agent.Agent
	path    string // of the configuration; "" if there is none to edit
	quit    func()
	log     *slog.Logger
	changed wait.Token

	history     func() bool // reports whether there is one to open; nil: never
	openHistory func()
}

func (t *trayAgent) Changed() <-chan struct{} { return t.changed }

func (t *trayAgent) State() tray.State {
	st := t.agent.Status()
	return tray.State{
		Look:        look(st),
		Line:        st.Line(),
		Paused:      st.Paused,
		PausedUntil: clock(time.Now(), st.PausedUntil),
		History:     t.history != nil && t.history(),
		Waiting:     !st.Connected && st.Server != "",
		Unread:      st.Unread,
	}
}

func (t *trayAgent) Lists() tray.Lists {
	l := tray.Lists{Version: versionText(), Config: t.path}
	if t.history != nil && t.history() {
		l.Store = historyPath()
	}
	for _, x := range t.agent.Recent(tray.MaxRecent, false) {
		l.Recent = append(l.Recent, recent(x))
	}
	for i, sub := range t.agent.Status().Subscriptions {
		if sub.Muted {
			l.Muted++
		}
		if i >= tray.MaxSubscriptions {
			l.More++
			continue
		}
		l.Subscriptions = append(l.Subscriptions, tray.Subscription{
			Line:  sub.Line,
			Label: sub.String(),
			State: subscriptionState(sub),
			Muted: sub.Muted,
		})
	}
	return l
}

// recent has the buttons that need no text to be typed.
func recent(x agent.Explanation) tray.Recent {
	r := tray.Recent{
		Number: x.Number,
		Time:   x.Time.In(zone.Local()).Format("15:04"),
		Title:  topic.Topic{Sender: x.Sender, Event: x.Event}.String(),
	}
	if x.Decision != agent.Sent && x.Decision != agent.Shown {
		r.Why = x.Decision.String()
	}
	if x.Sent == nil {
		return r
	}
	if x.Sent.Title != "" {
		r.Title = x.Sent.Title
	}
	for i, a := range x.Sent.Actions {
		if !a.Reply {
			r.Actions = append(r.Actions, tray.Action{Index: i, Label: a.Label})
		}
	}
	return r
}

// clock is a time of the next days as people write it: "14:30", or "Tue 8:00" on
// another day than today. It is empty for the zero time.
func clock(now, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	now, at = now.In(zone.Local()), at.In(zone.Local())
	if now.YearDay() == at.YearDay() && now.Year() == at.Year() {
		return at.Format("15:04")
	}
	return at.Format("Mon 15:04")
}

// subscriptionState says what is not as it should be.
func subscriptionState(sub agent.SubscriptionStatus) string {
	switch {
	case sub.Status == sig.Refused:
		return "not offered"
	case sub.Held > 0:
		return words.Number(sub.Held) + " held back"
	case sub.Muted && !sub.MutedUntil.IsZero():
		return "until " + clock(time.Now(), sub.MutedUntil)
	case sub.Status == sig.Pending:
		return "waiting"
	}
	return ""
}

func look(st agent.Status) tray.Look {
	switch {
	case st.Paused, st.Quiet != "":
		return tray.Paused
	case st.ConfigError != nil || st.Lost:
		return tray.Trouble
	case !st.Connected:
		return tray.Connecting
	}
	return tray.Connected
}

func (t *trayAgent) SetPaused(paused bool) {
	if paused {
		t.agent.Pause(0)
	} else {
		t.agent.Resume()
	}
}

func (t *trayAgent) PauseFor(d time.Duration) { t.agent.Pause(d) }

func (t *trayAgent) PauseUntilTomorrow() {
	t.agent.PauseUntil(tomorrow(time.Now().In(zone.Local())))
}

// tomorrow is the next day's 8:00 by the clock.
func tomorrow(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day()+1, 8, 0, 0, 0, now.Location())
}

func (t *trayAgent) MarkRead()            { t.agent.MarkRead() }
func (t *trayAgent) ShowAgain(number int) { t.agent.ShowAgain(number) }

func (t *trayAgent) Mute(line int, muted bool) {
	if muted {
		t.agent.Mute(line, time.Time{})
	} else {
		t.agent.Unmute(line)
	}
}

func (t *trayAgent) Act(number, action int) {
	t.agent.Respond(notify.Response{Ref: uint64(number), Kind: notify.Acted, Action: action})
}

func (t *trayAgent) SendTest()  { t.agent.SendTest() }
func (t *trayAgent) Reload()    { t.agent.Reload() }
func (t *trayAgent) Reconnect() { t.agent.Reconnect() }
func (t *trayAgent) Quit()      { t.quit() }

func (t *trayAgent) OpenHistory() {
	st := t.State()
	if st.History {
		t.openHistory()
		return
	}
	t.agent.Tell(notify.Notification{Title: st.Line, Body: "There is no history to open. Without \"history: false\" in the configuration, one is kept.", Key: "history"})
}

func (t *trayAgent) EditConfig() {
	if t.path == "" {
		t.agent.Tell(notify.Notification{Title: "No configuration to edit", Body: "The demo has its own.", Key: "config"})
		return
	}
	startAside(func(err error) {
		t.log.Error("cannot open the configuration", "path", t.path, "err", err)
		t.agent.Tell(notify.Notification{Title: "Cannot open an editor", Body: "The configuration is " + t.path, Key: "config"})
	}, editors(t.path)...)
}
