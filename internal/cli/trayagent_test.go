package cli

import (
	"context"
	"reflect"
	"testing"
	"time"

	"sigalert/agent"
	"sigalert/agent/notify"
	"sigalert/internal/zone"
	"sigalert/sig"
	"sigalert/tray"
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

func TestRecentAlert(t *testing.T) {
	at := time.Date(2026, 3, 28, 14, 2, 0, 0, zone.Local())
	sent := &notify.Notification{Title: "Door", Actions: []notify.Action{{Label: "Open"}, {Label: "Answer", Reply: true}, {Label: "Later"}}}
	for _, test := range []struct {
		x    agent.Explanation
		want tray.Recent
	}{
		{
			agent.Explanation{Number: 9, Time: at, Sender: sig.Name("door"), Event: sig.Name("ring"), Decision: agent.Shown, Sent: sent},
			tray.Recent{Number: 9, Time: "14:02", Title: "Door", Actions: []tray.Action{{Index: 0, Label: "Open"}, {Index: 2, Label: "Later"}}},
		}, {
			agent.Explanation{Number: 8, Time: at, Sender: sig.Name("door"), Event: sig.Name("ring"), Decision: agent.Held},
			tray.Recent{Number: 8, Time: "14:02", Title: "door: ring", Why: "held back"},
		}, {
			agent.Explanation{Number: 7, Time: at, Sender: sig.Name("door"), Event: sig.Name("ring"), Decision: agent.Failed, Sent: &notify.Notification{}},
			tray.Recent{Number: 7, Time: "14:02", Title: "door: ring", Why: "not shown"},
		},
	} {
		if got := recent(test.x); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%d is %+v, want %+v", test.x.Number, got, test.want)
		}
	}
}

func TestSubscriptionState(t *testing.T) {
	for _, test := range []struct {
		sub  agent.SubscriptionStatus
		want string
	}{
		{agent.SubscriptionStatus{Status: sig.Active}, ""},
		{agent.SubscriptionStatus{Status: sig.Active, Muted: true}, ""},
		{agent.SubscriptionStatus{Status: sig.Pending}, "waiting"},
		{agent.SubscriptionStatus{Status: sig.Refused, Muted: true, Held: 2}, "not offered"},
		{agent.SubscriptionStatus{Status: sig.Active, Muted: true, Held: 2000}, "2,000 held back"},
	} {
		if got := subscriptionState(test.sub); got != test.want {
			t.Errorf("%+v: %q, want %q", test.sub, got, test.want)
		}
	}
}
