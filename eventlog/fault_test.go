package eventlog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/outcome"
	"sigalert/internal/wait"
	"sigalert/sig"
)

// faulty is a store that fails when it is told to, once all has been done.
type faulty struct {
	store
	broken atomic.Bool
	err    error // why; nil: errBroken
}

var errBroken = errors.New("no room")

func (f *faulty) update(do func(writer) error) error {
	return f.store.update(func(tx writer) error {
		if err := do(tx); err != nil {
			return err
		}
		if f.broken.Load() {
			return cmp.Or(f.err, errBroken)
		}
		return nil
	})
}

// What cannot be written waits, and is written when it can be: once, and as it
// was counted.
func TestStoreFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		log, err := Open(&Options{Path: path, Limit: 100, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		if err != nil {
			t.Fatal(err)
		}
		disk := &faulty{store: log.store}
		disk.broken.Store(true)
		log.store = disk
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan struct{})
		go func() {
			defer close(ran)
			log.Run(ctx)
		}()
		for n := range 3 {
			log.Offer(Entry{Time: time.Now(), Sender: "s", Event: "e", Data: fmt.Appendf(nil, "%d", n)})
			time.Sleep(5 * time.Second)
		}
		if st := log.State(); !errors.Is(st.Err, errBroken) || st.Logged != 0 {
			t.Errorf("while it fails: %+v", st)
		}
		if _, err := log.Clear(); err == nil {
			t.Error("cleared what cannot be written")
		}
		disk.broken.Store(false)
		time.Sleep(2 * time.Second)
		found, err := log.Events(ctx, Query{Oldest: true})
		if err != nil || len(found.Entries) != 3 {
			t.Fatalf("entries: %+v, %v", found, err)
		}
		for n, e := range found.Entries {
			if string(e.Data) != fmt.Sprint(n) || e.ID != uint64(n+1) {
				t.Errorf("entry %d is %d: %s", n, e.ID, e.Data)
			}
		}
		if st := log.State(); st.Err != nil || st.Logged != 3 || log.LastHour(9)[0].Total != 3 {
			t.Errorf("afterwards: %+v, %+v", st, log.LastHour(9))
		}
		cancel()
		<-ran
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		if lines := strings.Count(logged.String(), "\n"); lines != 2 {
			t.Errorf("%d lines tell of it: %s", lines, &logged)
		}
	})
}

// A file that can be read but not written is not open, and shows nothing.
func TestLoadFails(t *testing.T) {
	opts := &Options{Path: filepath.Join(t.TempDir(), "log.db")}
	log, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(log.commit([]Entry{{Time: time.Now(), Sender: "s", Event: "e"}}), log.Close()); err != nil {
		t.Fatal(err)
	}
	store, err := openDisk(opts.Path)
	if err != nil {
		t.Fatal(err)
	}
	disk := &faulty{store: store}
	disk.broken.Store(true)
	log = New(opts)
	if err := log.load(disk); !errors.Is(err, errBroken) {
		t.Errorf("load: %v", err)
	}
	if st := log.State(); st.Count() != 0 || len(log.LastHour(9)) != 0 {
		t.Errorf("a log that is not open has %+v, %+v", st, log.LastHour(9))
	}
	if err := log.open(); err != nil {
		t.Fatal(err)
	}
	if st := log.State(); st.Count() != 1 || st.Err != nil || log.LastHour(9)[0].Total != 1 {
		t.Errorf("an open log has %+v, %+v", st, log.LastHour(9))
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

// What was dropped is reported even if the file can be written only at the end.
func TestTroubleIsOverAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dropped []uint64
		log, err := Open(&Options{Trouble: func(st State) { dropped = append(dropped, st.Dropped) }})
		if err != nil {
			t.Fatal(err)
		}
		store := &faulty{store: log.store}
		store.broken.Store(true)
		log.store = store
		stop := wait.Start(t.Context(), log.Run)
		log.Offer(Entry{})
		synctest.Wait() // that one has been taken
		for range MaxWaiting + 2 {
			log.Offer(Entry{})
		}
		store.broken.Store(false)
		stop()
		if !slices.Equal(dropped, []uint64{0, 2}) || log.State().Logged != MaxWaiting+1 {
			t.Errorf("dropped: %d, %+v", dropped, log.State())
		}
	})
}

