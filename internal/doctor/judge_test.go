package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigalert/agent/config"
	"sigalert/internal/autostart"
	"sigalert/internal/sessionbus"
	"sigalert/sig"
)

var testOptions = Options{
	Config: "/home/me/config.yaml", Server: "127.0.0.1:3000", Local: "127.0.0.1:3000",
	History: "/home/me/history.db", Program: "/usr/bin/sigalert", Call: "sigalert",
}

var (
	errRefused = fmt.Errorf("cannot reach it: %w", syscall.ECONNREFUSED)
	noAgent    = running{err: ErrNoAgent}
	anAgent    = running{Agent: Agent{Connected: true, Line: "Connected", Server: "127.0.0.1:3000"}}
	theirs     = running{Agent: Agent{Connected: true, Line: "Connected", Server: "127.0.0.1:3000", Router: true}}
	ours       = place{name: "sigalert 1.0", features: []string{"stream", "replay"}, took: 400 * time.Millisecond}
	closed     = place{err: errRefused}
	noServer   = place{err: sig.ErrNotServer, reached: true}
)

func with(o Options, change func(*Options)) Options {
	change(&o)
	return o
}

// For each part: what was found, and what it says.
func TestJudges(t *testing.T) {
	o := testOptions
	named := with(o, func(o *Options) { o.Named = true })
	remote := with(o, func(o *Options) { o.Server = "nas:3001" })
	xembed := with(o, func(o *Options) { o.XEmbed = true })
	problems := config.Problems{{Path: "c.yaml", Line: 3, What: "unknown key"}}
	dunst := func(change func(*session)) session {
		s := session{Services: sessionbus.Services{Notifications: sessionbus.Notifications{
			Service: sessionbus.Service{Runs: true, Process: "dunst (process 7)"},
			Name:    "dunst", Vendor: "knopwob", Version: "1.9.0", Capabilities: []string{"actions", "body"},
		}, Tray: sessionbus.Tray{Service: sessionbus.Service{Runs: true, Process: "panel (process 8)"}, Host: true}}}
		change(&s)
		return s
	}
	same := func(*session) {}
	noBus := session{err: errors.New("DBUS_SESSION_BUS_ADDRESS is not set")}
	with := func(least, most time.Duration) place {
		p := ours
		p.web = web{read: true, least: least, most: most}
		return p
	}
	for _, test := range []struct {
		got    Result
		status Status
		text   string // what the text has
		advice string // what the advice has; "": there is none
	}{
		{o.config(file{err: fs.ErrNotExist}), Note, "there is none at /home/me/config.yaml yet", "the first run of sigalert"},
		{named.config(file{err: fs.ErrNotExist}), Wrong, "cannot be read: file does not exist", "--config"},
		{o.config(file{err: errHangs}), Wrong, "cannot be read: no answer in time", "--config"},
		{o.config(file{problems: problems}), Wrong, "has 1 problem", "sigalert check"},
		{o.config(file{}), Wrong, "has no subscriptions", "subscriptions:"},
		{o.config(file{subscriptions: 2, warnings: problems}), Note, "2 subscriptions, 1 warning", "what you mean"},
		{o.config(file{subscriptions: 2}), OK, "config.yaml: 2 subscriptions", ""},

		{o.server(file{}, ours, anAgent), OK, "127.0.0.1:3000 answers after 0.4 s: sigalert 1.0, with stream, replay", ""},
		{o.server(file{}, place{}, anAgent), OK, "a pysig server", ""},
		{o.server(file{}, noServer, anAgent), Wrong, "does not answer as an event server", "end it"},
		{o.server(file{runsRouter: true}, closed, noAgent), Note, "its router runs in the agent, which is not running", ""},
		{o.server(file{runsRouter: true}, closed, anAgent), Wrong, "where the agent is to run a router", "log"},
		{o.server(file{}, closed, noAgent), Wrong, "nothing listens at 127.0.0.1:3000", `"sigalert serve"`},
		{remote.server(file{}, closed, noAgent), Wrong, "nas:3001 refuses connections", `--listen 0.0.0.0:3001"`},
		{remote.server(file{}, place{err: errors.New("no such host")}, anAgent), Wrong, "nas:3001 cannot be reached: no such host", "firewall"},
		{o.server(file{}, place{err: errHangs}, anAgent), Wrong, "no answer in time", "firewall"},

		{o.router(closed, noAgent), Note, "is free", ""},
		{o.router(ours, noAgent), Note, "the agent will use that one", ""},
		{o.router(ours, theirs), OK, "the agent runs it at 127.0.0.1:3000", ""},
		{o.router(ours, anAgent), Note, "takes over when it ends", ""},
		{o.router(closed, anAgent), Wrong, "nothing listens", "log"},
		{o.router(noServer, anAgent), Wrong, "another program has 127.0.0.1:3000", "end that program"},
		{o.router(noServer, noAgent), Wrong, "another program has 127.0.0.1:3000", "listen:"},
		{o.router(place{err: errHangs}, running{err: errHangs}), Note, "it is not known", ""},

		{http(closed), Note, "not known", ""},
		{http(place{}), Note, "a pysig server has none", ""},
		{http(ours), OK, "curl and webhooks can send", ""},
		{http(place{name: "sigalert", web: web{err: errForbidden}}), Note, "cannot send to it (it answers 403)", "older router"},

		{clock(closed), Note, "not compared", ""},
		{clock(place{}), Note, "a pysig server does not say", ""},
		{clock(ours), Note, "only HTTP says", ""},
		{clock(with(-time.Second, 10*time.Millisecond)), OK, "(-0.5 s ± 0.5 s)", ""},
		{clock(with(4*time.Second, 5*time.Second)), OK, "(+4.5 s ± 0.5 s)", ""},
		{clock(with(4900*time.Millisecond, 5900*time.Millisecond)), OK, "agrees", ""}, // they may be as near as that
		{clock(with(90*time.Second, 91*time.Second)), Note, "is 1 m 30 s ahead of this one's (± 0.5 s)", "set-ntp"},
		{clock(with(-time.Hour-time.Second, -time.Hour)), Note, "is 1 h 0 m behind this one's", "set-ntp"},

		{o.agent(noAgent), Wrong, "none is running", "autostart enable"},
		{o.agent(running{err: errHangs}), Wrong, "does not answer", "start it again"},
		{o.agent(running{err: fmt.Errorf("socket: %w", context.DeadlineExceeded)}), Wrong, "does not answer", "start it again"},
		{o.agent(running{err: errors.New("another user's")}), Wrong, "cannot be asked: another user's", "start it again"},
		{o.agent(running{Agent: Agent{Line: "Connecting to nas:3000", Unlinked: "no route"}}), Wrong, "no connection to a server: Connecting to nas:3000 (no route)", "by itself"},
		{o.agent(anAgent), OK, "it is running: Connected", ""},
		{o.agent(running{Agent: Agent{Connected: true, Line: "Connected", Config: "/other.yaml"}}), Note, "with another configuration than the one examined here, /other.yaml: Connected", "--config /other.yaml"},
		{o.agent(running{Agent: Agent{Connected: true, Line: "Connected", Config: o.Config, Server: o.Server}}), OK, "it is running: Connected", ""},
		{remote.agent(anAgent), Note, "with another server than the one examined here: Connected", "--server 127.0.0.1:3000"},
		{o.agent(running{Agent: Agent{Connected: true, Paused: true}}), Wrong, "paused, and holds alerts back until it is resumed", "sigalert resume"},
		{o.agent(running{Agent: Agent{Connected: true, Quiet: "quiet hours", Line: "Quiet until 07:00"}}), Note, "holds alerts back (quiet hours): Quiet until 07:00", "quiet_hours"},
		{o.agent(running{Agent: Agent{Connected: true, Muted: 2}}), Note, "holds back the alerts of 2 subscriptions", "resume --line N"},
		{o.agent(running{Agent: Agent{Connected: true, Paused: true, PausedUntil: time.Date(2026, 1, 2, 8, 0, 0, 0, time.Local)}}), Wrong, "until 2026-01-02 08:00:00", "resume"},
		{o.agent(running{Agent: Agent{Connected: true, Undelivered: "no desktop"}}), Wrong, "was not shown: no desktop", "sigalert test"},

		{bus(session{}), OK, "answers", ""},
		{bus(noBus), Wrong, "DBUS_SESSION_BUS_ADDRESS is not set", "terminal of your desktop"},
		{bus(session{err: errHangs}), Wrong, "does not answer", "log out"},

		{notifications(dunst(same)), OK, "dunst 1.9.0 (knopwob) shows them, and can do: actions, body", ""},
		{notifications(noBus), Note, "no session bus", ""},
		{notifications(session{}), Wrong, "no notification server runs", "dunst"},
		{notifications(dunst(func(s *session) { s.Notifications.Err = errHangs })), Wrong, "dunst (process 7), does not say", "end it"},
		{notifications(session{Services: sessionbus.Services{Notifications: sessionbus.Notifications{Service: sessionbus.Service{Starts: true}}}}), OK, "with the first one", ""},
		{notifications(session{Services: sessionbus.Services{Notifications: sessionbus.Notifications{Service: sessionbus.Service{Err: errHangs}}}}), Wrong, "no answer in time", "log out"},

		{quiet(noBus), Note, "not known", ""},
		{quiet(dunst(same)), Note, "does not say", ""},
		{quiet(dunst(func(s *session) { s.Notifications.Quiet = sessionbus.Quiet{Known: true} })), OK, "off", ""},
		{quiet(dunst(func(s *session) { s.Notifications.Quiet = sessionbus.Quiet{Known: true, On: true, Dunst: true} })), Wrong, "dunst is paused", "dunstctl set-paused false"},
		{quiet(dunst(func(s *session) { s.Notifications.Quiet = sessionbus.Quiet{Known: true, On: true} })), Wrong, "holds notifications back", "do not disturb"},
		{quiet(dunst(func(s *session) { s.gnome = "false" })), Wrong, "GNOME shows no banners", "show-banners true"},
		{quiet(dunst(func(s *session) { s.gnome = "true" })), OK, "off", ""},

		{o.tray(dunst(same)), OK, "a panel shows icons: panel (process 8)", ""},
		{o.tray(noBus), Note, "no session bus", ""},
		{o.tray(session{}), Note, "no panel shows this build's icon", "-tags gtk"},
		{xembed.tray(session{}), Note, "XEmbed", ""},
		{o.tray(dunst(func(s *session) { s.Tray.Host = false })), Note, "no panel shows", "-tags gtk"},
		{o.tray(dunst(func(s *session) { s.Tray.Err = errHangs })), Note, "not known", "panel"},

		{o.autostart(login{}), Note, "does not start at login", "autostart enable"},
		{o.autostart(login{err: errors.ErrUnsupported}), Note, "this system has none", ""},
		{o.autostart(login{err: errHangs}), Note, "not known", ""},
		{o.autostart(login{Entry: autostart.Entry{Where: "/e", Fault: "it is turned off"}}), Note, "it is turned off", "enable"},
		{o.autostart(login{Entry: autostart.Entry{Where: "/e", Fault: "/x does not exist", Broken: true}}), Wrong, "there is /e, but /x does not exist", "anew"},
		{o.autostart(login{Entry: autostart.Entry{Where: "/e", Enabled: true}}), OK, "starts at login: /e", ""},
		{o.autostart(login{Entry: autostart.Entry{Where: "/e", Exe: "/bin/none", Enabled: true}}), Note, "another program than this one: /e runs /bin/none, and this is /usr/bin/sigalert", "enable"},

		{o.history(file{}, store{}), Note, "none is kept", "history:"},
		{o.history(file{keeps: true}, store{err: fs.ErrNotExist, path: "/h", free: 1 << 40}), OK, "nothing in it yet (/h), with 1099 GB left", ""},
		{o.history(file{err: fs.ErrNotExist}, store{err: fs.ErrNotExist, path: "/h", free: -1}), OK, "nothing in it yet (/h)", ""},
		{o.history(file{keeps: true}, store{path: "/h", size: 1234, free: 1 << 30}), OK, "/h can be read and written: 1234 bytes, with 1073 MB left", ""},
		{o.history(file{keeps: true}, store{path: "/h", free: 1000}), Wrong, "only 1000 bytes left", "room"},
		{o.history(file{keeps: true}, store{path: "/h", err: fs.ErrPermission, free: 1 << 40}), Wrong, "permission denied", "/h"},
		{o.history(file{keeps: true}, store{err: errHangs}), Wrong, "the disk of /home/me/history.db does not answer", "there"},
		{o.nativeNotifications(), Note, "the system shows them", "sigalert test"},
	} {
		r := test.got
		if r.Status != test.status || !strings.Contains(r.Text, test.text) || !strings.Contains(r.Advice, test.advice) || (r.Advice == "") != (test.advice == "") {
			t.Errorf("want %s %q, advice %q:\n%+v", test.status, test.text, test.advice, r)
		}
		if r.Status == Wrong && r.Advice == "" {
			t.Errorf("it is wrong, and there is nothing to do: %+v", r)
		}
	}
}

var errForbidden = errors.New("it answers 403")

// Many problems do not fill the screen.
func TestConfigDetails(t *testing.T) {
	f := file{}
	for i := range 12 {
		f.problems = append(f.problems, config.Problem{Path: "c.yaml", Line: i + 1, What: "unknown key"})
	}
	r := testOptions.config(f)
	if n := len(r.Details); n != maxDetails+1 || r.Details[0] != "c.yaml:1: unknown key" || r.Details[n-1] != "and 7 more" {
		t.Errorf("%q", r.Details)
	}
}

// What others say plays no tricks on a terminal.
func TestClean(t *testing.T) {
	r := Result{Text: "a\x1b[1m\nb", Advice: "c\x00", Details: []string{"d\re"}}
	r.clean()
	if got := fmt.Sprintf("%q %q %q", r.Text, r.Advice, r.Details); got != `"a[1m b" "c" ["d e"]` {
		t.Error(got)
	}
}
