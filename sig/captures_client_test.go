package sig_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

// clientRow is what pysig's server sent on one connection, sent to our client,
// which does what the recorded one did. Our client has a listener for each
// recorded one, but subscribes to an event of a sender only once, and to the
// sender's #connect as well; so ids are not the recorded ones, and a signal for
// the second of two listeners for one event is not sent.
type clientRow struct {
	// files are the recordings; each one after the first is after a reconnect.
	files []string
	// callback is what the listeners do as well.
	callback func(*clientReplay)
	// differs has our answers to the server's requests, by "reply" and the id.
	differs map[string]difference
	// ends says why something that is not a message ends the connection. The
	// client then comes back.
	ends string
	// cut: the server ends the connections at the recorded end, or between
	// the recordings, and the client comes back.
	cut bool
	// pending: the listener's reply is not taken for one.
	pending bool
}

func TestClientReplaysRecordings(t *testing.T) {
	for _, row := range clientRows() {
		t.Run(row.files[0], func(t *testing.T) {
			t.Parallel()
			r := newClientReplay(t, row)
			for _, name := range row.files {
				r.lines = append(r.lines, session(t, name)...)
			}
			for i, l := range r.lines {
				r.line(i, l)
			}
			r.expectHeard()
			for name, d := range row.differs {
				if !r.told[name] {
					t.Errorf("no %s is due (%s)", name, d.why)
				}
			}
		})
	}
}

type clientReplay struct {
	*testing.T
	row    clientRow
	lines  []recorded
	client *sig.ClientRouter

	incoming  chan request // from all the client's connections
	receiving *receiver    // the connection that has the listeners
	sending   *receiver    // the one that has the senders
	greeted   map[*receiver]bool

	subscriptions map[string]*subscribed // by the params of add_listener
	listeners     []*replayListener
	senders       map[string]*sig.RemoteSender // by canonical name
	registered    map[string]bool              // senders and subscriptions on the present connections
	waiting       map[string]*waiting          // by the recorded id
	partial       string                       // of a message that was split
	marker        chan struct{}                // gets a token when the last event is heard
	told          map[string]bool
	isBack        bool // after a reconnect
}

type request struct {
	message
	from *receiver
}

// subscribed is what the server knows as a listener.
type subscribed struct{ id string }

type replayListener struct {
	*sig.RemoteListener
	key, recorded string // the subscription's, and the recorded listener_id
	removed       bool
	mu            sync.Mutex // guards the field below
	heard         []string
	want          []string
}

// waiting is a request of our client that stands for a recorded one, or a
// recorded one that our client has no need of.
type waiting struct {
	from     *receiver // nil: no need
	id       string
	listener *replayListener
	sender   string // canonical
	result   chan result
}

type result struct {
	value any
	err   error
}

func newClientReplay(t *testing.T, row clientRow) *clientReplay {
	r := &clientReplay{T: t, row: row, incoming: make(chan request, 100), greeted: make(map[*receiver]bool),
		subscriptions: make(map[string]*subscribed), senders: make(map[string]*sig.RemoteSender), registered: make(map[string]bool),
		waiting: make(map[string]*waiting), marker: make(chan struct{}, 1), told: make(map[string]bool)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			from := receive(t, conn)
			go func() {
				for m := range from.requests {
					r.incoming <- request{m, from}
				}
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-accepted
	})
	r.client, _ = run(t, tcp.NewClient(l.Addr().String()))
	r.client.AddRemoteListener("marker", "", func(sig.Event) { r.marker <- struct{}{} })
	r.reply(r.await("add_listener", `{"event": null, "sender": "marker"}`), `{"listener_id": "marker"}`)
	r.subscriptions[`{"event": null, "sender": "marker"}`] = &subscribed{`"marker"`}
	return r
}

// await returns the client's request of this kind. Those that come before it
// are answered.
func (r *clientReplay) await(method, params string) request {
	r.Helper()
	for {
		select {
		case req := <-r.incoming:
			if r.serve(req, method, params) {
				return req
			}
		case <-time.After(deadline):
			r.Fatalf("no %s %s came", method, params)
		}
	}
}

