package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	sessionTime = 30 * 24 * time.Hour
	keyTime     = time.Minute
	maxKeys     = 10
)

// sessions knows who has logged in. A session is a signed time: it outlives the
// process as long as the log's secret does, and ends when the token changes.
type sessions struct {
	secret []byte

	mu   sync.Mutex // guards the field below
	keys []oneTime
}

// oneTime is a key that opens one session.
type oneTime struct {
	key  string
	ends time.Time
}

func newSessions(secret []byte, token string) *sessions {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(token))
	return &sessions{secret: mac.Sum(nil)}
}

// Key returns a key that opens the page once within a minute, as its parameter
// key.
func (h *Handler) Key() string { return h.sessions.newKey(time.Now()) }

func (s *sessions) newKey(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) == maxKeys {
		s.keys = s.keys[1:]
	}
	key := rand.Text()
	s.keys = append(s.keys, oneTime{key, now.Add(keyTime)})
	return key
}

// redeem reports whether the key is good, and uses it up.
func (s *sessions) redeem(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range s.keys {
		if sameSecret(k.key, key) {
			s.keys = append(s.keys[:i:i], s.keys[i+1:]...)
			return now.Before(k.ends)
		}
	}
	return false
}

// cookieName tells apart the logs of one host: cookies are not bound to a port.
func cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	return "sigalert-" + port
}

// cookie has no path: a browser takes the folder of the request, which is the
// page's, as the handler itself cannot know it.
func (s *sessions) cookie(r *http.Request, now time.Time) *http.Cookie {
	ends := now.Add(sessionTime)
	return &http.Cookie{
		Name:     cookieName(r),
		Value:    fmt.Sprintf("%d.%s", ends.Unix(), s.sign(ends.Unix())),
		Expires:  ends,
		Secure:   encrypted(r),
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	}
}

// encrypted reports whether a browser's connection is, up to a reverse proxy on
// this machine that says so.
func encrypted(r *http.Request) bool {
	proxy, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && proxy.Addr().Unmap().IsLoopback() && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func (s *sessions) sign(ends int64) string {
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "session %d", ends)
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *sessions) valid(r *http.Request, now time.Time) bool {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return false
	}
	text, mac, _ := strings.Cut(cookie.Value, ".")
	ends, err := strconv.ParseInt(text, 10, 64)
	return err == nil && sameSecret(mac, s.sign(ends)) && now.Before(time.Unix(ends, 0))
}

func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
