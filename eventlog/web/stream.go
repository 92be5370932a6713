package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"sigalert/eventlog"
	"sigalert/internal/wait"
	"sigalert/internal/zone"
)

const (
	streamBatch = 500
	heartbeat   = 15 * time.Second
	pageRows    = 100                    // entries that the page is sent at a time
	pagePause   = 250 * time.Millisecond // between two updates of the page
	sidePause   = time.Second            // between two updates of what is beside the log
)

// stream sends what is logged as Server-Sent Events, until the client goes. It
// reads the log as the client takes it: nothing waits for a slow client, which is
// told how much the log's limits removed before it could read that.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request) {
	forPage := r.FormValue("fmt") == "html"
	q, err := query(r)
	if err == nil && !forPage && r.FormValue("fmt") != "" {
		err = errors.New("fmt: must be html, or left out for JSON")
	}
	if err != nil {
		fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	if r.Method == http.MethodHead {          // the mux takes it for GET
		return
	}
	select {
	case h.streams <- struct{}{}:
		defer func() { <-h.streams }()
	default:
		w.Header().Set("Retry-After", "5")
		fail(w, r, http.StatusServiceUnavailable, fmt.Sprintf("%d streams are already open, and no more are possible", maxStreams))
		return
	}
	fromNow := r.FormValue("since") == ""
	if id, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		q.After, fromNow = id, false
	}
	s := &streaming{h: h, out: sse{w: w, control: http.NewResponseController(w)}, query: q, begun: h.log.State()}
	s.asked = given(r, "sender", "event", "q", "outcome")
	switch {
	case fromNow:
		s.query.After = s.begun.Last
	case q.After == 0: // what was removed before is not missed
		s.query.After = s.begun.First - 1
	}
	step, pause := s.events, time.Duration(0)
	if forPage {
		step, pause = s.page, pagePause
	}
	s.run(r.Context(), step, pause)
}

// streaming is one client's stream.
type streaming struct {
	h     *Handler
	out   sse
	query eventlog.Query // After is how far it has got
	begun eventlog.State
	// The page's:
	asked  url.Values
	sent   []byte    // what is beside the log, as it was sent last
	sentAt time.Time // when that was
}

// run calls step after each change, until that fails or ctx ends.
func (s *streaming) run(ctx context.Context, step func(context.Context) (more bool, err error), pause time.Duration) {
	s.out.comment("open")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		changed := s.h.log.Changed()
		more, err := step(ctx)
		if err == nil {
			err = s.out.flush()
		}
		switch {
		case err != nil:
			return
		case pause > 0 && !wait.Sleep(ctx, pause, nil):
			return
		case more:
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-beat.C:
			s.out.comment("still here")
		}
	}
}

// reset reports whether the log is not the one that the client has followed: it was
// cleared, or is a new one.
func (s *streaming) reset() bool {
	st := s.h.log.State()
	if st.Cleared == s.begun.Cleared && s.query.After >= st.Before && s.query.After <= st.Last {
		return false
	}
	s.begun = st
	s.query.After = min(s.query.After, st.Last)
	if st.Count() > 0 {
		s.query.After = st.First - 1
	}
	return true
}

// events sends each entry as JSON.
func (s *streaming) events(ctx context.Context) (more bool, err error) {
	if s.reset() {
		s.out.event("cleared", "", []byte("{}"))
	}
	q := s.query
	q.Oldest, q.Limit = true, streamBatch
	found, err := s.h.log.Events(ctx, q)
	if err != nil {
		return false, err
	}
	if next := s.query.After + 1; found.First > next {
		s.out.event("missed", "", fmt.Appendf(nil, `{"count": %d}`, found.First-next))
	}
	for _, e := range found.Entries {
		text, err := json.Marshal(e)
		if err != nil {
			return false, err
		}
		s.out.event("", strconv.FormatUint(e.ID, 10), text)
	}
	s.query.After = max(s.query.After, found.Last)
	return found.More, nil
}

// page sends the newest entries as rows, and what is beside the log. Rows that
// would scroll away at once are left out.
func (s *streaming) page(ctx context.Context) (more bool, err error) {
	now := time.Now().In(zone.Local())
	if s.reset() {
		s.out.event("cleared", "", []byte("-"))
	}
	last := s.h.log.State().Last
	if last > s.query.After {
		q := s.query
		q.Limit = pageRows
		found, err := s.h.log.Events(ctx, q)
		if err != nil {
			return false, err
		}
		s.query.After = last
		if len(found.Entries) > 0 {
			s.query.After = max(last, found.Entries[0].ID)
			rows := s.h.list(now, s.asked, found)
			rows.Gap = found.More
			text, err := s.h.fragment("rows", rows)
			if err != nil {
				return false, err
			}
			s.out.event("rows", strconv.FormatUint(found.Entries[0].ID, 10), text)
		}
	}
	if now.Sub(s.sentAt) < sidePause {
		return true, nil
	}
	text, err := s.h.fragment("side", s.h.side())
	if err != nil {
		return false, err
	}
	if !bytes.Equal(text, s.sent) {
		s.out.event("side", "", text)
		s.sent, s.sentAt = text, now
	}
	return false, nil
}

// sse writes Server-Sent Events. After a failure it writes nothing more.
type sse struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func (o *sse) comment(text string) { o.write(fmt.Appendf(nil, ": %s\n\n", text)) }

func (o *sse) event(name, id string, data []byte) {
	var b []byte
	if name != "" {
		b = fmt.Appendf(b, "event: %s\n", name)
	}
	if id != "" {
		b = fmt.Appendf(b, "id: %s\n", id)
	}
	data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n")) // a CR ends a line too
	for line := range bytes.Lines(data) {
		b = append(append(b, "data: "...), bytes.TrimSuffix(line, []byte("\n"))...)
		b = append(b, '\n')
	}
	o.write(append(b, '\n'))
}

func (o *sse) write(b []byte) {
	if o.err != nil {
		return
	}
	_, o.err = o.w.Write(b)
}

func (o *sse) flush() error {
	if o.err == nil {
		o.err = o.control.Flush()
	}
	return o.err
}
