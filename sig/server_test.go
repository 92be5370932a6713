package sig_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// serve runs a server on real TCP until the test ends.
func serve(t testing.TB) (*sig.ServerRouter, string) {
	t.Helper()
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := sig.NewServerRouter(nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, carrier) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, carrier.Addr()
}

// Where pysig's answer is not ours, on purpose: what we answer instead. Keys
// are the recording and the request's id.
var ours = map[string]string{
	"10/8":  `{"status":-2,"exception":"params must be an object, not []","id":8}`,
	"10/9":  `{"status":-2,"exception":"params must be an object, not \"x\"","id":9}`,
	"10/10": `{"status":-2,"exception":"params must be an object, not 5","id":10}`,
	// An empty event name means every event here; pysig indexes into it.
	"10/22": `{"status":0,"id":22,"response":null}`,
	"10/23": `{"status":-2,"exception":"\"{}\" cannot be a name: a name is a string, a number, true, false or null","id":23}`,
	"10/24": `{"status":-2,"exception":"\"{}\" cannot be a name: a name is a string, a number, true, false or null","id":24}`,
	"10/26": `{"status":0,"id":26,"response":null}`, // a lone name is a list of one, as for events
	"10/28": `{"status":-2,"exception":"\"{\\\"a\\\": 1}\" cannot be a name: a name is a string, a number, true, false or null","id":28}`,
	"10/30": `{"status":-2,"exception":"sender unknown not found","id":30}`,
	"10/31": `{"status":-2,"exception":"sender timer belongs to another client","id":31}`,
	"10/36": `{"status":0,"id":36,"response":{"listener_id":0}}`,
	"10/38": `{"status":-2,"exception":"\"[]\" cannot be a name: a name is a string, a number, true, false or null","id":38}`,
	"10/39": `{"status":-2,"exception":"\"{}\" cannot be a name: a name is a string, a number, true, false or null","id":39}`,
	"10/45": `{"status":-2,"exception":"info must be an object, not \"x\"","id":45}`,
	"10/48": `{"status":-2,"exception":"sender s2 does not offer unknown","id":48}`,
	"10/53": `{"status":-2,"exception":"sender unknown not found","id":53}`,
}

// What pysig's server answered to raw clients, ours answers. The recordings
// whose point is that pysig lost a message, or that need more than the server,
// are told of in their own tests.
func TestServerAnswersAsRecorded(t *testing.T) {
	for _, name := range []string{
		"02_get_version__client", "04_add_listener_kinds__client", "10_error_replies_raw__raw",
		"11_raw_input__dup_keys", "11_raw_input__leading_ws", "11_raw_input__trailing_newline",
		"11_raw_input__request_with_status_null",
		"11_raw_input__unicode_unknown_method",
	} {
		t.Run(name, func(t *testing.T) {
			s, addr := serve(t)
			if _, err := s.AddSender("timer", "tick"); err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			answers := json.NewDecoder(conn)
			for _, line := range recording(t, name) {
				if line.Data == "" {
					continue
				}
				if line.Dir == "c2s" {
					if _, err := conn.Write([]byte(line.Data)); err != nil {
						t.Fatal(err)
					}
					continue
				}
				conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				var got json.RawMessage
				if err := answers.Decode(&got); err != nil {
					t.Fatalf("no answer like %s: %v", line.Data, err)
				}
				compareReply(t, name, string(got), line.Data)
			}
		})
	}
}

var listenerID = regexp.MustCompile(`"listener_id":\d+`)

