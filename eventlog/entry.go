package eventlog

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"sigalert/internal/outcome"
	"sigalert/sig"
)

// Entry is an event in the log.
type Entry struct {
	// ID is the entry's number. The log gives it.
	ID uint64
	// Time is when the event happened. It is kept to the microsecond.
	Time          time.Time
	Sender, Event sig.Name
	// Data is JSON text, in which Python's NaN and infinities may stand
	// ([sig.Data.Text]). Empty: null.
	Data json.RawMessage
	// Outcome is what became of an alert; None for an event that is not one.
	Outcome outcome.Outcome
	// Why is the reason for the outcome, in words.
	Why string

	position sig.Position  // after the event; without an Epoch if not known, and without Seq if the server has no numbers
	passed   bool          // there is no event, only the position
	written  chan struct{} // closed once it and all before it are written; nil: nobody waits
}

// maxWhy bounds Entry.Why, in bytes.
const maxWhy = 1000

// EntryOf is the entry of an event. The error is that of data that JSON cannot
// hold.
func EntryOf(ev sig.Event) (Entry, error) {
	text, err := ev.Data.Text()
	return Entry{
		Time: ev.Time, Sender: ev.Sender, Event: ev.Event, Data: text,
		position: sig.Position{Epoch: ev.Position().Epoch, Seq: ev.Seq},
	}, err
}

// MarshalJSON is the entry as scripts get it.
func (e Entry) MarshalJSON() ([]byte, error) {
	data := json.RawMessage("null")
	if len(e.Data) > 0 {
		if text, err := sig.JSONData(e.Data).JSON(); err == nil { // else it was damaged in the log's file
			data = text
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // whoever needs that does it again
	err := enc.Encode(struct {
		ID      uint64          `json:"id"`
		Time    time.Time       `json:"time"`
		Sender  sig.Name        `json:"sender"`
		Event   sig.Name        `json:"event"`
		Data    json.RawMessage `json:"data"`
		Outcome string          `json:"outcome,omitempty"`
		Why     string          `json:"why,omitempty"`
	}{e.ID, e.Time.UTC(), e.Sender, e.Event, data, e.Outcome.String(), e.Why})
	return b.Bytes(), err
}

// A record is an entry as the store has it: what is looked at first comes
// first.
//
//	version, outcome, lengths and bytes of sender, event and why, the times of
//	the event and of its logging in µs since 1970, the server's number for the
//	event if the version is numberedVersion, data
type record []byte

const recordVersion, numberedVersion = 1, 2

var errRecord = errors.New("the entry is damaged")

func encode(e Entry, logged time.Time) record {
	why := e.Why[:min(len(e.Why), maxWhy)]
	r := make(record, 0, 42+len(e.Sender)+len(e.Event)+len(why)+len(e.Data))
	version := byte(recordVersion)
	if e.position.Seq > 0 {
		version = numberedVersion
	}
	r = append(r, version, byte(e.Outcome))
	for _, s := range [...]string{string(e.Sender), string(e.Event), why} {
		r = binary.AppendUvarint(r, uint64(len(s)))
		r = append(r, s...)
	}
	r = binary.AppendVarint(r, e.Time.UnixMicro())
	r = binary.AppendVarint(r, logged.UnixMicro())
	if e.position.Seq > 0 {
		r = binary.AppendUvarint(r, e.position.Seq)
	}
	return append(r, e.Data...)
}

// fields are a record's parts, which are parts of its memory.
type fields struct {
	outcome            outcome.Outcome
	sender, event, why []byte
	time, logged       int64
	seq                uint64 // 0: not known
	data               []byte
}

func (r record) fields() (f fields, err error) {
	if len(r) < 2 || r[0] != recordVersion && r[0] != numberedVersion || r[1] > byte(outcome.Failed) {
		return f, errRecord
	}
	f.outcome = outcome.Outcome(r[1])
	rest := []byte(r[2:])
	for _, part := range [...]*[]byte{&f.sender, &f.event, &f.why} {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return f, errRecord
		}
		*part, rest = rest[size:size+int(n)], rest[size+int(n):]
	}
	for _, part := range [...]*int64{&f.time, &f.logged} {
		n, size := binary.Varint(rest)
		if size <= 0 {
			return f, errRecord
		}
		*part, rest = n, rest[size:]
	}
	if r[0] == numberedVersion {
		n, size := binary.Uvarint(rest)
		if size <= 0 {
			return f, errRecord
		}
		f.seq, rest = n, rest[size:]
	}
	f.data = rest
	return f, nil
}

// entry copies the fields: the store's memory is not ours for long.
func (f fields) entry(id uint64) Entry {
	return Entry{
		ID:      id,
		Time:    time.UnixMicro(f.time),
		Sender:  sig.Name(f.sender),
		Event:   sig.Name(f.event),
		Data:    append(json.RawMessage(nil), f.data...),
		Outcome: f.outcome,
		Why:     string(f.why),

		position: sig.Position{Seq: f.seq},
	}
}
