package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/eventlog"
	"sigalert/internal/history"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// tool is an agent and a history that note what is asked of them.
type tool struct {
	status  agent.Status
	asked   []string
	problem error // of the file, and of the history
	url     string
	events  []agent.Explanation // newest first
	kept    []eventlog.Entry
}

func (f *tool) note(what string)             { f.asked = append(f.asked, what) }
func (f *tool) Status() agent.Status         { return f.status }
func (f *tool) Resume()                      { f.note("resume"); f.status.Paused = false }
func (f *tool) MarkRead()                    { f.note("read") }
func (f *tool) Coming() bool                 { return false }
func (f *tool) Link() string                 { return f.url }
func (f *tool) Settle(context.Context) error { return nil }

func (f *tool) PauseUntil(until time.Time) {
	text := "pause"
	if !until.IsZero() {
		text += " for " + time.Until(until).Round(time.Second).String()
	}
	f.note(text)
}

func (f *tool) Mute(line int, until time.Time) {
	f.note(fmt.Sprintf("line %d:", line))
	f.PauseUntil(until)
}

func (f *tool) Unmute(line int)           { f.note(fmt.Sprintf("unmute %d", line)) }
func (f *tool) Reconnect()                { f.note("reconnect") }
func (f *tool) ShowAgain(number int)      { f.note(fmt.Sprintf("show %d", number)) }
func (f *tool) Respond(r notify.Response) { f.note(fmt.Sprintf("press %d of %d", r.Action, r.Ref)) }

func (f *tool) ReloadNow(context.Context) (int, error) { return 3, f.problem }

func (f *tool) Entries(_ context.Context, q eventlog.Query) (eventlog.Result, error) {
	return eventlog.Result{Entries: f.kept, More: q.Before == 0 && len(f.kept) > 0, Last: 7}, f.problem
}

func (f *tool) Recent(n int, all bool) (found []agent.Explanation) {
	for _, x := range f.events {
		if len(found) < n && (all || x.Decision != agent.Filtered) {
			found = append(found, x)
		}
	}
	return found
}

func (f *tool) Explain(number int) (agent.Explanation, bool) {
	i := slices.IndexFunc(f.events, func(x agent.Explanation) bool { return x.Number == number })
	if i < 0 {
		return agent.Explanation{}, false
	}
	return f.events[i], true
}

func (f *tool) ExplainEvent(_ context.Context, ev sig.Event) (agent.Explanation, error) {
	return agent.Explanation{Sender: ev.Sender, Event: ev.Event, Data: ev.Data, Decision: agent.Sent}, f.problem
}

var at = time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)

