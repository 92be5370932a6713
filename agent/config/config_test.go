package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/rule"
	"sigalert/sig"
)

func TestParse(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(`
server: example.org
defaults: {urgency: low, presence: true, title: "T {{ sender }}", when: data != 0, tag: "{{ event }}"}
subscriptions:
  - {sender: timer, event: tick, urgency: critical, when: true, tag: t}
  - {sender: 5, event: 1.0, urgency: "{{ data }}"}
  - {sender: true, presence: false}
  - {event: "#notify"}
  - {sender: "5", event: 2020-01-01}
  - {sender: "", event: ~}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Place(); got != "example.org:3000" {
		t.Errorf("server %s", got)
	}
	type sub struct {
		Name     string
		JSON     string
		When     string
		Urgency  string
		Tag      string
		Presence bool
		Line     int
	}
	var got []sub
	ev := rule.NewEvent(sig.Event{Sender: "x", Event: "e", Data: sig.JSONData([]byte("7"))}, time.Now())
	for _, s := range c.Subscriptions {
		got = append(got, sub{s.Topic().String(), string(s.Sender.JSON()) + " " + string(s.Event.JSON()), s.When.Source(), render(t, s.Urgency, ev), render(t, s.Tag, ev), s.Presence, s.Line})
		if text := render(t, s.Title, ev); text != "T x" {
			t.Errorf("%s: the default title gives %q", s.Topic(), text)
		}
		if s.Body != nil {
			t.Errorf("%s has a body", s.Topic())
		}
	}
	want := []sub{
		{"timer: tick", `"timer" "tick"`, "true", "critical", "t", true, 5},
		{"5: 1.0", `5 1.0`, "data != 0", "7", "e", true, 6},
		{"every event of true", `true null`, "data != 0", "low", "e", false, 7},
		{"#notify of any sender", `null "#notify"`, "data != 0", "low", "e", true, 8},
		{`"5": 2020-01-01`, `"5" "2020-01-01"`, "data != 0", "low", "e", true, 9},
		{"every event", `null null`, "data != 0", "low", "e", true, 10},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func render(t *testing.T, text *rule.Text, ev *rule.Event) string {
	t.Helper()
	got, err := text.Render(ev)
	if err != nil {
		t.Error(err)
	}
	return got
}

func TestRouter(t *testing.T) {
	const open = "c.yaml:1: router.listen: warning: anyone who can reach %s may listen and send: there is no password"
	for in, want := range map[string]struct{ router, server, warning string }{
		"{}":                         {"127.0.0.1:3000", "127.0.0.1:3000", ""},
		"":                           {"127.0.0.1:3000", "127.0.0.1:3000", ""},
		"{listen: '127.0.0.1:4000'}": {"127.0.0.1:4000", "127.0.0.1:4000", ""},
		"{listen: localhost}":        {"localhost:3000", "localhost:3000", ""},
		"{listen: 'tcp://[::1]'}":    {"[::1]:3000", "[::1]:3000", ""},
		"{insecure: true, listen: '0.0.0.0:4000'}": {"0.0.0.0:4000", "127.0.0.1:4000", fmt.Sprintf(open, "0.0.0.0:4000")},
		"{insecure: true, listen: ':4000'}":        {":4000", "127.0.0.1:4000", fmt.Sprintf(open, ":4000")},
		"{insecure: true, listen: '[::]:4000'}":    {"[::]:4000", "[::1]:4000", fmt.Sprintf(open, "[::]:4000")},
		"{insecure: true, listen: 192.168.1.2}":    {"192.168.1.2:3000", "192.168.1.2:3000", fmt.Sprintf(open, "192.168.1.2:3000")},
		"{listen: ':5000'}":                        {":5000", "127.0.0.1:5000", ""},
		"# a comment\n#  listen: x\n":              {"127.0.0.1:3000", "127.0.0.1:3000", ""},
	} {
		c, err := config.Parse("c.yaml", []byte("router: "+in+"\n"+good))
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		warnings := ""
		if len(c.Warnings) > 0 {
			warnings = c.Warnings.Error()
		}
		if c.Servers[0].Router.Listen != want.router || c.Place() != want.server || warnings != want.warning {
			t.Errorf("%q: %q, %q", in, c.Servers, warnings)
		}
	}
}

func TestAliases(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte("subscriptions:\n- &a {sender: x, title: &t Hello, when: &w data.x, body: *w}\n- {sender: y, title: *t, when: *w}\n"))
	if err != nil || len(c.Subscriptions) != 2 || c.Subscriptions[1].Title == nil || c.Subscriptions[1].When == nil {
		t.Errorf("%v, %+v", err, c)
	}
}

func TestExample(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "config.yaml")
	if err := config.WriteExample(path); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil || len(c.Subscriptions) != 5 || c.Servers[0].Router.Listen != "127.0.0.1:3000" {
		t.Fatalf("the example: %v, %+v", err, c)
	}
	if err := config.WriteExample(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over a file: %v", err)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, shown) {
		t.Error("config.example.yaml is not what the first run writes")
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	// What is commented out is right, too.
	before, rest, _ := strings.Cut(string(written), "  # - sender: \"door-*\"\n")
	block, after, ok := strings.Cut(rest, "\n\n")
	more, err := config.Parse(path, []byte(before+"  - sender: \"door-*\"\n"+strings.ReplaceAll(block, "  # ", "  ")+"\n\n"+after))
	if !ok || err != nil || len(more.Warnings) > 0 || len(more.Subscriptions) != 6 || len(more.Subscriptions[5].Actions) != 2 {
		t.Errorf("uncommented: %v, %+v", err, more)
	}
	builds := c.Subscriptions[4]
	ev := sig.Event{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	seen := rule.NewEvent(ev, ev.Time)
	if title := render(t, builds.Title, seen); title != "Build  failed" {
		t.Errorf("title without data: %q", title)
	}
	if holds, err := builds.When.Holds(seen); !holds || err != nil {
		t.Errorf("no alert without data: %v, %v", holds, err)
	}
	ev.Data = sig.JSONData([]byte(`{"branch": "fix", "project": "demo", "log": "` + strings.Repeat("x", 201) + `"}`))
	seen = rule.NewEvent(ev, ev.Time)
	if body := render(t, builds.Body, seen); body != "demo at 03:04: "+strings.Repeat("x", 199)+"…" {
		t.Errorf("body: %q", body)
	}
	if holds, err := builds.When.Holds(seen); holds || err != nil {
		t.Errorf("an alert for another branch: %v, %v", holds, err)
	}
}

func TestLoadWhatCannotBeRead(t *testing.T) {
	if _, err := config.Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	var problems config.Problems
	if _, err := config.Load(t.TempDir()); err == nil || errors.As(err, &problems) {
		t.Errorf("a folder: %v", err)
	}
}

func TestDefaultPathLooksAtTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SIGALERT_CONFIG", "elsewhere.yaml")
	if path, err := config.DefaultPath(); err != nil || path != "elsewhere.yaml" {
		t.Errorf("named: %q, %v", path, err)
	}
	for _, name := range []string{"SIGALERT_CONFIG", "HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, "")
	}
	if path, err := config.DefaultPath(); err == nil {
		t.Errorf("no home: %q", path)
	}
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, dir)
	}
	if runtime.GOOS == "linux" {
		t.Setenv("XDG_CONFIG_HOME", "relative")
		if path, err := config.DefaultPath(); err != nil || path != filepath.Join(dir, ".config", "sigalert", "config.yaml") {
			t.Errorf("a relative folder: %q, %v", path, err)
		}
		t.Setenv("XDG_CONFIG_HOME", dir)
	}
	path, err := config.DefaultPath()
	if rel, rerr := filepath.Rel(dir, path); err != nil || rerr != nil || strings.HasPrefix(rel, "..") || !strings.HasSuffix(path, filepath.Join("sigalert", "config.yaml")) {
		t.Errorf("the user's folder: %q, %v", path, err)
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		`5`: "5", `"5"`: `"5"`, `1.0`: "1.0", `true`: "true", `"true"`: `"true"`, `yes`: `"yes"`, `on`: `"on"`,
		`-5`: "-5", `00:11:22`: `"00:11:22"`, `"0x1F"`: `"0x1F"`, `'0123'`: `"0123"`, `!!str 010`: `"010"`,
		`123456789012345678901234567890`: "123456789012345678901234567890", `1e3`: "1e3",
		`2020-01-01`: `"2020-01-01"`, `2020-01-01T00:00:00Z`: `"2020-01-01T00:00:00Z"`, `!!str 5`: `"5"`, `!!int "5"`: "5",
		``: "null", `""`: "null", `~`: "null", `null`: "null", `"#notify"`: `"#notify"`, `é`: `"é"`, `"\0<"`: `"\u0000<"`,
	} {
		c, err := config.Parse("c.yaml", []byte("subscriptions:\n- sender: "+in+"\n"))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := string(c.Subscriptions[0].Sender.JSON()); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// A file of a few hundred KiB takes no minutes and no GiB, whatever it says.
func TestLargeFiles(t *testing.T) {
	var distinct strings.Builder
	distinct.WriteString("subscriptions:\n")
	for i := range 20_000 {
		fmt.Fprintf(&distinct, "- {sender: %d}\n- {sender: s%d}\n", i, i)
	}
	if c, err := config.Parse("c.yaml", []byte(distinct.String())); err != nil || len(c.Subscriptions) != 40_000 {
		t.Errorf("40,000 subscriptions: %.500s", fmt.Sprint(err))
	}
	var globs strings.Builder
	globs.WriteString("subscriptions:\n")
	for i := range 20_000 {
		fmt.Fprintf(&globs, "- {sender: '*%d?'}\n- {sender: s%d}\n", i, 100_000+i)
	}
	if _, err := config.Parse("c.yaml", []byte(globs.String())); err == nil || strings.Contains(err.Error(), "must be") {
		t.Errorf("20,000 globs: %.500s", fmt.Sprint(err))
	}
	keys := strings.Repeat("  ? [a]\n  : x\n", 1000)
	title := strings.Repeat("{{ upper(sender) }}", 199)
	for name, text := range map[string]string{
		"unknown keys": "subscriptions:\n- &a\n" + keys + strings.Repeat("- *a\n", 100_000),
		"texts":        "defaults: {title: &t \"" + title + "{{\"}\nsubscriptions:\n" + strings.Repeat("- {title: *t}\n", 20_000),
		"lists":        "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nsubscriptions: [*c,*c,*c,*c]",
		"params":       "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nsubscriptions:\n" + strings.Repeat("- {actions: [{label: x, request: {method: m, params: [*c,*c,*c]}}]}\n", 5_000),
		"globs":        "subscriptions:\n" + strings.Repeat("- {sender: 'a*a*a*a*a*a*a*a*b'}\n- {sender: aaaaaaaaaaaaaaaaaaaaaaaa}\n", 10_000),
	} {
		_, err := config.Parse("c.yaml", []byte(text))
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) > 1001 {
			t.Errorf("%s: %d problems, %.500s", name, len(problems), fmt.Sprint(err))
		}
	}
}

func TestQuiet(t *testing.T) {
	for file, want := range map[string]struct {
		ranges       int
		all, desktop bool
		problem      string
	}{
		"": {},
		"quiet_hours: {times: [\"22:00-07:00\", \"sat,sun\"], except: critical}": {ranges: 2},
		"quiet_hours: {times: mon-fri 22:00-07:00, except: none}":                {ranges: 1, all: true},
		"quiet_hours: {except: none}":                                            {all: true},
		"do_not_disturb: hold":                                                   {desktop: true},
		"do_not_disturb: pass":                                                   {},
		"do_not_disturb: yes":                                                    {problem: `c.yaml:1: do_not_disturb: must be pass or hold, not "yes"`},
		"quiet_hours: [\"22:00-07:00\"]":                                         {problem: "c.yaml:1: quiet_hours: must be keys and values, not a list"},
		"quiet_hours: {time: \"22:00-07:00\"}":                                   {problem: `c.yaml:1:15: quiet_hours: unknown key "time" (did you mean "times"?)`},
		"quiet_hours: {times: [22:00]}":                                          {problem: `c.yaml:1: quiet_hours.times[0]: "22:00" is neither days nor a time, in "22:00": write it as 22:00-07:00, mon-fri 22:00-07:00 or sat,sun`},
		"quiet_hours: {times: [22-7]}":                                           {problem: `c.yaml:1: quiet_hours.times[0]: "22-7" has no minutes: write 22:00-7:00`},
		"quiet_hours: {times: [mon-sun]}":                                        {problem: "c.yaml:1: quiet_hours.times: leaves no time at which alerts are shown"},
		"quiet_hours: {times: [], except: low}":                                  {problem: `c.yaml:1: quiet_hours.except: must be critical or none, not "low"`},
		"quite_hours: {times: []}":                                               {problem: `c.yaml:1:1: unknown key "quite_hours" (did you mean "quiet_hours"?)`},
	} {
		c, err := config.Parse("c.yaml", []byte(file+"\nsubscriptions: [{sender: a}]\n"))
		if want.problem != "" {
			if err == nil || err.Error() != want.problem {
				t.Errorf("%s: %v, want %s", file, err, want.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if q := c.Quiet; len(q.Hours) != want.ranges || q.HoldAll != want.all || q.Desktop != want.desktop {
			t.Errorf("%s: %+v", file, q)
		}
	}
}
