package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sigalert/internal/token"
	"sigalert/sig"
)

type holder struct {
	name, listen, send string
	admin, blind       bool // blind: nothing of it is about the sender real
}

// holders are the tokens of the table, by what each may do.
var holders = []holder{
	{name: "all", listen: "*", send: "*"},
	{name: "hear-event", listen: "real/tick"},
	{name: "hear-sender", listen: "real"},
	{name: "hear-channel", listen: "#topic"},
	{name: "hear-all", listen: "*"},
	{name: "send-event", send: "real/tick"},
	{name: "send-sender", send: "real"},
	{name: "send-channel", send: "#topic"},
	{name: "send-all", send: "*"},
	{name: "other", listen: "other", send: "other", blind: true},
	{name: "nothing", blind: true},
	{name: "boss", admin: true, blind: true}, // but for what it administers
	// These are not admitted.
	{name: "expired", listen: "*", send: "*", blind: true},
	{name: "revoked", listen: "*", send: "*", blind: true},
	{name: "unknown", blind: true},
	{name: "none", blind: true},
}

const notAdmitted = "expired revoked unknown none"

// Who may do something, for the lists below.
const (
	hearTick    = "all hear-all hear-sender hear-event"
	hearTock    = "all hear-all hear-sender"
	hearChannel = "all hear-all hear-sender hear-channel"
	hearSome    = hearTick + " hear-channel"
	hearAny     = hearSome + " other"
	sendTick    = "all send-all send-sender send-event"
	sendTock    = "all send-all send-sender"
	sendChannel = "all send-all send-sender send-channel"
	admitted    = hearAny + " send-all send-sender send-event send-channel nothing boss"
	anybody     = admitted + " " + notAdmitted
)

// wireCalls are all methods of the wire. Completion and sigalert senders use list_senders.
var wireCalls = []struct{ method, params, allowed string }{
	{"get_version", `{}`, anybody},
	{"ping", `{}`, admitted},
	{"list_senders", `{}`, anybody},
	{"list_senders", `{"list_events": true}`, anybody},
	{"list_senders", `{"list_events": true, "from": 0}`, anybody},
	{"remove_listener", `{"listener_id": 100000000000001}`, anybody}, // another client's
	{"add_listener", `{"sender": "real", "event": "tick"}`, hearTick},
	{"add_listener", `{"sender": "real", "event": "tock"}`, hearTock},
	{"add_listener", `{"sender": "real", "event": "odd"}`, hearTock},
	{"add_listener", `{"sender": "real", "event": "#topic"}`, hearChannel},
	{"add_listener", `{"sender": "real", "event": "#connect"}`, hearTock},
	{"add_listener", `{"sender": "real"}`, hearSome},
	{"add_listener", `{"event": "#topic"}`, hearChannel + " other"},
	{"add_listener", `{"event": "tick"}`, hearTick + " other"},
	{"add_listener", `{}`, hearAny},
	{"subscribe", `{"listeners": [{"sender": "real", "event": "tick"}]}`, hearTick},
	{"subscribe", `{"listeners": [{"sender": "real", "event": "odd"}]}`, hearTock},
	{"subscribe", `{"listeners": [{"sender": "real", "event": "#topic"}]}`, hearChannel},
	{"subscribe", `{"listeners": [{"sender": "real", "event": "tick"}], "since": {"epoch": "", "seq": 0}}`, hearTick},
	{"subscribe", `{"listeners": [{"sender": "real", "event": "tick"}], "since": {"epoch": "EPOCH", "seq": 1}}`, hearTick},
	{"subscribe", `{"listeners": [{"sender": "real", "event": "#topic"}], "since": {"epoch": "EPOCH", "seq": 1}}`, hearChannel},
	{"subscribe", `{"listeners": [{"sender": "real"}], "since": {"epoch": "EPOCH", "seq": 1}}`, hearSome},
	{"subscribe", `{"listeners": [{}], "since": {"epoch": "EPOCH", "seq": 1}}`, hearAny},
	{"add_sender", `{"sender": "real", "events": ["tick"]}`, sendTock},
	{"remove_sender", `{"sender": "real"}`, sendTock},
	{"signal", `{"info": {"sender": "real", "event": "tick"}}`, sendTock},
	{"signal", `{"info": {"sender": "real", "event": "odd"}}`, sendTock},
	{"signal", `{"info": {"sender": "real"}}`, sendTock},
	{"publish", `{"events": [{"info": {"sender": "real", "event": "tick"}}]}`, sendTick},
	{"publish", `{"events": [{"info": {"sender": "real", "event": "tock"}}]}`, sendTock},
	{"publish", `{"events": [{"info": {"sender": "real", "event": "#topic"}}]}`, sendChannel},
	{"publish", `{"events": [{"info": {"sender": "real"}}]}`, sendTock},
	{"publish", `{"events": [{"info": {"sender": "real", "event": "tick"}}, {"info": {"sender": "real", "event": "tock"}}]}`, sendTock},
	{"publish", `{"events": [{"info": {"sender": "real", "event": "tick"}, "id": "known"}]}`, sendTick},
	{"request", `{"sender": "real", "method": "echo"}`, hearTock},
	{"request", `{"sender": "real", "method": "odd"}`, hearTock},
}

