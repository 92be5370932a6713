package rule

import (
	"errors"
	"time"

	"github.com/expr-lang/expr/vm"

	"sigalert/sig"
)

const (
	// maxWork bounds the work of all expressions for one event. A unit is about a
	// nanosecond; only what depends on the size of the data counts.
	maxWork = 40_000_000
	// maxElements bounds the elements of all lists that one evaluation makes.
	maxElements = 300_000
)

var errWork = errors.New("it takes too much work for this event's data")

// Event is what expressions are evaluated for.
type Event struct {
	vars  map[string]any
	data  sig.Data
	known bool // the data is decoded
	vm    vm.VM
}

// NewEvent returns the event as expressions see it, with its time in the zone of now,
// which is what ago counts from.
func NewEvent(ev sig.Event, now time.Time) *Event {
	e := newEvent(ev.Sender.String(), ev.Event.String(), ev.Time.In(now.Location()), now)
	e.data = ev.Data
	return e
}

func newEvent(sender, event string, at, now time.Time) *Event {
	return &Event{
		vars: map[string]any{"sender": sender, "event": event, "data": nil, "time": at, meterName: &meter{now: now}},
		vm:   vm.VM{MemoryBudget: maxElements},
	}
}

// need decodes the data.
func (e *Event) need() error {
	if e.known {
		return nil
	}
	text, err := e.data.JSON()
	if err != nil {
		return err
	}
	v, err := decode(text)
	if err != nil {
		return err
	}
	e.vars["data"], e.known = v, true
	return nil
}

// meterName is the variable that holds the meter; no expression can spell it.
const meterName = "\x00meter"

// meter measures the work that is done for one event.
type meter struct {
	work int
	now  time.Time
}

// charge counts work that is about to be done.
func (m *meter) charge(units int) error {
	if m.work += units; m.work > maxWork {
		return errWork
	}
	return nil
}
