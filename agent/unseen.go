package agent

import (
	"fmt"
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/internal/topic"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	// maxUnseen is of how many senders the nearest name is looked for.
	maxUnseen = 20
	// The server is asked again after a minute, and then ever more rarely.
	unseenFirst, unseenMax = time.Minute, 10 * time.Minute
)

// Unseen is a sender that a subscription names, and that was never there: it may be
// mistyped.
type Unseen struct {
	Sender  sig.Name
	Nearest sig.Name // of those that are there; zero: none is alike
}

// unseenLine says for people which senders were never there: of several, one whose
// name is probably mistyped, if there is one.
func unseenLine(all []Unseen) string {
	if len(all) == 0 {
		return ""
	}
	one := all[max(0, slices.IndexFunc(all, func(u Unseen) bool { return !u.Nearest.IsEvery() }))]
	if len(all) == 1 {
		return fmt.Sprintf(", sender not seen yet: %s", one)
	}
	return fmt.Sprintf(", %s not seen yet, such as %s", words.Count(len(all), "sender"), one)
}

// String is the name, and what was probably meant.
func (u Unseen) String() string {
	if u.Nearest.IsEvery() {
		return topic.Name(u.Sender)
	}
	return fmt.Sprintf("%s (did you mean %s?)", topic.Name(u.Sender), topic.Name(u.Nearest))
}

// unseen knows which senders were never there since the agent began.
type unseen struct {
	waiting []sig.Name        // in the file's order
	seen    map[sig.Name]bool // as the file spells them
	told    map[sig.Name]bool
	named   []Unseen // those of waiting that the server did not know

	again time.Time // when to ask it again; zero: it has not been asked yet
	pause time.Duration
}

// use replaces the subscriptions.
func (u *unseen) use(subs []config.Subscription) {
	if u.seen == nil {
		u.seen, u.told = make(map[sig.Name]bool), make(map[sig.Name]bool)
	}
	u.waiting, u.named = nil, nil
	u.again, u.pause = time.Time{}, unseenFirst
	listed := make(map[sig.Name]bool)
	for _, s := range subs {
		if !s.Sender.IsEvery() && !u.seen[s.Sender] && !listed[s.Sender] {
			listed[s.Sender] = true
			u.waiting = append(u.waiting, s.Sender)
		}
	}
}

// saw takes a sender that is there, or was.
func (u *unseen) saw(sender sig.Name) {
	i := slices.IndexFunc(u.waiting, sender.Equal)
	if i < 0 {
		return
	}
	u.seen[u.waiting[i]] = true
	u.named = slices.DeleteFunc(u.named, func(n Unseen) bool { return n.Sender == u.waiting[i] })
	u.waiting = slices.Delete(u.waiting, i, i+1)
}

// sync takes the server's answer about its senders; it returns those of ours that
// have not been mentioned before, but not more than 20.
func (u *unseen) sync(now time.Time, connected []sig.Name) (news []string) {
	u.again, u.pause = now.Add(u.pause), min(2*u.pause, unseenMax)
	texts := make([]string, len(connected))
	for i, name := range connected {
		u.saw(name)
		texts[i] = name.String()
	}
	u.named = nil
	for i, name := range u.waiting {
		n := Unseen{Sender: name}
		if i < maxUnseen {
			if j := slices.Index(texts, words.Nearest(name.String(), texts)); j >= 0 {
				n.Nearest = connected[j]
			}
		}
		u.named = append(u.named, n)
		if !u.told[name] && i < maxUnseen {
			u.told[name] = true
			news = append(news, n.String())
		}
	}
	return news
}

// due reports whether the server is to be asked again.
func (u *unseen) due(now time.Time) bool {
	next := u.next()
	if next.IsZero() || now.Before(next) {
		return false
	}
	u.again = now.Add(u.pause) // even if it does not answer
	return true
}

// next is when due has something to ask; zero: never.
func (u *unseen) next() time.Time {
	if len(u.waiting) == 0 {
		return time.Time{}
	}
	return u.again
}
