package hours

import (
	"testing"
	"time"
)

func parse(t *testing.T, texts ...string) (h Hours) {
	t.Helper()
	for _, text := range texts {
		r, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		h = append(h, r)
	}
	return h
}

func place(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skip("no zones: ", err)
	}
	return loc
}

func TestIn(t *testing.T) {
	const layout = "Mon 2006-01-02 15:04 MST"
	night, weekend := []string{"22:00-07:00"}, []string{"sat,sun"}
	week := []string{"mon-fri 22:00-07:00", "sat,sun"}
	for _, tc := range []struct {
		hours  []string
		zone   string
		at     string
		within bool
		until  string
	}{
		{night, "Europe/Berlin", "2026-01-12 12:00", false, "Mon 2026-01-12 22:00 CET"},
		{night, "Europe/Berlin", "2026-01-12 21:59", false, "Mon 2026-01-12 22:00 CET"},
		{night, "Europe/Berlin", "2026-01-12 22:00", true, "Tue 2026-01-13 07:00 CET"},
		{night, "Europe/Berlin", "2026-01-13 00:00", true, "Tue 2026-01-13 07:00 CET"},
		{night, "Europe/Berlin", "2026-01-13 06:59", true, "Tue 2026-01-13 07:00 CET"},
		{night, "Europe/Berlin", "2026-01-13 07:00", false, "Tue 2026-01-13 22:00 CET"},
		{[]string{"13:00-14:00"}, "UTC", "2026-01-13 13:30", true, "Tue 2026-01-13 14:00 UTC"},
		{[]string{"00:00-24:00"}, "UTC", "2026-01-13 13:30", true, "Thu 2026-01-22 00:00 UTC"},
		{weekend, "UTC", "2026-01-16 23:59", false, "Sat 2026-01-17 00:00 UTC"},
		{weekend, "UTC", "2026-01-17 00:00", true, "Mon 2026-01-19 00:00 UTC"},
		{weekend, "UTC", "2026-01-18 23:59", true, "Mon 2026-01-19 00:00 UTC"},
		{weekend, "UTC", "2026-01-19 00:00", false, "Sat 2026-01-24 00:00 UTC"},
		{[]string{"fri-mon"}, "UTC", "2026-01-16 00:00", true, "Tue 2026-01-20 00:00 UTC"},
		{week, "UTC", "2026-01-16 22:00", true, "Mon 2026-01-19 00:00 UTC"}, // Friday's night begins, the weekend follows
		{week, "UTC", "2026-01-19 03:00", false, "Mon 2026-01-19 22:00 UTC"},
		{[]string{"mon-fri 22:00-07:00"}, "UTC", "2026-01-17 06:00", true, "Sat 2026-01-17 07:00 UTC"},
		{[]string{"mon-fri 22:00-07:00"}, "UTC", "2026-01-19 06:00", false, "Mon 2026-01-19 22:00 UTC"},
		{[]string{"22:00-24:00", "00:00-07:00"}, "UTC", "2026-01-16 22:00", true, "Sat 2026-01-17 07:00 UTC"},
		{nil, "UTC", "2026-01-16 22:00", false, ""},
		// The clocks are set forward, at 2:00 of March 29: the night has eight hours.
		{night, "Europe/Berlin", "2026-03-28 22:00", true, "Sun 2026-03-29 07:00 CEST"},
		{[]string{"22:00-02:30"}, "Europe/Berlin", "2026-03-29 01:59", true, "Sun 2026-03-29 03:00 CEST"},
		{[]string{"02:30-05:00"}, "Europe/Berlin", "2026-03-29 01:59", false, "Sun 2026-03-29 03:00 CEST"},
		{[]string{"02:30-05:00"}, "Europe/Berlin", "2026-03-29 03:00", true, "Sun 2026-03-29 05:00 CEST"},
		{[]string{"02:10-02:50"}, "Europe/Berlin", "2026-03-29 03:10", false, "Mon 2026-03-30 02:10 CEST"},
		// They are set back, at 3:00 of October 25: the night has ten.
		{night, "Europe/Berlin", "2026-10-24 22:00", true, "Sun 2026-10-25 07:00 CET"},
		{[]string{"22:00-02:30"}, "Europe/Berlin", "2026-10-25 01:00", true, "Sun 2026-10-25 02:30 CET"},
		{[]string{"02:30-05:00"}, "Europe/Berlin", "2026-10-25 01:00", false, "Sun 2026-10-25 02:30 CEST"},
		// Midnight itself is skipped.
		{weekend, "America/Havana", "2026-03-07 12:00", true, "Mon 2026-03-09 00:00 CDT"},
		{[]string{"sun"}, "America/Havana", "2026-03-07 12:00", false, "Sun 2026-03-08 01:00 CDT"},
	} {
		loc := place(t, tc.zone)
		at, err := time.ParseInLocation("2006-01-02 15:04", tc.at, loc)
		if err != nil {
			t.Fatal(err)
		}
		within, until := parse(t, tc.hours...).In(at)
		text := ""
		if !until.IsZero() {
			text = until.In(loc).Format(layout)
		}
		if within != tc.within || text != tc.until {
			t.Errorf("%q at %s: %v until %s, want %v until %s", tc.hours, tc.at, within, text, tc.within, tc.until)
		}
	}
}

