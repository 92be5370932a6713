//go:build linux || freebsd || netbsd || openbsd

package notify

import (
	"strconv"

	"github.com/godbus/dbus/v5"

	"sigalert/internal/plain"
)

// The action keys of the specification and of KDE. Those of buttons are their indexes.
const (
	clickKey = "default" // a click on the notification itself
	replyKey = "inline-reply"
)

const (
	maxButtons      = 64
	maxEarlySignals = 64
)

// tracked is what may be answered about a notification that was shown.
type tracked struct {
	ref     uint64
	url     string
	buttons uint64 // a bit for the index of each
	reply   int    // the index of the line to type into; -1: none
	closed  bool
}

// offer returns what the server can answer about n, and the actions that it gets for that.
func (srv server) offer(n Notification) (t *tracked, actions []string) {
	t = &tracked{ref: n.Ref, reply: -1}
	actions = []string{}
	if !srv.actions {
		return t, actions
	}
	if t.url = n.URL; srv.offersClick(n) {
		actions = append(actions, clickKey, "Open")
	}
	if n.Ref == 0 {
		return t, actions
	}
	for i, action := range n.Actions[:min(len(n.Actions), maxButtons)] {
		key := strconv.Itoa(i)
		switch {
		case !action.Reply:
			t.buttons |= 1 << i
		case srv.replies && t.reply < 0:
			t.reply, key = i, replyKey
		default:
			continue
		}
		actions = append(actions, key, cleanLabel(action.Label))
	}
	return t, actions
}

// cleanLabel is for a button.
func cleanLabel(s string) string {
	return cutLine(s, maxLabel, "…")
}

// offersClick reports whether a click on n is worth what the server makes of it.
func (srv server) offersClick(n Notification) bool {
	switch {
	case n.URL != "":
		return true
	case srv.Name == "Xfce Notify Daemon":
		return false // a click there closes it: this would be another button, on each notification
	case srv.Name == "dunst" && len(n.Actions) > 0:
		return false // the click, and dunstctl, would no longer press the button, or show the choice of them
	}
	return n.Click && n.Ref != 0
}

// An answer is what a signal of the server says about one of the notifications on the bus.
type answer struct {
	id       uint32
	response Response // without what only we know
	reported bool
}

// parseAnswer bounds what it returns: it may be kept for a while.
func parseAnswer(sig *dbus.Signal) (a answer, ok bool) {
	if len(sig.Body) != 2 {
		return a, false
	}
	a.id, _ = sig.Body[0].(uint32) // 0 is nobody's
	switch sig.Name {
	case notifications + ".NotificationClosed":
		var reason uint32
		reason, ok = sig.Body[1].(uint32)
		switch reason {
		case 1:
			a.response.Kind = Expired
		case 2:
			a.response.Kind = Dismissed
		default:
			a.response.Kind = Withdrawn
		}
	case notifications + ".ActionInvoked":
		var key string
		if key, ok = sig.Body[1].(string); key == clickKey {
			a.response.Kind = Clicked
			break
		}
		index, err := strconv.ParseUint(key, 10, 6) // below maxButtons
		a.response, ok = Response{Kind: Acted, Action: int(index)}, err == nil
	case notifications + ".NotificationReplied":
		var text string
		text, ok = sig.Body[1].(string)
		a.response = Response{Kind: Replied, Text: plain.Text(text, maxBody)}
	}
	return a, ok
}

func (a answer) closes() bool { return a.response.Kind >= Dismissed }

// DeliverSignal is called by the connection's reader, for each signal in order.
// Signals from others than the bus and the server are ignored.
func (s *session) DeliverSignal(_, _ string, sig *dbus.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sig.Name == busName+".NameOwnerChanged" {
		var name, from, to string
		if sig.Sender == busName && dbus.Store(sig.Body, &name, &from, &to) == nil && name == notifications {
			s.forgetServer()
		}
		return
	}
	if sig.Sender != s.server.owner {
		return
	}
	a, ok := parseAnswer(sig)
	if !ok {
		return
	}
	if a.closes() {
		s.keys.forget(func(_ string, of uint32) bool { return of == a.id })
	}
	if of := s.shown.get(a.id); of != nil {
		s.report(of, a.response)
		a.reported = true
	}
	if len(s.early) < maxEarlySignals {
		s.early = append(s.early, a)
	}
}

// track takes over that the server shows t as number id, and reports the answers that were read before that
// number. It needs s.mu.
func (s *session) track(id uint32, t *tracked) (closed bool) {
	if s.respond == nil || t.ref == 0 && t.url == "" {
		s.shown.drop(id) // what it replaces
	} else {
		s.shown.put(id, t)
	}
	for _, a := range s.early {
		if a.id != id {
			continue
		}
		closed = closed || a.closes()
		if !a.reported {
			s.report(t, a.response)
		}
	}
	return closed
}

// report needs s.mu, which keeps the responses in the order of the bus.
func (s *session) report(t *tracked, r Response) {
	switch r.Kind {
	case Clicked:
		r.URL = t.url
	case Acted:
		if t.buttons>>r.Action&1 == 0 {
			return
		}
	case Replied:
		if r.Action = t.reply; t.reply < 0 {
			return
		}
	default:
		if t.closed {
			return
		}
		t.closed = true
	}
	if r.Ref = t.ref; s.respond != nil && (t.ref != 0 || r.URL != "") {
		s.respond(r)
	}
}
