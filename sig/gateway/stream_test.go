package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"sigalert/sig"
)

// dataOf is the data of the event in a line of a stream.
func dataOf(t testing.TB, line string) (data any, id string) {
	t.Helper()
	var ev struct {
		ID   string
		Data any
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &ev); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return ev.Data, ev.ID
}

func (s *site) publish(t testing.TB, sender, event sig.Name, data any) sig.Published {
	t.Helper()
	done, err := s.Publish(sig.Publication{Sender: sender, Event: event, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestStream(t *testing.T) {
	s := newSite(t, nil)
	next, _ := s.follow(t, "?sender=me")
	if line := next(); !strings.HasPrefix(line, "id: ") || !strings.HasSuffix(line, "-0") {
		t.Errorf("the stream does not begin with its position: %s", line)
	}
	s.publish(t, "you", "hello", 1)
	s.publish(t, "me", "hello", "two\nlines")
	line, id := next(), next()
	data, inside := dataOf(t, line)
	if data != "two\nlines" || id != "id: "+inside || !strings.HasSuffix(id, "-2") || !strings.Contains(line, `"sender":"me","event":"hello"`) {
		t.Errorf("%s %s", line, id)
	}
}

func TestStreamOfLines(t *testing.T) {
	s := newSite(t, nil)
	s.publish(t, "before", "hello", 0)
	for _, how := range [][2]string{{"?since=all", "Accept: application/x-ndjson"}, {"?since=all&format=json", "Accept: */*"}} {
		next, end := s.follow(t, how[0], how[1])
		if data, id := dataOf(t, next()); data != 0.0 || !strings.HasSuffix(id, "-1") {
			t.Errorf("%v %s", data, id)
		}
		end()
	}
}

// Names that spell numbers are found, as text and as numbers; that senders come and
// go is not, unless it is asked for.
func TestStreamChooses(t *testing.T) {
	s := newSite(t, nil)
	next, _ := s.follow(t, "?format=json&sender=20&since=all")
	presence, _ := s.follow(t, "?format=json&event=%23connect&since=all")
	channel, _ := s.follow(t, "?format=json&event=%23c&since=all")
	torn, _ := s.follow(t, "?format=json&sender=%ff&since=all")
	if _, err := s.AddSender(sig.Number(20), "tick"); err != nil {
		t.Fatal(err)
	}
	s.publish(t, "20", "tick", "text")
	s.publish(t, sig.Number(20), "tick", "number")
	s.publish(t, "x", "#c", "channel")
	for _, want := range []string{"text", "number"} {
		if data, _ := dataOf(t, next()); data != want {
			t.Errorf("%v, not %s", data, want)
		}
	}
	if line := presence(); !strings.Contains(line, `"sender":20,"event":"#connect"`) {
		t.Error(line)
	}
	s.do(t, "POST", "/%ff/torn", "")
	if line := torn(); !strings.Contains(line, `"event":"torn"`) {
		t.Error(line)
	}
	if line := channel(); !strings.Contains(line, `"data":"channel"`) {
		t.Error(line)
	}
}

// A reader that comes back gets what it missed, and is told what it cannot have.
func TestStreamResumes(t *testing.T) {
	s := newSite(t, &sig.ServerOptions{Memory: 3})
	next, end := s.follow(t, "")
	position := strings.TrimPrefix(next(), "id: ")
	end()
	for i := range 3 {
		s.publish(t, "me", "hello", i)
	}
	expect := func(next func() string, want ...any) {
		t.Helper()
		for _, w := range want {
			line := next()
			for strings.HasPrefix(line, "id: ") {
				line = next()
			}
			if data, _ := dataOf(t, line); fmt.Sprint(data) != fmt.Sprint(w) {
				t.Errorf("%s, not %v", line, w)
			}
		}
	}
	next, end = s.follow(t, "", "Last-Event-ID: "+position)
	expect(next, 0, 1, 2)
	end()
	next, end = s.follow(t, "?format=json&since="+position)
	expect(next, 0, 1, 2)
	end()
	s.publish(t, "me", "hello", 3)
	s.publish(t, "me", "hello", 4)
	next, end = s.follow(t, "", "Last-Event-ID: "+position)
	if event, data := next(), next(); event != "event: missed" || data != `data: {"count":2}` {
		t.Errorf("%s %s", event, data)
	}
	expect(next, 2, 3, 4)
	end()
	next, end = s.follow(t, "?since=all", "Last-Event-ID: OTHER-7") // of another run of the router
	for _, count := range []string{"null", "2"} {                   // nobody knows of the other run, and two of this are forgotten
		if event, data := next(), next(); event != "event: missed" || data != `data: {"count":`+count+`}` {
			t.Errorf("%s %s", event, data)
		}
	}
	expect(next, 2, 3, 4)
	end()
	next, end = s.follow(t, "?since=all&format=json")
	expect(next, 2, 3, 4)
	end()
	next, end = s.follow(t, "", "Last-Event-ID: 17") // of something else
	if event := next(); event != "event: missed" {
		t.Error(event)
	}
	end()
	next, end = s.follow(t, "", "Last-Event-ID: "+strings.TrimSuffix(position, "0")+"18446744073709551615") // no event can have it
	if event := next(); event != "event: missed" {
		t.Error(event)
	}
	end()
	next, _ = s.follow(t, "?since="+position+"&format=json")
	if line := next(); line != `{"missed":2}` {
		t.Error(line)
	}
}

// Nothing waits for a reader that does not read; one that reads after all gets
// everything.
func TestSlowReader(t *testing.T) {
	s := newSite(t, nil)
	conn := s.dial(t)
	_, _ = io.WriteString(conn, "GET /events?format=json HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := conn.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	next, _ := s.follow(t, "?format=json")
	time.Sleep(50 * time.Millisecond) // both are registered, or the count below fails
	const n = 1500
	big := strings.Repeat("x", 10_000)
	for i := range n {
		if done := s.publish(t, "me", "hello", []any{i, big}); done.Listeners != 2 {
			t.Fatalf("%d listeners", done.Listeners)
		}
	}
	for i := range n {
		if line := next(); !strings.Contains(line, fmt.Sprintf(`"data":[%d,`, i)) {
			t.Fatalf("%.200s, not %d", line, i)
		}
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	for last := fmt.Sprintf(`"data":[%d,`, n-1); lines.Scan() && !strings.Contains(lines.Text(), last); {
	}
	if lines.Err() != nil {
		t.Error(lines.Err())
	}
}

// A stream that needs more listeners than there may be is refused before it begins.
func TestStreamBeyondLimits(t *testing.T) {
	s := newSite(t, &sig.ServerOptions{Limits: sig.Limits{Listeners: 1}})
	s.follow(t, "?sender=me")
	if a := s.do(t, "GET", "/events?sender=20", ""); a.status != 429 || !strings.Contains(a.text, "at most 1 listeners") { // the text and the number
		t.Errorf("%+v", a)
	}
	if n := s.Stats().Listeners; n != 1 {
		t.Errorf("%d listeners are left", n)
	}
}
