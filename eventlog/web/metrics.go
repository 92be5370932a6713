package web

import (
	"fmt"
	"net/http"

	"sigalert/sig"
)

// health answers 200 while the log can be written. It says nothing else, and
// requires no token.
func (h *Handler) health(w http.ResponseWriter, r *http.Request) {
	if err := h.log.State().Err; err != nil {
		fail(w, r, http.StatusServiceUnavailable, "the log cannot be written")
		return
	}
	say(w, http.StatusOK, "ok")
}

// metrics are in Prometheus' text format.
func (h *Handler) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	st := h.log.State()
	write := func(name, kind, help string, value any) {
		fmt.Fprintf(w, "# HELP sigalert_log_%[1]s %[3]s\n# TYPE sigalert_log_%[1]s %[2]s\nsigalert_log_%[1]s %[4]v\n", name, kind, help, value)
	}
	subscriptions := make(map[sig.ListenerStatus]int)
	for _, s := range h.opts.Source.Subscriptions() {
		subscriptions[s.Status]++
	}
	write("events_total", "counter", "Events logged since the start.", st.Logged)
	write("dropped_total", "counter", "Events that came faster than they could be written.", st.Dropped)
	write("missed_total", "counter", "Events that the server had forgotten before they came.", st.Missed)
	write("gaps_total", "counter", "How often an unknown number of events may have been missed.", st.Unknown)
	write("entries", "gauge", "Events in the log.", st.Count())
	write("entries_limit", "gauge", "Events that the log keeps.", h.log.Limits().Count)
	write("size_bytes", "gauge", "Size of the log's file, or of its events in memory.", h.log.Size())
	write("connected", "gauge", "Whether there is a connection to the server.", truth(h.opts.Source.Link().Connected))
	write("writable", "gauge", "Whether the log can be written.", truth(st.Err == nil))
	write("streams", "gauge", "Clients that follow the log.", len(h.streams))
	fmt.Fprintf(w, "# HELP sigalert_log_subscriptions Subscriptions, by how they stand at the server.\n# TYPE sigalert_log_subscriptions gauge\n")
	for _, status := range []sig.ListenerStatus{sig.Pending, sig.Active, sig.Refused} {
		fmt.Fprintf(w, "sigalert_log_subscriptions{status=%q} %d\n", status.String(), subscriptions[status])
	}
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
