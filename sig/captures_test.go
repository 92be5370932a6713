package sig_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigalert/sig/internal/wire"
)

// The recordings of pysig in testdata/captures are replayed in two tables:
// serverRows has what pysig's clients said to a server, clientRows what
// pysig's servers said to a client.

func TestEveryRecordingIsUsed(t *testing.T) {
	used := make(map[string]bool)
	for _, row := range serverRows() {
		for _, name := range recordings(t, row.name) {
			used[name] = true
		}
	}
	for _, row := range clientRows() {
		for _, name := range row.files {
			used[name] = true
		}
	}
	for _, name := range recordings(t, "") {
		if !used[name] {
			t.Errorf("no row uses %s", name)
		}
		delete(used, name)
	}
	for name := range used {
		t.Errorf("there is no recording %s", name)
	}
}

// recordings returns the names of those that belong to one session: the one of
// this name, or those that begin with it and "__".
func recordings(t testing.TB, session string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "captures", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".jsonl")
		if session == "" || name == session || strings.HasPrefix(name, session+"__") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("no recording of %s", session)
	}
	return names
}

// recorded is one line of a recording: what one side sent, or that it opened
// or closed the connection.
type recorded struct {
	who string // which connection of the session
	T   float64
	Dir string
	Ev  string
	// Data is text; B64 has it if it is not UTF-8.
	Data string
	B64  []byte
}

func (l recorded) bytes() []byte {
	if l.B64 != nil {
		return l.B64
	}
	return []byte(l.Data)
}

// session returns the lines of several recordings in order of time.
func session(t testing.TB, names ...string) (lines []recorded) {
	t.Helper()
	for _, name := range names {
		who := name
		if i := strings.LastIndex(name, "__"); i >= 0 {
			who = name[i+2:]
		}
		f, err := os.Open(filepath.Join("testdata", "captures", name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			l := recorded{who: who}
			if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, l)
		}
		if sc.Err() != nil {
			t.Fatal(sc.Err())
		}
	}
	slices.SortStableFunc(lines, func(a, b recorded) int { return cmp.Compare(a.T, b.T) })
	return lines
}

// difference is what ours sends where pysig sent something else, and why. An
// empty list is nothing.
type difference struct {
	why  string
	want []string
}

// message is a message as the tests compare it.
type message struct {
	text    string
	members map[string]any
}

// Go reads neither Python's NaN and infinities nor half a surrogate pair.
var (
	notNumbers = regexp.MustCompile(`([\[:,]\s*)(-?Infinity|NaN)`)
	surrogates = regexp.MustCompile(`\\u[dD][89abAB]..(\\u[dD][c-fC-F]..)?`)
)

func parse(text []byte) (m message, ok bool) {
	m.text = string(text)
	readable := notNumbers.ReplaceAllString(m.text, `$1"$2"`)
	readable = surrogates.ReplaceAllStringFunc(readable, func(escape string) string {
		if len(escape) == 6 {
			return `\` + escape
		}
		return escape
	})
	dec := json.NewDecoder(strings.NewReader(readable))
	dec.UseNumber()
	if dec.Decode(&m.members) != nil || m.members == nil || dec.More() {
		return m, false
	}
	return m, true
}

func mustParse(t *testing.T, text string) message {
	t.Helper()
	m, ok := parse([]byte(text))
	if !ok {
		t.Fatalf("not a message: %q", text)
	}
	return m
}

func (m message) isReply() bool { return m.members["status"] != nil }

func (m message) id() string { return canonical(m.members["id"]) }

func (m message) object(name string) map[string]any {
	o, _ := m.members[name].(map[string]any)
	return o
}

// listenerID returns the one that a reply to add_listener or a signal has.
func (m message) listenerID() (where map[string]any, id string) {
	for _, name := range []string{"response", "params"} {
		if id, ok := m.object(name)["listener_id"]; ok {
			return m.object(name), canonical(id)
		}
	}
	return nil, ""
}

func (m message) String() string { return canonical(m.members) }

// canonical returns the same for values that are equal to Python, except for
// the kinds of scalars: 1, 1.0 and true are three. A list of senders has no
// order there, nor have a sender's events, nor its requests anywhere.
func canonical(v any) string {
	switch v := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for name, value := range v {
			if list, ok := value.([]any); ok && name == "requests" {
				value = sorted(list)
			}
			parts = append(parts, canonical(name)+": "+canonical(value))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		if len(v) > 0 && isStatus(v[0]) {
			v = sorted(v)
		}
		parts := make([]string, 0, len(v))
		for _, value := range v {
			parts = append(parts, canonical(value))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case json.Number:
		return number(v.String())
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return strings.TrimSpace(b.String())
}

func sorted(list []any) []any {
	return slices.SortedFunc(slices.Values(list), func(a, b any) int { return cmp.Compare(canonical(a), canonical(b)) })
}

// isStatus recognises an element of list_senders' answer, or of its events.
func isStatus(v any) bool {
	o, _ := v.(map[string]any)
	_, sender := o["connected"]
	_, event := o["event"]
	return sender || event && len(o) == 1
}

func number(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	switch f, _ := strconv.ParseFloat(text, 64); {
	case math.IsInf(f, 1):
		return `"Infinity"`
	case math.IsInf(f, -1):
		return `"-Infinity"`
	default:
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
}

// deadline ends a test that waits in vain; no test needs to wait that long
// otherwise.
const deadline = 15 * time.Second

// receiver is one end of a connection under test: it sorts what comes from
// the other. Both channels are closed once the connection ends.
type receiver struct {
	net.Conn
	replies, requests chan message
}

func receive(t *testing.T, conn net.Conn) *receiver {
	r := &receiver{conn, make(chan message, 1000), make(chan message, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(r.replies)
		defer close(r.requests)
		dec := wire.NewDecoder(conn, 1<<20)
		for {
			text, err := dec.Next()
			if err != nil {
				return
			}
			m, ok := parse(text)
			if !ok {
				t.Errorf("sent: %q", text)
			}
			if m.isReply() {
				r.replies <- m
			} else {
				r.requests <- m
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return r
}

// next returns the next message; the test ends if none comes.
func next(t *testing.T, ch <-chan message, what string) message {
	t.Helper()
	select {
	case m, ok := <-ch:
		if !ok {
			t.Fatalf("the connection ended: no %s", what)
		}
		return m
	case <-time.After(deadline):
		t.Fatalf("no %s came", what)
	}
	return message{}
}

// expectEnd fails the test unless the other side closes the connection and
// has sent nothing more.
func (r *receiver) expectEnd(t *testing.T) {
	t.Helper()
	for _, ch := range []<-chan message{r.replies, r.requests} {
		select {
		case m, ok := <-ch:
			if ok {
				t.Errorf("before the end came %s", m.text)
				r.expectEnd(t)
			}
		case <-time.After(deadline):
			t.Fatal("the connection did not end")
		}
	}
}

func (r *receiver) write(t *testing.T, text string) {
	t.Helper()
	r.SetWriteDeadline(time.Now().Add(deadline))
	if _, err := r.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// eventually asks until it is so.
func eventually(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !isSo(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timed out: %s", what)
		}
	}
}

// ended waits until the other side has closed the connection. What it has sent
// does not matter.
func (r *receiver) ended(t *testing.T) {
	t.Helper()
	end := time.After(deadline)
	for {
		select {
		case _, ok := <-r.replies:
			if !ok {
				return
			}
		case <-end:
			t.Fatal("the connection did not end")
		}
	}
}
