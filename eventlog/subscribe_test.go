package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// subscribe fills a log from a server until the test or stop ends it.
func subscribe(t *testing.T, log *eventlog.Log, addr string, topics ...eventlog.Topic) (s *eventlog.Subscriber, stop func()) {
	t.Helper()
	s, err := eventlog.NewSubscriber(log, tcp.NewClient(addr), &eventlog.SubscriberOptions{Topics: topics})
	if err != nil {
		t.Fatal(err)
	}
	stop = wait.Start(t.Context(), s.Run)
	t.Cleanup(stop)
	return s, stop
}

// settled waits until the server has answered all subscriptions.
func settled(t *testing.T, log *eventlog.Log, s *eventlog.Subscriber) {
	t.Helper()
	await(t, log, func(eventlog.State) bool {
		return !slices.ContainsFunc(s.Subscriptions(), func(sub eventlog.Subscription) bool { return sub.Status == sig.Pending })
	})
}

func texts(s *eventlog.Subscriber) string {
	var all []string
	for _, sub := range s.Subscriptions() {
		all = append(all, fmt.Sprintf("%s:%s %s", sub.Sender, sub.Event, sub.Status))
	}
	return strings.Join(all, ", ")
}

func sender(t *testing.T, n sigtest.Server, name sig.Name, events ...sig.Name) *sig.Sender {
	t.Helper()
	s, err := n.AddSender(name, events...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func trigger(t *testing.T, s *sig.Sender, event sig.Name, v any) {
	t.Helper()
	if err := s.Trigger(event, v); err != nil {
		t.Fatal(err)
	}
}

func short(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Without any topic every event is logged.
func TestSubscriberLogsEverything(t *testing.T) {
	sigtest.EachServer(t, func(t *testing.T, n sigtest.Server) {
		log, _ := open(t, eventlog.Options{})
		timer := sender(t, n, "timer", "tick")
		s, _ := subscribe(t, log, n.Addr)
		settled(t, log, s)
		trigger(t, timer, "tick", map[string]any{"n": 1})
		await(t, log, func(st eventlog.State) bool { return st.Logged == 1 })
		found, err := log.Events(t.Context(), eventlog.Query{})
		if err != nil {
			t.Fatal(err)
		}
		if e := found.Entries[0]; e.Sender != "timer" || e.Event != "tick" || strings.ReplaceAll(string(e.Data), " ", "") != `{"n":1}` || time.Since(e.Time) > time.Minute {
			t.Errorf("%+v", e)
		}
	})
}

// An event that several subscriptions match is logged once, and each of several
// that are alike is logged.
func TestSubscriberLogsOnce(t *testing.T) {
	sigtest.EachServer(t, func(t *testing.T, n sigtest.Server) {
		log, _ := open(t, eventlog.Options{})
		timer, other := sender(t, n, "timer", "#tick"), sender(t, n, "other", "#tick", "end")
		s, _ := subscribe(t, log, n.Addr, eventlog.Topic{}, eventlog.Topic{Sender: "timer"}, eventlog.Topic{Event: "#tick"}, eventlog.Topic{Sender: "timer", Event: "#tick"})
		settled(t, log, s)
		for range 3 {
			trigger(t, timer, "#tick", "same")
		}
		trigger(t, other, "#tick", "same")
		trigger(t, other, "end", nil)
		await(t, log, func(st eventlog.State) bool { return strings.HasPrefix(data(t, log, eventlog.Query{}), "null ") })
		if got := data(t, log, eventlog.Query{}); got != `null "same" "same" "same" "same"` {
			t.Errorf("log: %s", got)
		}
	})
}

func TestSubscriberAddAndRemove(t *testing.T) {
	sigtest.EachServer(t, func(t *testing.T, n sigtest.Server) {
		log, _ := open(t, eventlog.Options{})
		timer := sender(t, n, "timer", "tick", "tock")
		s, _ := subscribe(t, log, n.Addr, eventlog.Topic{Sender: "timer", Event: "tick"})
		settled(t, log, s)
		if _, err := s.Add(short(t), eventlog.Topic{Sender: "timer", Event: "nope"}); !errors.Is(err, sig.ErrNotOffered) {
			t.Errorf("an event that is not offered: %v", err)
		}
		if _, err := s.Add(short(t), eventlog.Topic{Sender: "timer", Event: "tick"}); !errors.Is(err, eventlog.ErrSubscribed) {
			t.Errorf("the same again: %v", err)
		}
		added, err := s.Add(short(t), eventlog.Topic{Sender: "timer", Event: "tock"})
		if err != nil || added.Status != sig.Active {
			t.Errorf("%+v, %v", added, err)
		}
		if got := texts(s); got != "timer:tick active, timer:tock active" {
			t.Errorf("subscriptions: %s", got)
		}
		if err := s.Remove(eventlog.Topic{Sender: "timer", Event: "tick"}); err != nil {
			t.Error(err)
		}
		if err := s.Remove(eventlog.Topic{Sender: "timer", Event: "tick"}); !errors.Is(err, eventlog.ErrNoSubscription) {
			t.Errorf("what is not there is removed: %v", err)
		}
		trigger(t, timer, "tick", 1)
		trigger(t, timer, "tock", 2)
		await(t, log, func(st eventlog.State) bool { return st.Logged > 0 })
		if got := data(t, log, eventlog.Query{}); got != "2" {
			t.Errorf("log: %s", got)
		}
	})
}

// Without a server a subscription waits, and is in force once there is one.
func TestSubscriberAddsWithoutServer(t *testing.T) {
	n := sigtest.Serve(t, "127.0.0.1:0")
	n.Stop()
	log, _ := open(t, eventlog.Options{})
	s, _ := subscribe(t, log, n.Addr, eventlog.Topic{Sender: "a"})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	added, err := s.Add(ctx, eventlog.Topic{Sender: "timer", Event: "tick"})
	if err != nil || added.Status != sig.Pending {
		t.Fatalf("%+v, %v", added, err)
	}
	sigtest.Serve(t, n.Addr)
	settled(t, log, s)
	if got := texts(s); got != "a: active, timer:tick active" {
		t.Errorf("subscriptions: %s", got)
	}
}

// Subscriptions outlive the process and the connection.
func TestSubscriptionsAreKept(t *testing.T) {
	sigtest.EachServer(t, func(t *testing.T, n sigtest.Server) {
		path := filepath.Join(t.TempDir(), "log.db")
		log, end := open(t, eventlog.Options{Path: path})
		timer := sender(t, n, "timer", "tick")
		s, stop := subscribe(t, log, n.Addr, eventlog.Topic{Sender: "gone"}, eventlog.Topic{Sender: sig.Number(5), Event: "e"})
		if _, err := s.Add(short(t), eventlog.Topic{Sender: "timer"}); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(eventlog.Topic{Sender: "gone"}); err != nil {
			t.Fatal(err)
		}
		stop()
		end()

		log, _ = open(t, eventlog.Options{Path: path})
		s, _ = subscribe(t, log, n.Addr, eventlog.Topic{Event: "#more"})
		settled(t, log, s)
		if got := texts(s); got != "5:e active, timer: active, :#more active" {
			t.Errorf("subscriptions: %s", got)
		}
		trigger(t, timer, "tick", "after the restart")
		await(t, log, func(st eventlog.State) bool { return st.Logged > 0 })
	})
}

// Who has removed them all does not get every event at the next start.
func TestNoSubscriptionsAreKept(t *testing.T) {
	n := sigtest.Serve(t, "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "log.db")
	log, end := open(t, eventlog.Options{Path: path})
	s, stop := subscribe(t, log, n.Addr)
	if err := s.Remove(eventlog.Topic{}); err != nil {
		t.Fatal(err)
	}
	stop()
	end()
	log, _ = open(t, eventlog.Options{Path: path})
	s, _ = subscribe(t, log, n.Addr)
	if got := texts(s); got != "" {
		t.Errorf("subscriptions: %s", got)
	}
}

// What happened while nobody ran is logged at the next start, where the server
// remembers it.
func TestRestartLosesNothing(t *testing.T) {
	n := sigtest.Serve(t, "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "log.db")
	timer, other := sender(t, n, "timer", "tick"), sender(t, n, "other", "tick")
	log, end := open(t, eventlog.Options{Path: path})
	s, stop := subscribe(t, log, n.Addr, eventlog.Topic{Sender: "timer"}, eventlog.Topic{Sender: "timer", Event: "tick"})
	settled(t, log, s)
	trigger(t, timer, "tick", 1)
	await(t, log, func(st eventlog.State) bool { return st.Logged == 1 })
	stop()
	end()
	trigger(t, timer, "tick", 2)
	trigger(t, other, "tick", 3)

	log, _ = open(t, eventlog.Options{Path: path})
	s, _ = subscribe(t, log, n.Addr, eventlog.Topic{Sender: "other"}) // which was not wanted then
	settled(t, log, s)
	trigger(t, timer, "tick", 4)
	await(t, log, func(st eventlog.State) bool { return strings.HasPrefix(data(t, log, eventlog.Query{}), "4") })
	if got := data(t, log, eventlog.Query{}); got != "4 2 1" {
		t.Errorf("log: %s", got)
	}
	if st := log.State(); st.Missed != 0 || st.Unknown != 0 {
		t.Errorf("state: %+v", st)
	}
}

// Also where nothing was logged before, or nothing since the server began anew.
func TestRestartLosesNothingOfAQuietLog(t *testing.T) {
	n := sigtest.Serve(t, "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "log.db")
	for run, want := range []string{"1", "2 1"} {
		log, end := open(t, eventlog.Options{Path: path})
		_, stop := subscribe(t, log, n.Addr, eventlog.Topic{Sender: "timer"})
		await(t, log, func(eventlog.State) bool {
			p := log.Position()
			return p != nil && (run == 0 || data(t, log, eventlog.Query{}) != "")
		})
		stop()
		end()
		if run == 1 { // the server begins anew, and the log learns of it
			n.Stop()
			n = sigtest.Serve(t, n.Addr)
			log, end := open(t, eventlog.Options{Path: path})
			before := *log.Position()
			_, stop := subscribe(t, log, n.Addr)
			await(t, log, func(eventlog.State) bool { return log.Position().Epoch != before.Epoch })
			stop()
			end()
		}
		trigger(t, sender(t, n, "timer", "tick"), "tick", run+1)

		log, end = open(t, eventlog.Options{Path: path})
		_, stop = subscribe(t, log, n.Addr)
		await(t, log, func(eventlog.State) bool {
			return strings.HasPrefix(data(t, log, eventlog.Query{Event: "tick"}), fmt.Sprint(run+1))
		})
		if got := data(t, log, eventlog.Query{Event: "tick"}); got != want {
			t.Errorf("log: %s, want %s", got, want)
		}
		stop()
		end()
	}
}
