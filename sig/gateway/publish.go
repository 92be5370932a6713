package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"sigalert/internal/topic"
	"sigalert/sig"
	"sigalert/sig/internal/wire"
)

// event answers POST /SENDER/EVENT.
func (g *gateway) event(sender, event string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		body, query, err := g.read(w, r)
		if err != nil {
			return err
		}
		var more members
		for _, name := range []string{"title", "urgency", "priority", "tag", "url"} {
			value := given(r, query, name)
			if name == "priority" {
				more.add(name, priorityOf(value))
			} else {
				more.text(name, value)
			}
		}
		data := payloadOf(r, body)
		switch {
		case data != nil:
		case isJSON(r):
			if err := checkJSON(body); err != nil {
				return err
			}
			data = body
		case isUntyped(r) && json.Valid(body) && wire.ValidData(body) && (len(more.names) == 0 || wire.IsObject(body)):
			data = body
		default:
			data = textOf(body)
		}
		done, err := g.publish(r, query, sender, event, more.with(data))
		if err != nil {
			return err
		}
		answerJSON(w, struct {
			Seq       uint64 `json:"seq"`
			Listeners int    `json:"listeners"`
		}(done))
		return nil
	}
}

// publish publishes an event with the id that its request has.
func (g *gateway) publish(r *http.Request, query url.Values, sender, event string, data []byte) (sig.Published, error) {
	sender, event = valid(sender), valid(event)
	if err := checkNames(sender, event); err != nil {
		return sig.Published{}, err
	}
	id := cmp.Or(given(r, query, "id"), r.Header.Get("Idempotency-Key"))
	if len(id) > maxID {
		return sig.Published{}, refuse(http.StatusBadRequest, "the id has %d bytes, and at most %d are possible: use a shorter one", len(id), maxID)
	}
	p := sig.Publication{Sender: topic.Text(sender), Event: topic.Text(event), Data: sig.JSONData(data), ID: id}
	if !g.ending.TryRLock() {
		return sig.Published{}, errEnding
	}
	defer g.ending.RUnlock()
	done, err := g.server.PublishAs(sig.Caller{Peer: r.RemoteAddr}, rightsOf(r).Rights, p)
	tooFast := new(sig.RemoteError)
	switch {
	case errors.As(err, &tooFast):
		return done, refuseFor(tooFast)
	case errors.Is(err, sig.ErrNotAllowed):
		return done, errNotAllowed
	case errors.Is(err, sig.ErrTooLarge):
		return done, refuse(http.StatusRequestEntityTooLarge, "%s: send less", err)
	case err != nil:
		return done, refuse(http.StatusBadRequest, "%s", err)
	}
	return done, nil
}

const (
	maxName = 1 << 10 // bytes of JSON without the quotation marks, as on the wire
	maxID   = 128     // bytes
)

// valid is a name with � in place of what is not UTF-8.
func valid(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

func checkNames(sender, event string) error {
	for _, name := range []struct{ of, is string }{{"sender", sender}, {"event", event}} {
		if n := len(topic.Text(name.is).JSON()) - len(`""`); n > maxName {
			return refuse(http.StatusRequestURITooLong, "the %s's name has %d bytes, and at most %d are possible: use a shorter one", name.of, n, maxName)
		}
	}
	return nil
}

// read returns a request's body and its parameters.
func (g *gateway) read(w http.ResponseWriter, r *http.Request) (body []byte, query url.Values, err error) {
	if body, err = g.readBody(w, r); err != nil {
		return nil, nil, err
	}
	query, err = parameters(r)
	return body, query, err
}

// readBody returns a request's body, or why there is none.
func (g *gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, refuse(http.StatusUnsupportedMediaType, "the body is encoded (%.20s): send it as it is", coding)
	}
	body, gaveWay, err := g.collect(w, r)
	switch {
	case err == nil:
		return body, nil
	case gaveWay:
		return nil, errGaveWay
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, "the body did not arrive within %s: send it again", bodyTime)
	}
	return nil, refuse(http.StatusBadRequest, "the body is not whole (%s): send it again", err)
}

