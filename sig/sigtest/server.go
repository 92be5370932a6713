package sigtest

import (
	"encoding/json"
	"net"
	"sync"

	"sigalert/sig"
)

// PysigServer is a server on real TCP that behaves as pysig's does on the
// wire, with a sig.Router behind it.
type PysigServer struct {
	// Router has the senders and listeners; trigger events on it for clients to
	// hear.
	Router *sig.Router

	listener net.Listener
	conns    sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	peers  []*Peer
	nextID int
	lost   int
}

// NewPysigServer serves on addr until Close.
func NewPysigServer(addr string) (*PysigServer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &PysigServer{Router: new(sig.Router), listener: l, nextID: 1000}
	s.conns.Go(s.accept)
	return s, nil
}

// Addr returns the server's address, as host:port.
func (s *PysigServer) Addr() string { return s.listener.Addr().String() }

// Lost returns how many reads, of all its clients, did not hold exactly one
// message.
func (s *PysigServer) Lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := s.lost
	for _, p := range s.peers {
		lost += p.Lost()
	}
	return lost
}

// Cut ends all connections.
func (s *PysigServer) Cut() {
	s.mu.Lock()
	peers := s.peers
	s.peers = nil
	for _, p := range peers {
		s.lost += p.Lost()
	}
	s.mu.Unlock()
	for _, p := range peers {
		p.conn.Close()
	}
}

// Close ends the server and its connections.
func (s *PysigServer) Close() {
	s.listener.Close()
	s.Cut()
	s.conns.Wait()
}

func (s *PysigServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		c := &pysigClient{server: s, ready: make(chan struct{}), listeners: make(map[int]*sig.Listener), senders: make(map[string]*sig.Sender)}
		c.peer = NewPeer(conn, c.handle)
		close(c.ready)
		s.mu.Lock()
		s.peers = append(s.peers, c.peer)
		s.mu.Unlock()
		s.conns.Go(func() {
			<-c.peer.Done()
			for _, l := range c.listeners {
				_ = s.Router.RemoveListener(l)
			}
			for _, sender := range c.senders {
				_ = s.Router.RemoveSender(sender)
			}
		})
	}
}

// pysigClient is the server's side of a connection. Its maps belong to the
// connection's reading goroutine.
type pysigClient struct {
	server    *PysigServer
	peer      *Peer
	ready     chan struct{} // closed once peer is set
	listeners map[int]*sig.Listener
	senders   map[string]*sig.Sender
}

func (c *pysigClient) handle(method string, params json.RawMessage) (any, error) {
	<-c.ready
	var p struct {
		Sender, Event sig.Name
		Events        []sig.Name
		ListenerID    int `json:"listener_id"`
		Info          struct{ Sender, Event sig.Name }
		Data          json.RawMessage
		ListEvents    bool `json:"list_events"`
	}
	if len(params) > 0 {
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, err
		}
	}
	router := c.server.Router
	switch method {
	case "get_version":
		return sig.Version, nil
	case "add_sender":
		s, err := router.AddSender(p.Sender, p.Events...)
		if err != nil {
			return nil, refusal("sender " + p.Sender.String() + " is already connected")
		}
		c.senders[p.Sender.String()] = s
	case "remove_sender":
		s := c.senders[p.Sender.String()]
		delete(c.senders, p.Sender.String())
		return nil, router.RemoveSender(s)
	case "signal":
		s := router.Sender(p.Info.Sender)
		if s == nil {
			return nil, refusal("sender " + p.Info.Sender.String() + " not found")
		}
		sg, err := s.Signal(p.Info.Event)
		if err != nil {
			return nil, refusal("'NoneType' object has no attribute 'trigger'")
		}
		return nil, sg.Trigger(sig.JSONData(p.Data))
	case "add_listener":
		return c.addListener(p.Sender, p.Event)
	case "remove_listener":
		l := c.listeners[p.ListenerID]
		delete(c.listeners, p.ListenerID)
		if l == nil {
			return nil, refusal("Listener not found")
		}
		if router.RemoveListener(l) != nil {
			return nil, refusal("Failed to remove from router")
		}
	}
	return nil, nil
}

func (c *pysigClient) addListener(sender, event sig.Name) (any, error) {
	c.server.mu.Lock()
	c.server.nextID++
	id := c.server.nextID
	c.server.mu.Unlock()
	// pysig's trigger waits for each listener's reply.
	l, err := c.server.Router.AddListener(sender, event, func(ev sig.Event) {
		data, err := ev.Data.JSON()
		if err != nil {
			return
		}
		_, _ = c.peer.Call("signal", map[string]any{
			"listener_id": id,
			"info":        map[string]any{"sender": ev.Sender, "event": ev.Event},
			"data":        data,
		})
	})
	if err != nil {
		return nil, refusal("Failed to add to router")
	}
	c.listeners[id] = l
	return map[string]any{"listener_id": id}, nil
}

type refusal string

func (r refusal) Error() string { return string(r) }
