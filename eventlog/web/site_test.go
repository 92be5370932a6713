package web_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// site is a log that is filled from a server and shown over HTTP.
type site struct {
	url        string
	log        *eventlog.Log
	handler    *web.Handler
	subscriber *eventlog.Subscriber
}

// pysigLimit is how many events pysig's example keeps.
const pysigLimit = 20

// source is a subscriber with its server's name.
type source struct {
	*eventlog.Subscriber
	server string
}

func (s source) Server() string { return s.server }

// newSite runs a site until the test ends. It subscribes to these topics.
func newSite(t testing.TB, server string, opts web.Options, topics ...eventlog.Topic) *site {
	t.Helper()
	log, err := eventlog.Open(&eventlog.Options{NewLimit: pysigLimit})
	if err != nil {
		t.Fatal(err)
	}
	subscriber, err := eventlog.NewSubscriber(log, tcp.NewClient(server), &eventlog.SubscriberOptions{Topics: topics})
	if err != nil {
		t.Fatal(err)
	}
	opts.Source = source{subscriber, server}
	if opts.Fixed == "" {
		opts.Editor = subscriber
	}
	handler, err := web.New(log, opts)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, 3)
	run := func(f func()) {
		go func() {
			f()
			ended <- struct{}{}
		}()
	}
	run(func() { log.Run(ctx) })
	run(func() { subscriber.Run(ctx) })
	run(func() {
		if err := handler.Serve(ctx, listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		for range 3 {
			<-ended
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{"http://" + listener.Addr().String(), log, handler, subscriber}
	s.await(t, func() bool {
		return !slices.ContainsFunc(subscriber.Subscriptions(), func(sub eventlog.Subscription) bool { return sub.Status == sig.Pending })
	})
	return s
}

// newFilled is a site without a server's events, and with these entries.
func newFilled(t testing.TB, opts web.Options, entries ...eventlog.Entry) *site {
	t.Helper()
	s := newSite(t, sigtest.Serve(t, "127.0.0.1:0").Addr, opts, eventlog.Topic{Sender: "nobody"})
	s.fill(t, entries...)
	return s
}

func (s *site) fill(t testing.TB, entries ...eventlog.Entry) {
	t.Helper()
	want := s.log.State().Logged + uint64(len(entries))
	for _, e := range entries {
		if err := s.log.Add(context.Background(), e); err != nil {
			t.Fatal(err)
		}
	}
	s.await(t, func() bool { return s.log.State().Logged >= want })
}

func (s *site) await(t testing.TB, ok func() bool) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		changed := s.log.Changed()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("the log stays so: %+v", s.log.State())
		}
	}
}

// asks is a client that follows no redirection and keeps no cookie.
var asks = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// do sends a request with headers "Name: value", and returns the answer's
// status, text and head.
func (s *site) do(t testing.TB, method, address string, form url.Values, headers ...string) (int, string, http.Header) {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, s.url+address, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	response, err := asks.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

// get expects 200.
func (s *site) get(t testing.TB, address string) string {
	t.Helper()
	return s.expect(t, 200, address)
}

func (s *site) expect(t testing.TB, status int, address string) string {
	t.Helper()
	got, text, _ := s.do(t, "GET", address, nil)
	if got != status {
		t.Fatalf("GET %s: %d %s", address, got, text)
	}
	return text
}

// events are the data at /api/events, in its order.
func (s *site) events(t testing.TB, parameters string) string {
	t.Helper()
	var found struct {
		Events []struct{ Data json.RawMessage }
	}
	if err := json.Unmarshal([]byte(s.get(t, "/api/events?"+parameters)), &found); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range found.Events {
		all = append(all, string(e.Data))
	}
	return strings.Join(all, " ")
}

func entry(sender, event sig.Name, data string) eventlog.Entry {
	return eventlog.Entry{Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), Sender: sender, Event: event, Data: []byte(data)}
}
