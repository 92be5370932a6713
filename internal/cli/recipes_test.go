//go:build linux

package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"sigalert/agent/config"
)

// recipe is one of docs/recipes.md, with seconds in place of what it waits for, and a
// folder in which its examples run.
type recipe struct {
	*sender
	part  guidePart
	shown screen
}

func newRecipe(t *testing.T, heading string) *recipe {
	t.Helper()
	s := newSender(t)
	part := partOf(t, "recipes.md", heading, s.addr)
	subscriptions := strings.Builder{}
	for _, text := range part.blocks(t, "yaml") {
		if strings.HasPrefix(text, "- ") {
			subscriptions.WriteString(text)
		}
	}
	seconds := strings.NewReplacer("25h", "2s", "30m", "2s", "20s", "2s", "10m", "1s", "11m", "3s", "15m", "2s")
	c, err := config.Parse("docs/recipes.md", []byte("server: "+s.addr+"\nsubscriptions:\n"+seconds.Replace(subscriptions.String())))
	if err != nil {
		t.Fatal(err)
	}
	return &recipe{s, part, showing(t, c)}
}

// runs runs a line, as cron and a shell would.
func (r *recipe) runs(t *testing.T, line string) {
	t.Helper()
	r.run(t, "sh", "-euc", line)
}

// shows fails the test unless the next notification is this one.
func (r *recipe) shows(t *testing.T, want string) {
	t.Helper()
	select {
	case n := <-r.shown:
		got := fmt.Sprintf("%v %s | %s", n.Urgency, n.Title, strings.ReplaceAll(n.Body, "\n", ", "))
		if n.Resolved {
			got = "closed"
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s is shown, not %s", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s is not shown", want)
	}
}

// Each recipe does what docs/recipes.md says.
func TestRecipes(t *testing.T) {
	needProgram(t, "curl")
	cron := func(r *recipe, t *testing.T) string {
		_, command, _ := strings.Cut(r.part.blocks(t, "cron")[0], "  ")
		return strings.TrimSpace(command)
	}
	posts := func(r *recipe, path, json string) string {
		return fmt.Sprintf("curl -sS -f -H 'Content-Type: application/json' -d '%s' http://%s/%s", json, r.addr, path)
	}
	for heading, test := range map[string]func(*testing.T, *recipe){
		"A backup that failed, or did not run": func(t *testing.T, r *recipe) {
			r.put(t, "restic", "#!/bin/sh\necho repository is locked\nexit 1\n")
			r.runs(t, cron(r, t)+" || true")
			r.shows(t, "critical backup: failed | restic backup /home: failed with exit code 1 after ")
			r.shows(t, "critical backup: failed | restic backup /home: failed with exit code 1 after ")
			r.put(t, "restic", "#!/bin/sh\necho saved\n")
			r.runs(t, cron(r, t))
			r.shows(t, "low backup: finished | restic backup /home: finished after ")
		},
		"A doorbell": func(t *testing.T, r *recipe) {
			for range 3 {
				r.runs(t, r.part.blocks(t, "sh")[0])
			}
			r.shows(t, "critical Somebody is at the door | ")
			r.shows(t, "normal 2 more events from door | Last: door: ring")
		},
		"Builds and other long commands": func(t *testing.T, r *recipe) {
			r.put(t, "make", "#!/bin/sh\nexit 2\n")
			r.runs(t, strings.TrimSpace(r.part.blocks(t, "sh")[0])+" || true")
			r.shows(t, "critical build: failed | make all: failed with exit code 2 after ")
			build := `{"project": "lamp", "number": 7, "branch": "%s", "state": "%s", "url": "https://ci.example/7"}`
			r.runs(t, posts(r, "ci/build", fmt.Sprintf(build, "other", "failed")))
			r.runs(t, posts(r, "ci/build", fmt.Sprintf(build, "main", "failed")))
			r.shows(t, "normal Build 7 of lamp failed | https://ci.example/7")
			r.runs(t, posts(r, "ci/build", fmt.Sprintf(build, "main", "passed")))
			r.shows(t, "closed")
		},
		"Home Assistant": func(t *testing.T, r *recipe) {
			door := `{"title": "Front door", "message": "It is open.", "tag": "door", "resolved": %v}`
			r.runs(t, posts(r, "home/door", fmt.Sprintf(door, false)))
			r.runs(t, posts(r, "home/door", fmt.Sprintf(door, true)))
			r.runs(t, posts(r, "home/door", fmt.Sprintf(door, false)))
			r.shows(t, "normal Front door | It is open.")
			r.shows(t, "normal Front door | It is open., Shown again (1 of 3)")
			r.runs(t, posts(r, "home/door", fmt.Sprintf(door, true)))
			r.shows(t, "closed")
		},
		"Monitoring servers": func(t *testing.T, r *recipe) {
			for _, percent := range []string{"40", "97"} {
				r.put(t, "df", "#!/bin/sh\necho 'Use%'\necho ' "+percent+"%'\n")
				r.runs(t, cron(r, t))
			}
			r.shows(t, "critical server-1: the disk is 97 % full")
			hears(t, r.events, "server-1 disk 40")
			hears(t, r.events, "server-1 disk 97")
			hears(t, r.events, `oncall disk {`)
			r.runs(t, "sigalert send server-1 disk 40")
			r.shows(t, "closed")
		},
	} {
		t.Run(heading, func(t *testing.T) {
			test(t, newRecipe(t, heading))
		})
	}
}

// The rule of docs/five-minutes.md, in the place that it names in the configuration of the
// first run, shows what the guide sends.
func TestFiveMinutes(t *testing.T) {
	s := newSender(t)
	part := partOf(t, "five-minutes.md", "4. Say what you want to see", s.addr)
	example, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(part), "a subscription `- {sender: backup}`") {
		t.Fatal("the guide does not say where its rule goes")
	}
	text := strings.Replace(string(example), "  - {sender: backup}\n", part.blocks(t, "yaml")[0], 1)
	c, err := config.Parse("docs/five-minutes.md", []byte(strings.Replace(text, "\nrouter: {listen: 127.0.0.1:3000}", "\nserver: "+s.addr, 1)))
	if err != nil {
		t.Fatal(err)
	}
	r := &recipe{s, part, showing(t, c)}
	_, line, _ := strings.Cut(string(part), "\n    sigalert ")
	line, _, _ = strings.Cut(line, "\n")
	r.runs(t, "sigalert "+line)
	r.shows(t, "critical The backup failed | ")
	r.runs(t, "sigalert send backup finished '{\"files\": 3}'; sigalert send me hello")
	r.shows(t, "normal me: hello | ")
}
