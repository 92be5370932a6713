package web

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"sigalert/eventlog"
	"sigalert/internal/origin"
	"sigalert/internal/patient"
	"sigalert/sig"
)

// Source is where a log's events come from. Its methods do not wait. When what
// they return has changed, [eventlog.Log.Touch] must be called.
type Source interface {
	// Server is the address of the server.
	Server() string
	// Link is how the connection to it stands.
	Link() sig.LinkStatus
	Subscriptions() []eventlog.Subscription
}

// Editor changes a log's subscriptions; an *[eventlog.Subscriber] is one.
type Editor interface {
	Add(context.Context, eventlog.Topic) (eventlog.Subscription, error)
	Remove(eventlog.Topic) error
}

// Options are a handler's settings. Source must be given.
type Options struct {
	// Title is the page's. Default: "sigalert log".
	Title  string
	Source Source
	// Editor changes the subscriptions. Default: they are fixed, and Fixed says
	// where they can be changed instead.
	Editor Editor
	Fixed  string
	// Reads knows what nobody has read, of a log that has the outcome of alerts.
	// Default: nobody does.
	Reads Reads
	// Token is what every request must have: in a header "Authorization:
	// Bearer TOKEN", as the parameter token, or by having logged in with it.
	// Default: none is required. It should be one that [address.CheckToken] accepts.
	Token string
	// Private: every request must have a session, which a one-time key opens.
	Private bool
	// Hosts are names of this machine, besides localhost and
	// its own name.
	Hosts []string
	// HostAdvice says what to do when a request's Host is unknown. Default:
	// "use the machine's address".
	HostAdvice string
	// Logger reports what fails here. Default: none.
	Logger *slog.Logger
}

// Handler serves a log.
type Handler struct {
	log      *eventlog.Log
	opts     Options
	logger   *slog.Logger
	mux      *http.ServeMux
	sessions *sessions
	attempts attempts
	streams  chan struct{} // a token for each that is served
	hosts    origin.Hosts
	palette  palette
}

const maxStreams = 100

// New returns a handler. The error is the log's.
func New(log *eventlog.Log, opts Options) (*Handler, error) {
	secret, err := log.Secret()
	if err != nil {
		return nil, fmt.Errorf("the log's secret: %w", err)
	}
	opts.Title = cmp.Or(opts.Title, "sigalert log")
	opts.HostAdvice = cmp.Or(opts.HostAdvice, "use the machine's address")
	h := &Handler{
		log:      log,
		opts:     opts,
		logger:   opts.Logger,
		mux:      http.NewServeMux(),
		sessions: newSessions(secret, opts.Token),
		streams:  make(chan struct{}, maxStreams),
		hosts:    origin.NewHosts(opts.Hosts...),
	}
	if h.logger == nil {
		h.logger = slog.New(slog.DiscardHandler)
	}
	h.routes()
	return h, nil
}

func (h *Handler) routes() {
	get := func(f http.HandlerFunc, parameters string, paths ...string) {
		h.handle(h.guard(only(f, strings.Fields(parameters)...)), "GET", paths...)
	}
	get(h.index, "fmt sender event q outcome before since limit", "/{$}")
	get(h.registrations, "fmt", "/regs", "/registrations")
	get(h.events, "sender event q outcome before since limit", "/api/events")
	get(h.event, "", "/api/events/{id}")
	get(h.stream, "fmt sender event q outcome since", "/api/stream")
	get(h.metrics, "", "/metrics")

	change := func(f func(*http.Request) answer, parameters string, paths ...string) {
		h.handle(h.guard(h.change(f, strings.Fields(parameters)...)), "GET, POST", paths...)
	}
	change(h.clear, "", "/clear", "/flush")
	change(h.add, "sender event", "/add")
	change(h.remove, "sender event", "/remove", "/rem")
	change(h.config, "limit age", "/config", "/cfg")

	if h.opts.Reads != nil {
		change(h.markRead, "id", "/read")
	}
	h.handle(http.HandlerFunc(h.login), "POST", "/login")
	h.handle(http.HandlerFunc(h.health), "GET", "/healthz")
	h.handle(http.HandlerFunc(serveAsset), "GET", "/assets/")
	h.mux.HandleFunc("/", nothing)
}

// handle has f answer these methods of these paths, and refuses others.
func (h *Handler) handle(f http.Handler, methods string, paths ...string) {
	for _, path := range paths {
		for method := range strings.SplitSeq(methods, ", ") {
			h.mux.Handle(method+" "+path, f)
		}
		h.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", methods)
			fail(w, r, http.StatusMethodNotAllowed, r.Method+" is not allowed here: use "+strings.ReplaceAll(methods, ", ", " or "))
		})
	}
}

func nothing(w http.ResponseWriter, r *http.Request) {
	fail(w, r, http.StatusNotFound, "there is nothing at this address")
}

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := patient.New(w)
	p.Wait()       // the connection's last request may have been long ago
	defer p.Wait() // what is still in a buffer is sent after this
	r.Body = http.MaxBytesReader(w, arriving(r), maxBody)
	w = p
	head := w.Header()
	head.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types sigalert")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "same-origin") // with no-referrer a form's Origin is null
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	if !h.hosts.Know(r.Host) {
		fail(w, r, http.StatusMisdirectedRequest, fmt.Sprintf("this log is not known as %q: %s", r.Host, h.opts.HostAdvice))
		return
	}
	h.mux.ServeHTTP(w, r)
}

const maxBody = 64 << 10
