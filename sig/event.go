package sig

import (
	"bytes"
	"encoding/json"
	"time"

	"sigalert/sig/internal/wire"
)

// Event is one triggered signal, as a listener gets it.
type Event struct {
	Sender Name
	Event  Name // the zero Name: the sender's broadcast
	Data   Data
	Time   time.Time // when it was triggered here, or arrived here
}

// Data is what an event carries: any JSON value. Data from the network stays
// JSON text until it is asked for; data triggered in this process stays the
// value that was given to Trigger. The zero Data is null.
type Data struct {
	value any
	text  []byte // as it came, Python's NaN included; nil: see value
}

// JSONData is the data whose JSON text this is. It keeps the slice.
func JSONData(text []byte) Data { return Data{text: text} }

// JSON is the data as JSON text, with null for Python's NaN and infinities. It
// is shared by all listeners: do not change it.
// The error is [json.Marshal]'s for a value that JSON cannot hold.
func (d Data) JSON() (json.RawMessage, error) {
	text, err := d.wireText()
	return wire.Strict(text), err
}

// Decode unmarshals the data into v, as [json.Unmarshal] does.
func (d Data) Decode(v any) error {
	text, err := d.JSON()
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// Value is the data decoded: nil, a bool, a [json.Number], a string, a []any
// or a map[string]any. Data triggered in this process is the value that
// Trigger was given.
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

// size is about what the event holds in memory.
func (ev Event) size() int { return 128 + len(ev.Sender) + len(ev.Event) + len(ev.Data.text) }

// wireText is the data as it goes to a peer.
func (d Data) wireText() ([]byte, error) {
	if d.text != nil {
		return d.text, nil
	}
	switch v := d.value.(type) {
	case nil:
		return []byte("null"), nil
	case json.RawMessage:
		if len(v) == 0 {
			return []byte("null"), nil
		}
		return v, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // shorter: a pysig peer reads 4,096 bytes at most
	if err := enc.Encode(d.value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
