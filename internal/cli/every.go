package cli

import (
	"context"
	"time"
)

// every calls f now, and then at intervals of d, until ctx ends or f fails. A call
// that takes long does not delay the later ones.
func every(ctx context.Context, d time.Duration, f func() error) error {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		if err := f(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
