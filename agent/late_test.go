package agent

import (
	"testing"
	"time"
)

// What was on its way while the agent stood still comes over the same connection, and not
// as a replay: it belongs to the absence all the same, as far as the server's clock tells.
func TestLateIsOfTheAbsence(t *testing.T) {
	subs := subscribed(t, "- {sender: a}\n")
	for name, tc := range map[string]struct {
		seq         uint64
		ago, silent time.Duration
		after       time.Duration // of the return
		want        Decision
	}{
		"during a suspend":            {7, time.Minute, 75 * time.Second, 0, Held},
		"just before the return":      {7, time.Second, 75 * time.Second, 0, Sent},
		"without an absence":          {7, time.Minute, 15 * time.Second, 0, Sent},
		"of a server without numbers": {0, time.Minute, 75 * time.Second, 0, Sent},
		"by a clock that is slow":     {7, time.Minute, 75 * time.Second, 4 * time.Second, Sent},
	} {
		t.Run(name, func(t *testing.T) {
			pl, last := newPipeline(), new(absence)
			pl.catchup.absences[""], pl.catchup.maxAge = last, 24*time.Hour
			last.hear(start.Add(-tc.silent))
			last.hear(start)
			ev := event("a", "e", "1")
			ev.Seq, ev.Time = tc.seq, start.Add(tc.after-tc.ago)
			p := passed(start.Add(tc.after), ev, &subs[0])
			if pl.judge(p); p.decided().decision != tc.want {
				t.Errorf("%+v", p.decided())
			}
		})
	}
}