// At the end only what nobody brings again is lost.
func TestWhatTheEndCosts(t *testing.T) {
	at := sig.Position{Epoch: "E", Seq: 7}
	numbered, known := sig.Position{Seq: 8}, sig.Position{Epoch: "E", Seq: 9}
	for name, c := range map[string]struct {
		before  []Entry // that are written
		waiting []Entry
		err     error
		want    string
	}{
		"what the server brings again": {
			[]Entry{{position: at}}, []Entry{{position: numbered}, {position: known}}, errBroken,
			"WARN not written 2",
		},
		"nothing": {
			[]Entry{{position: at}}, []Entry{{position: known, passed: true}}, errBroken,
			"",
		},
		"what a pysig server has forgotten": {
			[]Entry{{}}, []Entry{{}, {}}, errBroken,
			"ERROR lost 2",
		},
		"some of both": {
			[]Entry{{position: at}}, []Entry{{}, {position: known}, {position: known, passed: true}}, errBroken,
			"WARN not written 1, ERROR lost 1",
		},
		"a log that has not got anywhere yet": {
			nil, []Entry{{position: known}}, errBroken,
			"ERROR lost 1",
		},
		"a file that is gone": {
			[]Entry{{position: at}}, []Entry{{position: known}}, ErrStale,
			"ERROR lost 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				log, err := Open(&Options{Logger: slog.New(slog.NewJSONHandler(&logged, nil))})
				if err != nil {
					t.Fatal(err)
				}
				if err := log.commit(c.before); err != nil {
					t.Fatal(err)
				}
				disk := &faulty{store: log.store, err: c.err}
				disk.broken.Store(true)
				log.store = disk
				for _, e := range c.waiting {
					log.Offer(e)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				log.Run(ctx)
				var got []string
				for lines := json.NewDecoder(&logged); lines.More(); {
					var line struct {
						Level, Msg string
						Count      int
					}
					if err := lines.Decode(&line); err != nil {
						t.Fatal(err)
					}
					for _, what := range []string{"lost", "not written"} {
						if strings.Contains(line.Msg, what) {
							got = append(got, fmt.Sprintf("%s %s %d", line.Level, what, line.Count))
						}
					}
				}
				if got := strings.Join(got, ", "); got != c.want {
					t.Errorf("it says %q, not %q", got, c.want)
				}
			})
		})
	}
}

// damaged is a store whose settings cannot be written without a panic, as bbolt
// has at some damage.
type damaged struct{ store }

func (d damaged) update(do func(writer) error) error {
	return d.store.update(func(tx writer) error { return do(panics{tx}) })
}

type panics struct{ writer }

func (panics) set(string, []byte) error { panic("a page is not what it should be") }

// Damage that is found while the log is open is an error, and holds nothing up.
func TestDamageWhileOpen(t *testing.T) {
	log, err := Open(&Options{Path: filepath.Join(t.TempDir(), "log.db")})
	if err != nil {
		t.Fatal(err)
	}
	good := log.store
	log.store = damaged{good}
	err = log.commit([]Entry{{Time: time.Now(), Sender: "s", Event: "e"}})
	if err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("commit: %v", err)
	}
	if st := log.State(); st.Err == nil || st.Logged != 0 {
		t.Errorf("state: %+v", st)
	}
	log.LastHour(5)
	log.store = good
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

