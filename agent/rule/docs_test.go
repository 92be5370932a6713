package rule_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigalert/agent/rule"
	"sigalert/sig"
)

// TestDocs runs every example of docs/expressions.md.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	data, _, _ := strings.Cut(rest, "```")
	at := time.Date(2026, 11, 30, 8, 5, 0, 0, time.UTC)
	ev := rule.NewEvent(sig.Event{Sender: "build", Event: "done", Data: sig.JSONData([]byte(data)), Time: at}, at.Add(time.Minute).In(zone))

	row := regexp.MustCompile("^\\| (?:([^|`]*) \\| )?(``?)(.*?) ?``? \\|(?: (.*) \\|)?$")
	table, ran := "", 0
	for _, line := range strings.Split(string(page), "\n") {
		switch {
		case strings.HasPrefix(line, "| expression |"), strings.HasPrefix(line, "| text |"), strings.HasPrefix(line, "| for | expression |"):
			table = line
			continue
		case strings.HasPrefix(line, "| for | functions |"):
			table = ""
			continue
		case !strings.HasPrefix(line, "|"):
			if yaml := regexp.MustCompile(`^    (when|title|urgency): (.*)$`).FindStringSubmatch(line); yaml != nil {
				check(t, ev, yaml[1], strings.Trim(yaml[2], `'`), "")
				ran++
			}
			table = ""
			continue
		}
		cells := row.FindStringSubmatch(strings.ReplaceAll(line, `\|`, "\x00"))
		if table == "" || strings.HasPrefix(line, "|---") {
			continue
		}
		if cells == nil {
			t.Errorf("not understood: %s", line)
			continue
		}
		src, want := strings.ReplaceAll(cells[3], "\x00", "|"), cells[4]
		kind := "expression"
		switch {
		case strings.HasPrefix(table, "| text |"):
			kind = "title"
		case strings.HasPrefix(table, "| for |"):
			want = ""
		}
		check(t, ev, kind, src, want)
		ran++
	}
	if ran < 60 {
		t.Errorf("only %d examples", ran)
	}
}

// check evaluates an example; want is "" where the page does not say.
func check(t *testing.T, ev *rule.Event, kind, src, want string) {
	var got string
	var v any
	var err error
	if kind == "title" || kind == "urgency" {
		var text *rule.Text
		if text, err = rule.CompileText(src); err == nil {
			got, err = text.Render(ev)
		}
	} else {
		var x *rule.Expr
		if x, err = rule.Compile(src, rule.Value); err == nil {
			v, err = x.Eval(ev)
			got = rule.Show(v)
		}
		if v == nil {
			got = "nil"
		}
	}
	if err != nil || want != "" && !strings.HasPrefix(want, "whatever") && strings.TrimSpace(got) != want {
		t.Errorf("%s: %q, %v, not %q", src, got, err, want)
	}
}
