package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"sigalert/internal/wait"
)

const (
	maxConns   = 64
	maxLarge   = 4 // answers under way that may be large
	maxRequest = 64 << 10
	maxAnswer  = 4 << 20

	askTime    = 10 * time.Second       // for a whole request to arrive
	doTime     = 15 * time.Second       // for a method
	readTime   = 10 * time.Second       // for an answer to be read
	lastTime   = 500 * time.Millisecond // the same, once the server is to end
	acceptWait = 100 * time.Millisecond // after a connection that could not be accepted
)

// Method does what a request asks for. The result becomes JSON. Several goroutines may
// call it at once; it must return soon after ctx has ended.
type Method func(ctx context.Context, params json.RawMessage) (result any, err error)

// Handler is a method whose params are a P; without any, it is P's zero value. A member
// that P does not have is an error: to ignore it would be to do something else than what
// was asked.
func Handler[P any](f func(ctx context.Context, params P) (result any, err error)) Method {
	return func(ctx context.Context, text json.RawMessage) (any, error) {
		var params P
		if len(text) > 0 {
			if err := strict(text, &params); err != nil {
				return nil, fmt.Errorf("params: %w", err)
			}
		}
		return f(ctx, params)
	}
}

type request struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// Server answers requests.
type Server struct {
	// Large are the methods whose answers may have megabytes. At most 4 of them are under
	// way at once, until the client has read the answer, so that those who do not read
	// take no more memory. Default: none.
	Large []string

	listener net.Listener
	large    chan struct{} // holds a token for each of them

	mu    sync.Mutex // guards the fields below
	owing []net.Conn // those whose request has yet to arrive, the one that has owed it for longest first
	busy  int        // how many others there are
	ended bool
}

// Listen makes the socket at path, in place of one that is there: the caller must hold
// a lock that says that no other server needs it. Connections wait for Serve.
func Listen(path string) (*Server, error) {
	l, err := listen(path)
	if err != nil {
		return nil, err
	}
	return newServer(l), nil
}

func newServer(l net.Listener) *Server {
	return &Server{listener: l, large: make(chan struct{}, maxLarge)}
}

// Close closes the socket. Its file stays, for it may be another server's by now.
func (s *Server) Close() { s.listener.Close() }

// Serve answers requests until ctx ends. Then it closes the socket, lets methods
// return, and returns once all connections are closed; that takes as long as the
// methods do, and half a second. It may be called once.
func (s *Server) Serve(ctx context.Context, methods map[string]Method) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer s.end()
	defer context.AfterFunc(ctx, s.end)()
	for ctx.Err() == nil {
		conn, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			wait.Sleep(ctx, acceptWait, nil)
			continue
		}
		if err := s.admit(conn); err != nil {
			refuse(conn, err)
			continue
		}
		tasks.Go(func() { s.converse(ctx, conn, methods) })
	}
}

// end closes the connections that are owed nothing.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.listener.Close()
	for _, conn := range s.owing {
		conn.Close()
	}
}

var (
	errBusy  = errors.New("too many requests at once: try again")
	errEnded = errors.New("it is ending")
)

// admit takes a new connection, if need be in place of one that owes a request.
func (s *Server) admit(conn net.Conn) error {
	if err := checkPeer(conn); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.owing)+s.busy >= maxConns {
		if len(s.owing) == 0 {
			return errBusy
		}
		s.owing[0].Close()
		s.owing = s.owing[1:]
	}
	return s.owe(conn)
}

// owe notes, under the lock, that a request is to come.
func (s *Server) owe(conn net.Conn) error {
	if s.ended {
		return errEnded
	}
	_ = conn.SetReadDeadline(time.Now().Add(askTime))
	s.owing = append(s.owing, conn)
	return nil
}

// settled notes that a request has come, or will not; false: the connection has had to
// make way.
func (s *Server) settled(conn net.Conn, came bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.owing, conn)
	if i < 0 {
		return false
	}
	s.owing = slices.Delete(s.owing, i, i+1)
	if came {
		s.busy++
	}
	return true
}

// answered notes that a request has been answered.
func (s *Server) answered(conn net.Conn, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	if err != nil {
		return err
	}
	return s.owe(conn)
}

// refuse says why, if the other side can take it at once.
func refuse(conn net.Conn, why error) {
	defer conn.Close()
	_ = conn.SetWriteDeadline(time.Now().Add(acceptWait))
	_, _ = conn.Write(failure(why).line())
}

// converse answers one request after the other.
func (s *Server) converse(ctx context.Context, conn net.Conn, methods map[string]Method) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, maxRequest)
	for {
		came, err := lines.Scan(), lines.Err()
		tooLong := errors.Is(err, bufio.ErrTooLong)
		came = came && err == nil || tooLong // a part of a line is none
		if !s.settled(conn, came) || !came {
			return
		}
		write := func(a answer) {
			limit := readTime
			if ctx.Err() != nil {
				limit = lastTime
			}
			_ = conn.SetWriteDeadline(time.Now().Add(limit))
			if _, werr := conn.Write(a.line()); err == nil {
				err = werr
			}
		}
		if tooLong {
			write(failure(fmt.Errorf("the request is longer than %d KiB", maxRequest>>10)))
		} else {
			s.respond(ctx, lines.Bytes(), methods, write)
		}
		if s.answered(conn, err) != nil {
			return
		}
	}
}

// respond does what a request asks for, and writes the answer.
func (s *Server) respond(ctx context.Context, line []byte, methods map[string]Method, write func(answer)) {
	var r request
	if err := strict(line, &r); err != nil {
		write(failure(fmt.Errorf(`a request is a line such as {"method": "NAME", "params": {…}}: %w`, err)))
		return
	}
	method, ok := methods[r.Method]
	if !ok {
		known := slices.Sorted(maps.Keys(methods))
		write(failure(fmt.Errorf("unknown method %q: the methods are %s", r.Method, strings.Join(known, ", "))))
		return
	}
	if slices.Contains(s.Large, r.Method) {
		select {
		case s.large <- struct{}{}:
			defer func() { <-s.large }()
		default:
			write(failure(errBusy))
			return
		}
	}
	write(do(ctx, method, r.Params))
}

func do(ctx context.Context, method Method, params json.RawMessage) answer {
	ctx, cancel := context.WithTimeout(ctx, doTime)
	defer cancel()
	result, err := method(ctx, params)
	if err != nil {
		return failure(err)
	}
	text, err := encode(result)
	switch {
	case err != nil:
		return failure(err)
	case len(text) > maxAnswer:
		return failure(fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20))
	}
	return answer{Result: text}
}

func failure(err error) answer { return answer{Error: err.Error()} }

// line is the answer as it is sent.
func (a answer) line() []byte {
	text, _ := encode(a) // the result has been encoded before
	return append(text, '\n')
}

// encode leaves <, > and & as they are, for people.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// strict decodes one JSON value, all of whose members v has.
func strict(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("there is something after the JSON value")
	}
	return nil
}
