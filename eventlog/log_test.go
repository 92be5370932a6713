package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/eventlog"
	"sigalert/internal/outcome"
	"sigalert/sig"
)

// open opens a log, and runs it until the test or stop ends it.
func open(t *testing.T, opts eventlog.Options) (log *eventlog.Log, stop func()) {
	t.Helper()
	log, err := eventlog.Open(&opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		log.Run(ctx)
	}()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		<-ran
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return log, stop
}

// add logs an event, and waits until it is there.
func add(t *testing.T, log *eventlog.Log, e eventlog.Entry) {
	t.Helper()
	want := log.State().Logged + 1
	if err := log.Add(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	await(t, log, func(st eventlog.State) bool { return st.Logged >= want })
}

func await(t *testing.T, log *eventlog.Log, ok func(eventlog.State) bool) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		changed := log.Changed()
		if ok(log.State()) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("the log stays so: %+v", log.State())
		}
	}
}

func tick(n int) eventlog.Entry {
	return eventlog.Entry{Time: time.Now(), Sender: "timer", Event: "tick", Data: fmt.Appendf(nil, "%d", n)}
}

// data are the data of the entries that a query finds.
func data(t *testing.T, log *eventlog.Log, q eventlog.Query) string {
	t.Helper()
	found, err := log.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range found.Entries {
		all = append(all, string(e.Data))
	}
	return strings.Join(all, " ")
}

// stores runs a test with a log in memory and with one in a file.
func stores(t *testing.T, test func(t *testing.T, opts eventlog.Options)) {
	t.Run("memory", func(t *testing.T) { test(t, eventlog.Options{}) })
	t.Run("file", func(t *testing.T) {
		test(t, eventlog.Options{Path: filepath.Join(t.TempDir(), "state", "log.db")})
	})
}

func TestNewestFirst(t *testing.T) {
	stores(t, func(t *testing.T, opts eventlog.Options) {
		log, _ := open(t, opts)
		for n := range 3 {
			add(t, log, tick(n))
		}
		if got := data(t, log, eventlog.Query{}); got != "2 1 0" {
			t.Errorf("log: %s", got)
		}
		st := log.State()
		if st.Count() != 3 || st.Last != st.First+2 || st.Logged != 3 {
			t.Errorf("state: %+v", st)
		}
	})
}

func TestEntryIsKeptWhole(t *testing.T) {
	stores(t, func(t *testing.T, opts eventlog.Options) {
		log, _ := open(t, opts)
		want := eventlog.Entry{
			Time: time.Now().Truncate(time.Microsecond), Sender: sig.Number(5), Event: "ünïcode\x00",
			Data: []byte(`{"b":1,"a":[null,"x"]}`), Outcome: outcome.Held, Why: "paused",
		}
		add(t, log, want)
		want.ID = log.State().Last
		got, ok, err := log.Event(want.ID)
		if err != nil || !ok || !got.Time.Equal(want.Time) {
			t.Fatalf("%+v, %v, %v", got, ok, err)
		}
		got.Time = want.Time
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if _, ok, err := log.Event(want.ID + 1); ok || err != nil {
			t.Errorf("an entry that never was: %v, %v", ok, err)
		}
	})
}

func TestLimit(t *testing.T) {
	stores(t, func(t *testing.T, opts eventlog.Options) {
		opts.Limit = 3
		log, _ := open(t, opts)
		for n := range 5 {
			add(t, log, tick(n))
		}
		if got := data(t, log, eventlog.Query{}); got != "4 3 2" {
			t.Errorf("log: %s", got)
		}
		if err := log.SetLimits(eventlog.Limits{Count: 2}); err != nil {
			t.Fatal(err)
		}
		if got := data(t, log, eventlog.Query{}); got != "4 3" {
			t.Errorf("after a lower limit: %s", got)
		}
		for _, bad := range []eventlog.Limits{{Count: 0}, {Count: -1}, {Count: eventlog.MaxLimit + 1}, {Count: 1, Age: -1}} {
			if log.SetLimits(bad) == nil {
				t.Errorf("%+v is taken", bad)
			}
		}
		if got := log.Limits(); got != (eventlog.Limits{Count: 2}) {
			t.Errorf("limits: %+v", got)
		}
	})
}

