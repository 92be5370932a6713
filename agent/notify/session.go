//go:build linux || freebsd || netbsd || openbsd

package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	busName           = "org.freedesktop.DBus"
	notifications     = "org.freedesktop.Notifications"
	notificationsPath = dbus.ObjectPath("/org/freedesktop/Notifications")
)

var (
	errBusLost    = errors.New("lost the session bus")
	errNoServer   = errors.New("no notification server runs on the session bus")
	errBadReply   = errors.New("unusable reply")
	errServerGone = errors.New("the notification server went away")
)

// server is one owner of the name org.freedesktop.Notifications.
type server struct {
	Server
	owner string // its unique name on the bus; empty if not known
	id    string // the bus and owner, of which no other server has both
	label string // such as "dunst 1.9.0 (knopwob)"

	markup  bool // it reads the body as markup
	actions bool // it reports clicks, and somebody is interested
	replies bool // it reports what is typed
	sounds  bool // it plays sounds
}

// session is one connection to the bus, with what was learned over it. Calls of
// its methods must take turns.
type session struct {
	conn *dbus.Conn
	sock *socket

	mu      sync.Mutex     // guards the fields below, which the connection's reader changes
	respond func(Response) // as in Options; nil: nobody is interested
	server  server
	earlier *Screen                  // what another session has shown; nil: it has been looked at
	changes int                      // of the server, so far
	keys    recent[string, uint32]   // the ids that server gave for keys
	shown   recent[uint32, *tracked] // by their ids: closed ones too, for a click may close first
	early   []answer                 // since the last Notify was sent: one may be read before the id is known
}

func newSession(ctx context.Context, address string, respond func(Response)) (*session, error) {
	s := &session{respond: respond}
	var err error
	if s.conn, s.sock, err = dialBus(ctx, address, s); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("dial the session bus: %w", ended(ctx))
		}
		return nil, fmt.Errorf("%w: dial the session bus: %w: start it from a running desktop session", ErrNoDesktop, err)
	}
	for _, rule := range []string{
		"type='signal',sender='" + busName + "',member='NameOwnerChanged',arg0='" + notifications + "'",
		"type='signal',sender='" + notifications + "',interface='" + notifications + "'",
	} {
		if err := s.call(ctx, busName, "/org/freedesktop/DBus", busName+".AddMatch", []any{rule}); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// close ends the connection, and with it godbus's reader. Afterwards nothing is reported.
func (s *session) close() {
	s.mu.Lock()
	s.respond = nil
	s.mu.Unlock()
	s.sock.Close() // first: godbus's Close waits for a write under way
	s.conn.Close()
}

// known returns the server; the zero value if it is not known.
func (s *session) known() server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server
}

// forgetServer needs s.mu.
func (s *session) forgetServer() {
	s.server = server{}
	s.changes++
	s.keys, s.shown = recent[string, uint32]{}, recent[uint32, *tracked]{}
}

// lookup returns the server; if it is not known, it asks the bus.
func (s *session) lookup(ctx context.Context) (server, error) {
	for {
		s.mu.Lock()
		known, changes := s.server, s.changes
		s.mu.Unlock()
		if known.owner != "" {
			return known, nil
		}
		found, err := s.findServer(ctx)
		if err != nil {
			return server{}, fmt.Errorf("look up the notification server: %w", err)
		}
		s.mu.Lock()
		if s.changes == changes {
			s.server = found
			s.recall()
		}
		s.mu.Unlock()
	}
}

// recall takes over what was shown before, if this is the server that has it. It needs
// s.mu.
func (s *session) recall() {
	if s.earlier == nil {
		return
	}
	if s.earlier.Server == s.server.id && s.server.id != "" {
		for _, o := range s.earlier.Shown {
			if o.Key != "" {
				s.keys.put(o.Key, o.ID)
			}
			if s.respond != nil && (o.Ref != 0 || o.URL != "") {
				s.shown.put(o.ID, &tracked{ref: o.Ref, url: o.URL, buttons: o.Buttons, reply: o.Reply - 1})
			}
		}
	}
	s.earlier = nil
}

