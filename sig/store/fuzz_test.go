package store

import (
	"bytes"
	"slices"
	"testing"

	"sigalert/sig"
)

func FuzzRead(f *testing.F) {
	d := newDisk()
	l := load(f, d, Options{})
	l.keep("1")
	l.Append(sig.StoredEvent{Seq: 2, Sender: "a", ForSender: "b", Extra: []byte("{}"), ID: "i", Data: []byte("null")})
	l.end()
	text := d.files["0000000001.events"].data
	f.Add(text, []byte(line), []byte("\x02\x04\x09\x04\x01\x00\x0a\x00"))
	f.Add(text[:len(text)/2], text, []byte("\x0b\x05\x09\x0c\x20\x00\x01e\x00\x01\x00\x0d"))
	f.Add(append(appendGap([]byte(line), 3, 5), appendEnd(nil, 9)...), appendStart([]byte(line), start{after: 9, first: 12, reserved: 99, epoch: "e"}), []byte("\x04\x03\x0e\x0f"))
	f.Fuzz(func(t *testing.T, a, b, bodies []byte) {
		for len(bodies) > 0 { // whose checksums are good
			n := min(int(bodies[0]), len(bodies)-1)
			b = appendRecord(slices.Clip(b), func(b []byte) []byte { return append(b, bodies[1:1+n]...) })
			bodies = bodies[1+n:]
		}
		d := newDisk()
		d.files["0000000001.events"] = &diskFile{disk: d, data: bytes.Clone(a)}
		d.files["0000000002.events"] = &diskFile{disk: d, data: bytes.Clone(b)}
		s, err := Open("", &Options{folder: d, boot: "boot"})
		if err != nil {
			return
		}
		last, count := uint64(0), 0
		state := s.Load(func(e sig.StoredEvent) {
			if e.Seq <= last {
				t.Fatalf("event %d comes after %d", e.Seq, last)
			}
			last = e.Seq
			count++
		})
		if state.Last < last || state.Epoch == "" {
			t.Fatalf("event %d is there: %+v", last, state)
		}
		for i, u := range state.Unknown {
			if u.From > u.To || i > 0 && u.From <= state.Unknown[i-1].To {
				t.Fatalf("unknown: %v", state.Unknown)
			}
		}
		k := load(t, d, Options{Sync: SyncNone}) // what was read can be gone on with
		if len(k.events) != count || k.state.Last < state.Last {
			t.Fatalf("%d events, then %d; %+v, then %+v", count, len(k.events), state, k.state)
		}
		k.keep("1")
		k.end()
	})
}
