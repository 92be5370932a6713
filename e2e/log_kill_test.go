//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/sig"
)

// The log is killed 50 times while events come in. Its file opens each time; of
// what it has shown nothing is gone that the limit has not taken, and nothing is
// another. What comes while it does not run it has later, so that none is
// missing, and none there twice.
func TestLogIsKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		kills, limit int
		clear        bool
	}{
		{name: "grows", kills: 17, limit: 1_000_000},
		{name: "is full", kills: 17, limit: 500},
		{name: "is cleared", kills: 16, limit: 1_000_000, clear: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			s := h.serve(t, program(t))
			load := &load{t: t, sender: s.sender(t, sig.Name(c.name), loadEvent)}
			w := newWitness(t, c.limit, c.clear)
			args := []string{"--store", filepath.Join(h.dir, c.name+".db"), "--limit", strconv.Itoa(c.limit), "--subscribe", c.name + ":"}
			for kill := range c.kills {
				if kill%4 == 3 { // as it begins
					p := h.beginLog(t, s, args...)
					time.Sleep(rand.N(60 * time.Millisecond))
					p.kill()
					continue
				}
				l := h.startLog(t, s, args...)
				w.check(l, false)
				read := w.watch(l)
				load.run(func() {
					w.awaitNews(l)
					if c.clear {
						w.clear(l)
					}
					time.Sleep(rand.N(300 * time.Millisecond))
					if c.clear {
						w.clearAndKill(l)
					}
					l.kill()
				})
				read()
			}
			for range 2 {
				l := h.startLog(t, s, args...)
				eventually(t, "the last event is logged, unless it was cleared", func() bool {
					found := w.entries(l, 0)
					return len(found) == 0 || found[0].Data == load.n
				})
				w.check(l, true)
				if code := l.terminate(t); code != 0 {
					t.Errorf("ends with %d after SIGTERM", code)
				}
			}
			t.Logf("%d events were sent, and entries seen %d times", load.n, w.seen)
		})
	}
}

// load is a sender whose events have the numbers 1, 2, … as their data.
type load struct {
	t      testing.TB
	sender *sig.RemoteSender
	n      int
}

const loadEvent = "count"

// run sends 4,000 events a second while f runs.
func (l *load) run(f func()) {
	ctx, cancel := context.WithCancel(context.Background())
	sent := make(chan error, 1)
	go func() {
		sent <- paced(ctx, 4000, func() error {
			l.n++
			return l.sender.Post(context.Background(), loadEvent, l.n)
		})
	}()
	defer func() {
		cancel()
		if err := <-sent; err != nil {
			l.t.Errorf("event %d: %v", l.n, err)
		}
	}()
	f()
}

// counted is an event of a load as the log shows it.
type counted struct {
	ID   uint64 `json:"id"`
	Data int    `json:"data"`
}

// witness knows what a log has shown.
type witness struct {
	t      testing.TB
	limit  uint64
	clears bool // the log, at times

	mu     sync.Mutex // guards the fields below
	shown  map[uint64]int
	text   map[int]bool // numbers that were shown without the entry's
	newest counted      // that was shown
	seen   int          // how often something was shown
	news   bool         // something new was, since the last check

	first   uint64 // the first entry there can be: what was before was cleared
	checked uint64 // entries up to here were checked
	// A clearing that began once the entry clearedAt had been shown; it may not
	// have come to its end if it was not answered.
	clearing, answered bool
	clearedAt          uint64
}

func newWitness(t testing.TB, limit int, clears bool) *witness {
	return &witness{t: t, limit: uint64(limit), clears: clears, shown: make(map[uint64]int), text: make(map[int]bool), first: 1}
}

func (w *witness) show(e counted) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen++
	if n, ok := w.shown[e.ID]; ok && n != e.Data {
		w.t.Errorf("entry %d was event %d, and is event %d", e.ID, n, e.Data)
	}
	w.shown[e.ID] = e.Data
	w.follows(e, w.newest)
	if e.ID > w.newest.ID {
		w.newest, w.news = e, true
	}
}

// follows reports two entries that are not the events that they should be: there
// is one for each event.
func (w *witness) follows(a, b counted) {
	if b.ID > 0 && int(a.ID)-a.Data != int(b.ID)-b.Data {
		w.t.Errorf("entry %d is event %d, and entry %d is event %d", a.ID, a.Data, b.ID, b.Data)
	}
}

func (w *witness) showText(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			return // the log was killed as it wrote this
		}
		n, err := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1 : len(line)-1])
		if err != nil {
			w.t.Errorf("a line of the log: %q", line)
		}
		w.text[n] = true
		w.seen++
	}
}

