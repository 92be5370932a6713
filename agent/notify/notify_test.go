package notify_test

import (
	"errors"
	"strings"
	"testing"

	"sigalert/agent/notify"
)

func TestUrgency(t *testing.T) {
	for _, u := range []notify.Urgency{notify.Low, notify.Normal, notify.Critical} {
		got, err := notify.ParseUrgency(u.String())
		if err != nil || got != u {
			t.Errorf("ParseUrgency(%q) = %v, %v; want %v", u.String(), got, err, u)
		}
	}
	for _, bad := range []string{"", "urgent", "Low", "normal "} {
		_, err := notify.ParseUrgency(bad)
		if err == nil {
			t.Errorf("ParseUrgency(%q) succeeded", bad)
			continue
		}
		for _, name := range []string{"low", "normal", "critical"} {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("error %q does not name %q", err, name)
			}
		}
	}
	if got := notify.Urgency(9).String(); got != "urgency(9)" {
		t.Errorf("Urgency(9).String() = %q", got)
	}
	var zero notify.Urgency
	if zero != notify.Normal {
		t.Error("the zero value is not Normal")
	}
}

func TestCloseUnused(t *testing.T) {
	d := notify.New(nil)
	for range 2 {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := d.Notify(t.Context(), notify.Notification{Title: "late"}); err == nil || errors.Is(err, notify.ErrNoDesktop) {
		t.Errorf("Notify after Close: error %v, want that it is closed", err)
	}
}

// In a log the address is spelled out, and what is over says so.
func TestLine(t *testing.T) {
	for want, n := range map[string]notify.Notification{
		"a":                    {Title: "a"},
		"a | b c":              {Title: "a", Body: "b\nc"},
		"a | http://x/":        {Title: "a", URL: "http://x/"},
		"a | b http://x/":      {Title: "a", Body: "b", URL: "http://x/"},
		"a | at http://x/ now": {Title: "a", Body: "at http://x/ now", URL: "http://x/"},
		"a (resolved) | b":     {Title: "a", Body: "b", Resolved: true},
	} {
		if got := n.Line(); got != want {
			t.Errorf("%+v: %q, want %q", n, got, want)
		}
	}
}
