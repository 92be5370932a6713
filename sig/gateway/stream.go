package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sigalert/internal/topic"
	"sigalert/internal/wait"
	"sigalert/sig"
)

const (
	heartbeat = 15 * time.Second
	lines     = "application/x-ndjson"
	// waiting is how many events wait at each step between the router and a stream's
	// reader, who may be slow and each of which may have a mebibyte; the rest stays in
	// the router's memory.
	waiting = 1
)

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
	s := &stream{out: make(chan []byte, waiting)}
	for _, t := range topic.Meant(sender, event) {
		if allow(r, sig.ToListen, t.Sender, t.Event) == nil {
			s.topics = append(s.topics, t)
		}
	}
	if len(s.topics) == 0 {
		return errNotAllowed
	}
	if s.since, err = sinceOf(r, query.Get("since")); err != nil {
		return err
	}
	s.all = query.Get("since") == "all" && s.since.Epoch == ""
	kind := "text/event-stream"
	switch format := query.Get("format"); {
	case format == "json", format == "" && accepts(r, lines):
		s.lines, kind = true, lines
	case format != "" && format != "sse":
		return refuse(http.StatusBadRequest, "format: must be sse or json")
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
	s.run(r.Context(), w, dialer{g.inside, rightsOf(r).caller})
	return nil
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

// stream is one client's. It is a client of the router: the library replays,
// counts what is missed, and has the router keep what a slow reader has not taken.
type stream struct {
	topics []topic.Topic
	since  *sig.Position
	all    bool // since the beginning, until then: what is forgotten is not missed
	lines  bool // JSON, instead of Server-Sent Events
	out    chan []byte
}

// run writes events until the client goes, or reads too slowly, or the router or ctx
// ends.
func (s *stream) run(ctx context.Context, w http.ResponseWriter, carrier sig.ClientCarrier) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := sig.NewClientRouter(carrier, &sig.ClientOptions{
		NoReconnect: true,
		Queue:       waiting,
		Since:       s.since,
		Missed:      func(n int) { s.put(ctx, s.missed(n)) },
		Passed:      func(p sig.Position) { s.put(ctx, s.passed(p)) },
	})
	for _, t := range s.topics {
		client.ResumeRemoteListener(t.Sender, t.Event, func(ev sig.Event) {
			if !topic.IsPresence(ev.Event) || topic.IsPresence(t.Event) {
				s.put(ctx, s.event(ev))
			}
		})
	}
	defer wait.Start(ctx, func(ctx context.Context) {
		defer cancel()
		client.Run(ctx)
	})()
	s.write(ctx, w)
}

// put hands text to the writer; it waits for it.
func (s *stream) put(ctx context.Context, text []byte) {
	if text == nil {
		return
	}
	select {
	case s.out <- text:
	case <-ctx.Done():
	}
}

// write writes what there is, as much as there is at once, and a sign of life where
// there is nothing.
func (s *stream) write(ctx context.Context, w http.ResponseWriter) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	text := []byte(":\n\n")
	if s.lines {
		text = nil
	}
	for {
		_, err := w.Write(text)
		for more := true; more && err == nil; {
			select {
			case text = <-s.out:
				_, err = w.Write(text)
			default:
				more = false
			}
		}
		if err == nil {
			err = http.NewResponseController(w).Flush()
		}
		if err != nil {
			return
		}
		select {
		case text = <-s.out:
			beat.Reset(heartbeat)
		case <-beat.C:
			text = s.beat()
		case <-ctx.Done():
			select {
			case text = <-s.out: // the last, if the router has ended
				_, _ = w.Write(text)
			default:
			}
			return
		}
	}
}

// beat is a line that readers ignore.
func (s *stream) beat() []byte {
	if s.lines {
		return []byte("\n")
	}
	return []byte(":\n\n")
}

// missed says how many events the reader cannot have any more; null if there is no
// telling.
func (s *stream) missed(n int) []byte {
	if s.all {
		return nil
	}
	count := any(n)
	if n < 0 {
		count = nil
	}
	if s.lines {
		text, _ := json.Marshal(map[string]any{"missed": count})
		return append(text, '\n')
	}
	text, _ := json.Marshal(map[string]any{"count": count})
	return fmt.Appendf(nil, "event: missed\ndata: %s\n\n", text)
}

// passed tells a reader how far the events have got that are not for it, so that it
// has a position before it has an event.
func (s *stream) passed(p sig.Position) []byte {
	s.all = false
	if s.lines || p.Epoch == "" {
		return nil
	}
	return fmt.Appendf(nil, "id: %s\n\n", positionText(p))
}

func (s *stream) event(ev sig.Event) []byte {
	s.all = false
	id := ""
	if p := ev.Position(); p.Epoch != "" {
		id = positionText(p)
	}
	data, err := ev.Data.JSON()
	if err != nil {
		return nil // it came from the router, as JSON
	}
	text, err := json.Marshal(struct {
		ID     string          `json:"id,omitempty"`
		Time   time.Time       `json:"time"`
		Sender sig.Name        `json:"sender"`
		Event  sig.Name        `json:"event"`
		Data   json.RawMessage `json:"data"`
	}{id, ev.Time, ev.Sender, ev.Event, data})
	switch {
	case err != nil:
		return nil
	case s.lines:
		return append(text, '\n')
	}
	b := append([]byte("data: "), text...) // one line: json.Marshal compacts the data
	if id != "" {
		b = append(append(b, "\nid: "...), id...)
	}
	return append(b, "\n\n"...)
}
