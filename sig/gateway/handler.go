package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sigalert/internal/origin"
	"sigalert/internal/patient"
)

// route is what answers a path, by method.
type route struct {
	get, post, delete func(http.ResponseWriter, *http.Request) error // nil: not allowed
	put               bool                                           // PUT is POST

	open  bool                       // to GET it takes no token
	late  bool                       // post admits the request itself: the body may have the token
	admin bool                       // to GET and DELETE it takes the right to administer
	token func(*http.Request) string // where else than in Authorization one may be, to POST; nil: nowhere
}

func (rt route) methods() (all []string) {
	if rt.get != nil {
		all = append(all, http.MethodGet, http.MethodHead)
	}
	if rt.post != nil {
		all = append(all, http.MethodPost)
	}
	if rt.put {
		all = append(all, http.MethodPut)
	}
	if rt.delete != nil {
		all = append(all, http.MethodDelete)
	}
	return append(all, http.MethodOptions)
}

// ServeHTTP answers one request.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	p := patient.New(w)
	defer p.Wait()            // what is still in a buffer is sent after this
	if r.ContentLength != 0 { // it is read to its end, even if it is of no use
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a test's recorder has none
	}
	g.asked.Add(1)
	if err := g.answer(p, r); err != nil {
		g.refused[statusOf(err)].Add(1)
		fail(p, r, err)
	}
}

func (g *gateway) answer(w http.ResponseWriter, r *http.Request) error {
	if r.Host != "" && !g.hosts.Know(r.Host) { // HTTP/1.0 needs none, and no browser speaks it
		return refuse(http.StatusMisdirectedRequest, "this machine is not known as %q: use its address, or its own name", r.Host)
	}
	rt, err := g.route(r)
	if err != nil {
		return err
	}
	methods := rt.methods()
	if !slices.Contains(methods, r.Method) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		return refuse(http.StatusMethodNotAllowed, "%.20s is not possible here: use %s", r.Method, strings.Join(methods, ", "))
	}
	isGet, isDelete := r.Method == http.MethodGet || r.Method == http.MethodHead, r.Method == http.MethodDelete
	switch {
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", strings.Join(methods, ", "))
		w.WriteHeader(http.StatusNoContent)
		return nil
	case isGet && rt.open:
		return rt.get(w, r)
	case origin.CrossSite(r): // before its token counts for this address
		return errCrossSite
	case rt.late && !isGet:
		return rt.post(w, r)
	}
	token := bearer
	if rt.token != nil && !isGet {
		token = rt.token
	}
	if r, err = g.admit(w, r, token(r)); err != nil {
		return err
	}
	if rt.admin && (isGet || isDelete) {
		if err := mayAdminister(r); err != nil {
			return err
		}
	}
	switch {
	case isGet:
		return rt.get(w, r)
	case isDelete:
		return rt.delete(w, r)
	}
	return rt.post(w, r)
}

var errCrossSite = refuse(http.StatusForbidden, "another site's page cannot do this: use this port's own page, or a program")

// route finds what a path is for. Its parts are names, and may have any character.
func (g *gateway) route(r *http.Request) (route, error) {
	path := r.URL.EscapedPath()
	switch path {
	case "/":
		return route{get: g.page, post: g.postRoot, put: true, open: true, late: true}, nil
	case "/healthz":
		return route{get: g.healthy, open: true}, nil
	case "/events":
		return route{get: g.stream}, nil
	case "/message":
		return route{post: g.gotify, token: gotifyToken}, nil
	}
	if !strings.HasPrefix(path, "/") { // OPTIONS *
		return route{}, refuse(http.StatusNotFound, "there is no such path: use /SENDER/EVENT")
	}
	names := strings.Split(path[1:], "/")
	for i, part := range names {
		name, err := url.PathUnescape(part)
		if err != nil {
			return route{}, refuse(http.StatusBadRequest, "the path is not percent-encoded as it should be: %s", err)
		}
		names[i] = name
	}
	switch {
	case len(names) > 2:
		return route{}, refuse(http.StatusNotFound, "a path has two parts, /SENDER/EVENT: write a slash within a name as %%2F")
	case slices.Contains(names, ""):
		return route{}, refuse(http.StatusBadRequest, "a name is empty: use /SENDER/EVENT")
	case len(names) == 1:
		rt := route{post: g.topic(names[0]), put: true, token: ntfyToken}
		switch names[0] {
		case "metrics":
			rt.get = g.metrics
		case "status":
			rt.get, rt.admin = g.status, true
		case "clients":
			rt.get, rt.admin = g.clients, true
		}
		return rt, nil
	}
	rt := route{post: g.event(names[0], names[1]), put: true}
	if names[0] == "clients" {
		rt.delete, rt.admin = g.disconnect(names[1]), true
	}
	return rt, nil
}
