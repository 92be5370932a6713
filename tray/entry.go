package tray

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/internal/wait"
)

// An entry is a menu item, what it shows, and what it does.
type entry struct {
	item    item
	clicked <-chan struct{}
	icon    <-chan struct{} // the icon was clicked, which does the same; nil: never
	call    func(context.Context)
	escape  func(string) string

	checkbox bool
	turned   atomic.Bool // the desktop may have turned the check mark, with a click
	shown    face
}

// A face is what an item shows.
type face struct {
	label    string
	disabled bool
	checked  bool
	hidden   bool
}

// show makes the calls that lead from one face to the next. A hidden item keeps its
// old face.
func (e *entry) show(f face) {
	if f.hidden {
		if !e.shown.hidden {
			e.item.Hide()
			e.shown.hidden = true
		}
		return
	}
	if e.turned.Swap(false) {
		e.shown.checked = !f.checked
	}
	if f.label != e.shown.label {
		e.item.SetTitle(e.escape(f.label))
	}
	if f.disabled != e.shown.disabled {
		if f.disabled {
			e.item.Disable()
		} else {
			e.item.Enable()
		}
	}
	if f.checked != e.shown.checked {
		if f.checked {
			e.item.Check()
		} else {
			e.item.Uncheck()
		}
	}
	if e.shown.hidden { // last: some libraries show what they change
		e.item.Show()
	}
	e.shown = f
}

// serve calls call for each click until ctx has ended.
func (e *entry) serve(ctx context.Context, acted wait.Token) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.clicked:
			e.turned.Store(e.checkbox)
		case <-e.icon:
		}
		e.call(ctx)
		acted.Raise()
	}
}

// steady is how long a row has to stand for the same thing before a click on it
// counts: one that comes sooner was meant for what the row showed before.
const steady = 500 * time.Millisecond

// A row is an entry of a list, which stands for one thing now and for another later.
type row struct {
	*entry

	mu    sync.Mutex // guards the fields below
	thing thing
	on    bool
	since time.Time // when it came to stand for this in place of another
}

// A thing is what a row stands for: an alert by its number and one of its actions,
// or a subscription by its line.
type thing struct{ number, action int }

// stand shows a thing, which is on or not.
func (r *row) stand(t thing, on bool, f face) {
	r.mu.Lock()
	if t != r.thing && !r.shown.hidden {
		r.since = time.Now()
	}
	r.thing, r.on = t, on
	r.mu.Unlock()
	r.show(f)
}

// target is what a click is for.
func (r *row) target() (t thing, on, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.thing, r.on, time.Since(r.since) >= steady
}
