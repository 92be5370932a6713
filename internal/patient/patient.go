// Package patient writes an HTTP answer to a client that may be slow, and not for
// ever.
package patient

import (
	"net/http"
	"time"
)

const (
	most = 64 << 10 // that a client is given time for at once
	// Time is for that.
	Time = 10 * time.Second
)

// Writer is a response whose client has 10 s to take each part of what is
// written, however much that is in all and however slowly it is written.
type Writer struct {
	http.ResponseWriter
	control *http.ResponseController
}

// New returns a Writer for a response.
func New(w http.ResponseWriter) *Writer {
	return &Writer{w, http.NewResponseController(w)}
}

// Wait gives the client time. It fails if the connection has ended, as the
// next write does, and with a test's recorder, which has no connection.
func (w *Writer) Wait() { _ = w.control.SetWriteDeadline(time.Now().Add(Time)) }

func (w *Writer) Write(b []byte) (n int, err error) {
	for {
		w.Wait()
		part, err := w.ResponseWriter.Write(b[n:min(n+most, len(b))])
		n += part
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

// FlushError and Unwrap are for [http.ResponseController].
func (w *Writer) FlushError() error {
	w.Wait()
	return w.control.Flush()
}

func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
