package eventlog

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

func TestOnceAcrossRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	at := time.UnixMicro(1_700_000_000_000_000)
	for i, offered := range [][]Entry{
		{numberedEntry(1, at), numberedEntry(2, at), numberedEntry(2, at)},
		{numberedEntry(2, at), numberedEntry(1, at), numberedEntry(3, at)},
		{numberedEntry(3, at.Add(time.Second)), numberedEntry(0, at), numberedEntry(0, at)}, // another server's, and two without a number
	} {
		l, err := Open(&Options{Path: path, Once: true})
		if err != nil {
			t.Fatal(err)
		}
		stop := wait.Start(t.Context(), l.Run)
		for _, e := range offered {
			l.Offer(e)
		}
		if err := l.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got, want := l.State().Count(), []int{2, 3, 6}[i]; got != want {
			t.Errorf("after run %d there are %d entries, want %d", i, got, want)
		}
		stop()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func numberedEntry(seq uint64, at time.Time) Entry {
	return Entry{Sender: "s", Event: "e", Time: at, position: sig.Position{Epoch: "x", Seq: seq}}
}

// A record without a number is as it was before there were any.
func TestNumberedRecords(t *testing.T) {
	for _, seq := range []uint64{0, 1, 1 << 63} {
		e := numberedEntry(seq, time.UnixMicro(7))
		e.Data = []byte("1")
		f, err := encode(e, time.UnixMicro(8)).fields()
		if err != nil || f.seq != seq || f.time != 7 || f.logged != 8 || string(f.data) != "1" {
			t.Errorf("%d became %+v, %v", seq, f, err)
		}
	}
}

func TestNumbersAreBounded(t *testing.T) {
	var n numbers
	for i := range 10 * maxOnce {
		n.add(EventID{seq: uint64(i + 1)})
	}
	if kept := len(n.young) + len(n.old); kept > 2*maxOnce || !n.have(EventID{seq: 9*maxOnce + 1}) || n.have(EventID{seq: 1}) {
		t.Errorf("%d are kept", kept)
	}
}

func TestFlushEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(nil) // which nothing opens
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := l.Flush(ctx); err != context.DeadlineExceeded {
			t.Errorf("a log that does not run: %v", err)
		}
	})
}
