package sig_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
)

// The bits of a run's mode.
const (
	firstStreams  = 1 << iota // the first client agrees on a stream
	secondStreams             // the second does
	answers                   // both answer whatever they are asked
	isProgram                 // the scripts are made of words
)

const (
	wordWait    = "wait"    // until every answer is late
	wordTrigger = "trigger" // the server's own sender triggers
	wordLong    = "long"    // it triggers, with data that pysig cannot read
	wordEnd     = "end"     // of the connection
	wordStop    = "stop"    // the client reads nothing
	wordGo      = "go"      // it reads again
)

// serverWords are what clients say. EPOCH is the server's.
var serverWords = []string{
	wordWait, wordTrigger, wordLong, wordEnd, wordStop, wordGo,
	`{"id": 1, "method": "get_version"}`,
	`{"id": 1, "method": "get_version", "params": {"features": ["stream"]}}`,
	`{"id": 1, "method": "get_version", "params": {"features": ["stream", "replay"]}}`,
	`{"id": 1, "method": "get_version", "params": {"features": ["stream", "replay"], "client": "x"}}`,
	`{"id": 1, "method": "get_version", "params": {"features": [], "client": "x"}}`,
	`{"id": 1, "method": "get_version", "params": {"features": [], "client": "y"}}`,
	`{"id": 2, "method": "list_senders", "params": {"list_events": true}}`,
	`{"id": 3, "method": "add_sender", "params": {"sender": "s", "events": ["e", "#c"], "requests": ["m", null]}}`,
	`{"id": 3, "method": "add_sender", "params": {"sender": "s", "events": ["other"], "requests": null}}`,
	`{"id": 3, "method": "add_sender", "params": {"sender": 1, "events": [2, 2.0, "2.0", "é"]}}`,
	`{"id": 3, "method": "add_sender", "params": {"sender": NaN, "events": [true, null, -0.0, 1e999]}}`,
	`{"id": 3, "method": "add_sender", "params": {"sender": "timer", "events": []}}`,
	`{"id": 4, "method": "remove_sender", "params": {"sender": "s"}}`,
	`{"id": 4, "method": "remove_sender", "params": {"sender": 1.0}}`,
	`{"id": 4, "method": "remove_sender", "params": {"sender": "timer"}}`,
	`{"id": 5, "method": "add_listener", "params": {"sender": "s", "event": "e"}}`,
	`{"id": 5, "method": "add_listener", "params": {"sender": "s"}}`,
	`{"id": 5, "method": "add_listener", "params": {"sender": true, "event": 2}}`,
	`{"id": 5, "method": "add_listener", "params": {"event": "#c"}}`,
	`{"id": 5, "method": "add_listener", "params": {"event": "e"}}`,
	`{"id": 5, "method": "add_listener"}`,
	`{"id": 5, "method": "add_listener", "params": {"sender": "timer", "event": "tick"}}`,
	`{"id": 5, "method": "add_listener", "params": {"sender": "timer", "event": "none"}}`,
	`{"id": 5, "method": "add_listener", "params": {"sender": "s", "event": "#connect"}}`,
	`{"id": 6, "method": "remove_listener", "params": {"listener_id": 100000000000001}}`,
	`{"id": 6, "method": "remove_listener", "params": {"listener_id": 100000000000002.0}}`,
	`{"id": 6, "method": "remove_listener", "params": {"listener_id": "100000000000003"}}`,
	`{"id": 7, "method": "signal", "params": {"info": {"sender": "s", "event": "e"}, "data": {"a": [1, NaN, "é"]}}}`,
	`{"method": "signal", "params": {"info": {"sender": "s", "event": "#c"}, "data": null}}`,
	`{"id": 7, "method": "signal", "params": {"info": {"sender": "s", "event": null}}}`,
	`{"id": 7, "method": "signal", "params": {"info": {"sender": 1, "event": true}, "data": "x"}}`,
	`{"id": 7, "method": "signal", "params": {"info": {"sender": "timer", "event": "tick"}}}`,
	`{"id": 8, "method": "request", "params": {"sender": "timer", "method": "echo", "params": {"a": 1}}}`,
	`{"id": 8, "method": "request", "params": {"sender": "timer", "method": "wait"}}`,
	`{"id": [8, null], "method": "request", "params": {"sender": "s", "method": "m", "params": [NaN]}}`,
	`{"method": "request", "params": {"sender": "s", "method": 5}}`,
	`{"status": 0, "id": 1, "response": {"a": NaN}}`,
	`{"status": 0, "id": 2}`,
	`{"status": -2, "id": 1, "exception": "näh"}`,
	`{"status": -2, "id": null, "exception": "bye"}`,
	`{"id": 9, "method": "ping"}`,
	`{"id": 10, "method": "subscribe", "params": {"listeners": [{"sender": "s", "event": "e"}, {"event": "#c"}, {"sender": "timer"}]}}`,
	`{"id": 10, "method": "subscribe", "params": {"listeners": [{}, {"sender": "timer", "event": "none"}, {"sender": []}], "since": {"epoch": "EPOCH", "seq": 1}}}`,
	`{"id": 10, "method": "subscribe", "params": {"listeners": [{"sender": "timer", "event": "tick"}], "since": {"epoch": "other", "seq": 0}}}`,
	`{"method": "subscribe", "params": {"listeners": [{"sender": "s"}], "since": {"epoch": "EPOCH", "seq": 0}}}`,
	`{"id": 11, "method": "é"}`,
	`{"id": 11}`,
	`{"id": "é", "method": "list_senders", "params": []}`,
	`[1, 2]`,
	`{"id": 12, "method": 5, "params": "x"}`,
	`nonsense`,
	"{\"id\": 7, \"method\": \"signal\", \"params\": {\"info\": {\"sender\": \"s\", \"event\": \"e\"}, \"data\": {\n\"a\": 1}}}",
	"{\"id\": 8, \"method\": \"request\", \"params\": {\"sender\": \"s\", \"method\": \"m\", \"params\": [\n]}}",
	"{\"status\": 0, \"id\": 1, \"response\": [\n]}",
}

