package cli

import (
	"context"
	"testing"
	"time"

	"sigalert/agent"
)

func TestTrayHasHistoryWhereThereIsOne(t *testing.T) {
	a := &trayAgent{agent: agent.New(agent.Options{})}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	a.agent.Run(ended) // from now on it shows nothing
	if a.OpenHistory(); a.State().History {
		t.Error("a history without one")
	}
	there, opened := false, 0
	a.history, a.openHistory = func() bool { return there }, func() { opened++ }
	if a.State().History {
		t.Error("a history before it is there")
	}
	if there = true; !a.State().History {
		t.Error("no history")
	}
	if a.OpenHistory(); opened != 1 {
		t.Errorf("opened %d times", opened)
	}
}

func TestClock(t *testing.T) {
	t.Setenv("TZ", "")
	now := time.Date(2026, 3, 28, 14, 0, 0, 0, time.Local)
	for _, test := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, ""},
		{now.Add(15 * time.Minute), "14:15"},
		{now.Add(12 * time.Hour), "Sun 02:00"},
		{tomorrow(now), "Sun 08:00"},
		{now.AddDate(1, 0, 0), "Sun 14:00"},
	} {
		if got := clock(now, test.at); got != test.want {
			t.Errorf("%v is %q, want %q", test.at, got, test.want)
		}
	}
}

// Tomorrow at 8:00 is by the clock, also where the night is an hour shorter, or the
// month ends with it.
func TestTomorrow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	for _, test := range []struct{ now, want string }{
		{"2026-03-28T14:00:00+01:00", "2026-03-29T08:00:00+02:00"},
		{"2026-10-24T23:59:59+02:00", "2026-10-25T08:00:00+01:00"},
		{"2026-12-31T00:00:00+01:00", "2027-01-01T08:00:00+01:00"},
	} {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := tomorrow(now.In(berlin)).Format(time.RFC3339); got != test.want {
			t.Errorf("tomorrow of %s is %s, want %s", test.now, got, test.want)
		}
	}
}
