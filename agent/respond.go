package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/plain"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	requestTimeout  = time.Minute // for a button's answer, and for a connection before it
	requestPatience = time.Second // until somebody is told that there is no answer yet
	maxRequests     = 16          // under way at once
	maxAnswer       = 2_000       // characters
	maxAnswerTitle  = 60          // bytes of an answer that is shown as a title
)

// Respond takes what somebody did with an alert, or what became of it. It returns at
// once.
func (a *Agent) Respond(r notify.Response) { a.ask(func() { a.respond(r) }) }

func (a *Agent) respond(r notify.Response) {
	if r.Kind == notify.Expired || r.Kind == notify.Withdrawn {
		return // nobody has seen it
	}
	if r.Ref&ownRef != 0 {
		a.respondOwn(r)
		return
	}
	a.answered(int(r.Ref))
	if r.Kind == notify.Dismissed {
		a.recents.markRead(int(r.Ref))
		return
	}
	e := a.recents.get(int(r.Ref))
	if e == nil {
		a.delivery.push(notify.Notification{
			Title: "This alert is too old", Body: fmt.Sprintf("Buttons work for the last %d alerts.", maxAlerts), Key: "button",
		})
		return
	}
	a.recents.markRead(e.number)
	switch {
	case r.Kind == notify.Clicked:
		if e.sent == nil || e.sent.URL == "" { // whoever shows the alert opens that
			a.opts.OpenAlert(e.ev, e.verdicts[len(e.verdicts)-1].decision == Held)
		}
	case r.Action >= 0 && r.Action < len(e.buttons):
		a.press(e, r)
	}
}

// press does what a button is for.
func (a *Agent) press(e *entry, r notify.Response) {
	switch b := e.buttons[r.Action]; {
	case b.open != "":
		a.opts.Open(b.open)
	case b.snooze > 0 && e.sub == nil:
		a.delivery.push(notify.Notification{Title: "Nothing to snooze", Body: "This alert's subscription is no longer in the file.", Key: "button"})
	case b.snooze > 0:
		if h := a.pipeline.quiet.of(e.sub); h != nil && h.until.IsZero() {
			return // it is muted for longer
		}
		until := time.Now().Add(b.snooze)
		a.pipeline.quiet.mute(e.sub, until)
		a.stale = true
		a.log.Info("snoozed", "line", e.sub.Line, "until", until)
	case b.request != nil:
		params := b.params
		if b.request.Reply {
			params = r.Text
		}
		a.request(e, r.Action, params)
	}
}

// request asks a sender what a button is for. The answer, or why there is none, takes
// the alert's place.
func (a *Agent) request(e *entry, action int, params any) {
	request := e.buttons[action].request
	sender, s := e.asks(request), a.server(e.server)
	say := func(text string) {
		n := notify.Notification{Title: sender.String() + ": " + text, Key: e.sent.Key, Urgency: e.sent.Urgency}
		if strings.Contains(text, "\n") || len(text) > maxAnswerTitle {
			n.Title, n.Body = sender.String()+": "+e.sent.Actions[action].Label, text
		}
		a.delivery.push(n)
	}
	switch {
	case a.requests == maxRequests:
		say("too many requests are waiting for an answer")
		return
	case s == nil:
		say("its server is no longer in the configuration")
		return
	}
	a.requests++
	r, answered := s.receiver, make(chan string, 1)
	a.tasks.Go(func() { answered <- answer(r.ctx, r.client, sender, request.Method, params) })
	a.tasks.Go(func() {
		patience := time.NewTimer(requestPatience)
		defer patience.Stop()
		text := ""
		select {
		case text = <-answered:
		case <-patience.C:
			a.ask(func() { say("waiting for an answer") })
			text = <-answered
		}
		a.ask(func() {
			a.requests--
			say(text)
		})
	})
}

// answer is a sender's answer for people, or why there is none.
func answer(ctx context.Context, client *sig.ClientRouter, sender, method sig.Name, params any) string {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	data, err := client.RemoteRequest(ctx, sender, method, params)
	refused := new(sig.RemoteError)
	switch {
	case err == nil:
		text, _ := data.JSON() // it is from a network
		return cmp.Or(plain.Text(valueText(text), maxAnswer), "done")
	case errors.As(err, &refused):
		return plain.Text(cmp.Or(refused.Text, refused.Error()), maxAnswer)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "no answer within " + words.Span(requestTimeout)
	case ctx.Err() != nil:
		return "no answer: the agent has left the server"
	}
	return plain.Text(err.Error(), maxAnswer)
}