// httpCalls are all addresses of HTTP, gotify's and ntfy's among them.
var httpCalls = []struct{ method, path, body, allowed string }{
	{"GET", "/", "", anybody},
	{"GET", "/healthz", "", anybody},
	{"GET", "/metrics", "", admitted},
	{"GET", "/status", "", "boss"},
	{"GET", "/clients", "", "boss"},
	{"DELETE", "/clients/1000000", "", "boss"}, // which is not there
	{"DELETE", "/clients/1", "", "boss"},       // which is
	{"POST", "/clients", "x", "all send-all"},  // as to a topic
	{"OPTIONS", "/real/tick", "", anybody},
	{"GET", "/real/tick", "", anybody}, // which is not possible
	{"GET", "/events", "", hearAny},
	{"HEAD", "/events", "", hearAny},
	{"GET", "/events?since=all", "", hearAny},
	{"GET", "/events?since=EPOCH-1&format=json", "", hearAny},
	{"GET", "/events?sender=real", "", hearSome},
	{"GET", "/events?sender=real&event=tick&since=all", "", hearTick},
	{"GET", "/events?sender=real&event=tock", "", hearTock},
	{"GET", "/events?sender=real&event=%23topic", "", hearChannel},
	{"GET", "/events?event=%23topic&since=all", "", hearChannel + " other"},
	{"POST", "/clients?sender=real", "x", sendTock},
	{"POST", "/real/tick", "x", sendTick},
	{"PUT", "/real/tick", "x", sendTick},
	{"POST", "/real/tick?id=known", "x", sendTick},
	{"POST", "/real/tock", "x", sendTock},
	{"POST", "/real/%23topic", "x", sendChannel},
	{"POST", "/topic", "x", "all send-all send-channel"},
	{"POST", "/topic?sender=real", "x", sendChannel},
	{"POST", "/?sender=real", `{"topic": "topic", "message": "x"}`, sendChannel},
	{"POST", "/?sender=real", `{"topic": "else", "message": "x"}`, sendTock},
	{"POST", "/", "sender=real&event=tick", sendTick},
	{"POST", "/message?sender=real", "message=x", sendTock},
}

// house is a router with a sender that is connected, answers requests, is listened to
// and has events in the memory, some of which are forgotten. Houses differ by nothing but
// that sender's name, and the epoch.
type house struct {
	*site
	epoch       string
	sender      *sig.Sender
	name        sig.Name
	heard       atomic.Int64
	asked       atomic.Int64
	agent       *wireClient // another client
	startedWith string
}

