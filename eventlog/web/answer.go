package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// say answers with a line of text.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status = http.StatusInternalServerError
		text, _ = json.Marshal(map[string]string{"error": err.Error()})
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// fail answers with what is wrong, in the form that is asked for.
func fail(w http.ResponseWriter, r *http.Request, status int, text string) {
	if wantsJSON(r) {
		writeJSON(w, status, map[string]string{"error": text})
		return
	}
	say(w, status, text)
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.Contains(r.Header.Get("Accept"), "application/json")
}

// wantsPage reports whether a person is at the other end.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && !wantsJSON(r)
}

// toPage redirects to the page from an address in its folder. The address is
// relative, as the page need not be at the root of its host; [http.Redirect] would make
// it absolute.
func toPage(w http.ResponseWriter, asked url.Values) {
	w.Header().Set("Location", pageAddress(asked))
	w.WriteHeader(http.StatusSeeOther)
}

// pageAddress is the page's for what is asked for, as seen from its own folder.
func pageAddress(asked url.Values) string {
	if len(asked) == 0 {
		return "./"
	}
	return "./?" + asked.Encode()
}

// formOf reports whether a browser has sent a form, and shows what comes back.
func formOf(r *http.Request) bool { return r.Method == http.MethodPost && wantsPage(r) }