// More than the limit may wait to be written at once.
func TestBatchAboveTheLimit(t *testing.T) {
	stores(t, func(t *testing.T, opts eventlog.Options) {
		opts.Limit = 10
		log, err := eventlog.Open(&opts)
		if err != nil {
			t.Fatal(err)
		}
		first := log.State().Last + 1
		for n := range 100 {
			log.Offer(tick(n))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		log.Run(ctx) // writes what waits
		defer log.Close()
		if got := data(t, log, eventlog.Query{}); got != "99 98 97 96 95 94 93 92 91 90" {
			t.Errorf("log: %s", got)
		}
		if st := log.State(); st.First != first+90 || st.Last != first+99 || st.Logged != 100 || st.Dropped != 0 {
			t.Errorf("state: %+v", st)
		}
	})
}

func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, stop := open(t, eventlog.Options{Age: new(time.Minute)})
		defer stop()
		add(t, log, tick(0))
		time.Sleep(40 * time.Second)
		add(t, log, tick(1))
		time.Sleep(19 * time.Second)
		if got := data(t, log, eventlog.Query{}); got != "1 0" {
			t.Errorf("within the minute: %s", got)
		}
		time.Sleep(3 * time.Second)
		if got := data(t, log, eventlog.Query{}); got != "1" {
			t.Errorf("after it: %s", got)
		}
		time.Sleep(time.Minute)
		if got := data(t, log, eventlog.Query{}); got != "" {
			t.Errorf("at the end: %s", got)
		}
	})
}

// A limit that changes while nothing happens is in force at once.
func TestAgeChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, stop := open(t, eventlog.Options{})
		defer stop()
		add(t, log, tick(0))
		time.Sleep(10 * time.Second)
		if err := log.SetLimits(eventlog.Limits{Count: 10, Age: time.Minute}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(45 * time.Second)
		if got := data(t, log, eventlog.Query{}); got != "0" {
			t.Errorf("within the minute: %s", got)
		}
		time.Sleep(10 * time.Second)
		if got := data(t, log, eventlog.Query{}); got != "" {
			t.Errorf("after it: %s", got)
		}
	})
}

func TestClear(t *testing.T) {
	stores(t, func(t *testing.T, opts eventlog.Options) {
		log, _ := open(t, opts)
		add(t, log, tick(0))
		add(t, log, tick(1))
		last := log.State().Last
		if n, err := log.Clear(); n != 2 || err != nil {
			t.Errorf("cleared %d, %v", n, err)
		}
		if n, err := log.Clear(); n != 0 || err != nil {
			t.Errorf("cleared again: %d, %v", n, err)
		}
		if st := log.State(); st.Count() != 0 || st.Cleared != 2 {
			t.Errorf("state: %+v", st)
		}
		if got := log.LastHour(5); len(got) > 0 {
			t.Errorf("the last hour: %+v", got)
		}
		add(t, log, tick(2))
		if st := log.State(); st.First != last+1 || st.Last != last+1 {
			t.Errorf("the numbers do not go on: %+v after %d", st, last)
		}
	})
}

// What a file has comes back; the numbers go on, also after a clear.
func TestReopen(t *testing.T) {
	opts := eventlog.Options{Path: filepath.Join(t.TempDir(), "log.db"), Limit: 5, Age: new(time.Hour)}
	log, stop := open(t, opts)
	add(t, log, tick(0))
	add(t, log, tick(1))
	secret, err := log.Secret()
	if err != nil || len(secret) < 20 {
		t.Fatalf("secret %q, %v", secret, err)
	}
	stop()

	log, stop = open(t, eventlog.Options{Path: opts.Path})
	if got := data(t, log, eventlog.Query{}); got != "1 0" {
		t.Errorf("log: %s", got)
	}
	if got := log.Limits(); got != (eventlog.Limits{Count: 5, Age: time.Hour}) {
		t.Errorf("limits: %+v", got)
	}
	if got := log.LastHour(5); len(got) != 1 || got[0].Total != 2 {
		t.Errorf("the last hour: %+v", got)
	}
	if again, err := log.Secret(); string(again) != string(secret) || err != nil {
		t.Errorf("secret %q, then %q, %v", secret, again, err)
	}
	if _, err := log.Clear(); err != nil {
		t.Fatal(err)
	}
	stop()

	log, _ = open(t, eventlog.Options{Path: opts.Path, Limit: 7, Age: new(time.Duration(0))})
	if got := log.Limits(); got != (eventlog.Limits{Count: 7}) {
		t.Errorf("limits that are given: %+v", got)
	}
	add(t, log, tick(2))
	if st := log.State(); st.Last != 3 {
		t.Errorf("the numbers do not go on: %+v", st)
	}
}

