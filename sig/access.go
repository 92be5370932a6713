package sig

import (
	"context"
	"crypto/x509"
	"errors"
	"time"
)

// An Access decides who may use a server, and for what. A nil Access lets everybody
// do everything.
type Access interface {
	// Admit returns the rights of a caller. The error is for the log: the caller
	// learns only that it is not admitted.
	Admit(Caller) (Rights, error)
}

// Caller is somebody who asks for rights.
type Caller struct {
	Token string // "": none was given
	// Certificate is the caller's, which an authority of the server's has signed; nil:
	// none was given.
	Certificate *x509.Certificate
	Peer        string // the address that it calls from
	Private     bool   // over a [PrivateConn]: nobody else can read the token
}

// Rights are what one caller may do. They never change: when they are to, they end,
// and the caller's connections end with them.
type Rights interface {
	// Holder is who has the rights, for logs. Only the same holder can take over from
	// an earlier connection.
	Holder() string
	// May reports whether its holder may do something. It must not depend on who is
	// connected to the server: a refusal would otherwise say so. It is called while the
	// router is locked, and must neither wait nor call the router.
	May(do Action, sender, event Name) bool
	// Context ends when the rights do.
	Context() context.Context
}

// Action is something that requires a right.
type Action int

const (
	// ToHear is to get an event of a sender, where the zero Name stands for every one:
	// all of them must be allowed. That includes the sender's broadcast.
	ToHear Action = iota
	// ToListen is to register a listener, where the zero Name stands for every one. It
	// is allowed if the listener can hear anything at all, and what it may not hear
	// does not reach it.
	ToListen
	// ToPublish is to publish an event under the sender's name; the zero event is the
	// sender's broadcast.
	ToPublish
	// ToConnect is to be connected as the sender: to have its name, to send all of its
	// events and to answer its requests. There is no event.
	ToConnect
	// ToAsk is to send requests to the sender. There is no event.
	ToAsk
	// ToAdminister is to see who uses the server, and to disconnect them. There is neither
	// sender nor event.
	ToAdminister
	// ToSee is to learn that the sender or the event is there, where the zero Name
	// stands for any.
	ToSee
)

// nobody has the rights of those who have not been admitted.
type nobody struct{ why error }

func (nobody) Holder() string               { return "" }
func (nobody) May(_ Action, _, _ Name) bool { return false }
func (nobody) Context() context.Context     { return context.Background() }

// Admit returns the rights of a caller; nil if the server has no [Access], and everybody
// may do everything. The error, ErrNotAdmitted or ErrTooFast, is for the caller.
func (s *ServerRouter) Admit(c Caller) (Rights, error) {
	if s.opts.Access == nil {
		return nil, nil
	}
	if err := s.mayLogIn(c); err != nil {
		s.turnAway(c.Peer, err)
		return nil, err
	}
	var rights Rights
	err := errExpired
	if c.Certificate == nil || time.Now().Before(c.Certificate.NotAfter) {
		rights, err = s.opts.Access.Admit(c)
	}
	s.loggedIn(c, err == nil)
	if err == nil {
		return rights, nil
	}
	s.turnAway(c.Peer, err)
	return nil, errNotAdmitted
}

var errExpired = errors.New("its certificate has expired")

// turnAway notes that somebody was not admitted.
func (s *ServerRouter) turnAway(peer string, err error) {
	if n := int(s.notAdmitted.Add(1)); rare(n) {
		s.log.Warn("a client was not admitted", "client", peer, "err", err, "count", n)
	}
}

// Guarded reports whether the server has an [Access].
func (s *ServerRouter) Guarded() bool { return s.opts.Access != nil }

// Allow returns ErrNotAllowed unless the rights, as Admit returns them, include this and
// have not ended.
func Allow(rights Rights, do Action, sender, event Name) error {
	if rights != nil && (rights.Context().Err() != nil || !rights.May(do, sender, event)) {
		return ErrNotAllowed
	}
	return nil
}

// admit gives the client its rights, by its first message. The connection ends with
// them, and with the certificate that it was made with: it could not be made again.
func (c *session) admit(first request) {
	caller := c.caller(first)
	rights, err := c.server.Admit(caller)
	if err != nil {
		rights = nobody{err}
	}
	c.endRights = c.grant(rights, caller.Certificate)
}

// grant gives the client rights, and has them end it. End ends the wait for that.
func (c *session) grant(rights Rights, certificate *x509.Certificate) (end func()) {
	c.rights = rights
	c.server.charge(c)
	if rights == nil {
		return func() {}
	}
	ctx, cancel := rights.Context(), func() {}
	if certificate != nil {
		ctx, cancel = context.WithDeadline(ctx, certificate.NotAfter)
	}
	stop := context.AfterFunc(ctx, func() { c.peer.conn.Close() })
	return func() {
		stop()
		cancel()
	}
}

// caller is who the client is, by its first message.
func (c *session) caller(first request) Caller {
	conn := c.peer.conn
	caller := Caller{Peer: conn.Peer(), Private: isPrivate(conn)}
	if string(first.method) == "get_version" {
		if token, ok := nameOf(member(first.params, "token")); ok {
			caller.Token = token.String()
		}
	}
	if conn, ok := conn.(CertifiedConn); ok {
		caller.Certificate = conn.Certificate()
	}
	return caller
}

// allow is asked before anything that depends on who is there.
func (c *session) allow(do Action, sender, event Name) error {
	if Allow(c.rights, do, sender, event) != nil {
		return errNotAllowed
	}
	return nil
}

// may is allow for what is left out rather than refused.
func (c *session) may(do Action, sender, event Name) bool {
	return c.rights == nil || c.rights.May(do, sender, event)
}

// hearsAll reports whether the client may hear everything that the listeners are for.
// Of the events that are forgotten only these can be counted.
func (c *session) hearsAll(listeners []*Listener) bool {
	if c.rights == nil {
		return true
	}
	for _, l := range listeners {
		if !c.may(ToHear, l.sender, l.event) {
			return false
		}
	}
	return true
}

// counting returns the listeners by which to count what is forgotten: as long as those of
// the client are for more than it may hear, one for everything, so that whether anything
// was missed says nothing of any sender.
func (c *session) counting(listeners []*Listener) []*Listener {
	if c.hearsAll(listeners) {
		return listeners
	}
	return []*Listener{{client: new(clientListener)}}
}

// sees filters a sender's events, or with the zero Name the router's, for a list.
func (c *session) sees(sender Name, events []Name) []Name {
	if c.rights == nil {
		return events
	}
	var seen []Name
	for _, e := range events {
		if e.IsEvery() || isBuiltIn(e) || c.rights.May(ToSee, sender, e) {
			seen = append(seen, e)
		}
	}
	return seen
}
