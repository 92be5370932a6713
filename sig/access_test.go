package sig_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sigalert/internal/token"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// badge is the rights of a token in a test.
type badge struct {
	token.Rights
	holder string
	ctx    context.Context
}

func (b badge) Holder() string           { return b.holder }
func (b badge) Context() context.Context { return b.ctx }

// badges are an Access: by their tokens.
type badges map[string]badge

// with is a client's Token.
func with(token string) func() (string, error) {
	return func() (string, error) { return token, nil }
}

func (b badges) Admit(c sig.Caller) (sig.Rights, error) {
	if r, ok := b[c.Token]; ok {
		return r, nil
	}
	return nil, errors.New("unknown token")
}

func (b badges) add(t testing.TB, holder, listen, send string) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := badge{holder: holder, ctx: ctx}
	for _, l := range []struct {
		into *[]token.Right
		text string
	}{{&r.Listen, listen}, {&r.Send, send}} {
		for _, text := range strings.Fields(l.text) {
			right, err := token.ParseRight(text)
			if err != nil {
				t.Fatal(err)
			}
			*l.into = append(*l.into, right)
		}
	}
	b[holder] = r
	return cancel
}

// Every method of the wire, by tokens: what is denied is denied in the same words
// whether or not the sender is there.
func TestAccess(t *testing.T) {
	access := badges{}
	access.add(t, "all", "*", "*")
	access.add(t, "reader", "real ghost", "")
	access.add(t, "writer", "", "real ghost new")
	access.add(t, "one", "real/tick ghost/tick", "real/tick ghost/tick")
	access.add(t, "other", "other", "other")
	access.add(t, "nothing", "", "")
	for _, tc := range []struct {
		method, params string // %s: the sender
		allowed        string // to these
	}{
		{"add_listener", `{"sender": %s, "event": "tick"}`, "all reader one"},
		{"add_listener", `{"sender": %s, "event": "tock"}`, "all reader"},
		{"add_listener", `{"sender": %s}`, "all reader one"},
		{"add_sender", `{"sender": %s, "events": ["tick"]}`, "all writer"},
		{"remove_sender", `{"sender": %s}`, "all writer"},
		{"signal", `{"info": {"sender": %s, "event": "tick"}}`, "all writer"},
		{"signal", `{"info": {"sender": %s, "event": "odd"}}`, "all writer"},
		{"publish", `{"events": [{"info": {"sender": %s, "event": "tick"}}]}`, "all writer one"},
		{"publish", `{"events": [{"info": {"sender": %s, "event": "tock"}}]}`, "all writer"},
		{"publish", `{"events": [{"info": {"sender": %s}}]}`, "all writer"},
		{"request", `{"sender": %s, "method": "echo"}`, "all reader"},
		{"request", `{"sender": %s, "method": "odd"}`, "all reader"},
		{"subscribe", `{"listeners": [{"sender": %s, "event": "tick"}]}`, "all reader one"},
		{"subscribe", `{"listeners": [{"sender": %s, "event": "tick"}], "since": {"epoch": "x", "seq": 1}}`, "all reader one"},
		{"subscribe", `{"listeners": [{"sender": %s, "event": "odd"}]}`, "all reader"},
	} {
		for holder := range access {
			got := make(map[string]string)
			for _, sender := range []string{"real", "ghost"} {
				server, addr := serveWith(t, &sig.ServerOptions{Access: access})
				if _, err := server.AddSenderWith("real", sig.SenderOptions{Events: []sig.Name{"tick", "tock"}, Requests: map[sig.Name]sig.RequestFunc{
					"echo": func(context.Context, sig.Name, sig.Data) (any, error) { return 1, nil },
				}}); err != nil {
					t.Fatal(err)
				}
				got[sender] = ask(t, addr, holder, tc.method, fmt.Sprintf(tc.params, `"`+sender+`"`))
			}
			denied := strings.Contains(got["real"], "not allowed")
			if allowed := strings.Contains(" "+tc.allowed+" ", " "+holder+" "); allowed == denied {
				t.Errorf("%s %s of %s: %s", tc.method, tc.params, holder, got["real"])
			}
			if denied && got["real"] != got["ghost"] {
				t.Errorf("%s %s of %s: %s, but without the sender %s", tc.method, tc.params, holder, got["real"], got["ghost"])
			}
		}
	}
}