// A log in memory has higher numbers than any before it.
func TestMemoryBeginsHigher(t *testing.T) {
	first, _ := open(t, eventlog.Options{})
	add(t, first, tick(0))
	time.Sleep(time.Millisecond)
	second, _ := open(t, eventlog.Options{})
	if a, b := first.State().Last, second.State().First; b <= a {
		t.Errorf("%d, then %d", a, b)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no log ", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(dir, "used")
	open(t, eventlog.Options{Path: used})
	for path, want := range map[string]string{
		garbage:                      "is not an event log, or is damaged",
		dir:                          "is not a file",
		filepath.Join(garbage, "db"): "not a directory",
		used:                         "is in use by another process",
	} {
		log, err := eventlog.Open(&eventlog.Options{Path: path})
		if err == nil {
			log.Close()
			t.Errorf("%s is opened", path)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) || !strings.Contains(text, garbage[:len(dir)]) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// A file that is removed under the log is no place to write to.
func TestFileIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	log, stop := open(t, eventlog.Options{Path: path})
	add(t, log, tick(0))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	log.Offer(tick(1))
	await(t, log, func(st eventlog.State) bool { return st.Err != nil })
	if st := log.State(); !errors.Is(st.Err, eventlog.ErrStale) || !strings.Contains(st.Err.Error(), path+" was removed or replaced") || st.Logged != 1 {
		t.Errorf("state: %+v", st)
	}
	stop()
}

// A file that is damaged under the log is let go of: after it was put right, the
// same process opens it again.
func TestFileIsDamagedWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	log, stop := open(t, eventlog.Options{Path: path, Limit: 5000})
	for n := range 3000 {
		if err := log.Add(t.Context(), tick(n)); err != nil {
			t.Fatal(err)
		}
	}
	await(t, log, func(st eventlog.State) bool { return st.Logged == 3000 })
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 2*4096); err != nil {
		t.Fatal(err)
	}
	log.Offer(tick(3000))
	await(t, log, func(st eventlog.State) bool { return errors.Is(st.Err, eventlog.ErrStale) })
	stop()
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	again, stop := open(t, eventlog.Options{Path: path})
	defer stop()
	if n := again.State().Count(); n != 3000 {
		t.Errorf("%d entries of 3000 are there", n)
	}
}

// Where nobody writes, what is offered is dropped and counted, and what is added
// waits.
func TestFullQueue(t *testing.T) {
	log, err := eventlog.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for n := range 5000 {
		log.Offer(tick(n))
	}
	if st := log.State(); st.Dropped != 5000-4096 {
		t.Errorf("dropped: %d", st.Dropped)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := log.Add(ctx, tick(0)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("add to a full queue: %v", err)
	}

	added := make(chan error)
	go func() { added <- log.Add(t.Context(), tick(5000)) }()
	run, end := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		log.Run(run)
	}()
	if err := <-added; err != nil {
		t.Error(err)
	}
	await(t, log, func(st eventlog.State) bool { return st.Logged == 4097 })
	end()
	<-ran
	if err := log.Add(t.Context(), tick(0)); !errors.Is(err, eventlog.ErrEnded) {
		t.Errorf("add at the end: %v", err)
	}
}

// The queue also bounds the data that wait, but takes one event of any size.
func TestFullQueueOfBytes(t *testing.T) {
	log, err := eventlog.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	e := tick(0)
	e.Data = []byte(`"` + strings.Repeat("x", 9<<20) + `"`)
	log.Offer(e)
	log.Offer(tick(1))
	if st := log.State(); st.Dropped != 1 {
		t.Errorf("dropped: %d", st.Dropped)
	}
}

func TestMissed(t *testing.T) {
	log, _ := open(t, eventlog.Options{})
	log.Missed(3)
	log.Missed(-1)
	log.Missed(2)
	if st := log.State(); st.Missed != 5 || st.Unknown != 1 {
		t.Errorf("state: %+v", st)
	}
}