// serve answers a request unless it is the one that is waited for.
func (r *clientReplay) serve(req request, method, params string) (awaited bool) {
	r.Helper()
	got, gotParams := req.members["method"], canonical(req.members["params"])
	r.registered[fmt.Sprint(got, gotParams)] = true
	switch got {
	case "get_version":
		if r.greeted[req.from] && method == got && req.from == r.receiving {
			return true
		}
		r.greeted[req.from] = true
		r.reply(req, `"1.01"`)
		return false
	case "add_listener":
		r.receiving = req.from
	case "add_sender":
		r.sending = req.from
	}
	if method == got && params == gotParams {
		return true
	}
	switch got {
	case "add_listener":
		s := r.subscriptions[gotParams]
		if s == nil {
			s = &subscribed{fmt.Sprintf(`"ours-%d"`, len(r.subscriptions))}
			r.subscriptions[gotParams] = s
		}
		r.reply(req, `{"listener_id": `+s.id+`}`)
	case "remove_listener":
		for params, s := range r.subscriptions {
			if `{"listener_id": `+s.id+`}` == gotParams {
				delete(r.subscriptions, params)
			}
		}
		r.reply(req, "null")
	case "add_sender":
		r.reply(req, "null")
	case "list_senders":
		r.reply(req, "[]")
	default:
		r.Fatalf("unexpected: %s", req.text)
	}
	return false
}

func (r *clientReplay) reply(req request, response string) {
	r.Helper()
	req.from.write(r.T, `{"status": 0, "id": `+req.id()+`, "response": `+response+`}`)
}

func (r *clientReplay) line(i int, l recorded) {
	r.Helper()
	switch {
	case l.Ev == "open":
	case l.Ev != "":
		if r.row.cut && !r.isBack {
			r.receiving.Close()
			if r.sending != nil {
				r.sending.Close()
			}
			r.comeBack()
		}
	case l.Dir == "s2c":
		r.feed(i, l.bytes())
	default:
		if m := mustParse(r.T, l.Data); !m.isReply() {
			r.do(m)
		}
	}
}

// comeBack waits until the client has registered again everything that it had.
func (r *clientReplay) comeBack() {
	r.Helper()
	r.isBack = true
	had := r.registered
	r.registered = make(map[string]bool)
	r.receiving.ended(r.T)
	for what := range had {
		if strings.HasPrefix(what, "add_") {
			for !r.registered[what] {
				select {
				case req := <-r.incoming:
					r.serve(req, "", "")
				case <-time.After(deadline):
					r.Fatalf("the client did not come back: no %s", what)
				}
			}
		}
	}
	for _, l := range r.listeners {
		eventually(r.T, "the listener is back", func() bool {
			st, _ := r.client.Status(l.RemoteListener)
			return st != sig.Pending || l.removed
		})
	}
}

// feed sends what the recorded server sent at line i, and takes the answers.
func (r *clientReplay) feed(i int, text []byte) {
	r.Helper()
	messages, whole := split(r.partial + string(text))
	if !whole && r.row.ends != "" {
		r.receiving.write(r.T, string(text))
		r.comeBack()
		return
	}
	if !whole {
		r.partial += string(text)
		r.receiving.write(r.T, string(text))
		return
	}
	r.partial = ""
	to, said := r.receiving, string(text)
	var due []message
	for _, m := range messages {
		switch {
		case m.isReply():
			w := r.waiting[m.id()]
			if w == nil {
				break // a reply to nothing
			}
			if said = r.answers(w, m, said); said == "" {
				continue
			}
			to = w.from
		case m.members["method"] == "request" && r.sending != nil:
			to = r.sending
			due = append(due, m)
		default:
			if said = r.signals(m, said); said != "" {
				due = append(due, m)
			}
		}
	}
	if said == "" {
		return
	}
	to.write(r.T, said)
	for _, m := range messages {
		if w := r.waiting[m.id()]; m.isReply() && w != nil {
			r.finish(w, m)
			delete(r.waiting, m.id())
		}
	}
	for _, m := range due {
		r.expectAnswer(i, to, m)
	}
}

// split returns the messages that text is made of.
func split(text string) (messages []message, whole bool) {
	for text != "" {
		end := len(text)
		m, ok := parse([]byte(text))
		if !ok {
			if end = strings.Index(text, "}{"); end < 0 {
				return nil, false
			}
			end++
			if m, ok = parse([]byte(text[:end])); !ok {
				return nil, false
			}
		}
		messages = append(messages, m)
		text = text[end:]
	}
	return messages, true
}

var digits = regexp.MustCompile(`("id": *"?)(\d+)`)

// answers prepares the reply to a request of our client.
func (r *clientReplay) answers(w *waiting, m message, said string) string {
	_, id := m.listenerID()
	if w.listener != nil {
		w.listener.recorded = id
	}
	if w.from == nil {
		return ""
	}
	if w.listener != nil && id != "" {
		r.subscriptions[w.listener.key] = &subscribed{id}
	}
	if recorded := digits.FindStringSubmatch(said); recorded != nil {
		said = strings.Replace(said, recorded[0], recorded[1]+w.id, 1)
	}
	return said
}

