//go:build linux

package notify_test

import (
	"encoding/json"
	"testing"

	"sigalert/agent/notify"
)

// What an earlier process has shown is replaced, closed and answered by a later one,
// while the server that has it is there.
func TestScreenOverARestart(t *testing.T) {
	b := startBus(t)
	s := b.serve(t, &server{capabilities: allActions, toClose: make(chan uint32, 10)})
	buttons := []notify.Action{{Label: "Open"}, {Label: "Answer", Reply: true}}
	restart := func(l *listening) *listening {
		t.Helper()
		text, err := json.Marshal(l.Screen())
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		var kept notify.Screen
		if err := json.Unmarshal(text, &kept); err != nil {
			t.Fatal(err)
		}
		l = listen(t, s)
		l.Restore(kept)
		return l
	}

	l := listen(t, s)
	keyed := send(t, l.Desktop, s, notify.Notification{Title: "x", Key: "k"}).ID
	asked := send(t, l.Desktop, s, notify.Notification{Title: "x", Ref: 7, Actions: buttons}).ID
	other := send(t, l.Desktop, s, notify.Notification{Title: "x", Ref: 8, Key: "r"}).ID
	l = restart(restart(l)) // one that shows nothing keeps it
	if _, err := l.Server(within(t)); err != nil {
		t.Fatal(err)
	}
	s.click(t, asked, "0")
	s.emit(t, "NotificationReplied", asked, "yes")
	s.click(t, asked, "2")
	s.end(t, other, 2)
	l.expect(t, notify.Response{Ref: 7, Kind: notify.Acted}, notify.Response{Ref: 7, Kind: notify.Replied, Action: 1, Text: "yes"},
		notify.Response{Ref: 8, Kind: notify.Dismissed})
	if got := send(t, l.Desktop, s, notify.Notification{Title: "x", Key: "r"}); got.Replaces != 0 {
		t.Errorf("replaces %d, which was closed", got.Replaces)
	}
	if got := send(t, l.Desktop, s, notify.Notification{Title: "x", Key: "k"}); got.Replaces != keyed {
		t.Errorf("replaces %d, want %d", got.Replaces, keyed)
	}
	l = restart(l)
	if _, err := l.Notify(within(t), notify.Notification{Title: "x", Key: "k", Resolved: true}); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, s.toClose, "the call that closes it"); got != keyed {
		t.Errorf("closes %d, want %d", got, keyed)
	}

	s.conn.Close()
	s = b.serve(t, &server{capabilities: allActions})
	l = restart(l)
	if got := send(t, l.Desktop, s, notify.Notification{Title: "x", Key: "k"}); got.Replaces != 0 {
		t.Errorf("another server is asked to replace %d", got.Replaces)
	}
	s.click(t, asked, "0")
	l.expect(t)
}
