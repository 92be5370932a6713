package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigalert/internal/topic"
	"sigalert/sig"
)

// Rights are what the holder of a token may do.
type Rights struct {
	Listen []Right // what it may listen to
	Send   []Right // what it may send as
	Admin  bool    // whether it may see who else uses the router, and disconnect them
}

// May reports whether the rights allow something. Nothing but the rights and the names
// decides.
//
// To be connected as a sender, and to ask one, requires a right to all of the sender's
// events: its name and its requests are not any one event's.
func (r Rights) May(do sig.Action, sender, event sig.Name) bool {
	switch do {
	case sig.ToHear:
		return cover(r.Listen, sender, event)
	case sig.ToListen:
		return meet(r.Listen, sender, event)
	case sig.ToPublish:
		return cover(r.Send, sender, event)
	case sig.ToConnect:
		return coverAll(r.Send, sender)
	case sig.ToAsk:
		return coverAll(r.Listen, sender)
	case sig.ToAdminister:
		return r.Admin
	case sig.ToSee:
		return see(r.Listen, sender, event) || see(r.Send, sender, event)
	}
	return false
}

// cover reports whether one of the rights is to the event of the sender.
func cover(rights []Right, sender, event sig.Name) bool {
	return slices.ContainsFunc(rights, func(r Right) bool { return r.sender.has(sender) && r.event.has(event) })
}

// coverAll reports whether one of the rights is to every event of the sender.
func coverAll(rights []Right, sender sig.Name) bool {
	return slices.ContainsFunc(rights, func(r Right) bool { return r.sender.has(sender) && r.event.all })
}

// meet reports whether one of the rights is to any of the events, where the zero Name
// stands for all.
func meet(rights []Right, sender, event sig.Name) bool {
	return slices.ContainsFunc(rights, func(r Right) bool { return r.meets(sender, event) })
}

func (r Right) meets(sender, event sig.Name) bool {
	return (sender.IsEvery() || r.sender.has(sender)) && (event.IsEvery() || r.event.has(event))
}

// see reports whether one of the rights is to the event and, if there is none, to the
// sender by its name: whoever may use a channel does not learn who else is there.
func see(rights []Right, sender, event sig.Name) bool {
	byName := event.IsEvery() && !sender.IsEvery()
	return slices.ContainsFunc(rights, func(r Right) bool {
		return !(byName && r.sender.all && !r.event.all) && r.meets(sender, event)
	})
}

// Right is a right to some events.
type Right struct {
	text          string
	sender, event pattern
}

// ParseRight reads SENDER, SENDER/EVENT or #CHANNEL, of which each may be a glob. A
// sender alone is all of its events, with its broadcast; a channel is this event of any
// sender. A slash within a name is written \/.
func ParseRight(text string) (r Right, err error) {
	r.text = text
	sender, event, divided := cut(text)
	switch {
	case sender == "" || divided && event == "":
		return Right{}, errors.New(`a name is empty: use SENDER, SENDER/EVENT or "#CHANNEL", or "*" for everything`)
	case divided:
	case strings.HasPrefix(sender, "#"):
		sender, event = "*", sender
	default:
		event = "*"
	}
	if r.sender, err = parsePattern(sender); err == nil {
		r.event, err = parsePattern(event)
	}
	if err != nil {
		return Right{}, fmt.Errorf("%q: %w", text, err)
	}
	return r, nil
}

// cut divides a text at its first slash that no backslash precedes.
func cut(text string) (before, after string, divided bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '/':
			return b.String(), strings.ReplaceAll(text[i+1:], `\/`, "/"), true
		case text[i] == '\\' && i+1 < len(text):
			i++
			if text[i] != '/' {
				b.WriteByte('\\')
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), "", false
}

// String is the right as it was written.
func (r Right) String() string { return r.text }

// MarshalText is for the file.
func (r Right) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText is for the file.
func (r *Right) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRight(string(text))
	return err
}

// pattern is the names of senders or events that a right is to.
type pattern struct {
	all   bool       // and no name at all, too
	names []sig.Name // what is written without a glob may be a number or a text
	glob  topic.Glob // if there are no names
}

func parsePattern(text string) (pattern, error) {
	name, glob, err := topic.ParseGlob(text)
	switch {
	case err != nil:
		return pattern{}, err
	case !glob.IsZero():
		return pattern{glob: glob}, nil
	case name.IsEvery():
		return pattern{all: true}, nil
	}
	return pattern{names: topic.Meanings(name.String())}, nil
}

func (p pattern) has(name sig.Name) bool {
	switch {
	case p.all:
		return true
	case name.IsEvery():
		return false
	case p.names != nil:
		return slices.ContainsFunc(p.names, name.Equal)
	}
	return p.glob.Matches(name)
}
