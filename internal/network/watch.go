package network

import (
	"context"
	"time"

	"sigalert/internal/wait"
)

const (
	settle = 250 * time.Millisecond // a change is seldom alone
	rest   = 2 * time.Second        // between two reports
)

// Watch calls changed after each change of this machine's addresses and routes, until
// ctx ends. Changes within 250 ms are one, and while they go on it is called about
// every two seconds. Where the system does not report them, it is not called.
func Watch(ctx context.Context, changed func()) {
	news := wait.NewToken()
	defer wait.Start(ctx, func(ctx context.Context) { follow(ctx, news.Raise) })()
	report(ctx, news, changed)
}

// report calls changed for the news.
func report(ctx context.Context, news wait.Token, changed func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-news:
		}
		if !wait.Sleep(ctx, settle, nil) {
			return
		}
		select {
		case <-news: // what came in the meantime is part of it
		default:
		}
		changed()
		if !wait.Sleep(ctx, rest, nil) {
			return
		}
	}
}
