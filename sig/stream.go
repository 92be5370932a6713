package sig

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"

	"sigalert/internal/wait"
	"sigalert/sig/internal/wire"
)

const (
	// MaxMessage is the longest message of a stream, in bytes.
	MaxMessage = 1<<20 + 256<<10
	// MaxData is the longest data of an event, in bytes of JSON text: a message
	// of a stream has room for it and for what goes around it.
	MaxData = 1 << 20
	// pysigReads is the longest message, in bytes, that a pysig peer reads.
	pysigReads = 4096
)

// The features that peers of this package agree on; see docs/protocol.md.
const (
	featureStream  = "stream"  // messages follow each other
	featureReplay  = "replay"  // events are numbered, and remembered
	featurePublish = "publish" // the server takes events of senders that are not connected
)

// greeting is what a server answers to get_version.
type greeting struct {
	stream, replay, publish bool

	server   string   // its name and version
	position Position // of the newest event; zero if there is no replay
}

// parseGreeting reads the answer to get_version: a pysig server's is a string.
func parseGreeting(response []byte) (g greeting) {
	for o := wire.ObjectOf(response); o.Next(); {
		switch string(o.Key) {
		case "server":
			name, _ := nameOf(o.Value)
			g.server = name.String()
		case "features":
			g.stream, g.replay = hasName(o.Value, featureStream), hasName(o.Value, featureReplay)
			g.publish = hasName(o.Value, featurePublish)
		case "epoch":
			epoch, _ := nameOf(o.Value)
			g.position.Epoch = epoch.String()
		case "seq":
			g.position.Seq, _ = unsigned(o.Value)
		}
	}
	if g.replay = g.replay && g.stream && g.position.Epoch != ""; !g.replay {
		g.position = Position{}
	}
	return g
}

func (g greeting) features() (all []string) {
	for _, f := range []struct {
		name   Name
		agreed bool
	}{{featureStream, g.stream}, {featureReplay, g.replay}, {featurePublish, g.publish}} {
		if f.agreed {
			all = append(all, f.name.String())
		}
	}
	return all
}

// hasName reports whether a list has this name.
func hasName(list []byte, feature Name) bool {
	a, _ := wire.ArrayOf(list)
	for a.Next() {
		if name, ok := nameOf(a.Value); ok && name == feature {
			return true
		}
	}
	return false
}

// writeStream writes whole messages, each with its newline.
func writeStream(conn Conn, batch []byte) error {
	if s, ok := conn.(StreamConn); ok {
		return s.WriteStream(batch)
	}
	for len(batch) > 0 {
		end := bytes.IndexByte(batch, '\n')
		if err := conn.WriteMessage(batch[:end]); err != nil {
			return err
		}
		batch = batch[end+1:]
	}
	return nil
}

// outboxBytes is what may wait in an outbox while a write is under way.
const outboxBytes = 256 << 10

// outbox joins the messages of many goroutines into few writes. A goroutine
// whose message must go out now, and that finds nobody writing, writes; what
// comes meanwhile goes with the next write. One that finds too much waiting
// waits.
type outbox struct {
	conn Conn
	kick wait.Token // there is something to write for the goroutine that runs it

	mu         sync.Mutex // guards the fields below
	buf, spare []byte
	writing    bool
	room       chan struct{} // closed once a write has ended; nil: nobody waits
	err        error         // final
}

func newOutbox(conn Conn) *outbox {
	return &outbox{conn: conn, kick: wait.NewToken()}
}

// maxAnswerBytes is what may wait in an outbox when the reading goroutine adds
// to it.
const maxAnswerBytes = 8 << 20

// push is a peer's pusher. A request, and an answer that took its time, are
// written now, or soon and with others; the answers that the reading goroutine
// gives at once must not hold it up.
func (o *outbox) push(ctx context.Context, text []byte, as kind) error {
	if as != readAnswers {
		return o.add(ctx, text, as != joins)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && len(o.buf) > maxAnswerBytes {
		o.err = errors.New("the server sends requests but does not read the answers")
	}
	o.buf = append(o.buf, text...)
	o.kick.Raise()
	return o.err
}

// add puts a message in, newline included, to be written now, by the caller, or
// soon.
func (o *outbox) add(ctx context.Context, text []byte, now bool) error {
	o.mu.Lock()
	for len(o.buf) > outboxBytes && o.err == nil {
		if o.room == nil {
			o.room = make(chan struct{})
		}
		room := o.room
		o.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		o.mu.Lock()
	}
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	o.buf = append(o.buf, text...)
	switch {
	case o.writing:
	case now:
		o.flush()
		if len(o.buf) > 0 { // the caller need not wait for others' messages
			o.kick.Raise()
		}
	default:
		o.kick.Raise()
	}
	return o.err
}

// flush writes what is there; the caller holds the lock, and nobody is
// writing.
func (o *outbox) flush() {
	batch := o.buf
	if len(batch) == 0 || o.err != nil {
		return
	}
	o.buf, o.spare, o.writing = o.spare[:0], nil, true
	o.mu.Unlock()
	err := writeStream(o.conn, batch)
	o.mu.Lock()
	o.writing = false
	if err != nil {
		o.err = err
	}
	if cap(batch) <= outboxBytes {
		o.spare = batch[:0]
	}
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// run writes what no caller of add has written, until ctx ends.
func (o *outbox) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.kick:
		}
		runtime.Gosched() // what is about to be added goes with it
		o.mu.Lock()
		for !o.writing && len(o.buf) > 0 && o.err == nil {
			o.flush()
		}
		err := o.err
		o.mu.Unlock()
		if err != nil {
			return err
		}
	}
}