// What the methods answer, and what they ask of the agent.
func TestMethods(t *testing.T) {
	t.Parallel()
	events := []agent.Explanation{
		{Number: 2, Time: at, Sender: "attic", Event: "reading", Data: sig.JSONData([]byte(`21.5`)), Decision: agent.Filtered, Verdicts: []agent.Verdict{
			{Stage: "when", Decision: agent.Skipped, Line: 12, Reason: "when data > 30 is false: data is 21.5"},
		}},
		{Number: 1, Time: at, Sender: "timer", Event: "tick", Decision: agent.Shown, Sent: &notify.Notification{Title: "T", Actions: []notify.Action{{Label: "Open"}, {Label: "Later"}, {Label: "Say", Reply: true}}}},
	}
	lines := tool{status: agent.Status{Subscriptions: []agent.SubscriptionStatus{
		{Line: 3, Muted: true, Held: 9}, {Line: 4, Muted: true, Held: 2}, {Line: 4, Held: 1},
	}}}
	for _, tc := range []struct {
		tool   tool
		method string
		params string
		want   string // the answer, or the error
		asked  string
	}{
		{method: "pause", want: `{}`, asked: "pause"},
		{method: "pause", params: `{"duration": "1h30m"}`, asked: "pause for 1h30m0s"},
		{method: "pause", params: `{"duration": "1d"}`, asked: "pause for 24h0m0s"},
		{method: "pause", params: `{"until": "3000-01-01T00:00:00Z"}`, want: `{"until":"3000-01-01T00:00:00Z"}`},
		{method: "pause", params: `{"until": "2000-01-01T00:00:00Z"}`, want: `params: 2000-01-01T00:00:00Z is over`},
		{method: "pause", params: `{"duration": "1h", "until": "3000-01-01T00:00:00Z"}`, want: `params: either duration or until, not both`},
		{method: "pause", params: `{"duration": "0"}`, want: `params: "0" is not a duration: use one such as 30m, 1h30m or 1d`},
		{method: "pause", params: `{"minutes": 5}`, want: `params: json: unknown field "minutes"`},
		{method: "resume", tool: tool{status: agent.Status{Paused: true, Held: 4}}, want: `{"was_paused":true,"held_back":4}`, asked: "resume"},
		{method: "pause", params: `{"line": 4, "duration": "1h"}`, tool: lines, want: "", asked: "line 4:, pause for 1h0m0s"},
		{method: "pause", params: `{"line": 4}`, tool: lines, want: `{}`, asked: "line 4:, pause"},
		{method: "pause", params: `{"line": 5}`, tool: lines, want: `no subscription in force begins on line 5: sigalert status lists them`},
		{method: "resume", params: `{"line": 4}`, tool: lines, want: `{"was_paused":true,"held_back":3}`, asked: "unmute 4"},
		{method: "resume", params: `{"line": 5}`, tool: lines, want: `no subscription in force begins on line 5: sigalert status lists them`},
		{method: "reconnect", want: `{"was_connected":false}`, asked: "reconnect"},
		{method: "mark-read", tool: tool{status: agent.Status{Unread: 5}}, want: `{"were_unread":5}`, asked: "read"},
		{method: "show", params: `{"number": 1}`, tool: tool{events: events}, want: `null`, asked: "show 1"},
		{method: "show", params: `{"number": 3}`, tool: tool{events: events}, want: `event 3 is not known: sigalert explain lists those that are remembered`},
		{method: "show", params: `{"number": 1, "press": "Later"}`, tool: tool{events: events}, want: `null`, asked: "press 1 of 1"},
		{method: "show", params: `{"number": 1, "press": "Say"}`, tool: tool{events: events}, want: `alert 1 has no button "Say": its buttons are "Open", "Later"`},
		{method: "show", params: `{"number": 2, "press": "Open"}`, tool: tool{events: events}, want: `alert 2 has no buttons to press`},
		{method: "explain", params: `{"number": 1, "event": {"sender": "x", "event": "y"}}`, want: `params: either number or event, not both`},
		{method: "reload", want: `{"subscriptions":3,"problems":[]}`},
		{method: "reload", tool: tool{problem: config.Problems{{Path: "c", Line: 2, What: "bad"}, {Path: "c", Line: 3, What: "worse"}}}, want: `{"subscriptions":3,"problems":["c:2: bad","c:3: worse"]}`},
		{method: "reload", tool: tool{problem: &fs.PathError{Op: "open", Path: "c", Err: fs.ErrNotExist}}, want: `{"subscriptions":3,"problems":["cannot read c: file does not exist"]}`},
		{method: "reload", tool: tool{problem: errors.New("it is ending")}, want: `it is ending`},
		{method: "history", tool: tool{url: "http://x/?key=1"}, want: `{"url":"http://x/?key=1"}`},
		{method: "history", tool: tool{problem: history.ErrOff}, want: "no history is kept: remove \"history: false\" from /c.yaml"},
		{method: "history", want: `the history's page is not there: the agent's log says why, if it does not come within a few seconds`},
		{method: "entries", tool: tool{kept: []eventlog.Entry{{ID: 7, Time: at, Sender: "x", Event: "y", Data: []byte("NaN")}}}, want: `{"entries":[{"id":7,"time":"2026-01-31T12:30:00Z","sender":"x","event":"y","data":null}],"next":7}`},
		{method: "entries", params: `{"before": 7}`, want: `{"entries":[]}`},
		{method: "entries", tool: tool{problem: history.ErrOff}, want: "no history is kept: remove \"history: false\" from /c.yaml"},
		{method: "quit", want: `null`, asked: "quit"},
		{method: "explain", want: `[]`},
		{method: "explain", tool: tool{events: events}, want: `[{"number":1,"time":"2026-01-31T12:30:00Z","sender":"timer","event":"tick","decision":"shown"},` +
			`{"number":2,"time":"2026-01-31T12:30:00Z","sender":"attic","event":"reading","decision":"filtered","reason":"when data > 30 is false: data is 21.5","line":12}]`},
		{method: "explain", params: `{"count": 5, "alerts": true}`, tool: tool{events: events}, want: `[{"number":1,"time":"2026-01-31T12:30:00Z","sender":"timer","event":"tick","decision":"shown"}]`},
		{method: "explain", params: `{"number": 2}`, tool: tool{events: events}, want: `{"number":2,"time":"2026-01-31T12:30:00Z","sender":"attic","event":"reading","data":21.5,"decision":"filtered",` +
			`"verdicts":[{"stage":"when","line":12,"decision":"skipped","reason":"when data > 30 is false: data is 21.5"}]}`},
		{method: "explain", params: `{"number": 1}`, tool: tool{events: events}, want: `{"number":1,"time":"2026-01-31T12:30:00Z","sender":"timer","event":"tick","data":null,"decision":"shown","verdicts":[],` +
			`"sent":{"title":"T","body":"","urgency":"normal","actions":["Open","Later","Say"]}}`},
		{method: "explain", params: `{"number": 3}`, want: `event 3 is not known: sigalert explain lists those that are remembered`},
		{method: "explain", params: `{"event": {"sender": "x", "event": 5, "data": [1]}}`, want: `{"time":"0001-01-01T00:00:00Z","sender":"x","event":5,"data":[1],"decision":"sent","verdicts":[]}`},
		{method: "explain", params: `{"event": {"sender": "x"}}`, want: `params: event: both sender and event must be given`},
	} {
		methods := controls{&tc.tool, &tc.tool, "/c.yaml", func() { tc.tool.note("quit") }}.methods()
		result, err := methods[tc.method](t.Context(), json.RawMessage(tc.params))
		got := errorText(err)
		if err == nil {
			got = string(quote(result))
		}
		if tc.want != "" && got != tc.want {
			t.Errorf("%s %s:\n%s, want\n%s", tc.method, tc.params, got, tc.want)
		}
		if asked := strings.Join(tc.tool.asked, ", "); tc.asked != "" && asked != tc.asked {
			t.Errorf("%s %s asks for: %s, want %s", tc.method, tc.params, asked, tc.asked)
		}
	}
}

