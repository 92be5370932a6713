package rule

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/expr-lang/expr/vm"

	"sigalert/sig"
)

const (
	// maxWork bounds the work of all expressions for one event. A unit is about a
	// nanosecond; only what depends on the size of the data counts.
	maxWork = 40_000_000
	// leastWork is what each expression may do, whatever others have done.
	leastWork = 1_000
	// workOfByte is the work to make a byte of JSON.
	workOfByte = 8
	// maxElements bounds the elements of all lists that one evaluation makes.
	maxElements = 300_000
)

var errWork = errors.New("it takes too much work for this event's data")

// Event is what expressions are evaluated for.
type Event struct {
	sender, event string
	time          time.Time
	text          json.RawMessage // of the data
	err           error           // why there is no text
	data          any
	known         bool // the data is decoded
	meter         meter
	machine       *vm.VM         // expr's; nil: it was not needed yet
	vars          map[string]any // of the machine
}

// NewEvent returns the event as expressions see it, with its time in the zone of now,
// which is what ago counts from.
func NewEvent(ev sig.Event, now time.Time) *Event {
	e := newEvent(ev.Sender.String(), ev.Event.String(), ev.Time.In(now.Location()), now)
	e.text, e.err = ev.Data.JSON()
	return e
}

func newEvent(sender, event string, at, now time.Time) *Event {
	return &Event{sender: sender, event: event, time: at, meter: meter{left: maxWork, now: now}}
}

// Text is the data's JSON text. Do not change it.
func (e *Event) Text() (json.RawMessage, error) { return e.text, e.err }

// need decodes the data.
func (e *Event) need() error {
	if !e.known && e.err == nil {
		e.data, e.known = decode(e.text), true
	}
	return e.err
}

// meterName is the variable that holds the meter; no expression can spell it.
const meterName = "\x00meter"

// variable is the value of one; of data, once it is decoded.
func (e *Event) variable(name string) any {
	switch name {
	case "data":
		return e.data
	case meterName:
		return &e.meter
	case "sender":
		return e.sender
	case "event":
		return e.event
	}
	return e.time
}

// run has expr's machine compute a program.
func (e *Event) run(program *vm.Program) (any, error) {
	if e.machine == nil {
		e.machine = &vm.VM{MemoryBudget: maxElements}
		e.vars = map[string]any{meterName: &e.meter}
	}
	for _, name := range variables {
		e.vars[name] = e.variable(name)
	}
	return e.machine.Run(program, e.vars)
}

// meter measures the work that is done for one event. Each expression may do half of
// what is left, so that none takes it all from those after it.
type meter struct {
	left    int
	least   int // that the expression has to leave
	now     time.Time
	printed printed
}

// begin is for the beginning of an expression.
func (m *meter) begin() { m.least = min(m.left/2, m.left-leastWork) }

// charge counts work that is about to be done.
func (m *meter) charge(units int) error {
	if units > m.left-m.least {
		m.left = m.least
		return errWork
	}
	m.left -= units
	return nil
}
