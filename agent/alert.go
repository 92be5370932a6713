package agent

import (
	"fmt"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/outcome"
	"sigalert/internal/payload"
	"sigalert/sig"
)

// Alert is an event that a subscription alerts for, and what became of it; or what the
// agent itself has to say, as an event of the sender "sigalert".
type Alert struct {
	Event   sig.Event
	Outcome outcome.Outcome
	Why     string // for people; empty if there is nothing to say
}

// passage is an event on its way through the stages. Each takes what those before it
// have found out.
type passage struct {
	now    time.Time // in the zone of this machine
	server string    // the name of the one that it came from; "": it has none
	ev     sig.Event
	seen   *rule.Event
	said   payload.Payload // what the event says; from settle on, with what the subscription sets

	matching []*config.Subscription // those whose sender and event match
	sub      *config.Subscription   // the one that takes it; nil: none has yet
	hold     *hold                  // that is to keep its alert; nil: none
	while    string                 // it does so
	counted  *uint64                // where the number of the last alert is kept that one notification counts; nil: it is in none
	alert    notify.Notification
	buttons  []button // of the alert
	closes   bool     // the desktop may show what it resolves

	waiting *waiting // what its alert waits as; nil: it does not
	waited  *waiting // what its alert has waited as; nil: it has not
	number  int      // of its entry, if it has one already
	ends    []ended  // what waited, and will not be shown because of it

	verdicts []verdict
	choice   int // how many of them are about which subscription takes it
}

func newPassage(now time.Time, ev sig.Event) *passage {
	ev.Time = ev.Time.In(now.Location())
	p := &passage{now: now, ev: ev, seen: rule.NewEvent(ev, now)}
	text, _ := p.seen.Text() // what JSON cannot hold did not come from a network
	p.said = payload.Read(text)
	return p
}

// key is the key of a tag of the event's.
func (p *passage) key(tag string) string { return tagKey(p.server, p.ev.Sender, tag) }

// idOf is a subscription's identity, for what each server has by itself.
func (p *passage) idOf(s *config.Subscription) string {
	if p.server == "" {
		return s.ID()
	}
	return p.server + "\x02" + s.ID()
}

// source is a sender of a server.
type source struct {
	server string // "": it has no name
	sender sig.Name
}

func (p *passage) source() source { return source{p.server, p.ev.Sender} }

// String is the sender for people: "door", or "door at work".
func (s source) String() string {
	if s.server == "" {
		return s.sender.String()
	}
	return s.sender.String() + " at " + s.server
}

// add notes a verdict.
func (p *passage) add(v verdict) { p.verdicts = append(p.verdicts, v) }

// fail notes that an expression of a subscription failed.
func (p *passage) fail(stage string, s *config.Subscription, key string, err error) {
	p.add(verdict{stage: stage, line: s.Line, key: key, err: err})
}

// decided is the last verdict.
func (p *passage) decided() verdict { return p.verdicts[len(p.verdicts)-1] }

// Why an alert failed.
const whyEnded = "the agent ended"

var whyFull = fmt.Sprintf("%d newer ones were waiting for the desktop", deliveryQueue)

// whyNoData is added if an event lost its data on the way.
const whyNoData = "its data was too large to keep"