// ask sends one request over a stream of this token's, and returns the answer.
func ask(t testing.TB, addr, token, method, params string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	answers := json.NewDecoder(conn)
	answer := ""
	for id, text := range []string{
		fmt.Sprintf(`{"id": 0, "method": "get_version", "params": {"features": ["stream", "replay", "publish"], "token": %q}}`, token),
		fmt.Sprintf(`{"id": 1, "method": %q, "params": %s}`, method, params) + "\n",
	} {
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		for {
			var m struct {
				ID        *int
				Method    string
				Exception string
				Code      string
				Response  json.RawMessage
			}
			if err := answers.Decode(&m); err != nil {
				t.Fatal(err)
			}
			if m.ID != nil && *m.ID == id && m.Method == "" {
				answer = m.Code + " " + m.Exception + string(m.Response)
				break
			}
		}
	}
	return answer
}

// A list has what the client may see, and what listens to everything hears what it may.
func TestAccessFilters(t *testing.T) {
	access := badges{}
	end := access.add(t, "door", "door #notify", "")
	server, addr := serveWith(t, &sig.ServerOptions{Access: access})
	for _, name := range []sig.Name{"secret", "door"} {
		if _, err := server.AddSender(name, "ring", "#notify"); err != nil {
			t.Fatal(err)
		}
	}
	client := sig.NewClientRouter(tcp.NewClient(addr), &sig.ClientOptions{Token: with("door"), Since: new(sig.Position), NoReconnect: true})
	heard := make(chan sig.Event, 100)
	client.ResumeRemoteListener("", "", func(ev sig.Event) { heard <- ev })
	stop := wait.Start(t.Context(), client.Run)
	defer stop()
	want := func(all ...string) {
		t.Helper()
		for _, want := range all {
			select {
			case ev := <-heard:
				if got := ev.Sender.String() + " " + ev.Event.String(); got != want {
					t.Fatalf("%s is heard, want %s", got, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s is not heard", want)
			}
		}
	}
	want("door #connect") // replayed
	for _, event := range []sig.Name{"ring", "#notify"} {
		for _, name := range []sig.Name{"secret", "door"} {
			if err := server.Sender(name).Trigger(event, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := server.Publish(sig.Publication{Sender: "secret", Event: "x"}, sig.Publication{Sender: "door", Event: "x"}); err != nil {
		t.Fatal(err)
	}
	want("door ring", "secret #notify", "door #notify", "door x")

	all, err := client.Senders(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	const seen = "[{true door [ring #notify #disconnect  #connect] 0} {true  [#notify #disconnect  #connect] 0}]"
	if got := fmt.Sprint(all); got != seen {
		t.Errorf("the list is %s, want %s", got, seen)
	}

	end() // its rights: the connections end, and nobody gets in with the token
	delete(access, "door")
	deadline := time.Now().Add(10 * time.Second)
	for client.Link().Connected && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if client.Link().Connected {
		t.Error("the connection outlives the rights")
	}
}

// A client that is not admitted learns that, whether its token is wrong or missing.
func TestNotAdmitted(t *testing.T) {
	access := badges{}
	access.add(t, "right", "*", "*")
	_, addr := serveWith(t, &sig.ServerOptions{Access: access})
	for _, secret := range []string{"", "wrong"} {
		client := sig.NewClientRouter(tcp.NewClient(addr), &sig.ClientOptions{Token: with(secret), NoReconnect: true})
		client.AddRemoteListener("", "", func(sig.Event) {})
		client.Run(t.Context())
		if err := client.Link().Err; !errors.Is(err, sig.ErrNotAdmitted) || errors.Is(err, sig.ErrNotServer) {
			t.Errorf("%q: %v", secret, err)
		}
	}
	p := dial(t, addr, nil) // as pysig does
	if v, err := p.Call("get_version", nil); err != nil || string(v) != `"1.01"` {
		t.Errorf("%s, %v", v, err)
	}
	if _, err := p.Call("add_listener", map[string]any{}); err == nil {
		t.Error("a client without a token may listen")
	}
}

// Whoever was admitted before may do nothing more once the rights have ended: a request
// may take its time.
func TestRightsThatHaveEnded(t *testing.T) {
	access := badges{}
	end := access.add(t, "right", "*", "*")
	s := sig.NewServerRouter(&sig.ServerOptions{Access: access})
	rights, err := s.Admit(sig.Caller{Token: "right"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []error{nil, sig.ErrNotAllowed} {
		if _, err := s.PublishAs(sig.Caller{}, rights, sig.Publication{Sender: "s", Event: "e"}); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		end()
	}
}

// A token is not sent where others can read it.
func TestTokenIsPrivate(t *testing.T) {
	access := badges{}
	access.add(t, "right", "*", "*")
	_, addr := serveWith(t, &sig.ServerOptions{Access: access})
	client := sig.NewClientRouter(public{tcp.NewClient(addr)}, &sig.ClientOptions{Token: with("right"), NoReconnect: true})
	client.AddRemoteListener("", "", func(sig.Event) {})
	client.Run(t.Context())
	if err := client.Link().Err; !errors.Is(err, sig.ErrNotPrivate) {
		t.Error(err)
	}
}

// public is a carrier whose connections others may read.
type public struct{ sig.ClientCarrier }

func (p public) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := p.ClientCarrier.Dial(ctx)
	return struct{ sig.Conn }{conn}, err
}

// The id of a publication does not keep others with other rights from publishing.
func TestAccessAndIDs(t *testing.T) {
	access := badges{}
	access.add(t, "all", "*", "*")
	access.add(t, "door", "", "door")
	server, addr := serveWith(t, &sig.ServerOptions{Access: access})
	heard := make(chan sig.Name, 10)
	server.AddListener("", "", func(ev sig.Event) { heard <- ev.Sender })
	for _, p := range []struct{ holder, sender, want string }{
		{"door", "door", "door"},
		{"all", "backup", "backup"},
		{"all", "backup", ""}, // the same one again
		{"all", "door", ""},
	} {
		ask(t, addr, p.holder, "publish", fmt.Sprintf(`{"events": [{"info": {"sender": %q, "event": "x"}, "id": "1"}]}`, p.sender))
		got := ""
		select {
		case name := <-heard:
			got = name.String()
		default:
		}
		if got != p.want {
			t.Errorf("%s publishes as %s: %q is heard, want %q", p.holder, p.sender, got, p.want)
		}
	}
}

// How many events were missed is said only to who may hear all of them: the number would
// be that of others' events, too.
func TestAccessAndMissed(t *testing.T) {
	access := badges{}
	access.add(t, "all", "*", "")
	access.add(t, "door", "door", "")
	server, addr := serveWith(t, &sig.ServerOptions{Access: access, Memory: 2})
	publish := func(sender sig.Name) {
		t.Helper()
		if _, err := server.Publish(sig.Publication{Sender: sender, Event: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	// from returns what a client missed since a position, and the first event that it has.
	from := func(holder string, since *sig.Position) (missed int, first sig.Event) {
		t.Helper()
		lost, heard := make(chan int, 10), make(chan sig.Event, 10)
		client := sig.NewClientRouter(tcp.NewClient(addr), &sig.ClientOptions{Token: with(holder), Since: since, Missed: func(n int) { lost <- n }})
		client.ResumeRemoteListener("", "", func(ev sig.Event) { heard <- ev })
		defer wait.Start(t.Context(), client.Run)()
		select {
		case first = <-heard:
		case <-time.After(10 * time.Second):
			t.Fatal("there is no event")
		}
		select {
		case missed = <-lost: // before the first event
		default:
		}
		return missed, first
	}
	publish("door")
	_, ev := from("all", new(sig.Position))
	since := ev.Position()
	for range 5 {
		publish("secret")
	}
	publish("door")
	if n, ev := from("all", &since); n != 4 || ev.Sender != "secret" {
		t.Errorf("everybody: %d, %v", n, ev.Sender)
	}
	if n, ev := from("door", &since); n >= 0 || ev.Sender != "door" {
		t.Errorf("the door: %d, %v", n, ev.Sender)
	}
}
