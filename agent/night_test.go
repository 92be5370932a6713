package agent

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
)

func place(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skip("no zones: ", err)
	}
	return loc
}

// Nights with an event at half past every hour, and an evening and a morning around
// them.
func TestNights(t *testing.T) {
	const nightly = "{quiet_hours: {times: [\"22:00-07:00\"]}, subscriptions: [{}]}"
	travel := func(to string) func(*testing.T, *desk) {
		return func(t *testing.T, d *desk) { d.zone = place(t, to) }
	}
	pause := func(span time.Duration) func(*testing.T, *desk) {
		return func(_ *testing.T, d *desk) { d.pl.quiet.pause.pause(time.Now().Add(span)) }
	}
	for name, tc := range map[string]struct {
		file  string
		zone  string
		from  string
		hours int
		at    map[int]func(*testing.T, *desk) // what happens after as many hours
		want  []string                        // what is said, and when, there
		shown int                             // events
	}{
		"a night": {nightly, "Europe/Berlin", "2000-02-01 20:00", 13, nil,
			[]string{"02 07:00 9 alerts during quiet hours | s: e ×9 (last: 10)"}, 4},
		"eight hours, as daylight-saving time begins": {nightly, "Europe/Berlin", "2000-03-25 20:00", 12, nil,
			[]string{"26 07:00 8 alerts during quiet hours | s: e ×8 (last: 9)"}, 4},
		"ten hours, as it ends": {nightly, "Europe/Berlin", "2000-10-28 20:00", 14, nil,
			[]string{"29 07:00 10 alerts during quiet hours | s: e ×10 (last: 11)"}, 4},
		"a flight from Berlin to Denver": {nightly, "Europe/Berlin", "2000-02-01 20:00", 8 + 17, map[int]func(*testing.T, *desk){4: travel("America/Denver")}, // 0:00 is 16:00
			[]string{"01 16:00 2 alerts during quiet hours | s: e ×2 (last: 3)", "02 07:00 9 alerts during quiet hours | s: e ×9 (last: 18)"}, 14},
		"and back": {nightly, "America/Denver", "2000-02-01 20:00", 8, map[int]func(*testing.T, *desk){4: travel("Europe/Berlin")}, // 0:00 is 8:00
			[]string{"02 08:00 2 alerts during quiet hours | s: e ×2 (last: 3)"}, 6},
		"into the night": {nightly, "America/Denver", "2000-02-01 12:00", 13, map[int]func(*testing.T, *desk){3: travel("Europe/Berlin")}, // 15:00 is 23:00
			[]string{"02 07:00 8 alerts during quiet hours | s: e ×8 (last: 10)"}, 5},
		"a week's end": {"{quiet_hours: {times: [\"mon-fri 22:00-07:00\", \"sat,sun\"]}, subscriptions: [{}]}", "Europe/Berlin", "2000-02-04 20:00", 60, nil, // a Friday
			[]string{"07 00:00 50 alerts during quiet hours | s: e ×50 (last: 51)"}, 10},
		"a pause into the night": {nightly, "Europe/Berlin", "2000-02-01 20:00", 13, map[int]func(*testing.T, *desk){1: pause(3 * time.Hour)},
			[]string{"02 07:00 10 alerts while it was quiet | s: e ×10 (last: 10)"}, 3},
		"a pause beyond it": {nightly, "Europe/Berlin", "2000-02-01 20:00", 14, map[int]func(*testing.T, *desk){3: pause(10 * time.Hour)},
			[]string{"02 09:00 11 alerts while it was quiet | s: e ×11 (last: 12)"}, 3},
		"the file has other hours now": {nightly, "Europe/Berlin", "2000-02-01 20:00", 13, map[int]func(*testing.T, *desk){5: func(_ *testing.T, d *desk) { d.pl.quiet.follow(config.Quiet{}) }},
			[]string{"02 01:00 3 alerts during quiet hours | s: e ×3 (last: 4)"}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := config.Parse("c.yaml", []byte(tc.file))
				if err != nil {
					t.Fatal(err)
				}
				d := newDesk(t, "- {}\n")
				d.zone, d.layout = place(t, tc.zone), "02 15:04"
				from, err := time.ParseInLocation("2006-01-02 15:04", tc.from, d.zone)
				if err != nil {
					t.Fatal(err)
				}
				d.sleep(time.Until(from))
				d.pl.quiet.follow(c.Quiet)
				for i := range tc.hours {
					if do := tc.at[i]; do != nil {
						do(t, d)
					}
					d.sleep(30 * time.Minute)
					d.fire("s", fmt.Sprint(i))
					d.sleep(30 * time.Minute)
				}
				if diff := cmp.Diff(tc.want, d.words); diff != "" || d.alerts != tc.shown {
					t.Errorf("%d were shown, want %d\n%s", d.alerts, tc.shown, diff)
				}
			})
		})
	}
}
