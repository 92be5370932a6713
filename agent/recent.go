package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
)

const (
	maxAlerts   = 256     // that are remembered, and their buttons with them
	maxFiltered = 64      // events that neither show an alert nor close one
	maxKept     = 1 << 20 // bytes of the data, the verdicts and the params of all events of either kind
	maxKeptData = 64 << 10
)

// recents remembers what became of the last events that a subscription's sender and
// event matched: of alerts and, apart from them, of the others, which may be far more.
type recents struct {
	mu       sync.Mutex // guards the fields below
	last     int        // number
	alerts   []*entry   // oldest first
	filtered []*entry   // oldest first
}

// entry is what became of an event. Only its fields verdicts and read change.
type entry struct {
	number   int
	now      time.Time
	server   string    // as in passage
	ev       sig.Event // without data, if that is large
	size     int       // of the data, the verdicts and the params
	cut      bool      // it has lost its data
	subs     []config.Subscription
	sub      *config.Subscription // that took it; nil: none did
	subID    string               // its identity, if an earlier agent showed the alert
	verdicts []verdict
	choice   int                  // how many of them are about which subscription takes it
	sent     *notify.Notification // nil: none
	buttons  []button             // of sent
	read     bool
}

// put remembers a passage, and gives its alert a number, and a key if an answer is to
// take its place.
func (r *recents) put(p *passage, subs []config.Subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, again := r.find(p.number)
	number := p.number
	if !again {
		r.last++
		number = r.last
	}
	p.alert.Ref = uint64(number)
	if p.alert.Key == "" && (len(p.alert.Actions) > 0 || p.sub != nil && p.sub.Repeat.Every > 0) {
		p.alert.Key = fmt.Sprintf("alert %d", number)
	}
	e := entryOf(p, subs)
	e.number = number
	if again {
		r.alerts[i] = e.after(r.alerts[i])
		return
	}
	switch d := p.decided().decision; {
	case d == Filtered, d == Resolved && !p.closes:
		r.filtered = keep(r.filtered, e, maxFiltered)
	default:
		e.read = d == Resolved || p.waiting != nil
		r.alerts = keep(r.alerts, e, maxAlerts)
	}
}

// after is what became of an event after what was known of it before.
func (e *entry) after(old *entry) *entry {
	e.now, e.subs, e.sub, e.choice = old.now, old.subs, old.sub, old.choice
	e.verdicts = slices.Concat(old.verdicts, e.verdicts)
	return e
}

func entryOf(p *passage, subs []config.Subscription) *entry {
	e := &entry{now: p.now, server: p.server, ev: p.ev, subs: subs, sub: p.sub, verdicts: slices.Clone(p.verdicts), choice: p.choice}
	text, _ := p.seen.Text()
	if e.size = len(text); e.size > maxKeptData {
		e.ev.Data, e.size, e.cut = sig.Data{}, 0, true
	}
	e.size += len(e.verdicts) * int(unsafe.Sizeof(verdict{}))
	if p.closes || p.decided().decision == Sent {
		n := p.alert.Cut()
		e.sent, e.buttons = &n, p.buttons
	}
	for _, b := range e.buttons {
		e.size += sizeOf(b.params)
	}
	return e
}

// sizeOf is how large the params of a request are, in bytes of JSON.
func sizeOf(params any) (size int) {
	switch v := params.(type) {
	case json.RawMessage:
		return len(v)
	case []any:
		for _, element := range v {
			size += sizeOf(element)
		}
	case map[string]any:
		for _, member := range v {
			size += sizeOf(member)
		}
	}
	return size
}

// keep appends an entry, and drops the oldest that there is no room for.
func keep(all []*entry, e *entry, room int) []*entry {
	bytes := e.size
	for _, o := range all {
		bytes += o.size
	}
	for len(all) > 0 && (len(all) >= room || bytes > maxKept) {
		bytes -= all[0].size
		all[0] = nil // the array must not keep it
		all = all[1:]
	}
	return append(all, e)
}

// get finds an entry; nil: it was never there, or is forgotten.
func (r *recents) get(number int) *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, all := range [][]*entry{r.alerts, r.filtered} {
		if i, ok := slices.BinarySearchFunc(all, number, func(e *entry, n int) int { return e.number - n }); ok {
			return new(*all[i])
		}
	}
	return nil
}

// decide adds what became of an alert on the desktop, in place of what became of it
// before: it may be shown again and again.
func (r *recents) decide(number int, v verdict) {
	r.change(number, func(e *entry) {
		all := slices.Clone(e.verdicts) // others have copies of the entry
		if d := all[len(all)-1].decision; d == Shown || d == Failed {
			all = all[:len(all)-1]
		}
		e.verdicts = append(all, v)
	})
}

// add notes something about an alert, before what became of it at last.
func (r *recents) add(number int, v verdict) {
	r.change(number, func(e *entry) { e.verdicts = slices.Insert(slices.Clone(e.verdicts), len(e.verdicts)-1, v) })
}

// amend is add for what takes the place of what the same stage said before.
func (r *recents) amend(number int, v verdict) {
	r.change(number, func(e *entry) {
		all := slices.Clone(e.verdicts)
		if i := slices.IndexFunc(all, func(w verdict) bool { return w.stage == v.stage }); i >= 0 {
			all[i] = v
		} else {
			all = slices.Insert(all, len(all)-1, v)
		}
		e.verdicts = all
	})
}

// markRead marks one alert as read, or all up to now if number is 0.
func (r *recents) markRead(number int) {
	if number != 0 {
		r.change(number, func(e *entry) { e.read = true })
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.alerts {
		e.read = true
	}
}

func (r *recents) change(number int, change func(*entry)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, ok := r.find(number); ok {
		change(r.alerts[i])
	}
}

// find is where an alert is.
func (r *recents) find(number int) (i int, ok bool) {
	return slices.BinarySearchFunc(r.alerts, number, func(e *entry, n int) int { return e.number - n })
}

// unread counts the alerts that nobody has read.
func (r *recents) unread() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.alerts {
		if !e.read {
			n++
		}
	}
	return n
}

func (r *recents) unreadEvents() map[int]sig.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := make(map[int]sig.Event)
	for _, e := range r.alerts {
		if !e.read {
			events[e.number] = e.ev
		}
	}
	return events
}

// newest are copies of the last n, newest first; of the alerts alone, or of all.
func (r *recents) newest(n int, all bool) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	alerts, filtered := r.alerts, r.filtered
	if !all {
		filtered = nil
	}
	var got []entry
	for len(got) < n && len(alerts)+len(filtered) > 0 {
		from := &alerts
		if len(alerts) == 0 || len(filtered) > 0 && filtered[len(filtered)-1].number > alerts[len(alerts)-1].number {
			from = &filtered
		}
		last := len(*from) - 1
		got = append(got, *(*from)[last])
		*from = (*from)[:last]
	}
	return got
}

// again is the alert once more, with what became of it.
func (e *entry) again() notify.Notification {
	if e.sent == nil || e.sent.Resolved {
		x := e.explain(false)
		return notify.Notification{Title: defaultTitle(e.ev), Body: x.why(), Ref: uint64(e.number)}
	}
	n := *e.sent
	n.Body = strings.TrimPrefix(n.Body+"\n", "\n") + e.explain(false).why()
	return n
}
