package sig_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// What a client may have is bounded, and one that goes over a limit gets a
// refusal.
func TestServerLimits(t *testing.T) {
	_, addr := serveWith(t, &sig.ServerOptions{Limits: sig.Limits{Listeners: 3, Senders: 2}})
	r := dialStream(t, addr)
	ask := func(text string) string {
		t.Helper()
		r.send(text)
		r.next()
		return plainStream(r.in.Text())
	}
	const listener = `{"sender": "nobody"}`
	got := ask(`{"id": 2, "method": "subscribe", "params": {"listeners": [` + listener + `, ` + listener + `]}}`)
	if want := `{"status": 0, "id": 2, "response": {"listeners": [{"listener_id": 1}, {"listener_id": 2}], "missed": 0, "seq": 0}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got = ask(`{"id": 3, "method": "subscribe", "params": {"listeners": [` + listener + `, ` + listener + `]}}`)
	if want := `{"status": 0, "id": 3, "response": {"listeners": [{"listener_id": 3}, {"exception": "a client may have at most 3 listeners"}], "missed": 0, "seq": 0}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got = ask(`{"id": 4, "method": "subscribe", "params": {"listeners": [` + strings.Repeat(listener+", ", 3) + listener + `]}}`)
	if want := `{"status": -2, "exception": "a client may have at most 3 listeners", "id": 4}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for i, want := range []string{`"status": 0`, `"status": 0`, `"a client may have at most 2 senders"`} {
		if got := ask(fmt.Sprintf(`{"id": 5, "method": "add_sender", "params": {"sender": "s%d", "events": []}}`, i)); !strings.Contains(got, want) {
			t.Errorf("sender %d: %s", i, got)
		}
	}
	many := strings.Repeat(`1, `, 100_000) + `1`
	if got := ask(`{"id": 6, "method": "remove_sender", "params": {"sender": "s0"}}`); !strings.Contains(got, `"status": 0`) {
		t.Error(got)
	}
	if got := ask(`{"id": 7, "method": "add_sender", "params": {"sender": "s0", "events": [` + many + `]}}`); !strings.Contains(got, "a client may offer at most 100000 events") {
		t.Error(got)
	}
}

// Of what is refused because it is too much at once, nothing counts as sent.
func TestTooManyAtOnce(t *testing.T) {
	s, addr := serveWith(t, &sig.ServerOptions{Limits: sig.Limits{Events: 10}})
	r := dialStream(t, addr)
	publish := func(n int) string {
		const event = `{"info": {"sender": "s", "event": "e"}}`
		r.send(`{"id": 2, "method": "publish", "params": {"events": [` + strings.Repeat(event+", ", n-1) + event + `]}}`)
		r.next()
		return r.in.Text()
	}
	if got := publish(1001); !strings.Contains(got, "1001 events at once: at most 1000 can be published") {
		t.Error(got)
	}
	if got := publish(1); !strings.Contains(got, `"seq": 1`) && !strings.Contains(got, `"seq":1`) {
		t.Error(got)
	}
	if n := s.Stats().EventsIn; n != 1 {
		t.Errorf("%d events are counted", n)
	}
}

// A sender that comes without the event a thousand times, each time dropping
// the listener, does not use up the client's listeners.
func TestDroppedListenersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPairWith(t, &sig.ServerOptions{Limits: sig.Limits{Listeners: 100}})
		heard := sigtest.NewRecorder()
		p.client.AddRemoteListener("timer", "tick", heard.Listen)
		time.Sleep(time.Second)
		for range 1000 {
			if err := p.server.RemoveSender(p.add("timer", "tock")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		fire(t, p.add("timer", "tick"), "tick", 1)
		time.Sleep(time.Second)
		heard.Expect(t, "timer: tick 1")
	})
}

// Data that no peer could read are refused where they are sent.
func TestBadDataIsRefused(t *testing.T) {
	s, _ := serve(t)
	timer, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	deep := func(n int) sig.Data {
		return sig.JSONData([]byte(strings.Repeat("[", n) + strings.Repeat("]", n)))
	}
	for name, tc := range map[string]struct {
		data any
		want string
	}{
		"not JSON":   {sig.JSONData([]byte(`{"a":`)), `data "{\"a\":": not JSON, or nested deeper than 9990`},
		"two values": {sig.JSONData([]byte(`1 2`)), "not JSON"},
		"too deep":   {deep(9991), "nested deeper than 9990"},
		"a function": {func() {}, "unsupported type"},
		"too long":   {strings.Repeat("x", sig.MaxData), "message too large"},
	} {
		if err := timer.Trigger("tick", tc.data); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
	for _, data := range []any{deep(9990), strings.Repeat("x", sig.MaxData-2), sig.JSONData([]byte("NaN")), nil, sig.Data{}, sig.JSONData(nil)} {
		if err := timer.Trigger("tick", data); err != nil {
			t.Errorf("refused: %v", err)
		}
	}
}
