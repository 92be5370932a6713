package sig

import "cmp"

// publish numbers an event, hands it to the clients' queues, and returns it
// with the route to everyone it is for. It waits for no client. If there is an
// error, ErrTooLarge or [json.Marshal]'s, only listeners of this process get
// the event.
func (r *Router) publish(sg *Signal, ev Event) (Event, *route, error) {
	data, err := ev.Data.eventText() // which may run the caller's code
	err = cmp.Or(err, checkExtra(ev.Extra()))
	r.mu.Lock()
	defer r.mu.Unlock()
	ev, rt := r.publishText(sg, ev, data, err == nil)
	return ev, rt, err
}

// publishText must be called with the lock held. If good is false, no client
// gets the event.
func (r *Router) publishText(sg *Signal, ev Event, data []byte, good bool) (Event, *route) {
	rt := sg.route.Load()
	if rt == nil || rt.generation != r.generation.Load() {
		rt = sg.newRoute()
	}
	if !good || r.journal == nil {
		return ev, rt
	}
	return r.record(sg, ev, data, rt, ""), rt
}

// record numbers an event, and hands it to the clients' queues; id is that of its
// publication. The caller holds the lock.
func (r *Router) record(sg *Signal, ev Event, data []byte, rt *route, id string) Event {
	info := appendInfo(make([]byte, 0, 128), ev.Sender, ev.Event)
	if extra := ev.Extra(); extra != nil {
		info = appendExtra(info, extra)
	}
	e := r.journal.append(sg, ev, info, data)
	r.recorded++
	if r.store != nil {
		stored := StoredEvent{Seq: e.seq, Time: e.time, Sender: e.sender, Event: e.event, ForSender: sg.sender.name, ForEvent: sg.name, Extra: e.extra, Data: e.data(), ID: id}
		if id != "" {
			stored.Listeners = rt.listeners()
		}
		r.store.Append(stored)
	}
	for i := range rt.clients {
		rt.clients[i].session.out.event(e, &rt.clients[i])
	}
	ev.Seq, ev.Time = e.seq, e.time
	if ev.Data.text != nil {
		ev.Data = received(e.data()) // the text given may be a client's read buffer
	}
	return ev
}
