package web

import (
	"net/http"
	"strings"
	"time"

	"sigalert/internal/origin"
)

// guard lets through those who may see the log; others get a page to log in with.
func (h *Handler) guard(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, key := givenToken(r), r.URL.Query().Get("key")
		now := time.Now()
		switch {
		case !h.opts.Private && h.opts.Token == "", h.sessions.valid(r, now):
			next(w, r)
		case token == "" && key == "":
			h.refuse(w, r, "")
		default:
			byKey := false
			v := h.attempts.try(r, func() bool {
				byKey = r.Method == http.MethodGet && beside(r) && !ahead(r) && h.sessions.redeem(key, now)
				return byKey || h.isToken(token)
			})
			switch {
			case v != right:
				h.reject(w, r, v, "")
			case byKey, r.URL.Path == "/" && wantsPage(r): // the page's script does not have the token
				h.begin(w, r)
			default:
				next(w, r)
			}
		}
	})
}

// beside reports whether a request's address is in the same folder as the page's.
func beside(r *http.Request) bool { return strings.LastIndexByte(r.URL.Path, '/') == 0 }

// reject answers a request whose token or key is not right.
func (h *Handler) reject(w http.ResponseWriter, r *http.Request, v verdict, problem string) {
	if v == unchecked {
		tooMany(w, r)
		return
	}
	h.refuse(w, r, problem)
}

func tooMany(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	fail(w, r, http.StatusTooManyRequests, "too many wrong tokens: wait a second")
}

// givenToken is the token that a request carries.
func givenToken(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return token
	}
	return r.URL.Query().Get("token") // the body must not be read before it is checked
}

func (h *Handler) isToken(given string) bool {
	return h.opts.Token != "" && sameSecret(given, h.opts.Token)
}

// refuse says what is missing; to a browser, with a form for the token if there is
// one.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, problem string) {
	text := "this log requires its token: add the header \"Authorization: Bearer TOKEN\", or the parameter token"
	if h.opts.Token == "" {
		text = "open this page from the tray's menu: its key works only once, within a minute"
	}
	if h.opts.Token != "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sigalert"`)
	}
	if !wantsPage(r) {
		fail(w, r, http.StatusUnauthorized, text)
		return
	}
	h.render(w, r, http.StatusUnauthorized, "login", map[string]any{
		"Title": h.opts.Title, "Token": h.opts.Token != "", "Problem": problem,
	})
}

// login opens a session for those who know the token.
func (h *Handler) login(w http.ResponseWriter, r *http.Request) {
	if origin.CrossSite(r) {
		fail(w, r, http.StatusForbidden, "refused: the request comes from another site's page")
		return
	}
	token := r.PostFormValue("token")
	if v := h.attempts.try(r, func() bool { return h.isToken(token) }); v != right {
		h.reject(w, r, v, "Wrong token.")
		return
	}
	h.begin(w, r)
}

// proven reports whether a request carries the token itself, and not only a
// session.
func (h *Handler) proven(r *http.Request) bool {
	token := givenToken(r)
	return token != "" && h.attempts.try(r, func() bool { return h.isToken(token) }) == right
}

// begin opens a session, and redirects to the page without what opened it. The
// request's address is in the page's folder.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, h.sessions.cookie(r, time.Now()))
	asked := r.URL.Query()
	asked.Del("token")
	asked.Del("key")
	toPage(w, asked)
}

// untold reports whether nothing says where this request comes from: to an
// address that is neither encrypted nor loopback, a browser sends a GET for any
// page's image without saying so. A POST always has an Origin.
func untold(r *http.Request) bool {
	return r.Method == http.MethodGet && !origin.Loopback(r.Host) &&
		r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == ""
}

// ahead reports whether a browser fetches what its user may want next, such as
// an address that is being typed.
func ahead(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-Purpose")+r.Header.Get("Purpose")+r.Header.Get("X-Moz"), "prefetch")
}
