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
	waiting []*sought        // in the file's order
	seen    map[whom]bool    // as the file spells them
	told    map[whom]bool    // that they were not there
	asked   map[string]*roll // by the server's name
}

// whom names a sender of the servers of a subscription.
type whom struct {
	sender, server sig.Name
	servers        string // the glob
}

// sought is a sender that was never there.
type sought struct {
	whom
	sub     *config.Subscription
	missing *Unseen // nil: not every server has said so
}

// roll is what a server has said about who is there.
type roll struct {
	names []sig.Name
	known bool
	again time.Time // when to ask it again; zero: it has not been asked yet
	pause time.Duration
}

// use replaces the subscriptions, and the servers.
func (u *unseen) use(subs []config.Subscription, servers []config.Server) {
	if u.seen == nil {
		u.seen, u.told = make(map[whom]bool), make(map[whom]bool)
	}
	u.waiting, u.asked = nil, make(map[string]*roll)
	for _, s := range servers {
		u.asked[s.Name] = &roll{pause: unseenFirst}
	}
	listed := make(map[whom]bool)
	for i := range subs {
		s := &subs[i]
		w := whom{s.Sender, s.Server, s.ServerGlob.String()}
		if !s.Sender.IsEvery() && !u.seen[w] && !listed[w] {
			listed[w] = true
			u.waiting = append(u.waiting, &sought{whom: w, sub: s})
		}
	}
}

// saw takes a sender that is there, or was.
func (u *unseen) saw(server string, sender sig.Name) {
	if !slices.ContainsFunc(u.waiting, func(w *sought) bool { return w.sender.Equal(sender) }) {
		return
	}
	u.waiting = slices.DeleteFunc(u.waiting, func(w *sought) bool {
		is := w.sender.Equal(sender) && w.sub.IsFor(server)
		if is {
			u.seen[w.whom] = true
		}
		return is
	})
}

// sync takes a server's answer about its senders; it returns those of ours that have
// not been mentioned before, but not more than 20.
func (u *unseen) sync(now time.Time, server string, connected []sig.Name) (news []string) {
	r := u.asked[server]
	r.names, r.known = connected, true
	r.again, r.pause = now.Add(r.pause), min(2*r.pause, unseenMax)
	for _, name := range connected {
		u.saw(server, name)
	}
	for i, w := range u.waiting {
		w.missing = nil
		names, known := u.there(w.sub)
		if !known {
			continue
		}
		w.missing = &Unseen{Sender: w.sender}
		if i >= maxUnseen {
			continue
		}
		texts := make([]string, len(names))
		for i, name := range names {
			texts[i] = name.String()
		}
		if j := slices.Index(texts, words.Nearest(w.sender.String(), texts)); j >= 0 {
			w.missing.Nearest = names[j]
		}
		if !u.told[w.whom] {
			u.told[w.whom] = true
			news = append(news, w.missing.String())
		}
	}
	return news
}

// there are the senders on the servers of a subscription, if all of these have said who
// is there.
func (u *unseen) there(sub *config.Subscription) (names []sig.Name, known bool) {
	for server, r := range u.asked {
		if !sub.IsFor(server) {
			continue
		}
		if !r.known {
			return nil, false
		}
		names = append(names, r.names...)
	}
	return names, true
}

// offline is for a server of which it is not known any more who is there.
func (u *unseen) offline(server string) {
	u.asked[server].names, u.asked[server].known = nil, false
	for _, w := range u.waiting {
		if w.sub.IsFor(server) {
			w.missing = nil
		}
	}
}

// named are those of which every server has said that they are not there.
func (u *unseen) named() (all []Unseen) {
	for _, w := range u.waiting {
		if w.missing != nil {
			all = append(all, *w.missing)
		}
	}
	return all
}

// waits reports whether a server is to be asked who is there.
func (u *unseen) waits(server string) bool {
	return slices.ContainsFunc(u.waiting, func(w *sought) bool { return w.sub.IsFor(server) })
}

// due reports whether a server is to be asked again.
func (u *unseen) due(now time.Time, server string) bool {
	next := u.next(server)
	if next.IsZero() || now.Before(next) {
		return false
	}
	r := u.asked[server]
	r.again = now.Add(r.pause) // even if it does not answer
	return true
}

// next is when due has something to ask; zero: never.
func (u *unseen) next(server string) time.Time {
	if !u.waits(server) {
		return time.Time{}
	}
	return u.asked[server].again
}
