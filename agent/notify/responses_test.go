//go:build linux

package notify_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
)

// listening is a desktop with what was reported so far.
type listening struct {
	*notify.Desktop
	s         *server
	responses chan notify.Response
}

func listen(t testing.TB, s *server) *listening {
	t.Helper()
	l := &listening{s: s, responses: make(chan notify.Response, 10_000)}
	l.Desktop = openWith(t, &notify.Options{Responded: func(r notify.Response) { l.responses <- r }})
	return l
}

// expect compares what was reported since the last time. A notification's answer follows the signals before it.
func (l *listening) expect(t testing.TB, want ...notify.Response) {
	t.Helper()
	send(t, l.Desktop, l.s, notify.Notification{Title: "x"})
	var got []notify.Response
	for len(l.responses) > 0 {
		got = append(got, <-l.responses)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
}

func (s *server) emit(t testing.TB, member string, args ...any) {
	t.Helper()
	if err := s.conn.Emit(serverPath, serverName+"."+member, args...); err != nil {
		t.Error(err)
	}
}

func (s *server) end(t testing.TB, id, reason uint32) {
	t.Helper()
	s.emit(t, "NotificationClosed", id, reason)
}

var allActions = []string{"actions", "inline-reply"}

func TestResponses(t *testing.T) {
	buttons := []notify.Action{{Label: "Open door"}, {Label: "Answer", Reply: true}, {Label: "Later"}, {Label: "Again", Reply: true}}
	n := notify.Notification{Title: "x", Ref: 7, URL: "https://a.example/", Actions: buttons}
	for name, test := range map[string]func(*testing.T, *listening){
		"all, in order": func(t *testing.T, l *listening) {
			id := send(t, l.Desktop, l.s, n).ID
			l.s.emit(t, "NotificationReplied", id, "yes\x1b\nplease"+strings.Repeat("!", 3000))
			l.s.click(t, id, "2")
			l.s.click(t, id, "0")
			l.s.end(t, id, 2)
			l.s.click(t, id, "default") // some servers say so last
			l.s.end(t, id, 1)
			l.expect(t,
				notify.Response{Ref: 7, Kind: notify.Replied, Action: 1, Text: "yes\nplease" + strings.Repeat("!", 1989) + "…"},
				notify.Response{Ref: 7, Kind: notify.Acted, Action: 2},
				notify.Response{Ref: 7, Kind: notify.Acted},
				notify.Response{Ref: 7, Kind: notify.Dismissed},
				notify.Response{Ref: 7, Kind: notify.Clicked, URL: n.URL},
			)
		},
		"reasons": func(t *testing.T, l *listening) {
			for _, reason := range []uint32{0, 1, 2, 3, 4, 5, math.MaxUint32} {
				l.s.end(t, send(t, l.Desktop, l.s, notify.Notification{Ref: uint64(reason) + 1}).ID, reason)
			}
			l.expect(t,
				notify.Response{Ref: 1, Kind: notify.Withdrawn},
				notify.Response{Ref: 2, Kind: notify.Expired},
				notify.Response{Ref: 3, Kind: notify.Dismissed},
				notify.Response{Ref: 4, Kind: notify.Withdrawn},
				notify.Response{Ref: 5, Kind: notify.Withdrawn},
				notify.Response{Ref: 6, Kind: notify.Withdrawn},
				notify.Response{Ref: 1 << 32, Kind: notify.Withdrawn},
			)
		},
		"what was not offered": func(t *testing.T, l *listening) {
			id := send(t, l.Desktop, l.s, n).ID
			for _, key := range []string{"1", "3", "4", "63", "64", "-1", "+0", "", "0x0", "99999999999999999999", "inline-reply", strings.Repeat("9", 1<<20)} {
				l.s.click(t, id, key)
			}
			l.expect(t)
			id = send(t, l.Desktop, l.s, notify.Notification{Ref: 8}).ID
			l.s.click(t, id, "0")
			l.s.emit(t, "NotificationReplied", id, "x")
			l.expect(t)
		},
		"without a ref": func(t *testing.T, l *listening) {
			got := send(t, l.Desktop, l.s, notify.Notification{URL: n.URL, Actions: buttons})
			if diff := cmp.Diff([]string{"default", "Open"}, got.Actions); diff != "" {
				t.Error(diff)
			}
			l.s.click(t, got.ID, "0")
			l.s.click(t, got.ID, "default")
			l.s.end(t, got.ID, 2)
			l.expect(t, notify.Response{Kind: notify.Clicked, URL: n.URL})
		},
		"replaced": func(t *testing.T, l *listening) {
			first := send(t, l.Desktop, l.s, notify.Notification{Ref: 1, Key: "k", Actions: buttons})
			second := send(t, l.Desktop, l.s, notify.Notification{Ref: 2, Key: "k"})
			if first.ID != second.ID {
				t.Fatal("not replaced")
			}
			l.s.click(t, first.ID, "0") // the second has none
			l.s.click(t, first.ID, "default")
			l.s.end(t, first.ID, 1)
			l.expect(t, notify.Response{Ref: 2, Kind: notify.Clicked}, notify.Response{Ref: 2, Kind: notify.Expired})
		},
		"foreign ids and senders": func(t *testing.T, l *listening) {
			got := send(t, l.Desktop, l.s, n)
			stranger, err := dbus.Connect(l.s.address)
			if err != nil {
				t.Fatal(err)
			}
			defer stranger.Close()
			sendSignal(t, stranger, string(got.Sender), "ActionInvoked", got.ID, "default")
			sendSignal(t, stranger, string(got.Sender), "NotificationClosed", got.ID, uint32(2))
			sendSignal(t, stranger, string(got.Sender), "NotificationReplied", got.ID, "x")
			for _, id := range []uint32{0, got.ID - 1, got.ID + 1000, math.MaxUint32} {
				l.s.click(t, id, "default")
				l.s.end(t, id, 2)
			}
			l.expect(t)
		},
		"signals of another form": func(t *testing.T, l *listening) {
			id := send(t, l.Desktop, l.s, n).ID
			for _, member := range []string{"ActionInvoked", "NotificationClosed", "NotificationReplied", "ActivationToken", "Other"} {
				l.s.emit(t, member)
				l.s.emit(t, member, id)
				l.s.emit(t, member, "x", id)
				l.s.emit(t, member, id, []string{"default"})
				l.s.emit(t, member, uint64(id), int64(2))
				l.s.emit(t, member, id, id, id)
			}
			l.expect(t)
		},
		"a flood of foreign ones": func(t *testing.T, l *listening) {
			id := send(t, l.Desktop, l.s, n).ID
			for i := range uint32(3000) {
				l.s.end(t, id+1000+i, 2)
			}
			l.s.end(t, id, 2)
			l.expect(t, notify.Response{Ref: 7, Kind: notify.Dismissed})
		},
		"the last 256": func(t *testing.T, l *listening) {
			first := send(t, l.Desktop, l.s, notify.Notification{Ref: 1}).ID
			for range 256 {
				send(t, l.Desktop, l.s, notify.Notification{Ref: 2})
			}
			l.s.click(t, first, "default")
			l.s.click(t, first+1, "default")
			l.expect(t, notify.Response{Ref: 2, Kind: notify.Clicked})
		},
		"before the call is answered": func(t *testing.T, l *listening) {
			early := n
			early.Title, early.Key = "early", "k"
			send(t, l.Desktop, l.s, early)
			l.expect(t, notify.Response{Ref: 7, Kind: notify.Acted, Action: 2}, notify.Response{Ref: 7, Kind: notify.Withdrawn})
			if got := send(t, l.Desktop, l.s, early); got.Replaces != 0 {
				t.Errorf("replaces %d, which is closed", got.Replaces)
			}
		},
		"the old one is closed while it is replaced": func(t *testing.T, l *listening) {
			send(t, l.Desktop, l.s, notify.Notification{Ref: 1, Key: "k"})
			second := send(t, l.Desktop, l.s, notify.Notification{Title: "crossed", Ref: 2, Key: "k"})
			l.s.end(t, second.ID, 1)
			l.expect(t, notify.Response{Ref: 1, Kind: notify.Dismissed}, notify.Response{Ref: 2, Kind: notify.Expired})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBus(t)
			test(t, listen(t, b.serve(t, &server{capabilities: allActions, answer: func(s *server, n shown) *dbus.Error {
				switch n.Title {
				case "early":
					s.end(t, n.ID+1000, 2)
					s.click(t, n.ID, "2")
					s.end(t, n.ID, 3)
				case "crossed":
					s.end(t, n.Replaces, 2)
				}
				return nil
			}})))
		})
	}
}

