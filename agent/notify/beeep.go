package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/gen2brain/beeep"

	"sigalert/internal/plain"
)

var errBeeepBusy = errors.New("an earlier call of beeep has not returned")

// beeepTurn holds a token while a call of beeep runs, and so guards beeep.AppName.
// There is one for the process, as beeep keeps its settings and its bus connection
// in package variables.
var beeepTurn = make(chan struct{}, 1)

// runBeeep calls show, which calls beeep, and waits until it returns or ctx ends.
// In the latter case show keeps the turn until it returns.
func runBeeep(ctx context.Context, appName string, show func() error) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	select {
	case beeepTurn <- struct{}{}:
	default:
		return errBeeepBusy
	}
	done := make(chan error, 1)
	go func() {
		beeep.AppName = appName
		err := show()
		if err != nil {
			err = brief{err}
		}
		<-beeepTurn // before done, or the next call could find it taken
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("beeep did not return: %w", ended(ctx))
	}
}

// brief is an error that another program wrote: its text is one line, and cut.
type brief struct{ error }

func (b brief) Error() string { return plain.Line(b.error.Error(), 200) }

func (b brief) Unwrap() error { return b.error }