// An entry that cannot be read harms no other.
func TestDamagedEntry(t *testing.T) {
	log, err := Open(&Options{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	write := func(records ...record) {
		err := log.change(time.Now(), uint64(len(records)), func(c *change) error {
			for _, r := range records {
				if err := c.put(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	good := encode(Entry{Sender: "s", Event: "e", Data: []byte("1")}, time.Now())
	write(good, record("\xff?"), good)
	found, err := log.Events(t.Context(), Query{})
	if err != nil || len(found.Entries) != 2 || found.Damaged != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	if _, _, err := log.Event(log.State().First + 1); err == nil {
		t.Error("the damaged one is read")
	}
	if err := log.SetLimits(Limits{Count: 2}); err != nil {
		t.Fatal(err)
	}
	if st := log.State(); st.Count() != 1 {
		t.Errorf("a damaged one that is the oldest stays: %+v", st)
	}
}

func TestBytesAreBounded(t *testing.T) {
	log, err := Open(&Options{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	log.maxBytes = 1000
	batch := make([]Entry, 100)
	for i := range batch {
		batch[i] = Entry{Sender: "s", Event: "e", Data: bytes.Repeat([]byte("1"), 80)}
	}
	if err := log.commit(batch); err != nil {
		t.Fatal(err)
	}
	if st := log.State(); log.bytes > 1000 || log.bytes < 800 || st.Count() == 0 || log.store.size() != log.bytes {
		t.Errorf("%d bytes in %d entries, and %d", log.bytes, st.Count(), log.store.size())
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(encode(Entry{Time: time.Now(), Sender: sig.Number(1), Event: "e", Data: []byte("{}"), Outcome: outcome.Failed, Why: "why"}, time.Now())))
	f.Add([]byte{recordVersion, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, text []byte) {
		fields, err := record(text).fields()
		if err != nil {
			return
		}
		e := fields.entry(1)
		again, err := encode(e, time.UnixMicro(fields.logged)).fields()
		if len(e.Why) > maxWhy {
			return
		}
		if err != nil || again.entry(1).Sender != e.Sender || !bytes.Equal(again.data, fields.data) || again.time != fields.time {
			t.Errorf("%+v, encoded and read again: %+v, %v", e, again, err)
		}
	})
}

func TestMinutes(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	early := make(minutes)
	early.add(now, now, "a")
	m := early.with(nil, now)
	m.take(early)
	more := make(minutes)
	more.add(now, now.Add(time.Hour), "a")       // a clock that is ahead
	more.add(now, now.Add(-2*time.Minute), "a")  // late
	more.add(now, now.Add(-59*time.Minute), "b") // the first that is shown
	more.add(now, now.Add(-60*time.Minute), "b") // over
	more.add(now, now, sig.Number(7))
	m.take(m.with(more, now))
	if early.series(now, 9)[0].Total != 1 {
		t.Error("what others have is changed")
	}
	store := newMemory()
	if err := m.store(store); err != nil {
		t.Fatal(err)
	}
	for _, m := range []minutes{m, loadMinutes(store)} {
		all := m.series(now, 9)
		if len(all) != 3 || all[0].Sender != "a" || all[0].Total != 3 || all[0].Counts[Hour-1] != 2 || all[0].Counts[Hour-3] != 1 ||
			all[2].Sender != "b" || all[2].Total != 1 || all[2].Counts[0] != 1 {
			t.Errorf("%+v", all)
		}
		if all := m.series(now, 1); len(all) != 2 || !all[1].Others || all[1].Total != 2 {
			t.Errorf("with the others together: %+v", all)
		}
		if all := m.series(now.Add(time.Hour), 9); len(all) > 0 {
			t.Errorf("an hour later: %+v", all)
		}
	}
	later := m.with(nil, now.Add(2*time.Hour))
	m.take(later)
	if err := later.store(store); err != nil || len(store.named)+len(m) > 0 {
		t.Errorf("two hours later there is still %v, %v, %v", store.named, m, err)
	}
}

// However many senders there are, a minute counts some by name and the others
// together.
func TestMinutesAreBounded(t *testing.T) {
	now := time.Now()
	m := make(minutes)
	for part := range 10 {
		more := make(minutes)
		for i := range 100 {
			more.add(now, now, sig.Name(fmt.Sprint("s", part, "-", i)))
		}
		m.take(m.with(more, now))
	}
	if n := len(m[minuteOf(now)]); n > maxCounted+1 {
		t.Errorf("%d senders are counted", n)
	}
	total := 0
	for _, s := range m.series(now, 10) {
		total += s.Total
	}
	if total != 1000 {
		t.Errorf("total: %d", total)
	}
}