// After Close nothing is reported, whatever still comes.
func TestNoResponseAfterClose(t *testing.T) {
	s := startBus(t).serve(t, &server{capabilities: allActions})
	l := listen(t, s)
	id := send(t, l.Desktop, s, notify.Notification{Ref: 1}).ID
	stop := make(chan struct{})
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		for {
			select {
			case <-stop:
				return
			default:
				s.click(t, id, "default")
			}
		}
	}()
	receive(t, l.responses, "the first click")
	l.Close()
	for len(l.responses) > 0 {
		<-l.responses
	}
	time.Sleep(time.Millisecond) // so that one that comes too late has time to
	close(stop)
	<-flooded
	if len(l.responses) > 0 {
		t.Error("reported after Close")
	}
}

// Where the server shows a click on the notification as a button, or in place of
// the buttons, it is only offered where it opens something.
func TestClickIsOffered(t *testing.T) {
	unasked, plain, button := notify.Notification{Ref: 1}, notify.Notification{Ref: 1, Click: true}, notify.Notification{Ref: 1, Click: true, Actions: []notify.Action{{Label: "a"}}}
	linked := button
	linked.URL = "https://a.example/"
	for _, test := range []struct {
		server                string
		plain, button, linked bool
	}{
		{"testd", true, true, true},
		{"dunst", true, false, true},
		{"Xfce Notify Daemon", false, false, true},
	} {
		s := startBus(t).serve(t, &server{name: test.server, capabilities: allActions})
		l := listen(t, s)
		for _, offer := range []struct {
			n    notify.Notification
			want bool
		}{{unasked, false}, {plain, test.plain}, {button, test.button}, {linked, test.linked}} {
			if _, err := l.Notify(within(t), offer.n); err != nil {
				t.Fatal(err)
			}
			got := receive(t, s.shown, "the notification")
			if slices.Contains(got.Actions, "default") != offer.want {
				t.Errorf("%s: actions %q for %+v", test.server, got.Actions, offer.n)
			}
		}
	}
}