// screen is what the server may still show; without a server, nothing.
func (s *session) screen() Screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := Screen{Server: s.server.id}
	keys := make(map[uint32]string, len(s.keys.entries))
	for _, e := range s.keys.entries {
		keys[e.value] = e.key
	}
	for _, e := range s.shown.entries {
		if t := e.value; !t.closed {
			all.Shown = append(all.Shown, OnScreen{ID: e.key, Key: keys[e.key], Ref: t.ref, URL: t.url, Buttons: t.buttons, Reply: t.reply + 1})
			delete(keys, e.key)
		}
	}
	for _, e := range s.keys.entries {
		if keys[e.value] == e.key {
			all.Shown = append(all.Shown, OnScreen{ID: e.value, Key: e.key})
		}
	}
	return all
}

// findServer starts a server if none is running and the bus knows one to start.
func (s *session) findServer(ctx context.Context) (server, error) {
	var found server
	bus := func(method string, args []any, results ...any) error {
		return s.call(ctx, busName, "/org/freedesktop/DBus", busName+"."+method, args, results...)
	}
	err := bus("GetNameOwner", []any{notifications}, &found.owner)
	if isRefusal(err) {
		var outcome uint32
		if err = bus("StartServiceByName", []any{notifications, uint32(0)}, &outcome); err == nil {
			err = bus("GetNameOwner", []any{notifications}, &found.owner)
		}
	}
	if isRefusal(err) {
		return server{}, fmt.Errorf("%w: %w", errNoServer, err)
	}
	if err != nil {
		return server{}, err
	}

	var guid string
	if err := bus("GetId", nil, &guid); err != nil {
		return server{}, err
	}
	found.id = guid + " " + found.owner

	// A server that cannot say what it is can still show something.
	var spec string
	err = s.ask(ctx, found.owner, notifications+".GetServerInformation", nil, &found.Name, &found.Vendor, &found.Version, &spec)
	if err == nil {
		err = s.ask(ctx, found.owner, notifications+".GetCapabilities", nil, &found.Capabilities)
	}
	if err != nil {
		return server{}, err
	}
	for _, text := range []*string{&found.Name, &found.Vendor, &found.Version} {
		*text = cleanTitle(*text, "")
	}
	found.label = label(found.Server)
	found.markup = slices.Contains(found.Capabilities, "body-markup")
	found.actions = s.respond != nil && slices.Contains(found.Capabilities, "actions")
	found.replies = slices.Contains(found.Capabilities, replyKey)
	found.sounds = slices.Contains(found.Capabilities, "sound")
	return found, nil
}

// ask is a call of the server that need not answer it, or not as expected.
func (s *session) ask(ctx context.Context, owner, method string, args []any, results ...any) error {
	err := s.call(ctx, owner, notificationsPath, method, args, results...)
	if errors.Is(err, errServerGone) || !isRefusal(err) && !errors.Is(err, errBadReply) {
		return err
	}
	return nil
}

func label(s Server) string {
	label := strings.TrimSpace(s.Name + " " + s.Version)
	if s.Vendor != "" {
		label += " (" + s.Vendor + ")"
	}
	return cleanTitle(label, "a notification server")
}

// describe also asks whether the server shows nothing at present. There is no standard for that: the property
// of KDE and Xfce, then dunst's.
func (s *session) describe(ctx context.Context) (Server, error) {
	srv, err := s.lookup(ctx)
	if err != nil {
		return Server{}, err
	}
	for _, property := range [][]any{{notifications, "Inhibited"}, {"org.dunstproject.cmd0", "paused"}} {
		var value dbus.Variant
		err := s.ask(ctx, srv.owner, "org.freedesktop.DBus.Properties.Get", property, &value)
		if err != nil {
			return Server{}, err
		}
		if inhibited, ok := value.Value().(bool); ok && inhibited {
			srv.Inhibited = true
		}
	}
	return srv.Server, nil
}