// The status as people and as scripts get it.
func TestStatus(t *testing.T) {
	t.Setenv("TZ", "UTC")
	now := at.Add(90 * time.Minute)
	st := agent.Status{
		Server: "127.0.0.1:3000", Since: at, LinkError: errors.New("connection refused"), Lost: true,
		Paused: true, PausedUntil: now.Add(time.Hour), Held: 1, Unread: 5,
		Subscriptions: []agent.SubscriptionStatus{
			{Topic: topic.Topic{Sender: "timer"}, Line: 3, Status: sig.Active},
			{Topic: topic.Topic{Sender: "door", Event: "ring"}, Line: 4, Status: sig.Refused, Err: errors.New("not offered"), Muted: true, MutedUntil: now.Add(24 * time.Hour), Held: 2},
			{Topic: topic.Topic{Event: "#x"}, Line: 5, Status: sig.Pending, Muted: true},
		},
		Unseen:        []agent.Unseen{{Sender: "tiemr", Nearest: "timer"}},
		ConfigError:   errors.New("c.yaml:2: bad"),
		DeliveryError: errors.New("no desktop"),
		Counters:      agent.Counters{Received: 1000, Shown: 2, Logged: 3, Limited: 4, Filtered: 5, Unrun: 1, Dropped: 7},
	}
	r := newStatusReport(st, "/c.yaml")
	want := []string{
		"No connection to 127.0.0.1:3000 for 1 h 30 m: connection refused",
		"Paused until 15:00, 1 alert held back",
		"Configuration: /c.yaml",
		"Its problem: c.yaml:2: bad",
		"3 subscriptions:",
		"  line 3: every event of timer: in force",
		"  line 4: door: ring: not in force: not offered, muted until 2026-02-01 14:00, 2 alerts held back",
		"  line 5: #x of any sender: waiting for the server, muted until you resume it, 0 alerts held back",
		"Not seen yet: tiemr (did you mean timer?)",
		"Since the start: 1,000 events to alert for, and 5 that a condition filtered out",
		"Notifications: 2 shown, 3 written to the log instead; 4 only counted",
		"Lost: 7 events dropped, 1 command not run",
		"Unread: 5 alerts",
		"The last alert was not shown: no desktop",
	}
	if diff := cmp.Diff(want, r.lines(now)); diff != "" {
		t.Error(diff)
	}
	many := r
	many.Unseen = slices.Repeat(r.Unseen, 1000)
	if got := many.lines(now); len(got) != len(want)+20 || got[28] != "Not seen yet: 980 more" {
		t.Errorf("%q", got)
	}
	r.Version, r.PID, r.Summary = "v1", 17, "S"
	const wantJSON = `{"version":"v1","pid":17,"config":"/c.yaml","summary":"S","server":"127.0.0.1:3000","router":false,"connected":false,"since":"2026-01-31T12:30:00Z",` +
		`"link_error":"connection refused","paused":true,"paused_until":"2026-01-31T15:00:00Z","held_back":1,"pending":{"waiting":0,"inhibited":0,"repeating":0,"escalating":0},"unread":5,"subscriptions":[` +
		`{"line":3,"sender":"timer","text":"every event of timer","state":"active","muted":false,"held_back":0},` +
		`{"line":4,"sender":"door","event":"ring","text":"door: ring","state":"refused","error":"not offered","muted":true,"muted_until":"2026-02-01T14:00:00Z","held_back":2},` +
		`{"line":5,"event":"#x","text":"#x of any sender","state":"pending","muted":true,"held_back":0}],` +
		`"unseen":[{"sender":"tiemr","nearest":"timer","text":"tiemr (did you mean timer?)"}],"config_error":"c.yaml:2: bad","delivery_error":"no desktop",` +
		`"counters":{"received":1000,"shown":2,"logged":3,"limited":4,"filtered":5,"unrun":1,"dropped":7}}`
	if diff := cmp.Diff(wantJSON, string(quote(r))); diff != "" {
		t.Error(diff)
	}
}