func compareReply(t *testing.T, name, got, want string) {
	t.Helper()
	var reply struct {
		ID       json.RawMessage `json:"id"`
		Response []any           `json:"response"`
	}
	_ = json.Unmarshal([]byte(want), &reply)
	if reply.Response != nil {
		return // list_senders: the order is a Python dict's; see TestListSenders
	}
	if o, ok := ours[name[:2]+"/"+string(reply.ID)]; ok {
		want = o
	}
	normal := func(text string) string {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		b, _ := json.Marshal(v)
		return listenerID.ReplaceAllString(string(b), `"listener_id":0`)
	}
	if normal(got) != normal(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

type recorded struct{ Dir, Data, Ev string }

func recording(t *testing.T, name string) (lines []recorded) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "captures", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var l recorded
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

func TestListSenders(t *testing.T) {
	s, addr := serve(t)
	if _, err := s.AddSender("timer", "tick"); err != nil {
		t.Fatal(err)
	}
	p := dial(t, addr, nil)
	if _, err := p.Call("add_listener", map[string]any{"sender": "ghost", "event": "boo"}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		events bool
		want   string
	}{
		{false, `[{"connected":true,"sender":"timer"},{"connected":false,"sender":"ghost"},{"connected":true,"sender":null}]`},
		{true, `[{"connected":true,"sender":"timer","events":[{"event":"tick"},{"event":"#disconnect"},{"event":null},{"event":"#connect"}]},` +
			`{"connected":false,"sender":"ghost","events":[{"event":"boo"},{"event":"#disconnect"},{"event":null},{"event":"#connect"}]},` +
			`{"connected":true,"sender":null,"events":[{"event":"#disconnect"},{"event":null},{"event":"#connect"}]}]`},
	} {
		got, err := p.Call("list_senders", map[string]any{"list_events": tc.events})
		if err != nil || string(got) != tc.want {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

func dial(t testing.TB, addr string, handle func(string, json.RawMessage) (any, error)) *sigtest.Peer {
	t.Helper()
	p, err := sigtest.DialPeer(addr, handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// A pysig client whose four threads signal at once, and listens meanwhile:
// each reply and each signal must be alone in what it reads.
func TestPysigClientLosesNothing(t *testing.T) {
	_, addr := serve(t)
	var heard atomic.Int64
	p := dial(t, addr, func(method string, _ json.RawMessage) (any, error) {
		if method == "signal" {
			heard.Add(1)
		}
		return nil, nil
	})
	listener := dial(t, addr, nil)
	if _, err := listener.Call("add_sender", map[string]any{"sender": "other", "events": []string{"e"}}); err != nil {
		t.Fatal(err)
	}
	must := func(_ json.RawMessage, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(p.Call("add_sender", map[string]any{"sender": "clock", "events": []string{"chime"}}))
	must(p.Call("add_listener", map[string]any{"sender": "other", "event": "e"}))
	signal := func(p *sigtest.Peer, sender, event string, data int) error {
		_, err := p.Call("signal", map[string]any{"info": map[string]string{"sender": sender, "event": event}, "data": data})
		return err
	}
	var threads sync.WaitGroup
	for thread := range 4 {
		threads.Go(func() {
			for i := range 50 {
				if err := signal(p, "clock", "chime", thread*100+i); err != nil {
					t.Errorf("signal %d of thread %d: %v", i, thread, err)
				}
			}
		})
	}
	threads.Go(func() {
		for i := range 50 {
			if err := signal(listener, "other", "e", i); err != nil {
				t.Error(err)
			}
		}
	})
	threads.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for heard.Load() < 50 && time.Now().Before(deadline) {
		must(p.Call("get_version", nil))
	}
	if p.Lost() != 0 || listener.Lost() != 0 || heard.Load() != 50 {
		t.Errorf("lost %d and %d messages, heard %d of 50 signals", p.Lost(), listener.Lost(), heard.Load())
	}
}

// A pysig client reads nothing while a callback of it runs. What it is sent
// meanwhile must still come to it alone.
func TestPysigClientThatIsBusyLosesNothing(t *testing.T) {
	_, addr := serve(t)
	heard := make(chan struct{}, 1000)
	p := dial(t, addr, func(method string, _ json.RawMessage) (any, error) {
		time.Sleep(15 * time.Millisecond) // the callback
		heard <- struct{}{}
		return nil, nil
	})
	if _, err := p.Call("add_sender", map[string]any{"sender": "clock", "events": []string{"chime"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Call("add_listener", map[string]any{"sender": "other"}); err != nil {
		t.Fatal(err)
	}
	other := dial(t, addr, nil)
	if _, err := other.Call("add_sender", map[string]any{"sender": "other", "events": []string{"e"}}); err != nil {
		t.Fatal(err)
	}
	const n = 100
	var threads sync.WaitGroup
	for who, peer := range map[string]*sigtest.Peer{"clock": p, "other": other} {
		threads.Go(func() {
			event := map[string]string{"clock": "chime", "other": "e"}[who]
			for i := range n {
				if _, err := peer.Call("signal", map[string]any{"info": map[string]string{"sender": who, "event": event}, "data": i}); err != nil {
					t.Errorf("%s, signal %d: %v", who, i, err)
				}
			}
		})
	}
	threads.Wait()
	for range n + 1 { // with the #connect
		<-heard
	}
	if p.Lost() != 0 {
		t.Errorf("lost %d messages", p.Lost())
	}
}

func TestOnlyTheOwnerSignalsAndRemoves(t *testing.T) {
	_, addr := serve(t)
	owner, stranger := dial(t, addr, nil), dial(t, addr, nil)
	if _, err := owner.Call("add_sender", map[string]any{"sender": "clock", "events": []string{"chime"}}); err != nil {
		t.Fatal(err)
	}
	const want = "status -2: sender clock belongs to another client"
	if _, err := stranger.Call("remove_sender", map[string]any{"sender": "clock"}); err == nil || err.Error() != want {
		t.Errorf("remove_sender: %v", err)
	}
	info := map[string]any{"info": map[string]string{"sender": "clock", "event": "chime"}}
	if _, err := stranger.Call("signal", info); err == nil || err.Error() != want {
		t.Errorf("signal: %v", err)
	}
	if _, err := owner.Call("signal", info); err != nil {
		t.Errorf("the owner's signal: %v", err)
	}
}

// One client that answers nothing must not cost the others anything.
func TestMuteClientHoldsNobodyUp(t *testing.T) {
	s, addr := serve(t)
	sender, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	mute, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	fmt.Fprint(mute, `{"id": 1, "method": "add_listener", "params": {}}`)
	if _, err := mute.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	heard := make(chan json.RawMessage, 100)
	p := dial(t, addr, func(_ string, params json.RawMessage) (any, error) {
		heard <- params
		return nil, nil
	})
	if _, err := p.Call("add_listener", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for i := range 20 {
		if err := sender.Trigger("tick", i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		select {
		case params := <-heard:
			if want := fmt.Sprintf(`"data": %d}`, i); !strings.HasSuffix(string(params), want) {
				t.Fatalf("got %s, want %s", params, want)
			}
		case <-time.After(9 * time.Second):
			t.Fatalf("event %d did not come within %s", i, time.Since(start))
		}
	}
}

// The caller may go on using what it gave to Trigger; the race detector knows
// if it may not.
func TestDataMayChangeAfterTrigger(t *testing.T) {
	s, addr := serve(t)
	sender, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 10)
	p := dial(t, addr, func(_ string, params json.RawMessage) (any, error) {
		heard <- string(params)
		return nil, nil
	})
	if _, err := p.Call("add_listener", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	data := map[string]int{"n": 1}
	if err := sender.Trigger("tick", data); err != nil {
		t.Fatal(err)
	}
	data["n"] = 2
	if got := <-heard; !strings.Contains(got, `{"n":1}`) {
		t.Errorf("heard %s", got)
	}
	if err := sender.Trigger("tick", func() {}); err == nil {
		t.Error("a function has been made JSON")
	}
}

func TestTooLongForPysigIsCounted(t *testing.T) {
	s, addr := serve(t)
	sender, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan json.RawMessage, 10)
	p := dial(t, addr, func(_ string, params json.RawMessage) (any, error) {
		heard <- params
		return nil, nil
	})
	if _, err := p.Call("add_listener", map[string]any{"sender": "timer"}); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{strings.Repeat("x", 5000), "short"} {
		if err := sender.Trigger("tick", data); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-heard; !strings.Contains(string(got), "short") {
		t.Errorf("got %.60s", got)
	}
	if s.Dropped() != 1 || p.Lost() != 0 {
		t.Errorf("dropped %d, want 1; the peer lost %d", s.Dropped(), p.Lost())
	}
}

// Whatever comes, the server goes on; what cannot be JSON ends only its own
// connection.
func TestServerSurvivesBadInput(t *testing.T) {
	_, addr := serve(t)
	for name, in := range map[string]string{
		"garbage": "hello world\r\n", "HTTP": "GET / HTTP/1.1\r\n\r\n", "NUL": "\x00\x00\x00",
		"bad UTF-8": "{\"id\": \"\xff\"}", "number": "5 ", "half": `{"id": 1, "method": }`,
		"deep": strings.Repeat("[", 100_000), "long": `{"x": "` + strings.Repeat("y", 2<<20),
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Write([]byte(in)) // the server may close before it has all
		if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
			t.Errorf("%s: the connection is open: %v", name, err)
		}
		conn.Close()
	}
	for name, in := range map[string]string{
		"array": "[1, 2]", "joined": "{\"id\": 1, \"method\": \"get_version\"}\n", "list id": `{"id": [], "status": 0}`,
		"method list": `{"id": [], "method": []}`, "late reply": `{"id": 700, "status": 0}`,
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, in+`{"id": 99, "method": "get_version"}`)
		dec := json.NewDecoder(conn)
		var m struct{ ID any }
		for m.ID != 99.0 {
			if err := dec.Decode(&m); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		conn.Close()
	}
}