func TestActions(t *testing.T) {
	const bad = "\x00a\n\xffb\u202e"
	many := make([]notify.Action, 100)
	for _, test := range []struct {
		name         string
		capabilities []string
		actions      []notify.Action
		want         []string
		placeholder  any
	}{
		{"none", allActions, nil, []string{"default", "Open"}, nil},
		{"no server for it", []string{"body"}, []notify.Action{{Label: "a"}}, []string{}, nil},
		{"buttons", []string{"actions"}, []notify.Action{{Label: "a"}, {Label: "b"}}, []string{"default", "Open", "0", "a", "1", "b"}, nil},
		{"no replies", []string{"actions"}, []notify.Action{{Label: "a", Reply: true}, {Label: "b"}}, []string{"default", "Open", "1", "b"}, nil},
		{"reply", allActions, []notify.Action{{Label: "a"}, {Label: "b", Reply: true}, {Label: "c", Reply: true}}, []string{"default", "Open", "0", "a", "inline-reply", "b"}, "b"},
		{"hostile labels", allActions, []notify.Action{{Label: bad}, {Label: " \n"}, {Label: strings.Repeat("ü", 1<<20)}, {Label: bad, Reply: true}},
			[]string{"default", "Open", "0", "a \ufffdb", "1", "…", "2", strings.Repeat("ü", 59) + "…", "inline-reply", "a \ufffdb"}, "a \ufffdb"},
		{"many", allActions, many, nil, nil},
	} {
		s := startBus(t).serve(t, &server{capabilities: test.capabilities})
		got := send(t, listen(t, s).Desktop, s, notify.Notification{Ref: 1, Click: true, Actions: test.actions})
		if test.want == nil {
			test.want = []string{"default", "Open"}
			for i := range 64 {
				test.want = append(test.want, fmt.Sprint(i), "…")
			}
		}
		if diff := cmp.Diff(test.want, got.Actions); diff != "" {
			t.Errorf("%s: actions (-want +got):\n%s", test.name, diff)
		}
		if got := got.Hints["x-kde-reply-placeholder-text"].Value(); got != test.placeholder {
			t.Errorf("%s: placeholder %v", test.name, got)
		}
	}
}