func TestLinkLine(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]statusReport{
		"Connected to h:1 for 1 m":                                  {Server: "h:1", Connected: true, Since: at.Add(-time.Minute)},
		"No connection to h:1 for 0 s":                              {Server: "h:1", Since: at.Add(time.Minute)}, // by a clock that was set back
		"Not connected: there is no configuration yet that is good": {},
	} {
		if got := r.linkLine(at); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Servers with names have a line each, and an object each.
func TestStatusOfSeveralServers(t *testing.T) {
	t.Parallel()
	r := newStatusReport(agent.Status{
		Servers: []agent.ServerStatus{
			{Name: "home", Address: "127.0.0.1:3000", Router: true, Connected: true, Since: at.Add(-time.Hour), Err: errors.New("an old one")},
			{Name: "work", Address: "a:3000 or b:3000", Since: at.Add(-time.Minute), Err: errors.New("no route"), Lost: true},
		},
		Server:        "home, work",
		Subscriptions: []agent.SubscriptionStatus{{Topic: topic.Topic{Sender: "door"}, Server: "w*", Line: 3, Status: sig.Pending}},
	}, "c.yaml")
	got := r.lines(at)
	want := []string{"Connected to home at 127.0.0.1:3000 for 1 h 0 m", "No connection to work at a:3000 or b:3000 for 1 m: no route", "Configuration: c.yaml", "1 subscription:", "  line 3: every event of door at w*: waiting for the server"}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Error(diff)
	}
	if text := string(quote(r)); !strings.Contains(text, `"servers":[{"name":"home","server":"127.0.0.1:3000","router":true,"connected":true,"since":"`) ||
		!strings.Contains(text, `{"name":"work","server":"a:3000 or b:3000","router":false,"connected":false,"since":"`) || strings.Contains(text, "an old one") {
		t.Errorf("%s", text)
	}
}

