package eventlog_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/sig"
)

// stored is how many entries the log has that is measured.
const stored = 100_000

// sample is the i-th of many events of 20 senders, with 100 to 200 bytes of
// data. One in 2,000 is of the sender "rare", and has the word "Überlauf".
func sample(i int) eventlog.Entry {
	e := eventlog.Entry{
		Time:   time.Now(),
		Sender: sig.Name(fmt.Sprintf("build-server-%d", i%20)),
		Event:  [...]sig.Name{"started", "finished", "#status"}[i%3],
		Data: fmt.Appendf(nil, `{"job": %d, "branch": "feature/%x", "host": "worker-%d.example.org", "duration_ms": %d, "ok": %t, "message": "%.*s"}`,
			i, i*7919, i%7, i%90_000, i%10 != 0, i%60, "compiled 312 packages, 4,096 tests passed, none skipped, cached"),
	}
	if i%4 == 0 { // as pysig writes it
		e.Data = fmt.Appendf(nil, `{"job": %d, "by": "Ren\u00e9", "message": "Gr\u00fc\u00dfe aus K\u00f6ln", "steps": ["build", "test", "%x"]}`, i, i*7919)
	}
	if i%2000 == 1000 {
		e.Sender = "rare"
		e.Data = fmt.Appendf(nil, `{"job": %d, "message": "Puffer-\u00dcberlauf"}`, i)
	}
	return e
}

// eachStore runs a benchmark with a log in a file and with one in memory, which
// has n entries.
func eachStore(b *testing.B, limit, n int, bench func(b *testing.B, log *eventlog.Log)) {
	for _, name := range []string{"file", "memory"} {
		b.Run(name, func(b *testing.B) {
			opts := eventlog.Options{Limit: limit}
			if name == "file" {
				opts.Path = filepath.Join(b.TempDir(), "log.db")
			}
			log, err := eventlog.Open(&opts)
			if err != nil {
				b.Fatal(err)
			}
			ctx, end := context.WithCancel(b.Context())
			ended := make(chan struct{})
			go func() { defer close(ended); log.Run(ctx) }()
			fill(b, log, n)
			bench(b, log)
			end()
			<-ended
			if err := log.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// fill logs n entries, and returns when they are written.
func fill(b *testing.B, log *eventlog.Log, n int) {
	want := log.State().Logged + uint64(n)
	for i := range n {
		if err := log.Add(b.Context(), sample(i)); err != nil {
			b.Fatal(err)
		}
	}
	for {
		changed := log.Changed()
		if st := log.State(); st.Err != nil {
			b.Fatal(st.Err)
		} else if st.Logged == want {
			return
		}
		<-changed
	}
}

// BenchmarkAdd measures how fast entries are taken and written, while the log
// grows and when each takes the place of another.
func BenchmarkAdd(b *testing.B) {
	for name, limit := range map[string]int{"growing": eventlog.MaxLimit, "full": stored} {
		b.Run(name, func(b *testing.B) {
			n := 0
			if name == "full" {
				n = stored
			}
			eachStore(b, limit, n, func(b *testing.B, log *eventlog.Log) {
				b.ReportAllocs()
				b.ResetTimer()
				fill(b, log, b.N)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		})
	}
}

// BenchmarkEvents measures queries. A rare sender or text has 50 entries: all
// are looked at.
func BenchmarkEvents(b *testing.B) {
	eachStore(b, stored, 2*stored, func(b *testing.B, log *eventlog.Log) {
		for _, q := range []struct {
			name  string
			query eventlog.Query
			want  int
		}{
			{"newest", eventlog.Query{}, 100},
			{"oldest", eventlog.Query{Oldest: true, Limit: 500}, 500},
			{"sender", eventlog.Query{Sender: "rare"}, stored / 2000},
			{"text", eventlog.Query{Text: "überlauf"}, stored / 2000},
			{"no such text", eventlog.Query{Text: "no such text"}, 0},
		} {
			b.Run(q.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					r, err := log.Events(b.Context(), q.query)
					if err != nil || len(r.Entries) != q.want {
						b.Fatalf("%d entries, want %d (%v)", len(r.Entries), q.want, err)
					}
				}
			})
		}
	})
}
