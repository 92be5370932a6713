//go:build linux

package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// notification is one org.freedesktop.Notifications.Notify as it went over the bus.
type notification struct {
	at       time.Time
	id       uint32 // the server's answer
	replaces uint32
	title    string
	body     string
	icon     string
	urgency  byte // 0 low, 1 normal, 2 critical; 1 if not given
	err      string
}

func (n notification) String() string {
	return fmt.Sprintf("notification %d (replaces %d, urgency %d): %q: %q", n.id, n.replaces, n.urgency, n.title, n.body)
}

// is fails the test unless this is the notification's text.
func (n notification) is(t testing.TB, title, body string) {
	t.Helper()
	if n.title != title || n.body != body {
		t.Fatalf("got  %v\nwant title %q, body %q", n, title, body)
	}
}

// says fails the test unless the notification contains these words.
func (n notification) says(t testing.TB, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(n.title+"\n"+n.body, w) {
			t.Fatalf("got %v\nwithout %q", n, w)
		}
	}
}

// monitor sees every notification sent on a bus and what the server answered.
type monitor struct {
	sent *feed[notification] // in the order of the answers
	read int                 // how many next has passed; the test's goroutine only
	stop func()              // before the bus ends
}

// watch returns a monitor of the bus that sees all that comes after its return.
func watch(t testing.TB, address string) *monitor {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatalf("monitor: %v", err)
	}
	err = conn.BusObject().Call("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, []string{}, uint32(0)).Err
	if err != nil {
		conn.Close()
		t.Fatalf("monitor: %v", err)
	}
	// godbus drops what finds this channel full.
	messages := make(chan *dbus.Message, 1<<14)
	conn.Eavesdrop(messages)
	m := &monitor{
		sent: newFeed[notification](),
		stop: sync.OnceFunc(func() { stopEavesdropping(conn, messages) }),
	}
	t.Cleanup(m.stop)
	go m.collect(messages)
	return m
}

// stopEavesdropping closes the connection: godbus by itself may send on the channel that it has just closed.
func stopEavesdropping(conn *dbus.Conn, messages chan *dbus.Message) {
	conn.Eavesdrop(nil)
	close(messages)
	conn.Close()
}

func (m *monitor) collect(messages <-chan *dbus.Message) {
	type call struct {
		from   string
		serial uint32
	}
	open := map[call]notification{}
	for msg := range messages {
		switch msg.Type {
		case dbus.TypeMethodCall:
			if header(msg, dbus.FieldInterface) != "org.freedesktop.Notifications" || header(msg, dbus.FieldMember) != "Notify" {
				continue
			}
			n := notification{at: time.Now(), urgency: 1}
			var app string
			var actions []string
			var hints map[string]dbus.Variant
			var timeout int32
			if err := dbus.Store(msg.Body, &app, &n.replaces, &n.icon, &n.title, &n.body, &actions, &hints, &timeout); err != nil {
				n.err = err.Error()
			}
			if u, ok := hints["urgency"].Value().(byte); ok {
				n.urgency = u
			}
			open[call{header(msg, dbus.FieldSender), msg.Serial()}] = n
		case dbus.TypeMethodReply, dbus.TypeError:
			serial, _ := msg.Headers[dbus.FieldReplySerial].Value().(uint32)
			c := call{header(msg, dbus.FieldDestination), serial}
			n, ok := open[c]
			if !ok {
				continue
			}
			delete(open, c)
			if msg.Type == dbus.TypeError {
				n.err = header(msg, dbus.FieldErrorName)
			} else {
				dbus.Store(msg.Body, &n.id)
			}
			m.sent.add(n)
		}
	}
}

func header(msg *dbus.Message, f dbus.HeaderField) string {
	s, _ := msg.Headers[f].Value().(string)
	return s
}

// next returns the next notification that the server took. It passes none
// over, so that a test which checks each also proves that no other came.
func (m *monitor) next(t testing.TB) notification {
	t.Helper()
	n, ok := m.within(patience)
	if !ok {
		t.Fatalf("no notification within %v", patience)
	}
	return n
}

// pass passes all notifications that are there.
func (m *monitor) pass() {
	sent, _ := m.sent.from(0)
	m.read = len(sent)
}

func (m *monitor) within(d time.Duration) (notification, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	n, i, ok := m.sent.wait(ctx, m.read, func(n notification) bool { return n.err == "" })
	if ok {
		m.read = i + 1
	}
	return n, ok
}
