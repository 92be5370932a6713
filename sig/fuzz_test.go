package sig_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/sig"
	"sigalert/sig/internal/wire"
)

// What the fuzz targets of the server and of the client share: a connection
// without any timing of its own, and scripts of what its other side sends. Each
// run is a testing/synctest bubble: waiting for ever fails, and waiting ten
// seconds takes no time.

// pysigReads is the longest message that a pysig peer can read.
const pysigReads = 4096

// fuzzConn is one end of a connection; the test is the other. It checks what
// it is given to send.
type fuzzConn struct {
	t   *testing.T
	dec *wire.Decoder
	in  chan []byte
	// said is called with each message that comes, while mu is held. It must
	// not wait.
	said func(m map[string]json.RawMessage)

	rest   []byte // the reading goroutine's
	closed chan struct{}
	end    func()

	mu      sync.Mutex // guards the fields below, and holds the order of writes
	stream  bool
	stopped chan struct{} // closed once the other side reads again; nil: it does
}

func newFuzzConn(t *testing.T, said func(map[string]json.RawMessage)) *fuzzConn {
	c := &fuzzConn{t: t, in: make(chan []byte, 1000), said: said, closed: make(chan struct{})}
	c.dec = wire.NewDecoder(c, sig.MaxMessage)
	c.end = sync.OnceFunc(func() { close(c.closed) })
	return c
}

// feed gives the router this to read. On a stream it is a line.
func (c *fuzzConn) feed(text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.feedLocked(text)
}

// feedLocked is feed for said.
func (c *fuzzConn) feedLocked(text []byte) {
	if c.stream {
		text = append(bytes.Clone(text), '\n')
	}
	select {
	case c.in <- text:
	default:
	}
}

func (c *fuzzConn) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		select {
		case c.rest = <-c.in:
		case <-c.closed:
			return 0, io.EOF
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *fuzzConn) ReadMessage() ([]byte, error) { return c.dec.Next() }

// stop makes the other side read nothing until it is called with false.
func (c *fuzzConn) stop(stopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case stopped && c.stopped == nil:
		c.stopped = make(chan struct{})
	case !stopped && c.stopped != nil:
		close(c.stopped)
		c.stopped = nil
	}
}

// patience is how long a write waits for the other side.
const patience = 20 * time.Second

func (c *fuzzConn) wait() error {
	c.mu.Lock()
	stopped := c.stopped
	c.mu.Unlock()
	if stopped == nil {
		return nil
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-stopped:
		return nil
	case <-c.closed:
		return net.ErrClosed
	case <-late.C:
		c.Close()
		return os.ErrDeadlineExceeded
	}
}

func (c *fuzzConn) WriteMessage(text []byte) error {
	if len(text) > pysigReads {
		return sig.ErrTooLarge
	}
	if err := c.wait(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream {
		c.t.Errorf("a message that is not a line of the stream: %q", text)
	}
	return c.write(text)
}

func (c *fuzzConn) Stream() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream = true
	c.dec.Lines()
}

func (c *fuzzConn) WriteStream(batch []byte) error {
	if err := c.wait(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stream || !bytes.HasSuffix(batch, []byte("\n")) {
		c.t.Errorf("not a stream, or not a line of it: %.200q", batch)
	}
	for line := range bytes.Lines(batch) {
		if len(line) > sig.MaxMessage+1 {
			c.t.Errorf("a line of %d bytes", len(line))
		}
		if err := c.write(line); err != nil {
			return err
		}
	}
	return nil
}

// write must be called with the lock held.
func (c *fuzzConn) write(text []byte) error {
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(wire.Strict(text), &m); err != nil || !wire.Valid(text) {
		c.t.Errorf("not a message: %.200q: %v", text, err)
	}
	for _, b := range m["exception"] {
		if b < ' ' || b > '~' {
			c.t.Errorf("an exception that is not ASCII: %q", text)
			break
		}
	}
	if m["status"] != nil && m["method"] != nil {
		c.t.Errorf("a reply with a method: %q", text)
	}
	c.said(m)
	return nil
}

func (c *fuzzConn) Close() error {
	c.end()
	return nil
}

func (c *fuzzConn) Peer() string { return "fuzz" }

// separator ends a piece of a script. It is in no message.
const separator = "\x1e"

// pieces cuts a script into what is sent at a time. In a program each byte
// stands for one of the words.
func pieces(script []byte, program bool, words []string) (all [][]byte) {
	if !program {
		return bytes.Split(script, []byte(separator))
	}
	const most = 100
	for _, b := range script[:min(len(script), most)] {
		all = append(all, []byte(words[int(b)%len(words)]))
	}
	return all
}

// program returns the script that says these words.
func program(words []string, say ...string) (script []byte) {
	for _, s := range say {
		for i, w := range words {
			if w == s {
				script = append(script, byte(i))
			}
		}
	}
	return script
}

// recordedScripts returns what one side sent in each recording of pysig.
func recordedScripts(f *testing.F, dir string) (scripts [][]byte) {
	f.Helper()
	const most = 8 << 10
	for _, name := range recordings(f, "") {
		var sent []string
		for _, l := range session(f, name) {
			if l.Dir == dir && l.Ev == "" {
				sent = append(sent, string(l.bytes()))
			}
		}
		if script := strings.Join(sent, separator); len(script) > 0 && len(script) <= most {
			scripts = append(scripts, []byte(script))
		}
	}
	return scripts
}
