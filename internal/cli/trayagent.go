package cli

import (
	"log/slog"
	"time"

	"sigalert/agent"
	"sigalert/agent/notify"
	"sigalert/internal/wait"
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
	}
}

func (t *trayAgent) Lists() tray.Lists {
	l := tray.Lists{Version: versionText(), Config: t.path}
	if t.history != nil && t.history() {
		l.Store = historyPath()
	}
	for i, sub := range t.agent.Status().Subscriptions {
		if i >= tray.MaxSubscriptions {
			l.More++
			continue
		}
		l.Subscriptions = append(l.Subscriptions, tray.Subscription{Line: sub.Line, Label: sub.Topic.String(), State: subscriptionState(sub)})
	}
	return l
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
	switch sub.Status {
	case sig.Refused:
		return "not offered"
	case sig.Pending:
		return "waiting"
	}
	return ""
}

func look(st agent.Status) tray.Look {
	switch {
	case st.Paused:
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
	t.agent.Pause(time.Until(tomorrow(time.Now().In(zone.Local()))))
}

// tomorrow is the next day's 8:00 by the clock.
func tomorrow(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day()+1, 8, 0, 0, 0, now.Location())
}

func (t *trayAgent) MarkRead()            {}
func (t *trayAgent) ShowAgain(number int) {}
func (t *trayAgent) Act(number, i int)    {}
func (t *trayAgent) Mute(int, bool)       {}

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
	t.agent.Tell(notify.Notification{Title: st.Line, Body: "There is no history to open. With the key history: in the configuration, one is kept.", Key: "history"})
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
