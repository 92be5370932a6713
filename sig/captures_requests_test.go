package sig_test

import (
	"context"
	"errors"
	"time"

	"sigalert/sig"
)

// handlers are what the recorded providers answer with, by method; "" is any
// other. The one that slept does not: its first requester's provider dies
// meanwhile, so nobody waits for that answer.
var handlers = map[sig.Name]sig.RequestFunc{
	"echo":  func(_ context.Context, _ sig.Name, params sig.Data) (any, error) { return params, nil },
	"fail":  func(context.Context, sig.Name, sig.Data) (any, error) { return nil, errors.New("boom") },
	"sleep": sleepless,
	"": func(_ context.Context, method sig.Name, params sig.Data) (any, error) {
		text, err := params.JSON()
		return map[string]any{"default": method, "params": text}, err
	},
}

func sleepless(ctx context.Context, _ sig.Name, params sig.Data) (any, error) {
	var seconds int
	if err := params.Decode(&seconds); err != nil {
		return nil, err
	}
	if seconds == 30 {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return seconds, nil
}

// answering makes the server's timer answer requests.
func answering(r *serverReplay) {
	if _, err := r.server.AddSenderWith("timer", sig.SenderOptions{
		Events:   []sig.Name{"tick"},
		Requests: map[sig.Name]sig.RequestFunc{"echo": handlers["echo"], "fail": handlers["fail"]},
	}); err != nil {
		r.Fatal(err)
	}
}

// asks has the server's own program send a request.
func asks(sender, method sig.Name, params any) func(*serverReplay) {
	return func(r *serverReplay) {
		go func() {
			data, err := r.server.Request(r.Context(), sender, method, params)
			r.asked <- result{data, err}
		}()
	}
}

// isTold takes the answer to the request of the server's own program.
func isTold(want string) func(*serverReplay) {
	return func(r *serverReplay) {
		select {
		case res := <-r.asked:
			data, _ := res.value.(sig.Data)
			if text, err := data.JSON(); res.err != nil || err != nil || string(text) != want {
				r.Errorf("the server's own request: got %s, %v", text, res.err)
			}
		case <-time.After(deadline):
			r.Fatal("the server's own request was not answered")
		}
	}
}

func requestServerRows() []serverRow {
	rows := []serverRow{
		{
			name: "09_request_response", prepare: answering,
			before: map[string]func(*serverReplay){"provider request 5": asks("clock", "echo", "S")},
			after:  isTold(`"S"`),
			differs: map[string]difference{
				"requester reply 7": {"a provider's refusal is passed on", refused("boom", "7")},
				"requester reply 9": {ownText, refused("sender nobody not found", "9")},
			},
		},
		{name: "11_raw_input__astral_utf8", prepare: answering},
		{name: "11_raw_input__control_char_in_string", prepare: answering, ends: notJSON},
		{name: "11_raw_input__deep_nesting", prepare: answering},
		{name: "11_raw_input__lone_surrogate", prepare: answering},
		{name: "11_raw_input__nan_data", prepare: answering},
		{name: "11_raw_input__unicode_request_unknown_method", prepare: answering, differs: map[string]difference{
			"unicode_request_unknown_method end": {"only what cannot be JSON ends the connection", refused(`method café not found`, "1")},
		}},
		{name: "20_self_request_deadlock", differs: map[string]difference{
			"client reply 2": {"pysig's server does not read the answer while it waits for it", []string{`{"status": 0, "id": 2, "response": 1}`}},
		}},
		{name: "64_provider_dies_during_request", differs: map[string]difference{
			"requester reply 1": {"refused at once, with the reason", refused("the sender's connection ended before it answered", "1")},
			"requester reply 2": {"the replay does not sleep for 11 s: it comes later", nil},
			"requester reply 3": {"see reply 2", []string{
				`{"status": 0, "id": 2, "response": 11}`, `{"status": 0, "id": 3, "response": 0}`,
			}},
		}},
	}
	for _, size := range []string{"3900", "3990", "4000", "4016", "4096"} {
		rows = append(rows, serverRow{name: "23_large_c2s_" + size, prepare: answering})
	}
	rows = append(rows, serverRow{name: "23_large_c2s_4097", prepare: answering, differs: map[string]difference{
		"raw reply 2": {anyInput, []string{`{"status": 0, "id": 1, "response": ` + xs(4004) + `}`, version("2")}},
	}})
	for _, size := range []string{"5000", "8192", "20000"} {
		rows = append(rows, serverRow{name: "23_large_c2s_" + size, prepare: answering, differs: map[string]difference{
			"raw reply 2": {"read; but its echo is " + tooLong, append(refused("the answer is too large: ...", "1"), version("2"))},
		}})
	}
	return rows
}

func requestClientRows() []clientRow {
	return []clientRow{
		{files: []string{"06_add_sender_and_signal__sender"}},
		{files: []string{"09_request_response__provider"}},
		{files: []string{"09_request_response__provider_without_requests"}},
		{files: []string{"09_request_response__requester"}},
		{files: []string{"20_self_request_deadlock__client"}},
		{files: []string{"64_provider_dies_during_request__provider"}, cut: true, differs: map[string]difference{
			"reply 1": {"the connection ends first", nil},
		}},
		{files: []string{"64_provider_dies_during_request__provider2"}},
	}
}
