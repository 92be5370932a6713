//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sigalert/sig"
)

// logged is how many events the log has that is measured.
const logged = 100_000

// sample is the data of the i-th of many events, 100 to 200 bytes. One in 2,000
// has the word "Überlauf".
func sample(i int) map[string]any {
	message := "compiled 312 packages, 4,096 tests passed, none skipped, cached"[:i%60]
	if i%4 == 0 {
		message = "Grüße aus Köln"
	}
	if i%2000 == 1000 {
		message = "Puffer-Überlauf"
	}
	return map[string]any{
		"job": i, "branch": fmt.Sprintf("feature/%x", i*7919), "host": fmt.Sprintf("worker-%d.example.org", i%7),
		"duration_ms": i % 90_000, "ok": i%10 != 0, "message": message,
	}
}

// measured is a log of 100,000 events at most, with those who follow it: a
// browser that shows its page, and a client that takes each event.
type measured struct {
	*eventLog
	common, rare *sig.RemoteSender
	sent         int
	taken        atomic.Int64 // events, by the client
	updates      atomic.Int64 // of the browser's page
}

func measureLog(b *testing.B) *measured {
	b.Helper()
	h := newHome(b)
	s := h.serve(b, program(b))
	l := h.startLog(b, s, "--store", filepath.Join(h.dir, "log.db"), "--limit", strconv.Itoa(logged), "--subscribe", ":finished")
	l.subscribed(b)
	m := &measured{eventLog: l, common: s.sender(b, "build-server", "finished"), rare: s.sender(b, "rare", "finished")}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	b.Cleanup(func() { cancel(); following.Wait() })
	following.Go(func() {
		_ = follow(ctx, l.url+"/api/stream?fmt=html&since=0", func(got message) {
			if got.event == "rows" {
				m.updates.Add(1)
			}
		})
	})
	following.Go(func() {
		_ = follow(ctx, l.url+"/api/stream", func(got message) {
			switch got.event {
			case "":
				m.taken.Add(1)
			case "missed":
				var missed struct{ Count int }
				_ = json.Unmarshal([]byte(got.data), &missed)
				m.taken.Add(int64(missed.Count))
			default:
				b.Errorf("the stream has %+v", got)
			}
		})
	})
	eventually(b, "both follow the log", func() bool { return l.metric(b, "streams") == 2 })
	return m
}

func (m *measured) post(b *testing.B) {
	sender := m.common
	if m.sent%2000 == 500 {
		sender = m.rare
	}
	if err := sender.Post(context.Background(), "finished", sample(m.sent)); err != nil {
		b.Fatal(err)
	}
	m.sent++
}

// blast sends events as fast as the log takes them. The server keeps 10,000 for
// it.
func (m *measured) blast(b *testing.B, n int) {
	for range n {
		m.post(b)
		for m.sent-int(m.taken.Load()) > 8000 {
			time.Sleep(time.Millisecond)
		}
	}
	m.settle(b)
}

// settle waits until all that was sent is logged.
func (m *measured) settle(b *testing.B) {
	b.Helper()
	eventually(b, "all events are logged", func() bool { return m.metric(b, "events_total") == m.sent })
	for _, lost := range []string{"dropped_total", "missed_total", "gaps_total"} {
		if n := m.metric(b, lost); n > 0 {
			b.Errorf("%s is %d", lost, n)
		}
	}
}

// steady sends 5,000 events a second for 10 s, and meanwhile asks for the page
// ten times a second. It returns how long the log took for what was sent last.
func (m *measured) steady(b *testing.B, asked *latencies) (lag time.Duration) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
	defer cancel()
	var asking sync.WaitGroup
	asking.Go(func() {
		_ = paced(ctx, 10, func() error {
			_, err := asked.fetch(m.url + "/")
			return err
		})
	})
	_ = paced(ctx, 5000, func() error { m.post(b); return nil })
	last := time.Now()
	m.settle(b)
	asking.Wait()
	return time.Since(last)
}

// latencies are how long requests took.
type latencies []time.Duration

func (l *latencies) fetch(url string) (string, error) {
	began := time.Now()
	text, err := fetch(context.Background(), url)
	*l = append(*l, time.Since(began))
	return text, err
}

func (l latencies) report(b *testing.B, of string) {
	slices.Sort(l)
	at := func(part float64) float64 { return l[int(part*float64(len(l)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), of+"median-ms")
	b.ReportMetric(at(0.99), of+"p99-ms")
}

// BenchmarkLogIntake measures how many events a log takes in a second, and what
// 5,000 a second cost it, with a page and another client open. It is at its
// limit: each event takes the place of another.
func BenchmarkLogIntake(b *testing.B) {
	m := measureLog(b)
	m.blast(b, logged)
	b.Run("as fast as possible", func(b *testing.B) {
		for b.Loop() {
			m.blast(b, logged)
		}
		b.ReportMetric(float64(b.N*logged)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("5000 a second", func(b *testing.B) {
		for b.Loop() {
			before, updates := m.cpu(b), m.updates.Load()
			var asked latencies
			lag := m.steady(b, &asked)
			asked.report(b, "page-")
			b.ReportMetric(lag.Seconds()*1000, "lag-ms")
			b.ReportMetric(float64(m.cpu(b)-before), "cpu-ticks/10s")
			b.ReportMetric(float64(m.updates.Load()-updates)/10, "page-updates/s")
		}
	})
}

// The pages that are measured. What is rare is found 50 times in 100,000: all
// are looked at.
var pages = []struct{ name, path string }{
	{"newest", "/"},
	{"rare sender", "/?sender=rare"},
	{"rare text", "/?q=%C3%BCberlauf"},
	{"no such text", "/?q=no+such+text"},
	{"JSON", "/api/events"},
	{"text", "/?fmt=plain&limit=100"},
}

// BenchmarkLogPage measures how long the pages of a log of 100,000 events take.
func BenchmarkLogPage(b *testing.B) {
	m := measureLog(b)
	m.blast(b, logged)
	for _, page := range pages {
		b.Run(page.name, func(b *testing.B) {
			var asked latencies
			for b.Loop() {
				if _, err := asked.fetch(m.url + page.path); err != nil {
					b.Fatal(err)
				}
			}
			asked.report(b, "")
		})
	}
}

// BenchmarkLogMemory measures the memory of a log with a page and another client
// open: as it begins, once it has taken 100,000 events, after as many again,
// after 200 requests of the page, after 200 of each page there is, after 10 s of
// 5,000 events/s, and after the whole log as text. RssAnon is its own; RssFile
// is what it has mapped of files, the program above all.
func BenchmarkLogMemory(b *testing.B) {
	for b.Loop() {
		m := measureLog(b)
		report := func(when string) {
			for _, field := range []string{"VmRSS", "RssAnon", "RssFile"} {
				b.ReportMetric(m.memory(b, field), when+"-"+field+"-MiB")
			}
		}
		report("0-begin")
		m.blast(b, logged)
		report("1-filled")
		m.blast(b, logged)
		report("2-twice")
		for i, page := range pages {
			for range 200 {
				m.get(b, page.path)
			}
			if i == 0 {
				report("3-page")
			}
		}
		report("4-pages")
		m.steady(b, new(latencies))
		report("5-steady")
		m.get(b, "/?fmt=plain")
		report("6-text")
		b.ReportMetric(m.memory(b, "VmHWM"), "peak-MiB")
		b.ReportMetric(float64(m.metric(b, "size_bytes"))/(1<<20), "file-MiB")
	}
}
