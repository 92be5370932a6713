package agent

import (
	"encoding/json"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/sig"
)

const (
	keptLatest = 10   // alerts that are remembered over a restart, whatever they are
	keptAlerts = 32   // more, that nobody has read or that have buttons
	keptData   = 1024 // bytes of the data of each
)

// state is what of the alerts is remembered over a restart, and the number of the last.
func (r *recents) state() (all []memory.Alert, last int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, room := len(r.alerts), keptAlerts
	latest := max(0, from-keptLatest)
	for from > 0 && (from > latest || room > 0) {
		from--
		if e := r.alerts[from]; from < latest && (!e.read || len(e.buttons) > 0) {
			room--
		}
	}
	for i, e := range r.alerts[from:] {
		if from+i >= latest || !e.read || len(e.buttons) > 0 {
			all = append(all, e.state())
		}
	}
	return all, r.last
}

func (e *entry) state() memory.Alert {
	kept := memory.Alert{
		Number: e.number, Sub: e.subID, Server: e.server, Sender: e.ev.Sender, Event: e.ev.Event, Seq: e.ev.Seq, Time: keepable(e.ev.Time), Cut: e.cut, Read: e.read,
	}
	if e.sub != nil {
		kept.Sub = e.sub.ID()
	}
	switch text, err := e.ev.Data.JSON(); {
	case err != nil || len(text) > keptData:
		kept.Cut = true
	case !e.cut:
		kept.Data = text
	}
	for _, v := range e.verdicts[e.choice:] {
		w := v.written(nil)
		kept.Verdicts = append(kept.Verdicts, memory.Verdict{Stage: w.Stage, Decision: uint8(w.Decision), Reason: w.Reason, Line: w.Line})
	}
	if e.sent != nil {
		n := *e.sent
		n.Image = nil
		kept.Sent = &n
	}
	for _, b := range e.buttons {
		k := memory.Button{Open: b.open, Snooze: b.snooze}
		if b.request != nil {
			k.Sender, k.Method, k.Reply = b.request.Sender, b.request.Method, b.request.Reply
			if text, err := json.Marshal(b.params); err == nil { // an event's data, and the file's texts
				k.Params = text
			}
		}
		kept.Buttons = append(kept.Buttons, k)
	}
	return kept
}

// restore takes over what state returned in an earlier run.
func (r *recents) restore(all []memory.Alert, last int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = last
	for _, kept := range all {
		if kept.Number > r.last || len(kept.Verdicts) == 0 || len(kept.Buttons) > 0 && kept.Sent == nil ||
			len(r.alerts) > 0 && kept.Number <= r.alerts[len(r.alerts)-1].number {
			continue // not from state
		}
		r.alerts = keep(r.alerts, restored(kept), maxAlerts)
	}
}

func restored(kept memory.Alert) *entry {
	e := &entry{
		number: kept.Number, subID: kept.Sub, server: kept.Server, size: len(kept.Data), cut: kept.Cut, sent: kept.Sent, read: kept.Read,
		now: kept.Time, ev: sig.Event{Sender: kept.Sender, Event: kept.Event, Seq: kept.Seq, Time: kept.Time},
	}
	if len(kept.Data) > 0 {
		e.ev.Data = sig.JSONData(kept.Data)
	}
	for _, v := range kept.Verdicts {
		e.verdicts = append(e.verdicts, verdict{stage: v.Stage, decision: min(Decision(v.Decision), Failed), reason: v.Reason, line: v.Line})
	}
	for _, k := range kept.Buttons {
		b := button{open: k.Open, snooze: k.Snooze}
		if k.Method != "" {
			b.request = &config.Request{Sender: k.Sender, Method: k.Method, Reply: k.Reply}
			if len(k.Params) > 0 {
				b.params = k.Params
			}
		}
		e.buttons = append(e.buttons, b)
	}
	return e
}

// use gives the alerts of an earlier run the subscriptions that they are of.
func (r *recents) use(subs []config.Subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var by map[string]*config.Subscription
	for i, e := range r.alerts {
		if e.sub != nil || e.subID == "" {
			continue
		}
		if by == nil {
			by = byID(subs)
		}
		if sub := by[e.subID]; sub != nil {
			e := *e // others have copies
			e.sub = sub
			r.alerts[i] = &e
		}
	}
}
