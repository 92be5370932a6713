// Package topic names the events that somebody asks for, and reads and shows those
// names.
package topic

import "sigalert/sig"

// Topic is an event of a sender; the zero Name stands for every one.
type Topic struct{ Sender, Event sig.Name }

// Matches reports whether the event is one of those asked for.
func (t Topic) Matches(ev sig.Event) bool {
	return (t.Sender.IsEvery() || t.Sender.Equal(ev.Sender)) && (t.Event.IsEvery() || t.Event.Equal(ev.Event))
}

// Equal reports whether both ask for the same events.
func (t Topic) Equal(o Topic) bool { return t.Sender.Equal(o.Sender) && t.Event.Equal(o.Event) }

// String is the topic for people: "timer: tick", "every event of timer",
// "#notify of any sender" or "every event".
func (t Topic) String() string {
	switch {
	case t.Sender.IsEvery() && t.Event.IsEvery():
		return "every event"
	case t.Sender.IsEvery():
		return Name(t.Event) + " of any sender"
	case t.Event.IsEvery():
		return "every event of " + Name(t.Sender)
	}
	return Name(t.Sender) + ": " + Name(t.Event)
}

// IsPresence reports whether an event is the coming or going of its sender.
func IsPresence(event sig.Name) bool {
	return event.Equal(sig.EventConnect) || event.Equal(sig.EventDisconnect)
}
