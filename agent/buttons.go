package agent

import (
	"fmt"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/payload"
	"sigalert/internal/plain"
	"sigalert/sig"
)

// button is what a button of an alert does: one of these.
type button struct {
	open    string
	snooze  time.Duration
	request *config.Request
	params  any // of request
}

// asks is whom a request is for: if it names nobody, the event's sender.
func (e *entry) asks(r *config.Request) sig.Name {
	if r.Sender.IsEvery() {
		return e.ev.Sender
	}
	return r.Sender
}

// addButtons gives the alert its buttons: the subscription's or, if that says nothing of
// any, the event's. One whose expression fails is left out: it might do something else
// than it says.
func (p *passage) addButtons() {
	p.buttons = nil
	if p.sub.Actions == nil {
		for _, a := range p.said.Actions {
			p.buttons = append(p.buttons, button{open: a.Open})
			p.alert.Actions = append(p.alert.Actions, notify.Action{Label: a.Label})
		}
		return
	}
	for i := range p.sub.Actions {
		a := &p.sub.Actions[i]
		b := button{snooze: a.Snooze, request: a.Request}
		key := fmt.Sprintf("actions[%d]", i)
		if a.Open != nil {
			if b.open = p.checked(a.Open, key+".open", "", payload.Link, "must be an http, https or mailto address"); b.open == "" {
				continue
			}
		}
		if a.Request != nil && a.Request.Params != nil {
			params, err := a.Request.Params.Value(p.seen)
			if err != nil {
				p.fail("render", p.sub, key+".request.params", err)
				continue
			}
			b.params = params
		}
		label := plain.Line(strings.TrimSpace(p.text(a.Label, key+".label", fmt.Sprintf("Action %d", i+1))), maxReason)
		p.buttons = append(p.buttons, b)
		p.alert.Actions = append(p.alert.Actions, notify.Action{Label: label, Reply: a.Request != nil && a.Request.Reply})
	}
}

// picture is the file of the picture in the event's data, if the subscription shows one.
func (p *passage) picture() []byte {
	if !p.sub.Image {
		return nil
	}
	text, _ := p.ev.Data.JSON()
	return payload.Image(text)
}
