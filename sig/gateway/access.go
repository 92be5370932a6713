package gateway

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"

	"sigalert/sig"
)

// guestRights are the rights that a request comes with, and who got them.
type guestRights struct {
	sig.Rights // nil: all
	caller     sig.Caller
}

// connection is what the connection of a request says of its client.
type connection struct {
	caller sig.Caller
	secure bool // it has TLS
}

type (
	rightsKey     struct{}
	connectionKey struct{}
)

func connectionOf(r *http.Request) connection {
	c, _ := r.Context().Value(connectionKey{}).(connection)
	return c
}

// withConnection has the requests of a connection come with what that says of its client.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	if g, ok := conn.(*guest); ok {
		if c, ok := g.Conn.(interface {
			Certificate() *x509.Certificate
			Private() bool
			Secure() bool
		}); ok {
			return context.WithValue(ctx, connectionKey{}, connection{sig.Caller{Certificate: c.Certificate(), Private: c.Private()}, c.Secure()})
		}
	}
	return ctx
}

// rightsOf returns the rights of a request, which must have been admitted: it panics
// otherwise, as no rights would be all of them.
func rightsOf(r *http.Request) guestRights { return r.Context().Value(rightsKey{}).(guestRights) }

// admit returns the request with its rights, or a refusal that is the same for every
// token that is not valid, and for none.
func (g *gateway) admit(w http.ResponseWriter, r *http.Request, token string) (*http.Request, error) {
	caller := connectionOf(r).caller
	caller.Token, caller.Peer = token, r.RemoteAddr
	rights, err := g.server.Admit(caller)
	if tooFast := new(sig.RemoteError); errors.Is(err, sig.ErrTooFast) && errors.As(err, &tooFast) {
		return nil, refuseFor(tooFast)
	}
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sigalert"`)
		w.Header().Set("Connection", "close") // no stranger keeps one
		return nil, errNotAdmitted
	}
	return r.WithContext(context.WithValue(r.Context(), rightsKey{}, guestRights{rights, caller})), nil
}

var (
	errNotAdmitted = refuse(http.StatusUnauthorized, "this requires a valid token: send it as the header Authorization: Bearer TOKEN, over https:// unless you are on the router's machine")
	// errNotAllowed is the same for every name.
	errNotAllowed = refuse(http.StatusForbidden, "not allowed: the token's rights do not include this")
)

// allow refuses what the request's rights do not include.
func allow(r *http.Request, do sig.Action, sender, event sig.Name) error {
	if sig.Allow(rightsOf(r).Rights, do, sender, event) != nil {
		return errNotAllowed
	}
	return nil
}

// bearer is the token of a request's Authorization.
func bearer(r *http.Request) string { return bearerOf(r.Header.Get("Authorization")) }

func bearerOf(authorization string) string {
	if scheme, token, _ := strings.Cut(authorization, " "); strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

// gotifyToken is bearer as gotify's clients send it, too: as a header or a parameter of
// their own.
func gotifyToken(r *http.Request) string {
	if token := r.Header.Get("X-Gotify-Key"); token != "" {
		return token
	}
	if token := r.URL.Query().Get("token"); token != "" {
		return token
	}
	return bearer(r)
}

// ntfyToken is bearer as ntfy's clients send it, too: as the password of any user, or,
// where they can send no header, all of the header in a parameter, in base64.
func ntfyToken(r *http.Request) string {
	if auth := r.URL.Query().Get("auth"); auth != "" {
		header, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(auth, "="))
		if err != nil {
			return ""
		}
		r = &http.Request{Header: http.Header{"Authorization": {string(header)}}}
	}
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	return bearer(r)
}
