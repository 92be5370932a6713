package sig_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// provides returns a sender that answers requests in every possible way.
func provides() sig.SenderOptions {
	return sig.SenderOptions{Events: []sig.Name{"e"}, Requests: map[sig.Name]sig.RequestFunc{
		"echo": func(_ context.Context, _ sig.Name, params sig.Data) (any, error) { return params, nil },
		"fail": func(context.Context, sig.Name, sig.Data) (any, error) { return nil, errors.New("boom") },
		"wait": func(ctx context.Context, _ sig.Name, _ sig.Data) (any, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		},
		"": func(_ context.Context, method sig.Name, params sig.Data) (any, error) {
			return map[string]any{"default": method, "params": params.Value()}, nil
		},
	}}
}

// question sends a request in one of the possible ways, and returns the answer
// as text.
type question func(sender, method sig.Name, params any) string

func answerText(d sig.Data, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	text, err := d.JSON()
	if err != nil {
		return "error: " + err.Error()
	}
	var v any
	if json.Unmarshal(text, &v) != nil {
		return "not JSON: " + string(text)
	}
	text, _ = json.Marshal(v)
	return string(text)
}

// Whoever asks and whoever answers, the answer is the same.
func TestRequests(t *testing.T) {
	s, addr := serve(t)
	if _, err := s.AddSenderWith("local", provides()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddSender("mute", "e"); err != nil {
		t.Fatal(err)
	}
	provider, _ := run(t, tcp.NewClient(addr))
	if _, err := provider.AddRemoteSenderWith(t.Context(), "remote", provides()); err != nil {
		t.Fatal(err)
	}
	old := dial(t, addr, func(method string, params json.RawMessage) (any, error) {
		var p struct {
			Method string
			Params any
		}
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, err
		}
		switch p.Method {
		case "echo":
			return p.Params, nil
		case "fail":
			return nil, errors.New("boom")
		}
		return map[string]any{"default": p.Method, "params": p.Params}, nil
	})
	if _, err := old.Call("add_sender", map[string]any{"sender": "pysig", "events": []string{"e"}, "requests": []any{"echo", "fail", nil}}); err != nil {
		t.Fatal(err)
	}
	client, _ := run(t, tcp.NewClient(addr))
	asker := dial(t, addr, nil)
	for who, ask := range map[string]question{
		"the server": func(sender, method sig.Name, params any) string {
			return answerText(s.Request(t.Context(), sender, method, params))
		},
		"a client": func(sender, method sig.Name, params any) string {
			return answerText(client.RemoteRequest(t.Context(), sender, method, params))
		},
		"a pysig client": func(sender, method sig.Name, params any) string {
			text, err := asker.Call("request", map[string]any{"sender": sender, "method": method, "params": params})
			if err != nil {
				return "error: " + strings.TrimPrefix(err.Error(), "status -2: ")
			}
			return answerText(sig.JSONData(text), nil)
		},
	} {
		for _, sender := range []sig.Name{"local", "remote", "pysig"} {
			for _, tc := range []struct {
				method sig.Name
				params any
				want   string
			}{
				{"echo", map[string]any{"k": []any{1, nil}}, `{"k":[1,null]}`},
				{"echo", nil, `null`},
				{"echo", strings.Repeat("é", 100), `"` + strings.Repeat("é", 100) + `"`},
				{"fail", 1, `error: boom`},
				{"undeclared", []int{3}, `{"default":"undeclared","params":[3]}`},
			} {
				if got := ask(sender, tc.method, tc.params); got != tc.want {
					t.Errorf("%s asks %s for %s: got %s, want %s", who, sender, tc.method, got, tc.want)
				}
			}
		}
		for sender, want := range map[sig.Name]string{
			"mute":   "requests not supported|sender mute: the sender takes no requests",
			"nobody": "sender nobody not found|sender nobody: not connected",
		} {
			got := ask(sender, "echo", nil)
			remote, local, _ := strings.Cut(want, "|")
			if got != "error: "+remote && got != "error: "+local {
				t.Errorf("%s asks %s: got %s", who, sender, got)
			}
		}
	}
	if _, err := client.RemoteRequest(t.Context(), "mute", "echo", nil); !errors.Is(err, sig.ErrNoRequests) {
		t.Errorf("a sender that takes no requests: %v is not ErrNoRequests", err)
	}
	if old.Lost()+asker.Lost() != 0 {
		t.Error("a pysig peer has lost messages")
	}
}