// watch reads the log in three ways until it is killed, and then until what is
// returned is called.
func (w *witness) watch(l *eventLog) (wait func()) {
	w.mu.Lock()
	since := w.newest.ID
	w.news = false
	w.mu.Unlock()
	var reading sync.WaitGroup
	again := func(path string, take func(text string, err error)) {
		reading.Go(func() {
			for {
				text, err := fetch(context.Background(), l.url+path)
				take(text, err)
				if err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	again("/?fmt=plain&limit=100", func(text string, _ error) { w.showText(text) })
	again("/api/events?limit=100", func(text string, err error) {
		if err == nil {
			events, _ := w.parse(text)
			for _, e := range events {
				w.show(e)
			}
		}
	})
	reading.Go(func() {
		_ = follow(context.Background(), fmt.Sprintf("%s/api/stream?since=%d", l.url, since), func(m message) {
			if m.event == "missed" || m.event == "cleared" && w.clears {
				return
			}
			var e counted
			if err := json.Unmarshal([]byte(m.data), &e); err != nil || strconv.FormatUint(e.ID, 10) != m.id {
				w.t.Errorf("the stream has %+v: %v", m, err)
				return
			}
			if e.ID <= since {
				w.t.Errorf("the stream has entry %d after entry %d", e.ID, since)
			}
			since = e.ID
			w.show(e)
		})
	})
	return reading.Wait
}

func (w *witness) parse(text string) (events []counted, next uint64) {
	var page struct {
		Events []counted
		Next   uint64
	}
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		w.t.Errorf("/api/events: %v: %.200s", err, text)
	}
	return page.Events, page.Next
}

// entries are those after this number, the newest first.
func (w *witness) entries(l *eventLog, after uint64) (all []counted) {
	w.t.Helper()
	for next := uint64(0); ; {
		var events []counted
		events, next = w.parse(l.get(w.t, fmt.Sprintf("/api/events?limit=1000&since=%d&before=%d", after, next)))
		if all = append(all, events...); next == 0 {
			return all
		}
	}
}

func (w *witness) awaitNews(l *eventLog) {
	w.t.Helper()
	eventually(w.t, "an event is shown", func() bool {
		l.running(w.t)
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.news
	})
}

// clear clears the log, and learns which entry is the first since.
func (w *witness) clear(l *eventLog) {
	w.t.Helper()
	w.mu.Lock()
	at := w.newest.ID
	w.mu.Unlock()
	l.get(w.t, "/clear")
	var since []counted
	eventually(w.t, "events come after the log was cleared", func() bool {
		since = w.entries(l, 0)
		return len(since) > 0
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.first = since[len(since)-1].ID; w.first <= at {
		w.t.Errorf("entry %d was shown, the log cleared, and entry %d is there", at, w.first)
	}
}

// clearAndKill kills the log while it is being cleared.
func (w *witness) clearAndKill(l *eventLog) {
	w.mu.Lock()
	w.clearing, w.clearedAt = true, w.newest.ID
	w.mu.Unlock()
	answer := make(chan error, 1)
	go func() {
		_, err := fetch(context.Background(), l.url+"/clear")
		answer <- err
	}()
	time.Sleep(rand.N(5 * time.Millisecond))
	l.kill()
	w.answered = <-answer == nil
}

// check compares what was shown with what the log has: all of it, or what has
// come since the last check.
func (w *witness) check(l *eventLog, all bool) {
	t := w.t
	t.Helper()
	after := w.checked
	if all || w.clearing || w.newest.ID > w.limit {
		after = 0
	}
	found := w.entries(l, after)
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.checked = w.newest.ID }()
	if len(found) == 0 {
		if w.newest.ID > after && !w.clearing {
			t.Errorf("entries up to %d were shown, and none is there", w.newest.ID)
		}
		return
	}
	oldest, newest := found[len(found)-1], found[0]
	if newest.ID < w.newest.ID {
		t.Errorf("entry %d was shown, and the newest is %d", w.newest.ID, newest.ID)
	}
	if want := w.oldest(newest.ID); after == 0 && oldest.ID != want {
		if !w.clearing || oldest.ID <= w.clearedAt {
			t.Errorf("of %d entries the oldest is %d, want %d; clearing: %t", newest.ID, oldest.ID, want, w.clearing)
		}
		w.first = oldest.ID
	} else if w.answered {
		t.Errorf("the log was cleared, and has entry %d", oldest.ID)
	}
	w.clearing, w.answered = false, false

	numbers := make(map[int]bool)
	for i, e := range found {
		numbers[e.Data] = true
		if n, ok := w.shown[e.ID]; ok && n != e.Data {
			t.Errorf("entry %d was event %d, and is event %d", e.ID, n, e.Data)
		}
		if i > 0 && found[i-1].ID != e.ID+1 {
			t.Errorf("entry %d follows entry %d", found[i-1].ID, e.ID)
		}
		w.follows(e, w.newest)
	}
	for n := range w.text {
		if n >= oldest.Data && !numbers[n] {
			t.Errorf("event %d was shown, and is gone", n)
		}
	}
}

// oldest is the oldest entry that there must be if this is the newest.
func (w *witness) oldest(newest uint64) uint64 {
	if newest > w.limit {
		return max(w.first, newest-w.limit+1)
	}
	return w.first
}
