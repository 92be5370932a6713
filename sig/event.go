package sig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"sigalert/sig/internal/wire"
)

// Event is one triggered signal, as a listener gets it.
type Event struct {
	Sender Name
	Event  Name // the zero Name: the sender's broadcast
	Data   Data

	// Seq is the server's number for the event: each has one more than the one
	// before. 0 if there is none: in a Router without a server, and from a
	// pysig server.
	Seq uint64
	// Time is when the server took the event, by its clock; from a pysig
	// server, when the event arrived. Zero in a Router without a server.
	Time time.Time
	// Replayed: the event happened while the client was away.
	Replayed bool

	rest *rest // nil: nothing; its fields here would slow down each Trigger
}

// rest is what few events have. It is shared by events, and never changed.
type rest struct {
	epoch string // for Position
	extra json.RawMessage
}

// Extra returns further members of the info that came with the event, as a JSON
// object, such as {"occurrences": 3}, which pysig's class_signal adds; nil if there
// are none. It is shared by all listeners: do not change it.
func (ev Event) Extra() json.RawMessage {
	if ev.rest == nil {
		return nil
	}
	return ev.rest.extra
}

// WithExtra returns the event with these further members, a JSON object of at most
// 64 KiB, or nil. It is for [Router.Intercept].
func (ev Event) WithExtra(extra json.RawMessage) Event {
	if extra == nil && ev.rest == nil {
		return ev
	}
	with := rest{extra: extra}
	if ev.rest != nil {
		with.epoch = ev.rest.epoch
	}
	ev.rest = &with
	return ev
}

// Position returns the position just after a remote listener's event: the
// listeners have had everything before it. It is zero if the server does not
// remember its events, or if some listener has yet to get earlier ones.
func (ev Event) Position() Position {
	if ev.rest == nil || ev.rest.epoch == "" {
		return Position{}
	}
	return Position{ev.rest.epoch, ev.Seq}
}

// Position is a point among a server's events: just after the one with this
// number, in the run of the server that Epoch names.
type Position struct {
	Epoch string
	Seq   uint64
}

// Data is what an event carries: any JSON value. Data from the network stays
// JSON text until it is asked for; data triggered in this process stays the
// value that was given to Trigger. The zero Data is null.
type Data struct {
	value   any
	text    []byte // as it came, Python's NaN included; nil: see value
	checked bool   // text is known to be valid
}

// dataOf wraps what was given to Trigger.
func dataOf(data any) Data {
	if d, ok := data.(Data); ok {
		return d
	}
	return Data{value: data}
}

// received wraps data from a peer, whose text is valid.
func received(text []byte) Data { return Data{text: orNull(text), checked: true} }

// JSONData returns data with this JSON text. It keeps the slice. If the text is
// not JSON, sending the data fails.
func JSONData(text []byte) Data { return Data{text: text} }

// JSON returns the data as JSON text, with null for Python's NaN and
// infinities. All listeners share the text: do not change it. The error is
// [json.Marshal]'s for a value that JSON cannot hold.
func (d Data) JSON() (json.RawMessage, error) {
	text, err := d.wireText()
	return wire.Strict(text), err
}

// Text returns the data as JSON does, but with Python's NaN, Infinity and -Infinity
// as they came, which is for people: JSON has no words for them.
func (d Data) Text() ([]byte, error) { return d.wireText() }

// Decode unmarshals the data into v, as [json.Unmarshal] does.
func (d Data) Decode(v any) error {
	text, err := d.JSON()
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// Value returns the data decoded: nil, a bool, a [json.Number], a string, a
// []any or a map[string]any. For data triggered in this process it returns the
// value that was given to Trigger.
func (d Data) Value() any {
	if d.text == nil {
		return d.value
	}
	dec := json.NewDecoder(bytes.NewReader(wire.Strict(d.text)))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	return v
}

// wireText returns the data as it goes to a peer.
func (d Data) wireText() ([]byte, error) {
	if d.checked {
		return d.text, nil
	}
	text, err := d.encode()
	if err == nil && !wire.ValidData(text) {
		err = fmt.Errorf("data %s: not JSON, or nested deeper than %d", wire.Excerpt(text), wire.MaxDepth)
	}
	return text, err
}

// eventText returns the text of an event's data.
func (d Data) eventText() ([]byte, error) {
	text, err := d.wireText()
	if err == nil && len(text) > MaxData {
		err = fmt.Errorf("%w: data of %d bytes, the limit is %d", ErrTooLarge, len(text), MaxData)
	}
	return text, err
}

func (d Data) encode() ([]byte, error) {
	if d.text != nil {
		return d.text, nil
	}
	switch v := d.value.(type) {
	case nil:
		return []byte("null"), nil
	case json.RawMessage:
		return orNull(v), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // shorter: a pysig peer reads 4,096 bytes at most
	if err := enc.Encode(d.value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func orNull(text []byte) []byte {
	if len(text) == 0 {
		return []byte("null")
	}
	return text
}