// FuzzServer has two clients send anything at all, and a third see that nothing
// is left of them.
func FuzzServer(f *testing.F) {
	listens := []byte(`{"params": {"sender": null, "event": null}, "method": "add_listener", "id": 1}`)
	for _, script := range recordedScripts(f, "c2s") {
		f.Add(byte(answers), script, listens)
		f.Add(byte(firstStreams|secondStreams), script, listens)
	}
	say := func(mode byte, first, second []string) {
		f.Add(mode|isProgram, program(serverWords, first...), program(serverWords, second...))
	}
	w := serverWords
	say(0, w[6:], nil)
	say(firstStreams, w[6:], w[20:30])
	say(firstStreams|secondStreams|answers, w[:30], w[20:])
	everything := `{"id": 5, "method": "add_listener"}`
	tick := slices.Repeat([]string{wordTrigger}, 20)
	for _, mode := range []byte{0, answers, firstStreams} {
		say(mode, slices.Concat([]string{everything, wordStop}, tick, []string{wordGo}, tick[:3]), nil)
		say(mode, slices.Concat([]string{everything, wordStop}, tick, []string{wordWait, wordWait, wordWait}), nil)
	}
	f.Fuzz(func(t *testing.T, mode byte, first, second []byte) {
		synctest.Test(t, func(t *testing.T) { fuzzServer(t, mode, first, second) })
	})
}

func fuzzServer(t *testing.T, mode byte, first, second []byte) {
	server := sig.NewServerRouter(&sig.ServerOptions{Queue: 4, Memory: 8, Limits: sig.Limits{Listeners: 5, Senders: 3}})
	timer, err := server.AddSenderWith("timer", sig.SenderOptions{Events: []sig.Name{"tick"}, Requests: map[sig.Name]sig.RequestFunc{
		"echo": func(_ context.Context, _ sig.Name, params sig.Data) (any, error) { return params, nil },
		"wait": func(ctx context.Context, _ sig.Name, _ sig.Data) (any, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	network := newFuzzCarrier()
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ctx, network) })
	defer serving.Wait()
	defer cancel()

	var said map[string]json.RawMessage
	observer := newFuzzConn(t, func(m map[string]json.RawMessage) { said = m })
	network.accept <- observer
	ask := func(question string) string {
		observer.feed([]byte(question))
		synctest.Wait()
		return string(said["response"])
	}
	const list = `{"id": 1, "method": "list_senders", "params": {"list_events": true}}`
	before := ask(list)
	var greeting struct{ Epoch string }
	if err := json.Unmarshal([]byte(ask(`{"id": 2, "method": "get_version", "params": {"features": []}}`)), &greeting); err != nil {
		t.Fatal(err)
	}

	scripts := [2][][]byte{pieces(first, mode&isProgram != 0, serverWords), pieces(second, mode&isProgram != 0, serverWords)}
	var clients [2]*fuzzConn
	for i := range clients {
		var c *fuzzConn
		c = newFuzzConn(t, func(m map[string]json.RawMessage) {
			if id := m["id"]; mode&answers != 0 && m["method"] != nil && id != nil {
				reply := append([]byte(`{"status": 0, "response": "é", "id": `), id...)
				c.feedLocked(append(reply, '}'))
			}
		})
		clients[i] = c
		network.accept <- c
		if mode&(firstStreams<<i) != 0 {
			c.feed([]byte(`{"id": 0, "method": "get_version", "params": {"features": ["stream", "replay"]}}`))
		}
		synctest.Wait()
	}
	for i := range max(len(scripts[0]), len(scripts[1])) {
		for who, c := range clients {
			if i >= len(scripts[who]) {
				continue
			}
			switch piece := scripts[who][i]; string(piece) {
			case wordWait:
				time.Sleep(11 * time.Second)
			case wordTrigger:
				_ = timer.Trigger("tick", i)
			case wordLong:
				_ = timer.Trigger("tick", strings.Repeat("é", pysigReads))
			case wordEnd:
				c.Close()
			case wordStop:
				c.stop(true)
			case wordGo:
				c.stop(false)
			default:
				c.feed(bytes.ReplaceAll(piece, []byte("EPOCH"), []byte(greeting.Epoch)))
			}
			synctest.Wait()
		}
	}
	for _, c := range clients {
		c.Close()
	}
	synctest.Wait()
	if after := ask(list); after != before {
		t.Errorf("the clients left something behind:\n%s\nbefore:\n%s", after, before)
	}
	if n := server.Connected(); n != 1 {
		t.Errorf("%d clients, the observer included", n)
	}
}

// fuzzCarrier accepts the connections that a test makes.
type fuzzCarrier struct {
	accept chan sig.Conn
	down   chan struct{}
	end    func()
}

func newFuzzCarrier() fuzzCarrier {
	down := make(chan struct{})
	return fuzzCarrier{make(chan sig.Conn), down, sync.OnceFunc(func() { close(down) })}
}

func (c fuzzCarrier) Accept() (sig.Conn, error) {
	select {
	case conn := <-c.accept:
		return conn, nil
	case <-c.down:
		return nil, net.ErrClosed
	}
}

func (c fuzzCarrier) Close() error {
	c.end()
	return nil
}
