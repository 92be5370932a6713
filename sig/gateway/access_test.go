package gateway_test

import (
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"sigalert/internal/token"
	"sigalert/sig"
)

// guarded is a site that admits only these tokens, by their names.
func guarded(t testing.TB, rights map[string][2]string) (*site, map[string]string) {
	t.Helper()
	path, secrets := filepath.Join(t.TempDir(), "tokens.json"), map[string]string{"": "", "wrong": "sigalert_wrong"}
	for name, r := range rights {
		e := token.Entry{Name: name}
		for i, into := range []*[]token.Right{&e.Listen, &e.Send} {
			for _, text := range strings.Fields(r[i]) {
				right, err := token.ParseRight(text)
				if err != nil {
					t.Fatal(err)
				}
				*into = append(*into, right)
			}
		}
		secret, err := token.New(path, e)
		if err != nil {
			t.Fatal(err)
		}
		secrets[name] = secret
	}
	book, err := token.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return newSite(t, &sig.ServerOptions{Access: book}), secrets
}

// The ways in which ntfy's and gotify's clients send a token.
func TestTokensOfOthers(t *testing.T) {
	s, secrets := guarded(t, map[string][2]string{"all": {"", "*"}})
	secret := secrets["all"]
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("somebody:"+secret))
	for _, tc := range []struct {
		path, header, value string
		want                int
	}{
		{"/topic", "Authorization", basic, 200},
		{"/topic", "Authorization", "bearer " + secret, 200},
		{"/topic?auth=" + base64.RawURLEncoding.EncodeToString([]byte("Bearer "+secret)), "", "", 200},
		{"/topic?auth=" + base64.RawURLEncoding.EncodeToString([]byte(basic)), "", "", 200},
		{"/topic?auth=!", "", "", 401},
		{"/topic?token=" + secret, "", "", 401},
		{"/message?token=" + secret, "", "", 200},
		{"/message", "X-Gotify-Key", secret, 200},
		{"/message", "Authorization", "Bearer " + secret, 200},
		{"/message", "Authorization", basic, 401},
		{"/me/hello", "Authorization", "Bearer " + secret, 200},
		{"/me/hello?token=" + secret, "", "", 401},
		{"/me/hello", "X-Gotify-Key", secret, 401},
		{"/me/hello", "Authorization", "Bearer", 401},
		{"/me/hello", "Authorization", "Bearer " + secret + "x", 401},
	} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", s.url+tc.path, strings.NewReader("message=x"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if tc.header != "" {
			request.Header.Set(tc.header, tc.value)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != tc.want || tc.want == 401 && response.Header.Get("WWW-Authenticate") == "" || strings.Contains(string(text), secret) {
			t.Errorf("%s, %s: %s: %d %s, want %d", tc.path, tc.header, tc.value, response.StatusCode, text, tc.want)
		}
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log has a token")
	}
}
