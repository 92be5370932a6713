package agent

import (
	"fmt"
	"hash/maphash"
	"strconv"
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
	known fading[alike, fold]
	begun int // with the time, gives each fold a notification of its own
}

// alike is what alerts that are alike have in common: the subscription's line, and a
// hash of the tag's key or else of the text.
type alike struct {
	line int
	what uint64
}

var foldSeed = maphash.MakeSeed()

func tagged(s *config.Subscription, key string) alike {
	return alike{s.Line, maphash.String(foldSeed, key)}
}

func texted(s *config.Subscription, server, title, body string) alike {
	var h maphash.Hash
	h.SetSeed(foldSeed)
	_, _ = h.WriteString(server)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(title)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(body)
	return alike{s.Line, h.Sum64()}
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
	like := tagged(p.sub, p.alert.Key)
	if p.alert.Key == "" {
		like = texted(p.sub, p.server, p.alert.Title, p.alert.Body)
	}
	all, known := f.known.get(like)
	if !known || p.now.Sub(all.last) >= foldCalm {
		all = fold{key: p.alert.Key}
		if all.key == "" {
			f.begun++
			all.key = fmt.Sprintf("fold-%d-%d", p.now.UnixMilli(), f.begun)
		}
	}
	all.count++
	all.last = p.now
	f.known.put(like, all, maxFolds)
	p.alert.Key = all.key
	if all.count == 1 {
		return v
	}
	p.alert.Title = plain.Line(p.alert.Title, foldsTitle) + " (×" + strconv.Itoa(all.count) + ")"
	if all.count&(all.count-1) != 0 { // no power of two
		p.alert.Sound = "none"
	}
	v.reason = "as the one before, and so shown as one, with their number"
	return v
}

// forget is for a tag whose alert was taken back: the next one is new.
func (f *folds) forget(s *config.Subscription, key string) { f.known.drop(tagged(s, key)) }

func (f *folds) clone() folds { return folds{f.known.clone(), f.begun} }
