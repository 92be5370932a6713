package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sigalert/sig"
)

// refusal is an answer that says what is wrong, and what to do.
type refusal struct {
	status int
	text   string
	after  time.Duration // when to try again; 0: that would not help
}

func (r *refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, text: fmt.Sprintf(format, args...)}
}

var errEnding = refuse(http.StatusServiceUnavailable, "the router is ending: try again")

// refuseFor is the refusal of what comes too fast.
func refuseFor(e *sig.RemoteError) error {
	return &refusal{http.StatusTooManyRequests, e.Text, e.RetryAfter}
}

func answer(w http.ResponseWriter, status int, contentType string, text []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func answerJSON(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		answer(w, http.StatusInternalServerError, typeText, []byte(err.Error()+"\n"))
		return
	}
	answerText(w, text)
}

// answerText answers with JSON.
func answerText(w http.ResponseWriter, text []byte) {
	answer(w, http.StatusOK, typeJSON, append(text, '\n'))
}

const (
	typeText = "text/plain; charset=utf-8"
	typeJSON = "application/json"
)

// fail answers with one line, or as JSON if that is asked for.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	told := map[string]any{"error": err.Error()}
	if r := (*refusal)(nil); errors.As(err, &r) && r.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(r.after.Seconds()))))
		told["retry_after"] = r.after.Seconds()
	}
	if r.ContentLength != 0 { // the answer does not wait for the rest of the body, and the end hardly does
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(endTime))
	}
	if accepts(r, typeJSON) {
		text, _ := json.Marshal(told)
		answer(w, status, typeJSON, append(text, '\n'))
		return
	}
	answer(w, status, typeText, []byte(err.Error()+"\n"))
}

func statusOf(err error) int {
	if r := (*refusal)(nil); errors.As(err, &r) {
		return r.status
	}
	return http.StatusInternalServerError
}

func accepts(r *http.Request, contentType string) bool {
	return strings.Contains(strings.Join(r.Header["Accept"], ","), contentType)
}
