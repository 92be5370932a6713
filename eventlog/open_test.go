package eventlog_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/eventlog"
	"sigalert/internal/wait"
)

// inUse is a log whose file another has until free is called.
func inUse(t *testing.T, opts eventlog.Options) (log *eventlog.Log, free func()) {
	t.Helper()
	opts.Path = filepath.Join(t.TempDir(), "log.db")
	other, err := eventlog.Open(&eventlog.Options{Path: opts.Path})
	if err != nil {
		t.Fatal(err)
	}
	return eventlog.New(&opts), func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What comes before the file can be opened waits, and is written once it can.
// The trouble is reported once, and its end once.
func TestRunOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reported []string
		log, free := inUse(t, eventlog.Options{Limit: 10_000, Trouble: func(st eventlog.State) {
			reported = append(reported, fmt.Sprint(st.Err != nil, st.Dropped))
		}})
		stop := wait.Start(t.Context(), log.Run)
		for n := range eventlog.MaxWaiting + 2 {
			log.Offer(tick(n))
		}
		time.Sleep(10 * time.Second)
		select {
		case <-log.Opened():
			t.Error("it is open")
		default:
		}
		_, eventsErr := log.Events(t.Context(), eventlog.Query{})
		_, secretErr := log.Secret()
		_, clearErr := log.Clear()
		_, subscribeErr := eventlog.NewSubscriber(log, nil, nil)
		for _, err := range []error{eventsErr, secretErr, clearErr, subscribeErr, log.State().Err} {
			if err == nil || !strings.Contains(err.Error(), "is in use by another process") {
				t.Errorf("while it is not open: %v", err)
			}
		}
		if st := log.State(); st.Count() != 0 || log.Size() != 0 {
			t.Errorf("while it is not open: %+v, %d bytes", st, log.Size())
		}
		limits := eventlog.Limits{Count: 5000, Age: time.Hour}
		if err := log.SetLimits(limits); err != nil {
			t.Errorf("limits while it is not open: %v", err)
		}
		if log.SetLimits(eventlog.Limits{Count: -1}) == nil {
			t.Error("a limit of -1 is taken")
		}
		free()
		<-log.Opened()
		if got := log.Limits(); got != limits {
			t.Errorf("limits: %+v", got)
		}
		await(t, log, func(st eventlog.State) bool { return st.Logged == eventlog.MaxWaiting })
		if st := log.State(); st.Err != nil || st.First != 1 || st.Last != eventlog.MaxWaiting {
			t.Errorf("afterwards: %+v", st)
		}
		stop()
		if got := strings.Join(reported, ", "); got != "true 2, false 2" {
			t.Errorf("reported: %s", got)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Limits that were corrected before the file could be opened are the only ones
// that remove anything.
func TestLimitsBeforeItOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log.db")
		other, free := open(t, eventlog.Options{Path: path, Limit: 100})
		for n := range 50 {
			other.Offer(tick(n))
		}
		await(t, other, func(st eventlog.State) bool { return st.Logged == 50 })
		log := eventlog.New(&eventlog.Options{Path: path, Limit: 10})
		stop := wait.Start(t.Context(), log.Run)
		time.Sleep(10 * time.Second)
		if err := log.SetLimits(eventlog.Limits{Count: 100}); err != nil {
			t.Error(err)
		}
		free()
		<-log.Opened()
		if n := log.State().Count(); n != 50 {
			t.Errorf("%d of 50 are left", n)
		}
		stop()
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A file that stays in use is tried less and less often. The end need not wait for
// the next attempt, and reports what is lost; what waits is written even then if
// the file can be opened.
func TestRunEndsBeforeItOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		log, free := inUse(t, eventlog.Options{Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		for n := range eventlog.MaxWaiting + 2 {
			log.Offer(tick(n))
		}
		stop := wait.Start(t.Context(), log.Run)
		time.Sleep(time.Minute) // each attempt takes a second, and the pauses 1, 2, 4, 8, 10, 10, … s
		began := time.Now()
		stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("the end takes %s", took)
		}
		for text, want := range map[string]int{
			"cannot open the log, trying again":                       1,
			"still cannot open the log":                               7,
			"entries are lost at the end\" count=4096 dropped=2 err=": 1,
			"level=": 9,
		} {
			if got := strings.Count(logged.String(), text); got != want {
				t.Errorf("%d times %q, not %d:\n%s", got, text, want, &logged)
			}
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		free()

		path := filepath.Join(t.TempDir(), "log.db")
		log = eventlog.New(&eventlog.Options{Path: path})
		log.Offer(tick(1))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		log.Run(ctx)
		if st := log.State(); st.Logged != 1 {
			t.Errorf("at the end: %+v", st)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
}
