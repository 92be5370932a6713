//go:build linux

package notify_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sigalert/agent/notify"
)

func TestNotify(t *testing.T) {
	const text = `a < b & "c" > <i>d</i>`
	const escaped = `a &lt; b &amp; "c" &gt; &lt;i&gt;d&lt;/i&gt;`
	for _, test := range []struct {
		name         string
		capabilities []string
		in           notify.Notification
		title, body  string
		urgency      byte
	}{
		{
			"markup", []string{"body", "body-markup"},
			notify.Notification{Title: text, Body: text},
			text, escaped, 1,
		},
		{
			"no markup", []string{"body"},
			notify.Notification{Title: text, Body: text, Urgency: notify.Low},
			text, text, 0,
		},
		{
			"no capabilities", nil,
			notify.Notification{Body: "only a body", Urgency: notify.Critical},
			"sigalert", "only a body", 2,
		},
		{
			"unsafe", nil,
			notify.Notification{Title: "a\x00\nb\xff", Body: "c\x00\nd\xff\x1b[1m"},
			"a b\ufffd", "c\nd\ufffd[1m", 1,
		},
		{
			"1 MiB", []string{"body-markup"},
			notify.Notification{Title: strings.Repeat("t", 1<<20), Body: strings.Repeat("&", 1<<20), Urgency: 77},
			strings.Repeat("t", 199) + "…", strings.Repeat("&amp;", 1999) + "…", 1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startBus(t).serve(t, &server{capabilities: test.capabilities})
			got := send(t, open(t), s, test.in)
			want := shown{
				AppName: "sigalert", Title: test.title, Body: test.body, Actions: []string{}, Timeout: -1, ID: 101,
				Hints: map[string]dbus.Variant{"urgency": dbus.MakeVariant(test.urgency), "desktop-entry": dbus.MakeVariant("sigalert")},
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(shown{}, "Sender"), cmp.Comparer(func(a, b dbus.Variant) bool {
				return a.String() == b.String()
			})); diff != "" {
				t.Errorf("the server got (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServer(t *testing.T) {
	b := startBus(t)
	d := open(t)
	if _, err := d.Server(within(t)); !errors.Is(err, notify.ErrNoDesktop) {
		t.Errorf("without a server: %v", err)
	}
	s := b.serve(t, &server{capabilities: []string{"body", "actions"}})
	want := notify.Server{Name: "testd", Vendor: "nobody", Version: "1.2", Capabilities: s.capabilities}
	for _, inhibited := range []any{nil, "no", false, true} {
		if inhibited != nil {
			props := prop.Map{serverName: {"Inhibited": {Value: inhibited}}}
			if _, err := prop.Export(s.conn, serverPath, props); err != nil {
				t.Fatal(err)
			}
		}
		want.Inhibited = inhibited == true
		got, err := d.Server(within(t))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, %v (-want +got):\n%s", inhibited, err, diff)
		}
	}
	s.conn.Close()
	b.serve(t, &server{})
	if got, err := d.Server(within(t)); err != nil || got.Capabilities == nil || len(got.Capabilities) > 0 {
		t.Errorf("the next server: %+v, %v", got, err)
	}
}

func TestOptions(t *testing.T) {
	s := startBus(t).serve(t, &server{})
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ app, icon, wantApp, wantIcon string }{
		{"", "", "sigalert", ""},
		{"other\x00", "mail-unread", "other", "mail-unread"},
		{"", "icons/a.png", "sigalert", filepath.Join(wd, "icons/a.png")},
		{"", "/a/b.png", "sigalert", "/a/b.png"},
		{"", "/a\xff.png", "sigalert", ""},
	} {
		d := notify.New(&notify.Options{AppName: test.app, Icon: test.icon})
		defer d.Close()
		got := send(t, d, s, notify.Notification{})
		if got.AppName != test.wantApp || got.Icon != test.wantIcon || got.Title != test.wantApp {
			t.Errorf("app %q, icon %q: the server got %+v", test.app, test.icon, got)
		}
		if got := send(t, d, s, notify.Notification{Icon: "dialog-error"}); got.Icon != "dialog-error" {
			t.Errorf("a notification's own icon is %q", got.Icon)
		}
	}
}

func TestReplaceByKey(t *testing.T) {
	s := startBus(t).serve(t, &server{})
	d := open(t)
	replaced := func(key string) uint32 {
		t.Helper()
		got := send(t, d, s, notify.Notification{Title: "x", Key: key})
		if got.key() != key {
			t.Errorf("hint %q for key %q", got.key(), key)
		}
		return got.Replaces
	}
	for _, step := range []struct {
		key  string
		want uint32
	}{
		{"a", 0}, {"", 0}, {"b", 0}, {"a", 101}, {"", 0}, {"b", 103}, {"a", 101},
	} {
		if got := replaced(step.key); got != step.want {
			t.Errorf("key %q replaces %d, want %d", step.key, got, step.want)
		}
	}
	for i := range 255 {
		replaced(fmt.Sprint("more", i))
	}
	if got := replaced("a"); got != 101 {
		t.Errorf("key a replaces %d after 255 others, want 101", got)
	}
	if got := replaced("b"); got != 0 {
		t.Errorf("key b replaces %d after 256 others, want it forgotten", got)
	}
}

func TestKeyForgotten(t *testing.T) {
	keyed, plain := notify.Notification{Title: "x", Key: "k"}, notify.Notification{Title: "x"}
	t.Run("closed", func(t *testing.T) {
		s := startBus(t).serve(t, &server{})
		d := open(t)
		first := send(t, d, s, keyed)
		s.close(t, first.ID+7)
		send(t, d, s, plain) // its answer follows the signal
		if got := send(t, d, s, keyed); got.Replaces != first.ID {
			t.Errorf("replaces %d after another's close, want %d", got.Replaces, first.ID)
		}
		s.close(t, first.ID)
		send(t, d, s, plain)
		if got := send(t, d, s, keyed); got.Replaces != 0 {
			t.Errorf("replaces %d, which is closed", got.Replaces)
		}
	})
	t.Run("closed before it was answered", func(t *testing.T) {
		s := startBus(t).serve(t, &server{answer: func(s *server, n shown) *dbus.Error {
			if n.Replaces == 0 {
				s.close(t, n.ID)
			}
			return nil
		}})
		d := open(t)
		for range 2 {
			if got := send(t, d, s, keyed); got.Replaces != 0 {
				t.Errorf("replaces %d, which is closed", got.Replaces)
			}
		}
	})
	t.Run("close said by a stranger", func(t *testing.T) {
		b := startBus(t)
		s, stranger := b.serve(t, &server{}), b.connect(t)
		d := open(t)
		first := send(t, d, s, keyed)
		sendSignal(t, stranger, string(first.Sender), "NotificationClosed", first.ID, uint32(2))
		send(t, d, s, plain)
		if got := send(t, d, s, keyed); got.Replaces != first.ID {
			t.Errorf("replaces %d, want %d", got.Replaces, first.ID)
		}
	})
	t.Run("server restarts", func(t *testing.T) {
		b := startBus(t)
		s := b.serve(t, &server{})
		d := open(t)
		send(t, d, s, keyed)
		s.conn.Close()
		s = b.serve(t, &server{capabilities: []string{"body-markup"}})
		got := send(t, d, s, notify.Notification{Body: "<", Key: "k"})
		if got.Replaces != 0 || got.Body != "&lt;" {
			t.Errorf("the new server got %+v, want nothing of the old one's", got)
		}
	})
}

func TestClick(t *testing.T) {
	const url = "https://a.example/?b=1&c=2"
	linked, plain := notify.Notification{Title: "x", URL: url}, notify.Notification{Title: "x"}
	// Each test gets a server, and what was opened so far: a notification's answer
	// follows the signals before it.
	for name, test := range map[string]func(*testing.T, *bus, *server, *notify.Desktop, func() string){
		"opens": func(t *testing.T, _ *bus, s *server, d *notify.Desktop, opened func() string) {
			got := send(t, d, s, linked)
			if diff := cmp.Diff([]string{"default", "Open"}, got.Actions); diff != "" || got.Body != "" {
				t.Errorf("the server got %+v", got)
			}
			s.click(t, got.ID, "default")
			s.click(t, got.ID, "other")
			s.click(t, got.ID+1, "default")
			if got := opened(); got != url {
				t.Errorf("opened %q", got)
			}
		},
		"closed before it says so": func(t *testing.T, _ *bus, s *server, d *notify.Desktop, opened func() string) {
			id := send(t, d, s, linked).ID
			s.close(t, id)
			s.click(t, id, "default")
			if got := opened(); got != url {
				t.Errorf("opened %q", got)
			}
		},
		"replaced": func(t *testing.T, _ *bus, s *server, d *notify.Desktop, opened func() string) {
			id := send(t, d, s, notify.Notification{Title: "x", URL: url, Key: "k"}).ID
			send(t, d, s, notify.Notification{Title: "x", URL: url + "2", Key: "k"})
			s.click(t, id, "default")
			if got := opened(); got != url+"2" {
				t.Errorf("opened %q", got)
			}
			send(t, d, s, notify.Notification{Title: "x", Key: "k"})
			s.click(t, id, "default")
			if got := opened(); got != "" {
				t.Errorf("opened %q, which was replaced", got)
			}
		},
		"another's": func(t *testing.T, b *bus, s *server, d *notify.Desktop, opened func() string) {
			first := send(t, d, s, linked)
			sendSignal(t, b.connect(t), string(first.Sender), "ActionInvoked", first.ID, "default")
			s.click(t, first.ID+1000, "default")
			if got := opened(); got != "" {
				t.Errorf("opened %q", got)
			}
		},
		"after 256 others": func(t *testing.T, _ *bus, s *server, d *notify.Desktop, opened func() string) {
			id := send(t, d, s, linked).ID
			for range 256 {
				send(t, d, s, linked)
			}
			s.click(t, id, "default")
			if got := opened(); got != "" {
				t.Errorf("opened %q", got)
			}
		},
		"server restarts": func(t *testing.T, b *bus, s *server, d *notify.Desktop, opened func() string) {
			send(t, d, s, linked)
			s.conn.Close()
			again := &server{capabilities: s.capabilities}
			b.serve(t, again)
			got := send(t, d, again, plain) // with the same number
			again.click(t, got.ID, "default")
			send(t, d, again, plain)
			s.conn = nil
			if got := opened(); got != "" {
				t.Errorf("opened %q, which the old server had", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBus(t)
			s := b.serve(t, &server{capabilities: []string{"actions", "body"}})
			clicked := make(chan string, 1000)
			d := openWith(t, &notify.Options{Responded: func(r notify.Response) { clicked <- r.URL }})
			test(t, b, s, d, func() string {
				if s.conn != nil {
					send(t, d, s, plain)
				}
				var all []string
				for len(clicked) > 0 {
					all = append(all, <-clicked)
				}
				return strings.Join(all, " ")
			})
		})
	}
}

// Where clicks are not reported, the address is there to read.
func TestAddressIsText(t *testing.T) {
	n := notify.Notification{Title: "x", Body: "a < b", URL: "https://a.example/?b=1&c=2"}
	for _, test := range []struct {
		capabilities []string
		responded    func(notify.Response)
		body         string
	}{
		{[]string{"body"}, func(notify.Response) {}, "a < b\nhttps://a.example/?b=1&c=2"},
		{[]string{"body-markup"}, func(notify.Response) {}, "a &lt; b\nhttps://a.example/?b=1&amp;c=2"},
		{[]string{"actions"}, nil, "a < b\nhttps://a.example/?b=1&c=2"},
	} {
		s := startBus(t).serve(t, &server{capabilities: test.capabilities})
		got := send(t, openWith(t, &notify.Options{Responded: test.responded}), s, n)
		if got.Body != test.body || len(got.Actions) > 0 {
			t.Errorf("%v: the server got %+v", test.capabilities, got)
		}
	}
}

// sendSignal sends a signal of the server's to one connection, and waits until the
// bus has passed it on.
func sendSignal(t *testing.T, from *dbus.Conn, to, member string, body ...any) {
	t.Helper()
	from.Send(&dbus.Message{
		Type: dbus.TypeSignal,
		Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldDestination: dbus.MakeVariant(to),
			dbus.FieldPath:        dbus.MakeVariant(serverPath),
			dbus.FieldInterface:   dbus.MakeVariant(serverName),
			dbus.FieldMember:      dbus.MakeVariant(member),
			dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(body...)),
		},
		Body: body,
	}, nil)
	if err := from.BusObject().Call("org.freedesktop.DBus.Peer.Ping", 0).Err; err != nil {
		t.Fatal(err)
	}
}

func TestResolved(t *testing.T) {
	b := startBus(t)
	s := b.serve(t, &server{toClose: make(chan uint32, 10)})
	d := open(t)
	id := send(t, d, s, notify.Notification{Title: "x", Key: "k"}).ID
	resolve := func(key string) {
		t.Helper()
		if receipt, err := d.Notify(within(t), notify.Notification{Title: "x", Key: key, Resolved: true}); err != nil || receipt.ID != 0 {
			t.Errorf("resolve %s: %+v, %v", key, receipt, err)
		}
	}
	resolve("other")
	resolve("k")
	if got := receive(t, s.toClose, "the call that closes it"); got != id {
		t.Errorf("closes %d, want %d", got, id)
	}
	s.close(t, id)
	send(t, d, s, notify.Notification{Title: "x"})
	resolve("k")
	if len(s.toClose)+len(s.shown) > 0 {
		t.Error("something is closed twice, or shown")
	}

	s.conn.Close()
	s = b.serve(t, &server{}) // refuses, as if it were closed and we did not know yet
	send(t, d, s, notify.Notification{Title: "x", Key: "k"})
	resolve("k")
}

// Its window would stay after it was closed.
func TestResolvedOnNotificationDaemon(t *testing.T) {
	b := startBus(t)
	s := b.serve(t, &server{name: "Notification Daemon", toClose: make(chan uint32, 10)})
	d := open(t)
	for _, resolved := range []bool{false, true} {
		if _, err := d.Notify(within(t), notify.Notification{Title: "x", Key: "k", Resolved: resolved}); err != nil {
			t.Fatal(err)
		}
	}
	first, last := receive(t, s.shown, "the notification"), receive(t, s.shown, "its end")
	if last.Replaces != first.ID || last.Timeout != 1 {
		t.Errorf("%+v does not end %d", last, first.ID)
	}
	if got := receive(t, s.toClose, "the call that closes it"); got != first.ID {
		t.Errorf("closes %d, want %d", got, first.ID)
	}
}

// It crashes if both the number and the key say what to replace.
func TestReplacingOnMako(t *testing.T) {
	s := startBus(t).serve(t, &server{name: "mako"})
	d := open(t)
	for _, want := range []string{"k", "", ""} {
		if _, err := d.Notify(within(t), notify.Notification{Title: "x", Key: "k"}); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, s.shown, "the notification"); got.key() != want || (got.Replaces == 0) != (want != "") {
			t.Errorf("replaces %d, with the key %q", got.Replaces, got.key())
		}
	}
}

func TestConcurrent(t *testing.T) {
	s := startBus(t).serve(t, &server{})
	d := open(t)
	const senders, each = 8, 20
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := range each {
				if _, err := d.Notify(within(t), notify.Notification{Title: fmt.Sprint(i, j), Key: fmt.Sprint(j % 3)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	last := make(map[string]uint32)
	for range senders * each {
		got := receive(t, s.shown, "the notification")
		if got.Replaces != last[got.key()] {
			t.Errorf("key %s replaces %d, want %d", got.key(), got.Replaces, last[got.key()])
		}
		last[got.key()] = got.ID
	}
}

func BenchmarkNotify(b *testing.B) {
	s := startBus(b).serve(b, &server{capabilities: []string{"body-markup"}})
	d := open(b)
	n := notify.Notification{Title: "ci: build", Body: "main is green", Key: "ci"}
	send(b, d, s, n)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Notify(b.Context(), n); err != nil {
			b.Fatal(err)
		}
		<-s.shown
	}
}
