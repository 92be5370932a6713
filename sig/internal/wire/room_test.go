package wire_test

import (
	"io"
	"strings"
	"testing"

	"sigalert/sig/internal/wire"
)

// Long messages that are begun and left give way to new ones, the oldest first; what
// is short, or finished, does not count.
func TestRoom(t *testing.T) {
	const limit = 1 << 20
	room := wire.NewRoom(3 * limit)
	gone := make(chan int, 20)
	begin := func(i, size int) *io.PipeWriter {
		r, w := io.Pipe()
		t.Cleanup(func() { w.Close() })
		d := wire.NewDecoder(r, limit)
		d.Share(room, func() {
			gone <- i
			r.CloseWithError(io.ErrClosedPipe)
		})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				if _, err := d.Next(); err != nil {
					return
				}
			}
		}()
		t.Cleanup(func() { w.Close(); <-ended })
		if _, err := io.WriteString(w, `{"a":"`+strings.Repeat("x", size)); err != nil {
			t.Fatal(err)
		}
		return w
	}
	short := begin(-1, 50_000)
	for i := range 10 {
		w := begin(i, limit-100)
		if i == 0 { // finished in time
			io.WriteString(w, `"}`)
			io.WriteString(w, "\n") // is read once the buffer has been given back
		}
	}
	for want := 1; want <= 7; want++ {
		if got := <-gone; got != want {
			t.Fatalf("%d gave way, not %d", got, want)
		}
	}
	if len(gone) > 0 {
		t.Errorf("%d gave way, too", <-gone)
	}
	if _, err := io.WriteString(short, `"}`); err != nil {
		t.Errorf("the short one: %v", err)
	}
}
