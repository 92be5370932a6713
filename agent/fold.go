package agent

import (
	"crypto/sha256"
	"fmt"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/plain"
)

const (
	maxFolds   = 256         // that are remembered: at least these, and at most twice as many
	foldCalm   = time.Minute // without an alike alert, after which the next is new
	foldsTitle = 150         // characters of a title that has a count
)

// folds makes one notification of critical alerts that are alike, which are never held
// back: those of a subscription with the same tag or else the same text. It counts them,
// and makes a sound only each time their number has doubled.
type folds struct {
	known fading[string, fold]
	begun int // gives each fold a notification of its own
}

// fold is what is known of alerts that are alike.
type fold struct {
	count int
	last  time.Time
	key   string // of their notification
}

func (f *folds) judge(p *passage) verdict {
	v := verdict{stage: "fold"}
	if p.alert.Urgency != notify.Critical {
		return v
	}
	alike := alikeKey(p.sub, p.alert.Key)
	if p.alert.Key == "" {
		text := sha256.Sum256([]byte(p.alert.Title + "\x00" + p.alert.Body))
		alike = alikeKey(p.sub, string(text[:]))
	}
	all, known := f.known.get(alike)
	if !known || p.now.Sub(all.last) >= foldCalm {
		all = fold{key: p.alert.Key}
		if all.key == "" {
			f.begun++
			all.key = fmt.Sprintf("fold-%d", f.begun)
		}
	}
	all.count++
	all.last = p.now
	f.known.put(alike, all, maxFolds)
	p.alert.Key = all.key
	if all.count == 1 {
		return v
	}
	p.alert.Title = fmt.Sprintf("%s (×%d)", plain.Line(p.alert.Title, foldsTitle), all.count)
	if all.count&(all.count-1) != 0 { // no power of two
		p.alert.Sound = "none"
	}
	v.reason = fmt.Sprintf("%d alike, shown as one", all.count)
	return v
}

// forget is for a tag whose alert was taken back: the next one is new.
func (f *folds) forget(s *config.Subscription, key string) { f.known.drop(alikeKey(s, key)) }

func alikeKey(s *config.Subscription, what string) string { return s.ID() + "\x00" + what }

func (f *folds) clone() folds { return folds{f.known.clone(), f.begun} }
