package cli

import (
	"log/slog"

	"sigalert/agent"
	"sigalert/agent/notify"
	"sigalert/internal/wait"
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
		Look:    look(st),
		Line:    st.Line(),
		Paused:  st.Paused,
		History: t.history != nil && t.history(),
		Waiting: !st.Connected && st.Server != "",
	}
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