// finish checks what a reply made of what our client was doing.
func (r *clientReplay) finish(w *waiting, m message) {
	r.Helper()
	if w.listener != nil && w.from != nil {
		eventually(r.T, "the listener has its answer", func() bool {
			st, err := r.client.Status(w.listener.RemoteListener)
			if st == sig.Refused {
				if m.members["exception"] == "Failed to add to router" && !errors.Is(err, sig.ErrNotOffered) {
					r.Errorf("refused: %v", err)
				}
				delete(r.subscriptions, w.listener.key)
				delete(r.registered, "add_listener"+w.listener.key)
			}
			return st != sig.Pending || r.row.pending
		})
	}
	var res result
	select {
	case res = <-w.result:
	case <-time.After(deadline):
		r.Fatalf("our client takes nothing for the reply %.80s", m.text)
	}
	if want, failed := m.members["exception"]; failed && w.listener == nil {
		text, _ := want.(string)
		plain, escaped := pythonErrors[text]
		if e := new(sig.RemoteError); !errors.As(res.err, &e) || e.Text != text && !(escaped && strings.HasSuffix(e.Text, plain)) {
			r.Errorf("got %v, want the error %q", res.err, want)
		}
		return
	}
	if res.err != nil {
		r.Errorf("%.80s: %v", m.text, res.err)
	}
	if s, ok := res.value.(*sig.RemoteSender); ok {
		r.senders[w.sender] = s
	} else if res.value != nil {
		text, err := json.Marshal(map[string]any{"response": res.value})
		if err != nil {
			r.Fatal(err)
		}
		if got, _ := parse(text); canonical(got.members["response"]) != canonical(m.members["response"]) {
			r.Errorf("got  %s\nwant %s", got, m)
		}
	}
}

// signals prepares a signal, and notes who is to hear it.
func (r *clientReplay) signals(m message, said string) string {
	_, recorded := m.listenerID()
	if recorded == "" {
		return said
	}
	for _, l := range r.listeners {
		if l.recorded == "" || l.removed || !r.name(json.RawMessage(l.recorded)).Equal(r.name(json.RawMessage(recorded))) {
			continue
		}
		params := m.object("params")
		info, _ := params["info"].(map[string]any)
		if st, _ := r.client.Status(l.RemoteListener); info != nil && st == sig.Active &&
			(l.Event.IsEvery() || l.Event.Equal(r.name(info["event"]))) {
			l.want = append(l.want, canonical(map[string]any{"sender": info["sender"], "event": info["event"], "data": params["data"]}))
		}
		if l != r.primary(l.key) {
			return ""
		}
		if told := r.subscriptions[l.key]; told != nil && told.id != recorded {
			said = strings.Replace(said, recorded, told.id, 1)
		}
		break
	}
	return said
}

// expectAnswer takes our client's answer to the server's request m.
func (r *clientReplay) expectAnswer(i int, from *receiver, m message) {
	r.Helper()
	name := "reply " + m.id()
	d, differs := r.row.differs[name]
	differs = differs && !r.told[name]
	r.told[name] = true
	if differs && len(d.want) == 0 {
		return
	}
	got := next(r.T, from.replies, name)
	if differs {
		if want := mustParse(r.T, d.want[0]); got.String() != want.String() {
			r.Errorf("%s (%s)\ngot  %s\nwant %s", name, d.why, got, want)
		}
		return
	}
	for _, l := range r.lines[i+1:] {
		if l.Dir != "c2s" || l.Ev != "" {
			continue
		}
		if want := mustParse(r.T, l.Data); want.isReply() && want.id() == m.id() {
			if got.String() != want.String() {
				r.Errorf("%s\ngot  %s\nwant %s", name, got, want)
			}
			return
		}
	}
	r.Errorf("unexpected %s", got.text)
}

// expectHeard proves that the connection is alive, and that the listeners have
// heard what they should, and nothing else.
func (r *clientReplay) expectHeard() {
	r.Helper()
	r.receiving.write(r.T, `{"id": "last", "method": "signal", "params": {"listener_id": "marker", "info": {"sender": "marker", "event": "done"}}}`)
	if got := next(r.T, r.receiving.replies, "answer to the marker"); got.id() != `"last"` {
		r.Errorf("unexpected %s", got.text)
	}
	for heard := false; !heard; {
		select {
		case <-r.marker:
			heard = true
		case req := <-r.incoming:
			r.serve(req, "", "")
		case <-time.After(deadline):
			r.Fatal("the listeners do not end")
		}
	}
	for _, l := range r.listeners {
		l.mu.Lock()
		if !slices.Equal(l.heard, l.want) {
			r.Errorf("listener %s\nheard %s\nwant  %s", l.key, l.heard, l.want)
		}
		l.mu.Unlock()
	}
}

// pythonErrors are errors of Python's that escaped from pysig's server, and how
// ours that say the same end.
var pythonErrors = map[string]string{
	"'NoneType' object has no attribute 'getName'":                                     " is not there",
	"exceptions must be old-style classes or derived from BaseException, not NoneType": " did not answer within 10s",
}