// collect reads a body. Of long ones there may be so many, and the oldest gives way.
func (g *gateway) collect(w http.ResponseWriter, r *http.Request) (body []byte, gaveWay bool, err error) {
	var mu sync.Mutex // guards read and gaveWay
	read := false
	claim := wire.NewClaim(func() {
		mu.Lock()
		defer mu.Unlock()
		if !read {
			gaveWay = true
			_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		}
	})
	defer g.room.Hold(claim, 0)
	in := http.MaxBytesReader(w, r.Body, maxBody)
	body = make([]byte, 0, bytes.MinRead)
	for err == nil {
		if len(body) == cap(body) {
			g.room.Hold(claim, 2*cap(body))
			body = append(make([]byte, 0, 2*cap(body)), body...)
		}
		n := 0
		n, err = in.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
	}
	if err == io.EOF {
		err = nil
	}
	mu.Lock()
	defer mu.Unlock()
	read = true
	return body, gaveWay, err
}

var errGaveWay = &refusal{http.StatusServiceUnavailable, "the body was not finished while many others were begun: send it again", time.Second}

var errTooLarge = refuse(http.StatusRequestEntityTooLarge, "the body is too large: at most %d bytes are possible", maxBody)

// parameters are those of the address.
func parameters(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the parameters are not percent-encoded as they should be: %s", err)
	}
	return query, nil
}

// given is the first of these that is there, as a parameter or as a header.
func given(r *http.Request, query url.Values, names ...string) string {
	for _, name := range names {
		if value := query.Get(name); value != "" {
			return value
		}
	}
	for _, name := range names {
		if value := r.Header.Get(name); value != "" {
			return headerText(value)
		}
	}
	return ""
}

// headerText decodes a header's =?UTF-8?…?=, which not all programs need.
func headerText(value string) string {
	if text, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		return text
	}
	return value
}

func isJSON(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json")
}

// isUntyped reports whether a request does not say what its body is: curl -d calls
// everything a form.
func isUntyped(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == "" || kind == typeForm
}

func checkJSON(text []byte) error {
	if wire.ValidData(text) {
		return nil
	}
	why := "it is empty"
	if len(bytes.TrimSpace(text)) > 0 {
		why = "it is not valid UTF-8, or nested too deep"
		if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
			why = err.Error()
			if e := (*json.SyntaxError)(nil); errors.As(err, &e) {
				why = fmt.Sprintf("byte %d: %s", e.Offset, err)
			}
		}
	}
	return refuse(http.StatusBadRequest, "the body is not JSON (%s): correct it, or send it as text, with Content-Type: text/plain", why)
}

// textOf is a body that is text, as JSON: null if it is empty.
func textOf(body []byte) []byte {
	if len(body) == 0 {
		return []byte("null")
	}
	return wire.AppendString(nil, string(body))
}

// priorityOf is a priority as JSON: a number if it spells one. Browsers send a
// header of this name, with another meaning.
func priorityOf(value string) []byte {
	if value == "" || value == "i" || strings.HasPrefix(value, "u=") {
		return nil
	}
	if n, err := strconv.Atoi(value); err == nil {
		return strconv.AppendInt(nil, int64(n), 10)
	}
	return textOf([]byte(value))
}

// members are further members of an event's data, as JSON.
type members struct {
	names  []string
	values [][]byte
}

// add takes a member, unless it is nil.
func (m *members) add(name string, value []byte) {
	if value != nil {
		m.names, m.values = append(m.names, name), append(m.values, value)
	}
}

func (m *members) text(name, value string) {
	if value != "" {
		m.add(name, textOf([]byte(value)))
	}
}

// with makes one object of data and the members; data that is not an object is its
// message. A member replaces one of the data's.
func (m *members) with(data []byte) []byte {
	if len(m.names) == 0 {
		return data
	}
	var all members
	if wire.IsObject(data) {
		for o := wire.ObjectOf(data); o.Next(); {
			name := string(o.Key)
			if !m.has(name) && !(name == "urgency" && m.has("priority")) { // which it would outdo
				all.add(name, o.Value)
			}
		}
	} else if string(data) != "null" && !m.has("message") {
		all.add("message", data)
	}
	return (&members{append(all.names, m.names...), append(all.values, m.values...)}).object()
}

func (m *members) has(name string) bool {
	for _, n := range m.names {
		if n == name {
			return true
		}
	}
	return false
}

func (m *members) object() []byte {
	b := []byte{'{'}
	for i, name := range m.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(wire.AppendString(b, name), ':'), m.values[i]...)
	}
	return append(b, '}')
}
