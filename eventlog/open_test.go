package eventlog_test

import (
	"context"
	"fmt"
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
		for _, err := range []error{eventsErr, secretErr, clearErr, subscribeErr, log.SetLimits(eventlog.Limits{Count: 1}), log.State().Err} {
			if err == nil || !strings.Contains(err.Error(), "is in use by another process") {
				t.Errorf("while it is not open: %v", err)
			}
		}
		if st := log.State(); st.Count() != 0 || log.Size() != 0 {
			t.Errorf("while it is not open: %+v, %d bytes", st, log.Size())
		}
		free()
		<-log.Opened()
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

// The end need not wait for the file, and what waits is written even then if it
// can be opened.
func TestRunEndsBeforeItOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, free := inUse(t, eventlog.Options{})
		stop := wait.Start(t.Context(), log.Run)
		time.Sleep(5 * time.Second)
		stop()
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