// Many requests are under way at once, and any more than a client may have are
// refused, not queued for ever.
func TestManyRequestsAtOnce(t *testing.T) {
	_, addr := serve(t)
	release, began := make(chan struct{}), make(chan struct{}, 1000)
	provider, _ := run(t, tcp.NewClient(addr))
	_, err := provider.AddRemoteSenderWith(t.Context(), "slow", sig.SenderOptions{Requests: map[sig.Name]sig.RequestFunc{
		"wait": func(context.Context, sig.Name, sig.Data) (any, error) {
			began <- struct{}{}
			<-release
			return "done", nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	client, _ := run(t, tcp.NewClient(addr))
	const n = 100
	answers := make(chan string, n)
	for range n {
		go func() { answers <- answerText(client.RemoteRequest(t.Context(), "slow", "wait", nil)) }()
	}
	refused := 0
	for range n - 64 {
		if got := <-answers; got != "error: 64 requests are already being answered" {
			t.Errorf("got %s", got)
		}
		refused++
	}
	for range 64 {
		<-began
	}
	close(release)
	for range n - refused {
		if got := <-answers; got != `"done"` {
			t.Errorf("got %s", got)
		}
	}
}

func TestProviderGoesOrIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		provider := sig.NewClientRouter(p.network.Client(), nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			provider.Run(ctx)
		}()
		if _, err := provider.AddRemoteSenderWith(t.Context(), "remote", provides()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		got := answerText(p.client.RemoteRequest(t.Context(), "remote", "wait", nil))
		if took := time.Since(start); took != 10*time.Second || !strings.Contains(got, "within 10s") {
			t.Errorf("late: got %s after %s", got, took)
		}
		answers := make(chan string)
		go func() { answers <- answerText(p.client.RemoteRequest(t.Context(), "remote", "wait", nil)) }()
		time.Sleep(time.Second)
		cancel()
		<-done
		if got := <-answers; !strings.Contains(got, "ended before it answered") && !strings.Contains(got, "context canceled") {
			t.Errorf("gone: got %s", got)
		}
	})
}

func TestLocalRequest(t *testing.T) {
	r := new(sig.Router)
	if _, err := r.AddSenderWith("s", provides()); err != nil {
		t.Fatal(err)
	}
	if got := answerText(r.Request(t.Context(), "s", "echo", sig.JSONData([]byte(`[1]`)))); got != `[1]` {
		t.Errorf("got %s", got)
	}
	if _, err := r.Request(t.Context(), "x", "echo", nil); !errors.Is(err, sig.ErrNotConnected) {
		t.Errorf("got %v", err)
	}
	o := provides()
	delete(o.Requests, "")
	if _, err := r.AddSenderWith("t", o); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Request(t.Context(), "t", "nope", nil); err == nil || err.Error() != "method nope not found" {
		t.Errorf("got %v", err)
	}
}

// Intercept takes the place of pysig's class_signal: it changes data and info,
// or holds an event back.
func TestIntercept(t *testing.T) {
	s, addr := serve(t)
	kept := make(chan sig.Data, 10)
	s.Intercept(func(ev sig.Event) (sig.Event, bool) {
		switch ev.Event {
		case "secret":
			return ev, false
		case "tick":
			kept <- ev.Data
			ev.Sender, ev.Event = "hook", "tock"
			ev.Data = sig.JSONData(fmt.Appendf(nil, `{"was": %v}`, ev.Data.Value()))
		}
		return ev, true
	})
	heard := map[string]*sigtest.Recorder{"at the server": sigtest.NewRecorder(), "at a client": sigtest.NewRecorder()}
	if _, err := s.AddListener("timer", "tick", heard["at the server"].Listen); err != nil {
		t.Fatal(err)
	}
	c, changed := run(t, tcp.NewClient(addr))
	l := c.AddRemoteListener("timer", "tick", heard["at a client"].Listen)
	until(t, changed, "active", isActive(c, l))
	atPysig := make(chan string, 10)
	old := dial(t, addr, func(_ string, params json.RawMessage) (any, error) {
		atPysig <- string(params)
		return nil, nil
	})
	if _, err := old.Call("add_listener", map[string]any{"sender": "timer", "event": "tick"}); err != nil {
		t.Fatal(err)
	}
	timer, err := c.AddRemoteSender(t.Context(), "timer", "tick", "secret")
	if err != nil {
		t.Fatal(err)
	}
	for i, event := range []sig.Name{"secret", "tick", "tick"} {
		if err := timer.Trigger(t.Context(), event, i); err != nil {
			t.Fatal(err)
		}
	}
	for where, r := range heard {
		r.Expect(t, `hook: tock {"was": 1}`, `hook: tock {"was": 2}`)
		t.Log(where)
	}
	for i := 1; i <= 2; i++ {
		if got := <-atPysig; !strings.Contains(got, `{"sender": "hook", "event": "tock"}`) || !strings.Contains(got, fmt.Sprintf(`{"was": %d}`, i)) {
			t.Errorf("a pysig client got %s", got)
		}
		if text, _ := (<-kept).JSON(); string(text) != fmt.Sprint(i) {
			t.Errorf("data kept by the hook became %s, want %d", text, i)
		}
	}
}

// errors.Is recognises a refusal, wherever it comes from.
func TestErrorsAreSentinels(t *testing.T) {
	s, addr := serve(t)
	c, _ := run(t, tcp.NewClient(addr))
	clock, err := c.AddRemoteSender(t.Context(), "clock", "chime")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddListener("waited", "x", func(sig.Event) {}); err != nil {
		t.Fatal(err)
	}
	gone, err := s.AddSender("gone", "e")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveSender(gone); err != nil {
		t.Fatal(err)
	}
	request := func(sender sig.Name) error {
		_, err := c.RemoteRequest(t.Context(), sender, "m", nil)
		return err
	}
	long := sig.Name(strings.Repeat("n", 5000))
	_, longErr := s.AddSender(long)
	_, taken := c.AddRemoteSender(t.Context(), "clock")
	for what, tc := range map[string]struct{ got, want error }{
		"Trigger of what is not offered":         {clock.Trigger(t.Context(), "nope", 1), sig.ErrNotOffered},
		"Post of what is not offered":            {clock.Post(t.Context(), "nope", 1), sig.ErrNotOffered},
		"a request to nobody":                    {request("nobody"), sig.ErrNotConnected},
		"a request to a sender that is not here": {request("waited"), sig.ErrNotConnected},
		"a request to a sender that takes none":  {request("clock"), sig.ErrNoRequests},
		"Trigger of a sender that was removed":   {gone.Trigger("e", 1), sig.ErrNotConnected},
		"a second removal":                       {s.RemoveSender(gone), sig.ErrNotConnected},
		"a long name":                            {longErr, sig.ErrTooLarge},
		"a taken name":                           {taken, sig.ErrAlreadyConnected},
	} {
		if !errors.Is(tc.got, tc.want) {
			t.Errorf("%s: %v is not %v", what, tc.got, tc.want)
		}
	}
}

// A Python error that escaped from a pysig server is said in words.
func TestPythonErrorsArePlain(t *testing.T) {
	const none = "'NoneType' object has no attribute "
	for _, tc := range []struct {
		text     string
		requests string
		triggers string
		is       error
	}{
		{none + "'getName'", "sender nosuch is not there", "sender clock is not there", sig.ErrNotConnected},
		{none + "'trigger'", "sender nosuch does not offer m", "sender clock does not offer chime", sig.ErrNotOffered},
		{"exceptions must be old-style classes or derived from BaseException, not NoneType", "sender nosuch did not answer within 10s", "sender clock did not answer within 10s", sig.ErrNoAnswer},
		{none + "'other'", none + "'other'", none + "'other'", nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			network := new(sigtest.Network)
			carrier := network.Up()
			defer wait.Start(t.Context(), func(context.Context) { failingServer(t, carrier, tc.text) })()
			defer carrier.Close()
			client := sig.NewClientRouter(network.Client(), nil)
			defer wait.Start(t.Context(), client.Run)()
			_, err := client.RemoteRequest(t.Context(), "nosuch", "m", nil)
			if err == nil || err.Error() != tc.requests || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%s: a request: %v", tc.text, err)
			}
			clock, err := client.AddRemoteSender(t.Context(), "clock", "chime")
			if err != nil {
				t.Fatal(err)
			}
			if err := clock.Trigger(t.Context(), "chime", nil); err == nil || err.Error() != tc.triggers || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%s: a signal: %v", tc.text, err)
			}
		})
	}
}

// failingServer is one of pysig's, with one client, whose requests and signals fail.
func failingServer(t *testing.T, carrier sig.ServerCarrier, text string) {
	conn, err := carrier.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	for {
		message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		var m struct {
			ID     json.RawMessage
			Method string
		}
		if err := json.Unmarshal(message, &m); err != nil {
			t.Error(err)
		}
		answer := fmt.Sprintf(`{"status": 0, "id": %s, "response": null}`, m.ID)
		switch m.Method {
		case "request", "signal":
			answer = fmt.Sprintf(`{"status": -2, "id": %s, "exception": %q}`, m.ID, text)
		case "get_version":
			answer = fmt.Sprintf(`{"status": 0, "id": %s, "response": "1.01"}`, m.ID)
		}
		if conn.WriteMessage([]byte(answer)) != nil {
			return
		}
	}
}
