package sig_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
)

// More bits of a run's mode.
const (
	streams   = 1 << iota // the server agrees on a stream
	remembers             // and on replay
	_                     //
	_                     // isProgram
	isSilent              // the server sends the script, and nothing else
)

const wordRemove = "remove" // the second listener

// The ids that the server gives, by event; a signal cannot have one of them by
// chance.
const (
	tickID  = 71717171
	otherID = 72727272
)

var clientWords = []string{
	wordWait, wordRemove, wordEnd,
	`{"id": 1, "method": "signal", "params": {"listener_id": 71717171, "info": {"sender": "timer", "event": "tick"}, "data": {"n": NaN}}}`,
	`{"id": 2, "method": "signal", "params": {"listener_id": 72727272, "info": {"sender": "timer", "event": "other"}, "data": "é"}}`,
	`{"id": 2, "method": "signal", "params": {"listener_id": 72727272, "info": {"sender": "timer", "event": "tick"}, "data": 5}}`,
	`{"id": 3, "method": "signal", "params": {"listener_id": 71717171.0, "info": {"sender": 5, "event": null}}}`,
	`{"id": 4, "method": "signal", "params": {"listener_id": 9, "info": {"sender": "timer", "event": "tick"}}}`,
	`{"id": 5, "method": "signal", "params": {"info": {}}}`,
	`{"id": 6, "method": "signal", "params": {"listener_id": 1, "info": {"sender": "timer", "event": "#connect"}, "data": {"requests": null, "events": ["tick"]}}}`,
	`{"id": 6, "method": "signal", "params": {"listener_id": 1, "info": {"sender": "timer", "event": "#connect"}, "data": {"events": []}}}`,
	`{"id": 6, "method": "signal", "params": {"listener_id": 2, "info": {"sender": "timer", "event": "#disconnect"}, "data": null}}`,
	`{"method": "signal", "params": {"listener_ids": [71717171, 72727272], "seq": 11, "time": 1700000000000000, "info": {"sender": "timer", "event": "tick"}, "data": 1}}`,
	`{"method": "signal", "params": {"listener_ids": [72727272], "replayed": true, "missed": 3, "seq": 12, "time": 1, "info": {"sender": "timer", "event": "other"}, "data": []}}`,
	`{"method": "signal", "params": {"listener_ids": [1], "missed": null, "seq": 18446744073709551615, "info": {"sender": "timer", "event": "#connect"}, "data": {"events": ["other"]}}}`,
	`{"id": 7, "method": "signal", "params": {"listener_ids": {}, "seq": -1, "time": "x", "info": [], "data": {}}}`,
	`{"id": 8, "method": "ping"}`,
	`{"method": "ping", "params": {"missed": 2, "seq": 20}}`,
	`{"method": "ping", "params": {"missed": null, "seq": 9999999999999999999}}`,
	`{"id": 9, "method": "request", "params": {"sender": "mine", "method": "echo", "params": [1, NaN]}}`,
	`{"id": 9, "method": "request", "params": {"sender": "mine", "method": "wait"}}`,
	`{"id": "é", "method": "request", "params": {"sender": "mine", "method": "none"}}`,
	`{"id": 9, "method": "request", "params": {"sender": "other", "method": 5}}`,
	`{"id": 9, "method": "request"}`,
	`{"id": 1, "status": 0, "response": "1.01"}`,
	`{"id": 1, "status": 0, "response": {"version": "1.01", "server": "é", "features": ["stream", "replay"], "epoch": "e", "seq": 10}}`,
	`{"id": 2, "status": 0, "response": {"listener_id": 71717171}}`,
	`{"id": 2, "status": 0, "response": {"listeners": [{"listener_id": 71717171}, {"listener_id": 71717171}, {"exception": "é"}, {}], "missed": null, "seq": 5}}`,
	`{"id": 3, "status": 0, "response": {"listeners": []}}`,
	`{"id": 3, "status": -2, "exception": "Failed to add to router"}`,
	`{"id": 4, "status": {}, "exception": []}`,
	`{"id": null, "status": -2, "exception": "bye"}`,
	`{"id": 1, "method": "é"}`,
	`{"id": 1}`,
	`[]`,
	`nonsense`,
}

// FuzzClient has a server send anything at all to a client with three listeners
// and a sender.
func FuzzClient(f *testing.F) {
	for _, script := range recordedScripts(f, "s2c") {
		f.Add(byte(0), script)
		f.Add(byte(isSilent), script)
		f.Add(byte(streams|remembers), script)
	}
	for _, mode := range []byte{0, streams, streams | remembers, isSilent} {
		f.Add(mode|isProgram, program(clientWords, clientWords...))
		f.Add(mode|isProgram, program(clientWords, clientWords[3:30]...))
		f.Add(mode|isProgram, program(clientWords, clientWords[25:30]...))
	}
	f.Fuzz(func(t *testing.T, mode byte, script []byte) {
		synctest.Test(t, func(t *testing.T) { fuzzClient(t, mode, script) })
	})
}

