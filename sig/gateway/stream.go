package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sigalert/internal/topic"
	"sigalert/sig"
)

const lines = "application/x-ndjson"

// stream answers GET /events: Server-Sent Events, or a line of JSON for each.
func (g *gateway) stream(w http.ResponseWriter, r *http.Request) error {
	query, err := parameters(r)
	if err != nil {
		return err
	}
	sender, event := valid(query.Get("sender")), valid(query.Get("event"))
	if err := checkNames(sender, event); err != nil {
		return err
	}
	since, err := sinceOf(r, query.Get("since"))
	if err != nil {
		return err
	}
	s := &stream{w: w, all: query.Get("since") == "all" && since.Epoch == ""}
	kind := "text/event-stream"
	switch format := query.Get("format"); {
	case format == "json", format == "" && accepts(r, lines):
		s.lines, kind = true, lines
	case format != "" && format != "sse":
		return refuse(http.StatusBadRequest, "format: must be sse or json")
	}
	rights := rightsOf(r)
	f := sig.Follower{
		Caller: rights.caller, Rights: rights.Rights, Since: since,
		Missed: s.missed, Passed: s.passed, Flush: http.NewResponseController(w).Flush,
		Event: func(ev sig.Event) bool {
			if topic.IsPresence(ev.Event) && !topic.IsPresence(sig.Name(event)) {
				return false
			}
			s.event(ev)
			return true
		},
	}
	for _, t := range topic.Meant(sender, event) {
		if allow(r, sig.ToListen, t.Sender, t.Event) == nil {
			f.Listen = append(f.Listen, [2]sig.Name{t.Sender, t.Event})
		}
	}
	if len(f.Listen) == 0 {
		return errNotAllowed
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	if r.Method == http.MethodHead {
		return nil
	}
	limit := g.server.Limits().Streams
	defer g.streams.Add(-1)
	if g.streams.Add(1) > int64(limit) {
		return &refusal{http.StatusServiceUnavailable, fmt.Sprintf("%d streams are open, and no more are possible: try again later", limit), 5 * time.Second}
	}
	err = g.server.Follow(r.Context(), f)
	if refused := new(sig.RemoteError); errors.As(err, &refused) {
		return refuseFor(refused)
	}
	return nil // the client reads too slowly, or has gone
}

// sinceOf is where a stream begins: after what its client had last, or after what
// the parameter says. Nil: now.
func sinceOf(r *http.Request, since string) (*sig.Position, error) {
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		p, ok := positionOf(last)
		if !ok { // of something else that was here: all that there is may be new
			p = sig.Position{Epoch: last}
		}
		return &p, nil
	}
	switch since {
	case "":
		return nil, nil
	case "all":
		return new(sig.Position), nil
	}
	p, ok := positionOf(since)
	if !ok {
		return nil, refuse(http.StatusBadRequest, "since: must be the id of an event, such as ABCDEFGHIJKLMNOP-17, or all")
	}
	return &p, nil
}

func positionOf(id string) (sig.Position, bool) {
	i := strings.LastIndexByte(id, '-')
	if i <= 0 {
		return sig.Position{}, false
	}
	seq, err := strconv.ParseUint(id[i+1:], 10, 63) // more is not understood on the wire
	return sig.Position{Epoch: id[:i], Seq: seq}, err == nil
}

func positionText(p sig.Position) string { return p.Epoch + "-" + strconv.FormatUint(p.Seq, 10) }

// stream is what one client reads. Flush reports a write that has failed.
type stream struct {
	w     http.ResponseWriter
	all   bool // since the beginning, until then: what is forgotten is not missed
	lines bool // JSON, instead of Server-Sent Events
	begun bool
}

// missed says how many events the reader cannot have any more; null if there is no
// telling.
func (s *stream) missed(n int) {
	count := &n
	if n < 0 {
		count = nil
	}
	switch {
	case s.all:
	case s.lines:
		text, _ := json.Marshal(map[string]*int{"missed": count})
		_, _ = s.w.Write(append(text, '\n'))
	default:
		text, _ := json.Marshal(map[string]*int{"count": count})
		_, _ = fmt.Fprintf(s.w, "event: missed\ndata: %s\n\n", text)
	}
}

// passed tells a reader how far the events have got that are not for it, so that it
// has a position before it has an event. It is a sign of life, too.
func (s *stream) passed(p sig.Position) {
	switch {
	case !s.lines:
		_, _ = fmt.Fprintf(s.w, ":\nid: %s\n\n", positionText(p))
	case s.begun:
		_, _ = s.w.Write([]byte("\n"))
	}
	s.begun, s.all = true, false
}

func (s *stream) event(ev sig.Event) {
	s.begun, s.all = true, false
	id := positionText(ev.Position())
	data, err := ev.Data.JSON()
	if err != nil {
		return // it was JSON when it was published
	}
	text, err := json.Marshal(struct {
		ID     string          `json:"id"`
		Time   time.Time       `json:"time"`
		Sender sig.Name        `json:"sender"`
		Event  sig.Name        `json:"event"`
		Data   json.RawMessage `json:"data"`
	}{id, ev.Time, ev.Sender, ev.Event, data})
	switch {
	case err != nil:
	case s.lines:
		_, _ = s.w.Write(append(text, '\n'))
	default: // one line: json.Marshal compacts the data
		_, _ = fmt.Fprintf(s.w, "data: %s\nid: %s\n\n", text, id)
	}
}