// notify shows n, whose text is clean, or closes what it resolves.
func (s *session) notify(ctx context.Context, n Notification, appName, icon string) (Receipt, error) {
	srv, err := s.lookup(ctx)
	if err != nil {
		return Receipt{}, err
	}
	s.mu.Lock()
	replaces := s.keys.get(n.Key)
	s.early = s.early[:0]
	s.mu.Unlock()
	receipt := Receipt{Via: srv.label + " over D-Bus"}
	if n.Resolved {
		if replaces != 0 {
			err = s.withdraw(ctx, srv, replaces)
		}
		if isRefusal(err) && !errors.Is(err, errServerGone) {
			err = nil // it is closed already
		}
		return receipt, err
	}

	if !srv.actions {
		n = n.spelledOut()
	}
	if srv.markup {
		n.Body = escapeMarkup(n.Body)
	}
	t, actions := srv.offer(n)
	var id uint32
	err = s.call(ctx, srv.owner, notificationsPath, notifications+".Notify",
		[]any{appName, replaces, icon, n.Title, n.Body, actions, srv.hints(n, t, replaces), expireTimeout(n.Timeout)}, &id)
	if errors.Is(err, errBadReply) {
		err = nil // it took the notification
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.server.owner == srv.owner
	switch {
	case errors.Is(err, errServerGone) && current:
		s.forgetServer()
	case err == nil && current && id != 0:
		if closed := s.track(id, t); n.Key != "" && !closed {
			s.keys.put(n.Key, id)
		}
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("%s: %w", srv.label, err)
	}
	receipt.ID = id
	return receipt, nil
}

// withdraw closes a notification. GNOME's notification-daemon forgets it then, and leaves
// its window where it is, unless the notification is about to expire.
func (s *session) withdraw(ctx context.Context, srv server, id uint32) error {
	if srv.Name == "Notification Daemon" {
		hints := map[string]dbus.Variant{"suppress-sound": dbus.MakeVariant(true)}
		err := s.call(ctx, srv.owner, notificationsPath, notifications+".Notify",
			[]any{"", id, "", " ", "", []string{}, hints, expireTimeout(time.Millisecond)}, &id)
		if err != nil {
			return err
		}
	}
	return s.call(ctx, srv.owner, notificationsPath, notifications+".CloseNotification", []any{id})
}

// call waits for the reply, but never longer than until ctx ends. Its error is
// ctx's, or wraps errBusLost, errServerGone, errBadReply or the dbus.Error in the
// reply.
func (s *session) call(ctx context.Context, to string, path dbus.ObjectPath, method string, args []any, results ...any) error {
	release := s.sock.boundWrites(ctx)
	defer release()
	reply := s.conn.Object(to, path).CallWithContext(ctx, method, 0, args...)
	var refusal dbus.Error
	switch {
	case reply.Err == nil:
		if err := reply.Store(results...); err != nil {
			return fmt.Errorf("%w: %w", errBadReply, err)
		}
		return nil
	case errors.As(reply.Err, &refusal):
		if to != busName && isGone(refusal) {
			return fmt.Errorf("%w: %w", errServerGone, refusal)
		}
		return brief{refusal}
	case ctx.Err() != nil:
		return fmt.Errorf("no answer: %w", ended(ctx))
	default:
		return fmt.Errorf("%w: %w", errBusLost, reply.Err)
	}
}

// isRefusal reports whether err is an answer from the bus or the server.
func isRefusal(err error) bool {
	var refusal dbus.Error
	return errors.As(err, &refusal)
}

// isGone reports whether refusal, which the bus sent in place of a program, says
// that the program has left the bus.
func isGone(refusal dbus.Error) bool {
	switch refusal.Name {
	case "org.freedesktop.DBus.Error.ServiceUnknown",
		"org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.NoReply":
		return true
	}
	return false
}