func fuzzClient(t *testing.T, mode byte, script []byte) {
	server := &fuzzServerSide{t: t, mode: mode, conns: make(chan *fuzzConn, 2)}
	client := sig.NewClientRouter(server, &sig.ClientOptions{
		Backoff: func(int, time.Duration) time.Duration { return time.Hour },
		Queue:   4,
	})
	ctx, cancel := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()

	parts := pieces(script, mode&isProgram != 0, clientWords)
	text := bytes.Join(parts, nil)
	listen := func(id int, wanted sig.Name, removed *bool) func(sig.Event) {
		// If the script has neither the id nor a number that may be spelled in
		// another way, no event can be for the listener.
		if mode&isSilent != 0 {
			id = 0
		}
		mayCome := id == 0 || bytes.Contains(text, fmt.Append(nil, id)) || exotic.Match(text)
		return func(ev sig.Event) {
			switch {
			case *removed:
				t.Errorf("removed, and got %s %s", ev.Sender, ev.Event)
			case ev.Seq == 0 && !wanted.IsEvery() && !ev.Event.Equal(wanted):
				t.Errorf("listens to %s, and got %s %s", wanted, ev.Sender, ev.Event)
			case !mayCome:
				t.Errorf("nothing is for %d, and %s %s came", id, ev.Sender, ev.Event)
			}
			_, _ = ev.Data.JSON()
			_ = ev.Data.Value()
		}
	}
	var never, removed bool
	client.AddRemoteListener("timer", "tick", listen(tickID, "tick", &never))
	other := client.AddRemoteListener("timer", "other", listen(otherID, "other", &removed))
	client.AddRemoteListener("", "", listen(0, "", &never))
	tasks.Go(func() { client.Run(ctx) })
	synctest.Wait()
	if mode&isSilent == 0 {
		tasks.Go(func() {
			_, _ = client.AddRemoteSenderWith(ctx, "mine", sig.SenderOptions{Events: []sig.Name{"e"}, Requests: map[sig.Name]sig.RequestFunc{
				"echo": func(_ context.Context, _ sig.Name, params sig.Data) (any, error) { return params, nil },
				"wait": func(ctx context.Context, _ sig.Name, _ sig.Data) (any, error) {
					<-ctx.Done()
					return nil, context.Cause(ctx)
				},
			}})
		})
		synctest.Wait()
	}
	conns := server.dialled()
	for _, piece := range parts {
		switch string(piece) {
		case wordWait:
			time.Sleep(11 * time.Second)
		case wordRemove:
			client.RemoveRemoteListener(other)
			synctest.Wait()
			removed = true
		case wordEnd:
			conns[0].Close()
		default:
			for _, c := range conns {
				c.feed(piece)
			}
		}
		synctest.Wait()
	}
	for _, c := range conns {
		c.Close()
	}
	synctest.Wait()
	if st := client.Link(); st.Connected || st.Err == nil {
		t.Errorf("the connections have ended: %+v", st)
	}
}

var exotic = regexp.MustCompile(`[0-9][.eE]`)

// fuzzServerSide is the carrier to a server that opens as a server should.
type fuzzServerSide struct {
	t     *testing.T
	mode  byte
	conns chan *fuzzConn
}

func (s *fuzzServerSide) String() string { return "fuzz" }

func (s *fuzzServerSide) Dial(context.Context) (sig.Conn, error) {
	var c *fuzzConn
	next := 0
	c = newFuzzConn(s.t, func(m map[string]json.RawMessage) {
		if m["method"] == nil || m["id"] == nil || s.mode&isSilent != 0 {
			return
		}
		c.feedLocked(fmt.Appendf(nil, `{"status": 0, "id": %s, "response": %s}`, m["id"], s.answer(string(m["method"]), m["params"], &next)))
	})
	s.conns <- c
	return c, nil
}

func (s *fuzzServerSide) dialled() (all []*fuzzConn) {
	for {
		select {
		case c := <-s.conns:
			all = append(all, c)
		default:
			return all
		}
	}
}

// answer is what a sane server says. The ids that it gives are 1, 2, ...,
// except for the listeners under test.
func (s *fuzzServerSide) answer(method string, params json.RawMessage, next *int) string {
	id := func(event string) string {
		switch *next++; event {
		case "tick":
			return fmt.Sprintf(`{"listener_id": %d}`, tickID)
		case "other":
			return fmt.Sprintf(`{"listener_id": %d}`, otherID)
		}
		return fmt.Sprintf(`{"listener_id": %d}`, *next)
	}
	var p struct {
		Event     string
		Listeners []struct{ Event string }
	}
	_ = json.Unmarshal(params, &p)
	switch method {
	case `"get_version"`:
		switch {
		case s.mode&streams == 0:
			return `"1.01"`
		case s.mode&remembers == 0:
			return `{"version": "1.01", "server": "fuzz", "features": ["stream"], "epoch": "e", "seq": 10}`
		}
		return `{"version": "1.01", "server": "fuzz", "features": ["stream", "replay"], "epoch": "e", "seq": 10}`
	case `"add_listener"`:
		return id(p.Event)
	case `"subscribe"`:
		list := []byte("[")
		for i, l := range p.Listeners {
			if i > 0 {
				list = append(list, ',')
			}
			list = append(list, id(l.Event)...)
		}
		return `{"listeners": ` + string(list) + `], "missed": 0, "seq": 10}`
	}
	return "null"
}