func TestPauseEnd(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	for _, tc := range []struct{ now, text, want string }{
		{"2026-01-31 12:00", "14:00", "2026-01-31 14:00"},
		{"2026-01-31 12:00", "8:00", "2026-02-01 08:00"},
		{"2026-01-31 12:00", "12:00", "2026-02-01 12:00"},
		{"2026-01-31 12:00", "tomorrow", "2026-02-01 08:00"},
		{"2026-01-31 00:30", "tomorrow", "2026-02-01 08:00"},
		{"2026-03-28 12:00", "tomorrow", "2026-03-29 08:00"}, // a night without 2:30
		{"2026-03-28 12:00", "2:30", "2026-03-29 03:30"},
		{"2026-01-31 12:00", "24:00", ""},
		{"2026-01-31 12:00", "", ""},
		{"2026-01-31 12:00", "8", ""},
		{"2026-01-31 12:00", "today", ""},
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", tc.now, berlin)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if end, err := pauseEnd(tc.text, now); err == nil {
			got = end.Format("2006-01-02 15:04")
		}
		if got != tc.want {
			t.Errorf("%s at %s: %s, want %s", tc.text, tc.now, got, tc.want)
		}
	}
}

// What explain prints about one event.
func TestExplainedLines(t *testing.T) {
	t.Setenv("TZ", "UTC")
	x := explained{
		Number: 17, Time: at, Sender: "attic", Event: "5", Data: json.RawMessage(`{"temp":35}`), Decision: "shown",
		Verdicts: []verdictReport{
			{Stage: "match", Line: 3, Decision: "skipped", Reason: "the sender is attic"},
			{Stage: "when", Line: 12, Decision: "passed", Reason: "when data.temp > 30 is true: data.temp is 35"},
			{Stage: "limit", Decision: "passed"},
			{Stage: "deliver", Decision: "shown", Reason: "by dunst"},
			{Stage: "deliver", Decision: "shown", Reason: "by dunst"},
		},
		Sent: &notifiedReport{Title: "T", Body: "a\nb", Urgency: "low", Icon: "i", Sound: "none", Timeout: 10, URL: "https://x", Actions: []string{"Open", "Later"}, Resolved: true},
	}
	want := []string{
		`17  2026-01-31 12:30:00  attic: "5"`,
		`data: {"temp":35}`,
		"line 3: the sender is attic",
		"line 12: when data.temp > 30 is true: data.temp is 35",
		"limit: passed",
		"deliver: by dunst",
		"result: shown",
		"the desktop was sent:",
		"  title: T",
		"  body: a",
		"    b",
		"  urgency: low",
		"  icon: i",
		"  sound: none",
		"  timeout: 10 s",
		"  url: https://x",
		"  actions: Open, Later",
		"  resolved: what is shown under its tag is closed",
	}
	if diff := cmp.Diff(want, x.lines()); diff != "" {
		t.Error(diff)
	}
	x.Verdicts, x.Sent, x.Decision = nil, &notifiedReport{Title: "T"}, "not shown"
	for line := range 1000 {
		decision := "skipped"
		if line == 10 {
			decision = "passed"
		}
		x.Verdicts = append(x.Verdicts, verdictReport{Stage: "match", Line: 3 + line, Decision: decision, Reason: "the sender is attic"})
	}
	want = append(want[:2:2], slices.Repeat([]string{""}, 11)...)
	for i := range 11 {
		want[2+i] = fmt.Sprintf("line %d: the sender is attic", 3+i)
	}
	want = append(want, "lines 14 to 1002: 989 subscriptions are for other senders or events (--json has each)", "result: not shown", "what it was to show:", "  title: T")
	if diff := cmp.Diff(want, x.lines()); diff != "" {
		t.Error(diff)
	}
	never := explained{Sender: "a", Event: "b", Data: json.RawMessage("null"), Decision: "sent", Sent: &notifiedReport{Title: "T", Urgency: "normal", Timeout: -1}}
	want = []string{"a: b", "result: would be sent", "the desktop would be sent:", "  title: T", "  urgency: normal", "  timeout: never"}
	if diff := cmp.Diff(want, never.lines()); diff != "" {
		t.Error(diff)
	}
}
