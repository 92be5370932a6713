package agent

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
	"sigalert/sig"
)

func TestLinkSaysSoOnceAfterTheGrace(t *testing.T) {
	l := newLinkWatch("host:3000", at(0))
	if _, ok := l.observe(at(1), true, nil); ok {
		t.Error("the first connection is not news")
	}
	l.observe(at(100), false, errors.New("refused"))
	if _, ok := l.due(at(109)); ok {
		t.Error("announced within the grace")
	}
	if _, ok := l.observe(at(109.5), true, nil); ok {
		t.Error("a link that returned within the grace is announced")
	}
	l.observe(at(200), false, errors.New("refused"))
	n, ok := l.due(at(210))
	want := notify.Notification{Title: "Lost the server", Body: "refused\nTrying again until it answers.", Key: "server"}
	if diff := cmp.Diff(want, n); !ok || diff != "" {
		t.Errorf("%v\n%s", ok, diff)
	}
	if _, ok := l.due(at(300)); ok || !l.next().IsZero() {
		t.Error("announced twice")
	}
	n, ok = l.observe(at(380), true, nil)
	want = notify.Notification{Title: "Back after 3 m", Body: "The server host:3000 is answering.", Key: "server"}
	if diff := cmp.Diff(want, n); !ok || diff != "" {
		t.Errorf("%v\n%s", ok, diff)
	}
}

func TestLinkHasMoreGraceAfterAWake(t *testing.T) {
	l := newLinkWatch("host:3000", at(0))
	l.observe(at(1), true, nil)
	l.woke(at(100))
	l.observe(at(105), false, errors.New("gone"))
	if _, ok := l.due(at(159)); ok {
		t.Error("announced within the grace of a wake")
	}
	if _, ok := l.due(at(160)); !ok {
		t.Error("not announced after it")
	}
}

func TestServerThatWasNeverThere(t *testing.T) {
	l := newLinkWatch("host:3000", at(0))
	l.observe(at(0), false, errors.New("cannot reach host:3000: connection refused"))
	if n, ok := l.due(at(10)); !ok || n.Title != "Cannot reach the server" {
		t.Errorf("%v %+v", ok, n)
	}
	if n, ok := l.observe(at(70), true, nil); !ok || n.Title != "Connected after 1 m" {
		t.Errorf("%v %+v", ok, n)
	}
}

// A server that refuses us is there: it is announced in the usual time, even after a
// start, with what to do.
func TestServerThatRefusesUs(t *testing.T) {
	l := newLinkWatch("host:3000", at(0))
	l.starting(at(0))
	refused := fmt.Errorf("host:3000: %w: this server requires a valid token", sig.ErrNotAdmitted)
	l.observe(at(1), false, refused)
	if _, ok := l.due(at(10)); ok {
		t.Error("announced within the grace")
	}
	n, ok := l.due(at(11))
	if !ok || n.Title != "The server refuses us" || !strings.Contains(n.Body, "requires a valid token\nMake a token at the router (\"sigalert token new\")") {
		t.Errorf("%v %+v", ok, n)
	}
	l.observe(at(20), false, refused)
	if !l.next().IsZero() {
		t.Error("announced twice")
	}
	if n, ok := l.observe(at(61), true, nil); !ok || n.Title != "Connected after 1 m" {
		t.Errorf("%v %+v", ok, n)
	}
}

func TestSuspended(t *testing.T) {
	// A time without a monotonic reading has only a wall clock: no suspend can
	// be seen, and none is invented.
	if suspended(at(0), at(5)) {
		t.Error("no suspend")
	}
	now := time.Now()
	if suspended(now, now.Add(time.Hour)) {
		t.Error("an hour on both clocks is not a suspend")
	}
}
