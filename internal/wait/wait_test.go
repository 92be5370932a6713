package wait_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
)

func TestTokenIsRaisedOnce(t *testing.T) {
	token := wait.NewToken()
	token.Raise()
	token.Raise()
	<-token
	select {
	case <-token:
		t.Error("a token that was raised twice before it was taken is there twice")
	default:
	}
}

func TestSleep(t *testing.T) {
	for _, test := range []struct {
		name         string
		wake, cancel time.Duration // 0: never
		slept        time.Duration
		ok           bool
	}{
		{"for its time", 0, 0, time.Minute, true},
		{"until it is woken", time.Second, 0, time.Second, true},
		{"until the context ends", 0, time.Second, time.Second, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				wake := wait.NewToken()
				for after, f := range map[*time.Duration]func(){&test.wake: wake.Raise, &test.cancel: cancel} {
					if *after > 0 {
						defer time.AfterFunc(*after, f).Stop()
					}
				}
				began := time.Now()
				if ok := wait.Sleep(ctx, time.Minute, wake); ok != test.ok {
					t.Errorf("Sleep returned %t, not %t", ok, test.ok)
				}
				if slept := time.Since(began); slept != test.slept {
					t.Errorf("it slept %s, not %s", slept, test.slept)
				}
				cancel()
			})
		})
	}
}

func TestStopWaitsForTheTask(t *testing.T) {
	ended := false
	stop := wait.Start(t.Context(), func(ctx context.Context) {
		<-ctx.Done()
		ended = true
	})
	stop()
	if !ended {
		t.Error("stop returned before the task had ended")
	}
	stop()
}
