//go:build linux

package e2e

import "testing"

func TestEventIsShown(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, _, _ := watching(t, bin)

		d.alerts(t, s, "timer", "tick")
		d.closeNotifications(t)

		s.send(t, "timer", "tick", `{"build": 12, "branch": "main", "result": "failed"}`)
		d.mon.next(t).is(t, "timer: tick", "build: 12\nbranch: main\nresult: failed")
		where := d.shown(t, 1)
		if bin == program(t) {
			d.picture(t, "notification.png", where.Inset(-16))
		}

		// With the two before, as many as are not yet a flood.
		for _, c := range []struct{ data, body string }{
			{"plain text", "plain text"},
			{`["<b>5 & 6</b>", 7]`, `["&lt;b&gt;5 &amp; 6&lt;/b&gt;",7]`},
			{"null", ""},
		} {
			s.send(t, "timer", "tick", c.data)
			d.mon.next(t).is(t, "timer: tick", c.body)
		}
		d.shown(t, 4)
	})
}
