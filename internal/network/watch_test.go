package network

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
)

func TestBurstsAreReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, news := time.Now(), wait.NewToken()
		var got []time.Duration
		stop := wait.Start(t.Context(), func(ctx context.Context) {
			report(ctx, news, func() { got = append(got, time.Since(began)) })
		})
		for range 20 { // for 200 ms
			news.Raise()
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		for range 100 { // for 5 s
			news.Raise()
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		stop()
		const ms, start = time.Millisecond, 60_200 * time.Millisecond
		want := []time.Duration{250 * ms, start + 250*ms, start + 2500*ms, start + 4750*ms, start + 7000*ms}
		if !slices.Equal(got, want) {
			t.Errorf("reported after %v, want %v", got, want)
		}
	})
}
