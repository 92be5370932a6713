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

// Every address of HTTP, by tokens: what is denied is denied in the same words whether
// or not the sender is there.
func TestAccess(t *testing.T) {
	s, secrets := guarded(t, map[string][2]string{
		"all": {"*", "*"}, "reader": {"real ghost #topic", ""}, "writer": {"", "real ghost"}, "one": {"real/tick ghost/tick", "real/tick ghost/tick"},
		"channel": {"", "#topic"}, "other": {"other", "other"},
	})
	if _, err := s.AddSender("real", "tick"); err != nil {
		t.Fatal(err)
	}
	do := func(method, path, body, secret string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(body, "=") {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if secret != "" {
			request.Header.Set("Authorization", "Bearer "+secret)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if strings.HasPrefix(path, "/events") && response.StatusCode == http.StatusOK {
			return response.StatusCode, "" // it has no end
		}
		text, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(text)
	}
	for _, tc := range []struct {
		method, path, body string // SENDER is a sender's name
		allowed            string // to these; "*": without a token
	}{
		{"GET", "/healthz", "", "*"},
		{"GET", "/", "", "*"},
		{"OPTIONS", "/SENDER/tick", "", "*"},
		{"POST", "/SENDER/tick", "x", "all writer one"},
		{"PUT", "/SENDER/tick", "x", "all writer one"},
		{"POST", "/SENDER/tock", "x", "all writer"},
		{"POST", "/topic", "x", "all channel"},
		{"POST", "/topic?sender=SENDER", "x", "all writer channel"},
		{"POST", "/", `{"topic": "topic", "message": "x"}`, "all channel"},
		{"POST", "/", "sender=SENDER&event=tick", "all writer one"},
		{"POST", "/message?sender=SENDER", "message=x", "all writer"},
		{"GET", "/events", "", "all reader one other"},
		{"HEAD", "/events", "", "all reader one other"},
		{"GET", "/events?sender=SENDER", "", "all reader one"},
		{"GET", "/events?sender=SENDER&event=tick&since=all", "", "all reader one"},
		{"GET", "/events?sender=SENDER&event=tock", "", "all reader"},
		{"GET", "/events?event=%23topic", "", "all reader other"},
	} {
		for holder, secret := range secrets {
			var got [2]string
			for i, sender := range []string{"real", "ghost"} {
				status, text := do(tc.method, strings.ReplaceAll(tc.path, "SENDER", sender), strings.ReplaceAll(tc.body, "SENDER", sender), secret)
				want := http.StatusForbidden
				switch {
				case tc.allowed == "*", strings.Contains(" "+tc.allowed+" ", " "+holder+" ") && holder != "":
					want = http.StatusOK
				case holder == "" || holder == "wrong":
					want = http.StatusUnauthorized
				}
				if status != want && !(want == http.StatusOK && (status == http.StatusNoContent || status == http.StatusSeeOther)) {
					t.Errorf("%s %s of %q: %d %s, want %d", tc.method, tc.path, holder, status, text, want)
				}
				if got[i] = text; want == http.StatusOK {
					got[i] = ""
				}
			}
			if got[0] != got[1] {
				t.Errorf("%s %s of %q: %q, but without the sender %q", tc.method, tc.path, holder, got[0], got[1])
			}
		}
	}
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