// Whatever the zone, each change is where In says, and nowhere else.
func TestInAgreesWithItself(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Africa/Casablanca"} {
		loc := place(t, zone)
		for _, h := range []Hours{parse(t, "22:00-07:00"), parse(t, "mon-fri 01:30-02:15", "sat,sun"), parse(t, "02:30-02:45")} {
			at := time.Date(2026, 2, 1, 0, 0, 0, 0, loc)
			was, until := h.In(at)
			for range 90 * 24 * 4 {
				at = at.Add(15 * time.Minute)
				within, next := h.In(at)
				if changed := !at.Before(until); changed != (within != was || !next.Equal(until)) {
					t.Fatalf("%s: at %s it is %v until %s, and was %v until %s", zone, at, within, next, was, until)
				}
				was, until = within, next
			}
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"22:00-07:00": "", "7:00-8:00": "", "mon-fri 22:00-07:00": "", "sat,sun": "", "Saturday, Sunday 10:00 - 12:00": "", "00:00-24:00": "", "22:00-24:00 ": "",
		"":                        `"" is no time: write it as 22:00-07:00, mon-fri 22:00-07:00 or sat,sun`,
		"night":                   `"night" is neither days nor a time, in "night": write it as 22:00-07:00, mon-fri 22:00-07:00 or sat,sun`,
		"22-7":                    `"22-7" has no minutes: write 22:00-7:00`,
		"22:00-25:00":             `25:00 is not a time of the day: it must be from 00:00 to 24:00`,
		"22:00-22:00":             `"22:00-22:00" ends when it begins: for whole days write 00:00-24:00, or the days alone`,
		"24:00-07:00":             `"24:00-07:00" begins at 24:00: write 00:00, which is on the next day`,
		"22:00-07:00 mon":         `"mon" is neither days nor a time, in "22:00-07:00 mon": write it as 22:00-07:00, mon-fri 22:00-07:00 or sat,sun`,
		"mon 1:00-2:00 3:00-4:00": `"mon 1:00-2:00 3:00-4:00" has more than one time: make it two entries of the list`,
		"mo-fr 22:00-07:00":       `"mo-fr" is neither days nor a time, in "mo-fr 22:00-07:00": write it as 22:00-07:00, mon-fri 22:00-07:00 or sat,sun`,
	} {
		_, err := Parse(text)
		if got := ""; err != nil && err.Error() != want || err == nil && want != got {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestAlways(t *testing.T) {
	for _, tc := range []struct {
		hours []string
		want  bool
	}{
		{nil, false}, {[]string{"00:00-24:00"}, true}, {[]string{"22:00-07:00", "07:00-22:00"}, true},
		{[]string{"mon-fri", "sat"}, false}, {[]string{"mon-fri", "sat-sun"}, true}, {[]string{"00:00-23:59"}, false},
	} {
		if got := parse(t, tc.hours...).Always(); got != tc.want {
			t.Errorf("%q: %v", tc.hours, got)
		}
	}
}
