package sigtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Peer is one end of a TCP connection that behaves as pysig does: it takes
// whatever one recv of 4,096 bytes returns for one message. So it loses
// messages that arrive together, in parts, or too long; Lost counts those
// reads. It does not pace its writes.
type Peer struct {
	// Handle answers requests, each on the reading goroutine, as pysig's
	// client does. Set it before the first message can come. Nil: every
	// request is answered with null.
	Handle func(method string, params json.RawMessage) (response any, err error)

	conn net.Conn
	lost atomic.Int64
	done chan struct{}

	mu      sync.Mutex // guards the fields below
	lastID  int
	waiting map[int]chan reply
}

type reply struct {
	Status    int             `json:"status"`
	Response  json.RawMessage `json:"response"`
	Exception string          `json:"exception"`
}

// NewPeer returns a peer that serves a connection until it ends. Close it after
// use.
func NewPeer(conn net.Conn, handle func(method string, params json.RawMessage) (any, error)) *Peer {
	p := &Peer{Handle: handle, conn: conn, done: make(chan struct{}), waiting: make(map[int]chan reply)}
	go p.receive()
	return p
}

// DialPeer returns a pysig-like client of the server at addr.
func DialPeer(addr string, handle func(method string, params json.RawMessage) (any, error)) (*Peer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return NewPeer(conn, handle), nil
}

// Lost returns how many reads did not hold exactly one message.
func (p *Peer) Lost() int { return int(p.lost.Load()) }

// Done is closed once the connection has ended.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Close ends the connection and waits for the reading goroutine.
func (p *Peer) Close() {
	p.conn.Close()
	<-p.done
}

func (p *Peer) receive() {
	defer close(p.done)
	defer p.conn.Close()
	buf := make([]byte, 4096)
	for {
		n, err := p.conn.Read(buf)
		if err != nil {
			return
		}
		p.message(buf[:n])
	}
}

func (p *Peer) message(text []byte) {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
		Status *int            `json:"status"`
		reply
	}
	if json.Unmarshal(text, &m) != nil {
		p.lost.Add(1)
		return
	}
	if m.Status != nil {
		m.reply.Status = *m.Status
		p.take(m.ID, m.reply)
		return
	}
	var response any
	var err error
	if p.Handle != nil {
		response, err = p.Handle(m.Method, m.Params)
	}
	answer := map[string]any{"status": 0, "id": m.ID, "response": response}
	if err != nil {
		answer = map[string]any{"status": -2, "id": m.ID, "exception": err.Error()}
	}
	if text, err := json.Marshal(answer); err == nil {
		p.conn.Write(text)
	}
}

func (p *Peer) take(idText json.RawMessage, r reply) {
	var id int
	if json.Unmarshal(idText, &id) != nil {
		return
	}
	p.mu.Lock()
	waiting := p.waiting[id]
	delete(p.waiting, id)
	p.mu.Unlock()
	if waiting != nil {
		waiting <- r
	}
}

// Call sends a request and waits 10 s for its reply. Concurrent calls do not
// wait for each other.
func (p *Peer) Call(method string, params any) (json.RawMessage, error) {
	waiting := make(chan reply, 1)
	p.mu.Lock()
	p.lastID++
	id := p.lastID
	p.waiting[id] = waiting
	p.mu.Unlock()
	text, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	if _, err := p.conn.Write(text); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	select {
	case r := <-waiting:
		if r.Status != 0 {
			return nil, fmt.Errorf("status %d: %s", r.Status, r.Exception)
		}
		return r.Response, nil
	case <-p.done:
		return nil, errors.New("the connection ended")
	case <-timeout.C:
		return nil, fmt.Errorf("no reply to %s within 10 s", method)
	}
}
