//go:build unix

package agent_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/sig/sigtest"
)

// await waits for a file's text; commands run in real time.
func await(t *testing.T, path string) string {
	t.Helper()
	for range 500 {
		if text, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(text), "\n") {
			return string(text)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s was not written", path)
	return ""
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	out, env := filepath.Join(dir, "input"), filepath.Join(dir, "env")
	b := newBench(t, fmt.Sprintf(`subscriptions: [
  {sender: a, event: e, title: "{{ data.x }}", tag: T, urgency: low, command: [sh, -c, 'cat > "$1.new"; echo >> "$1.new"; mv "$1.new" "$1"', sh, %q, "{{ data.x }}"]},
  {sender: a, event: f, command: {shell: 'echo "$SIGALERT_TITLE|$SIGALERT_SENDER|$SIGALERT_URGENCY|$SIGALERT_BODY" > %s'}}]`, out, env))
	s := b.add("a", "e", "f")
	b.fire(s, "e", map[string]any{"x": "$(touch /tmp/no)", "url": "https://a/"})
	var got map[string]any
	if err := json.Unmarshal([]byte(await(t, out)), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	want := map[string]any{
		"sender": "a", "event": "e", "data": map[string]any{"x": "$(touch /tmp/no)", "url": "https://a/"},
		"title": "$(touch /tmp/no)", "body": "url: https://a/\nx: $(touch /tmp/no)", "urgency": "low", "tag": "T", "url": "https://a/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("standard input: %s", diff)
	}
	b.fire(s, "f", "x; `id`")
	if got, want := await(t, env), "a: f|a|normal|x; `id`\n"; got != want {
		t.Errorf("environment: %q, want %q", got, want)
	}
}

// A failure is told once, until the command works again.
func TestCommandFails(t *testing.T) {
	dir := t.TempDir()
	good, tried := filepath.Join(dir, "good"), filepath.Join(dir, "tried")
	b := newBench(t, fmt.Sprintf(`subscriptions: [
  {sender: a, event: e, command: {shell: 'echo x >> %[2]s; test -e %[1]s || { echo no disk >&2; exit 3; }'}},
  {sender: a, event: f, urgency: critical, command: [/no/such/program]},
  {sender: a, event: g, urgency: critical, command: ["true", "{{ data + 1 }}"]}]`, good, tried))
	s := b.add("a", "e", "f", "g")
	tries := func(n int) {
		t.Helper()
		for range 500 {
			if text, _ := os.ReadFile(tried); len(text) == 2*n {
				time.Sleep(200 * time.Millisecond)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatalf("not tried %d times", n)
	}
	failed := func() (n int) {
		for part := range strings.SplitSeq(b.screen.take(), "; ") {
			if strings.HasPrefix(part, "The command of line 2 failed exit status 3: no disk") {
				n++
			}
		}
		return n
	}
	b.fire(s, "e", 1)
	b.fire(s, "e", 2)
	if tries(2); failed() != 1 {
		t.Error("the failure was not told once")
	}
	if err := os.WriteFile(good, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.fire(s, "e", 3)
	tries(3)
	if err := os.Remove(good); err != nil {
		t.Fatal(err)
	}
	b.screen.take()
	b.fire(s, "e", 4)
	if tries(4); failed() != 1 {
		t.Error("the second failure was not told")
	}
	b.fire(s, "f", 1)
	b.fire(s, "g", "x")
	shown := ""
	for _, want := range []string{"The command of line 3 failed", "no such file", "The command of line 4 failed argument 1: data + 1: cannot add text and a number"} {
		for range 500 {
			if shown += b.screen.take(); strings.Contains(shown, want) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in %q", want, shown)
		}
	}
}

// A command that leaves something behind, or prints without end, holds up no other.
func TestCommandsGoOn(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	b := newBench(t, fmt.Sprintf(`subscriptions: [
  {sender: a, event: e, command: {shell: 'setsid sleep 20 & exit 0'}},
  {sender: a, event: f, command: {shell: 'head -c 3000000 /dev/zero | tr "\0" x; exit 1'}},
  {sender: a, event: g, command: [/bin/sh, -c, 'echo "$#: $1|$SIGALERT_BODY|$(wc -c)" > %s', sh, "{{ data }}"]}]`, out))
	s := b.add("a", "e", "f", "g")
	b.fire(s, "e", 1)
	b.fire(s, "f", 1)
	b.fire(s, "g", "-rf\n\x00--\u202e")
	begun := time.Now()
	for range 500 {
		if b.log.count("argument 4 has a NUL") > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.fire(s, "g", "-rf\n\u202e--")
	if got, want := await(t, out), "1: -rf\n\u202e--|-rf\n--|"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if waited := time.Since(begun); waited > 15*time.Second {
		t.Errorf("it waited for %s", waited)
	}
	if shown := b.screen.take(); !strings.Contains(shown, "The command of line 4 failed argument 4 has a NUL character") || len(shown) > 10_000 {
		t.Errorf("shown: %.500q", shown)
	}
}

// Commands end with the agent, and all that they started with them; what waits is
// counted.
func TestCommandAtTheEnd(t *testing.T) {
	alive := filepath.Join(t.TempDir(), "alive")
	b := newBenchOn(t, fmt.Sprintf(`subscriptions: [{sender: a, urgency: critical, command: {shell: '(while sleep 0.1; do echo >> %s; done) & sleep 60'}}]`, alive),
		(*sigtest.Network).Client)
	s := b.add("a", "e")
	for i := range 70 {
		if err := s.Trigger("e", i); err != nil {
			t.Fatal(err)
		}
	}
	await(t, alive)
	for range 500 { // until all have come
		if b.Status().Counters.Unrun >= 5 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if n := b.Status().Counters.Unrun; n < 5 {
		t.Errorf("%d commands were dropped", n)
	}
	b.end()
	if got := b.log.count("commands were not run: the agent ended"); got != 1 {
		t.Errorf("told %d times", got)
	}
	time.Sleep(time.Second)
	before, _ := os.ReadFile(alive)
	time.Sleep(time.Second)
	if after, _ := os.ReadFile(alive); len(after) != len(before) {
		t.Error("what the command started goes on")
	}
}

// A critical alert that nobody answers has its command run.
func TestEscalateRunsACommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "called")
	b := newBench(t, fmt.Sprintf(`subscriptions: [{sender: disk, urgency: critical, escalate: {after: 1s, command: {shell: 'echo "$SIGALERT_TITLE $SIGALERT_URGENCY" > %s'}}}]`, path))
	b.fire(b.add("disk", "full"), "full", 1)
	if got, want := await(t, path), "disk: full critical\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