func newHouse(t testing.TB, tokens, admin string, sender sig.Name) *house {
	t.Helper()
	book, err := token.Open(tokens, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{site: newSite(t, &sig.ServerOptions{Access: book, Memory: 6}), name: sender}
	h.AddListener("", "", func(sig.Event) { h.heard.Add(1) })
	h.agent = h.dial(t, admin, true)
	h.epoch = h.agent.epoch
	h.agent.call("subscribe", fmt.Sprintf(`{"listeners": [{"sender": %q}]}`, sender))
	h.sender, err = h.AddSenderWith(sender, sig.SenderOptions{Events: []sig.Name{"tick", "tock"}, Requests: map[sig.Name]sig.RequestFunc{
		"echo": func(context.Context, sig.Name, sig.Data) (any, error) { h.asked.Add(1); return 1, nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Publish(sig.Publication{Sender: sender, Event: "tick", ID: "known"}); err != nil {
		t.Fatal(err)
	}
	h.act(t)
	h.act(t)
	h.startedWith = h.state()
	return h
}

// before is how many events there are in a new house.
const before = 10

// act has the sender do whatever a client might notice.
func (h *house) act(t testing.TB) {
	t.Helper()
	for _, event := range []sig.Name{"tick", "tock", ""} {
		if err := h.sender.Trigger(event, "secret"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Publish(sig.Publication{Sender: h.name, Event: "#topic", Data: "secret"}); err != nil {
		t.Fatal(err)
	}
}

// state is what a client could change.
func (h *house) state() string {
	h.agent.call("ping", "{}") // fails the test if its connection has ended
	return fmt.Sprint(h.List(), h.heard.Load(), h.asked.Load())
}

// wireClient is a client on the wire; all of what it gets is kept.
type wireClient struct {
	t      testing.TB
	conn   net.Conn
	dec    *json.Decoder
	epoch  string
	next   int
	stream bool
	got    strings.Builder
}

func (h *house) dial(t testing.TB, secret string, stream bool) *wireClient {
	t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	c := &wireClient{t: t, conn: conn, dec: json.NewDecoder(conn), epoch: "EPOCH"}
	params := fmt.Sprintf(`{"token": %q, "client": "agent"}`, secret) // somebody else's identity, if that could be guessed
	if stream {
		params = params[:len(params)-1] + `, "features": ["stream", "replay", "publish"]}`
	}
	answer := c.call("get_version", params)
	if found := epochOf.FindStringSubmatch(answer); found != nil {
		c.stream, c.epoch = true, found[1]
	} else if h.epoch != "" {
		c.epoch = h.epoch
	}
	return c
}

// call sends a request, and returns the answer.
func (c *wireClient) call(method, params string) string {
	c.t.Helper()
	c.next++
	answer := c.ask(c.next, method, params)
	c.got.WriteString(answer)
	return answer
}

// settle waits until everything that is replayed has been: what is forgotten before that
// is missed.
func (c *wireClient) settle() {
	c.t.Helper()
	for {
		var answer struct{ Response struct{ Seq int } }
		if err := json.Unmarshal([]byte(c.ask(1000, "ping", "{}")), &answer); err != nil {
			c.t.Fatal(err)
		}
		if answer.Response.Seq >= before {
			return
		}
	}
}

// ask is call without a record of the answer.
func (c *wireClient) ask(id int, method, params string) string {
	c.t.Helper()
	text := fmt.Sprintf(`{"id": %d, "method": %q, "params": %s}`, id, method, strings.ReplaceAll(params, "EPOCH", c.epoch))
	if c.stream {
		text += "\n"
	}
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
	for {
		var message json.RawMessage
		if err := c.dec.Decode(&message); err != nil {
			c.t.Fatalf("%s: %v", text, err)
		}
		var m struct {
			ID     int
			Method string
		}
		if err := json.Unmarshal(message, &m); err != nil {
			c.t.Fatal(err)
		}
		if m.ID == id && m.Method == "" {
			return string(message)
		}
		c.got.Write(message)
	}
}

func (c *wireClient) all() string { return alike(c.got.String(), c.epoch) }

var epochOf = regexp.MustCompile(`"epoch": "([A-Z0-9]+)"`)

var changing = regexp.MustCompile(`(?i)date: [^\r\n]*|"time": ?"?[0-9T:.Z+-]+"?`)

// alike leaves out what differs between any two runs.
func alike(text, epoch string) string {
	return changing.ReplaceAllString(strings.ReplaceAll(text, epoch, "EPOCH"), "")
}

func isIn(list, name string) bool { return strings.Contains(" "+list+" ", " "+name+" ") }

// The table: tokens × rights × every method of the wire and every address of HTTP. What
// is denied is denied in the same bytes, and with nothing else to be seen and nothing
// done, whether or not there is a sender of the name, with events and listeners.
//
// These tell of others all the same, and are meant to:
//   - seq, and where a replay begins: how many events there have been in all; ids of
//     listeners: how many of those;
//   - missed: null instead of 0, if events were forgotten that may have been anybody's;
//   - listeners of an event that the client has published: how many heard it, whoever
//     they are;
//   - /metrics: how much there is of everything, in all;
//   - already_connected: for those who may be connected as the sender.
func TestRights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	secrets := map[string]string{"unknown": "sigalert_unknown"}
	for _, h := range append(slices.Clone(holders), holder{name: "admin", listen: "*", send: "*"}) {
		if h.name == "unknown" || h.name == "none" {
			continue
		}
		e := token.Entry{Name: h.name, Admin: h.admin}
		if h.name == "expired" {
			e.Expires = time.Now().Add(-time.Minute)
		}
		for into, texts := range map[*[]token.Right]string{&e.Listen: h.listen, &e.Send: h.send} {
			for _, text := range strings.Fields(texts) {
				right, err := token.ParseRight(text)
				if err != nil {
					t.Fatal(err)
				}
				*into = append(*into, right)
			}
		}
		secret, err := token.New(path, e)
		if err != nil {
			t.Fatal(err)
		}
		secrets[h.name] = secret
	}
	if err := token.Revoke(path, "revoked"); err != nil {
		t.Fatal(err)
	}
	for _, holder := range holders {
		t.Run(holder.name, func(t *testing.T) {
			t.Parallel()
			houses := func(t *testing.T) [2]*house {
				return [2]*house{newHouse(t, path, secrets["admin"], "real"), newHouse(t, path, secrets["admin"], "fake")}
			}
			channel := strings.HasSuffix(holder.name, "-channel") // it learns of no sender, either, but for its events
			secret := secrets[holder.name]
			equal := func(t *testing.T, what, real, fake string) {
				t.Helper()
				if real != fake {
					t.Errorf("%s differs:\n%s\nwithout the sender:\n%s", what, real, fake)
				}
			}
			same := func(t *testing.T, all [2]*house) {
				t.Helper()
				for _, h := range all {
					if now := h.state(); now != h.startedWith {
						t.Errorf("something has changed:\n%s\nbefore:\n%s", now, h.startedWith)
					}
				}
			}

			for _, stream := range []bool{true, false} {
				if !stream && isIn(notAdmitted, holder.name) {
					continue // it has no stream in any case
				}
				all := houses(t)
				var got [2]string
				for i, h := range all {
					c := h.dial(t, secret, stream)
					for _, call := range wireCalls {
						if isIn(call.allowed, holder.name) && !(call.allowed == anybody && holder.blind) {
							continue
						}
						answer := c.call(call.method, call.params)
						denied := strings.Contains(answer, "not allowed: the client's rights do not include this")
						if unknown := !c.stream && (call.method == "subscribe" || call.method == "ping"); call.allowed != anybody && !denied && !unknown {
							t.Errorf("%s %s: %s", call.method, call.params, answer)
						}
					}
					got[i] = c.all()
				}
				same(t, all)
				for i, h := range all {
					c := h.dial(t, secret, stream)
					h.act(t)
					c.call("get_version", "{}")
					got[i] += c.all()
				}
				equal(t, fmt.Sprintf("what is denied (stream: %v)", stream), got[0], got[1])
			}

			for _, call := range wireCalls {
				if !isIn(call.allowed, holder.name) || call.allowed == anybody {
					continue
				}
				t.Run(call.method, func(t *testing.T) {
					var got, answers [2]string
					for i, h := range houses(t) {
						c := h.dial(t, secret, true)
						answers[i] = alike(c.call(call.method, call.params), c.epoch)
						c.settle()
						h.act(t)
						c.call("ping", "{}")
						if got[i] = c.all(); strings.Contains(answers[i], "not allowed") {
							t.Errorf("%s %s: %s", call.method, call.params, answers[i])
						}
					}
					if holder.blind {
						equal(t, call.method+" "+call.params, got[0], got[1])
					}
					if channel && call.method != "publish" {
						equal(t, call.method+" "+call.params, answers[0], answers[1])
					}
				})
			}

			all := houses(t)
			for _, call := range httpCalls {
				if isIn(call.allowed, holder.name) && call.allowed != anybody {
					continue
				}
				var got [2]string
				for i, h := range all {
					var status int
					want := http.StatusForbidden
					if isIn(notAdmitted, holder.name) {
						want = http.StatusUnauthorized
					}
					if status, got[i] = h.ask(t, secret, call.method, call.path, call.body); call.allowed != anybody && status != want {
						t.Errorf("%s %s %s: %s", call.method, call.path, call.body, got[i])
					}
				}
				equal(t, call.method+" "+call.path, got[0], got[1])
			}
			same(t, all)
			for _, call := range httpCalls {
				if !isIn(call.allowed, holder.name) || call.allowed == anybody {
					continue
				}
				h := newHouse(t, path, secrets["admin"], "real")
				if status, answer := h.ask(t, secret, call.method, call.path, call.body); status >= 400 && status != http.StatusNotFound {
					t.Errorf("%s %s %s: %s", call.method, call.path, call.body, answer)
				}
			}
		})
	}
}

// ask makes a request of HTTP, and returns all of the answer; of a stream, its head.
func (h *house) ask(t testing.TB, secret, method, path, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, h.url+strings.ReplaceAll(path, "EPOCH", h.epoch), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "router.example"
	if strings.Contains(body, "=") {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	response, err := http.DefaultTransport.RoundTrip(request) // which follows no redirection
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	isStream := strings.HasPrefix(path, "/events") && response.StatusCode == http.StatusOK
	text, err := httputil.DumpResponse(response, !isStream)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, alike(string(text), h.epoch)
}
