package gateway

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sigalert/internal/words"
)

//go:embed page.css
var style string

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// policy lets the page have its own style and form, and nothing else.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}()

// pageData is what the page shows; the first lines are the form's fields.
type pageData struct {
	Sender, Event, Title, Message, Urgency string

	Guarded       bool // a token is required
	Secure        bool // the page has come over TLS
	Style         template.CSS
	Host          string
	Urgencies     []string
	Problem, Sent string
}

// page answers GET /.
func (g *gateway) page(w http.ResponseWriter, r *http.Request) error {
	query, err := parameters(r)
	if err != nil {
		return err
	}
	p := pageData{Guarded: g.server.Guarded(), Sender: cmp.Or(query.Get("sender"), "me"), Event: cmp.Or(query.Get("event"), "hello")}
	if n, err := strconv.Atoi(query.Get("sent")); err == nil {
		p.Sent = "Sent to " + words.Count(n, "listener") + "."
	}
	return p.answer(w, r, http.StatusOK)
}

func (p *pageData) answer(w http.ResponseWriter, r *http.Request, status int) error {
	p.Secure = connectionOf(r).secure
	p.Style, p.Host, p.Urgencies = template.CSS(style), cmp.Or(r.Host, "ADDRESS"), []string{"", "low", "normal", "critical"}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "same-origin") // with no-referrer a form's Origin is null
	answer(w, status, "text/html; charset=utf-8", b.Bytes())
	return nil
}

// postRoot answers POST /: ntfy's JSON, whatever its header says, or the page's form,
// which may have the token in it.
func (g *gateway) postRoot(w http.ResponseWriter, r *http.Request) error {
	body, err := g.readBody(w, r)
	if err != nil {
		return err
	}
	if isJSON(r) || strings.HasPrefix(string(bytes.TrimSpace(body)), "{") {
		if r, err = g.admit(w, r, ntfyToken(r)); err != nil {
			return err
		}
		return g.message(w, r, body)
	}
	form, err := formOf(r, body)
	if err != nil {
		return err
	}
	p := pageData{Guarded: g.server.Guarded(), Sender: form.Get("sender"), Event: form.Get("event"), Title: form.Get("title"), Message: form.Get("message"), Urgency: form.Get("urgency")}
	listeners := 0
	admitted, err := g.admit(w, r, cmp.Or(form.Get("token"), ntfyToken(r)))
	if err == nil {
		listeners, err = g.send(admitted, p)
	}
	switch {
	case err == nil:
		w.Header().Set("Location", "/?"+url.Values{"sent": {strconv.Itoa(listeners)}, "sender": {p.Sender}, "event": {p.Event}}.Encode())
		w.WriteHeader(http.StatusSeeOther)
		return nil
	case !accepts(r, "text/html"):
		return err
	}
	if p.Problem = err.Error(); err == errNotAdmitted {
		p.Problem = "this requires a valid token"
	}
	return p.answer(w, r, statusOf(err))
}

// send publishes what the page's form has.
func (g *gateway) send(r *http.Request, p pageData) (listeners int, err error) {
	if p.Sender == "" || p.Event == "" {
		return 0, refuse(http.StatusBadRequest, "the sender or the event is missing: fill in both, or send to /SENDER/EVENT")
	}
	var more members
	more.text("title", p.Title)
	more.text("urgency", p.Urgency)
	message := strings.ReplaceAll(p.Message, "\r\n", "\n") // forms have no other line breaks
	done, err := g.publish(r, nil, p.Sender, p.Event, more.with(textOf([]byte(message))))
	return done.Listeners, err
}
