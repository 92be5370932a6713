package sig

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"sigalert/sig/internal/wire"
)

// publish takes a client's publications: all of them, or none. It answers once they are
// kept.
func (c *session) publish(r request) {
	done, upTo, err := c.publishAll(r.params)
	if err != nil {
		r.reply(nil, wireError(err))
		return
	}
	c.answerKept(r, upTo, fmt.Appendf(nil, `{"seq": %d, "listeners": %d}`, done.Seq, done.Listeners))
}

func (c *session) publishAll(params []byte) (done Published, upTo uint64, err error) {
	a, isArray := wire.ArrayOf(member(params, "events"))
	if !isArray {
		return done, 0, errors.New(`publish requires {"events": [{"info": {"sender": …, "event": …}, "data": …}]}`)
	}
	var events []publication
	for a.Next() {
		p, err := parsePublication(a.Value)
		if err == nil {
			err = p.check()
		}
		if err == nil {
			err = c.allow(ToPublish, p.sender, p.event)
		}
		if err != nil {
			err = fmt.Errorf("event %d: %w", len(events)+1, err)
			if errors.Is(err, errNotAllowed) {
				err = coded(codeNotAllowed, "%v", err)
			}
			return done, 0, err
		}
		if c.rights != nil {
			p.ownID()
		}
		events = append(events, p)
	}
	if err := checkCount(len(events)); err != nil {
		return done, 0, err
	}
	if err := c.server.take(c.account, len(events)); err != nil {
		return done, 0, err
	}
	c.taken.Add(uint64(len(events)))
	return c.server.publishAll(events)
}

// ownID has the id, if there is one, count only among publications of this event: whoever
// has rights to another could otherwise keep this one from being delivered.
func (p *publication) ownID() {
	if p.id != "" {
		p.id = fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s%s%s", p.sender.JSON(), p.event.JSON(), p.id)))
	}
}

func parsePublication(text []byte) (p publication, err error) {
	if !wire.IsObject(text) {
		return p, notObject("it", text)
	}
	var info, data, id []byte
	for o := wire.ObjectOf(text); o.Next(); {
		switch string(o.Key) {
		case "info":
			info = o.Value
		case "data":
			data = o.Value
		case "id":
			id = o.Value
		}
	}
	if !wire.IsObject(info) {
		return p, notObject("info", info)
	}
	if p.sender, p.event, err = listenedTo(info); err != nil {
		return p, err
	}
	if !missing(id) {
		name, ok := nameOf(id)
		if !ok {
			return p, fmt.Errorf("an id is a text or a number, not %s", wire.Excerpt(id))
		}
		p.id = string(name)
	}
	if extra := extraOf(info); extra != nil {
		p.rest = &rest{extra: extra}
		if err = checkExtra(extra); err != nil {
			return p, err
		}
	}
	p.data = received(data)
	return p, nil
}
