package web

import (
	"net/http"
	"time"
)

// maxWrite is how much a client is given time for at once.
const maxWrite = 64 << 10

// patient is a response whose client has 10 s to take each part of what is
// written, however much that is in all and however slowly it is written.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func newPatient(w http.ResponseWriter) *patient {
	return &patient{w, http.NewResponseController(w)}
}

// wait gives the client time. It fails if the connection has ended, as the
// next write does, and with a test's recorder, which has no connection.
func (p *patient) wait() { _ = p.control.SetWriteDeadline(time.Now().Add(arrival)) }

func (p *patient) Write(b []byte) (n int, err error) {
	for {
		p.wait()
		part, err := p.ResponseWriter.Write(b[n:min(n+maxWrite, len(b))])
		n += part
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

// FlushError and Unwrap are for [http.ResponseController].
func (p *patient) FlushError() error {
	p.wait()
	return p.control.Flush()
}

func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
