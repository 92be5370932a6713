package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigalert/internal/certificate"
	"sigalert/internal/certificate/certificatetest"
	"sigalert/internal/token"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// certifiedSite is a router that knows its clients by certificates, too.
type certifiedSite struct {
	*site
	tokens, authorities string // files
	book                *token.Book
	server              *certificate.Files
}

func newCertifiedSite(t *testing.T, ours *certificatetest.Authority, version uint16) *certifiedSite {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	s := &certifiedSite{tokens: filepath.Join(dir, "tokens.json"), authorities: filepath.Join(dir, "ca.pem")}
	writeFile(t, s.authorities, ours.PEM())
	var err error
	if s.server, err = certificate.Own(filepath.Join(dir, "own.pem"), []string{"127.0.0.1"}, log); err != nil {
		t.Fatal(err)
	}
	authorities, err := certificate.LoadAuthorities(s.authorities, log)
	if err != nil {
		t.Fatal(err)
	}
	if s.book, err = token.Open(s.tokens, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wait.Start(t.Context(), s.book.Run))
	config := s.server.Config()
	config.MaxVersion = version
	authorities.Verify(config)
	s.site = newSiteWith(t, &sig.ServerOptions{Access: s.book}, config)
	return s
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".next", content, 0o600), os.Rename(path+".next", path)); err != nil {
		t.Fatal(err)
	}
}

// add adds an entry to the file of the tokens that may listen to everything and send as me.
func (s *certifiedSite) add(t testing.TB, e token.Entry) (secret string) {
	t.Helper()
	for into, right := range map[*[]token.Right]string{&e.Listen: "*", &e.Send: "me"} {
		r, err := token.ParseRight(right)
		if err != nil {
			t.Fatal(err)
		}
		*into = append(*into, r)
	}
	secret, err := token.New(s.tokens, e)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// shown is what a client knows the router by, and shows of itself.
func (s *certifiedSite) shown(t testing.TB, pair []byte) *tcp.TLS {
	t.Helper()
	opts := tcp.TLS{Fingerprint: tcp.Fingerprint(s.server.Current().Certificate[0])}
	if pair != nil {
		c, err := tls.X509KeyPair(pair, pair)
		if err != nil {
			t.Fatal(err)
		}
		opts.Certificates = []tls.Certificate{c}
	}
	return &opts
}

func (s *certifiedSite) client(t testing.TB, opts *tcp.TLS, secret string) *sig.ClientRouter {
	return sig.NewClientRouter(tcp.NewTLSClient(s.addr, opts), &sig.ClientOptions{Token: func() (string, error) { return secret, nil }, NoReconnect: true})
}

// wire says why a client on the wire may not listen, or not publish as me.
func (s *certifiedSite) wire(t testing.TB, opts *tcp.TLS, secret string) error {
	t.Helper()
	client := s.client(t, opts, secret)
	client.AddRemoteListener("me", "hello", func(sig.Event) {})
	ended := make(chan struct{})
	stop := wait.Start(t.Context(), func(ctx context.Context) {
		defer close(ended)
		client.Run(ctx)
	})
	defer stop()
	for !client.Link().Connected {
		select {
		case <-ended:
			return client.Link().Err
		case <-time.After(time.Millisecond):
		}
	}
	_, err := client.Publish(t.Context(), sig.Publication{Sender: "me", Event: "hello"})
	return err
}

func (s *certifiedSite) https(t testing.TB, opts *tcp.TLS) *http.Client {
	t.Helper()
	config, err := opts.Config(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// What a certificate makes of a client, on the wire and over HTTP.
func TestClientCertificates(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) { testClientCertificates(t, version) })
	}
}

func testClientCertificates(t *testing.T, version uint16) {
	ours, others := certificatetest.NewAuthority(t), certificatetest.NewAuthority(t)
	s := newCertifiedSite(t, ours, version)
	s.add(t, token.Entry{Name: "desk", Certificate: true})
	s.add(t, token.Entry{Name: "revoked", Certificate: true})
	s.add(t, token.Entry{Name: "past", Certificate: true, Expires: time.Now().Add(-time.Second)})
	secret := s.add(t, token.Entry{Name: "phone"})
	if err := token.Revoke(s.tokens, "revoked"); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	const refused, noTLS, welcome = "not admitted: this server requires", "the server refuses our certificate", ""
	for _, tc := range []struct {
		name   string
		pair   []byte
		secret string
		want   string
	}{
		{"none", nil, "", refused},
		{"good", ours.Issue(t, "desk", later), "", welcome},
		{"without an entry", ours.Issue(t, "stranger", later), "", refused},
		{"without a name", ours.Issue(t, "", later), "", refused},
		{"of a token's name", ours.Issue(t, "phone", later), "", refused},
		{"revoked", ours.Issue(t, "revoked", later), "", refused},
		{"of an entry that has expired", ours.Issue(t, "past", later), "", refused},
		{"of another authority", others.Issue(t, "desk", later), "", noTLS},
		{"expired", ours.Issue(t, "desk", time.Now().Add(-time.Minute)), "", noTLS},

		// The token counts if there is one, and a bad certificate is still none.
		{"none, with a token", nil, secret, welcome},
		{"of a stranger, with a token", ours.Issue(t, "stranger", later), secret, welcome},
		{"good, with a bad token", ours.Issue(t, "desk", later), "sigalert_wrong", refused},
		{"of another authority, with a token", others.Issue(t, "desk", later), secret, noTLS},
	} {
		opts := s.shown(t, tc.pair)
		switch err := s.wire(t, opts, tc.secret); {
		case tc.want == welcome && err != nil, tc.want != welcome && (!errors.Is(err, sig.ErrNotAdmitted) || errors.Is(err, sig.ErrNotServer) || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
		request, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+s.addr+"/me/hello", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if tc.secret != "" {
			request.Header.Set("Authorization", "Bearer "+tc.secret)
		}
		response, err := s.https(t, opts).Do(request)
		got := 0
		if err == nil {
			got = response.StatusCode
			response.Body.Close()
		}
		if want := map[string]int{welcome: http.StatusOK, refused: http.StatusUnauthorized, noTLS: 0}[tc.want]; got != want {
			t.Errorf("%s: HTTP %d, %v, want %d", tc.name, got, err, want)
		}
	}
}

// A browser shows its certificate for any page: another site's has no use of it.
func TestCertificateOfABrowser(t *testing.T) {
	ours := certificatetest.NewAuthority(t)
	s := newCertifiedSite(t, ours, 0)
	s.add(t, token.Entry{Name: "desk", Certificate: true})
	browser := s.https(t, s.shown(t, ours.Issue(t, "desk", time.Now().Add(time.Hour))))
	for _, address := range []struct{ method, path string }{{"POST", "/me/hello"}, {"POST", "/"}, {"POST", "/message"}, {"GET", "/events"}} {
		request, err := http.NewRequestWithContext(t.Context(), address.method, "https://"+s.addr+address.path, strings.NewReader("message=x"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s: %s", address.method, address.path, response.Status)
		}
	}
}

// What a token or a certificate gives ends when it expires, when it is revoked, and, for new
// connections, when its authority is replaced.
func TestRightsEnd(t *testing.T) {
	ours := certificatetest.NewAuthority(t)
	s := newCertifiedSite(t, ours, 0)
	s.add(t, token.Entry{Name: "desk", Certificate: true})
	s.add(t, token.Entry{Name: "nas", Certificate: true})
	soon := time.Now().Add(2 * time.Second).Truncate(time.Second)
	lasting, brief := s.shown(t, ours.Issue(t, "desk", time.Now().Add(time.Hour))), s.shown(t, ours.Issue(t, "desk", soon))
	nas, without := s.shown(t, ours.Issue(t, "nas", time.Now().Add(time.Hour))), s.shown(t, nil)
	briefToken, revokedToken := s.add(t, token.Entry{Name: "brief", Expires: soon}), s.add(t, token.Entry{Name: "phone"})

	// connected are a client on the wire and a stream of HTTP, whose ends are awaited.
	connected := func(opts *tcp.TLS, secret string) (ends [2]<-chan time.Time) {
		t.Helper()
		client := s.client(t, opts, secret)
		client.AddRemoteListener("me", "hello", func(sig.Event) {})
		wire := make(chan time.Time, 1)
		go func() {
			client.Run(t.Context())
			wire <- time.Now()
		}()
		request, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+s.addr+"/events?sender=me", nil)
		if err != nil {
			t.Fatal(err)
		}
		if secret != "" {
			request.Header.Set("Authorization", "Bearer "+secret)
		}
		response, err := s.https(t, opts).Do(request)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatal(response, err)
		}
		stream := make(chan time.Time, 1)
		go func() {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			stream <- time.Now()
		}()
		for !client.Link().Connected {
			time.Sleep(time.Millisecond)
		}
		return [2]<-chan time.Time{wire, stream}
	}
	await := func(what string, ends [2]<-chan time.Time, notBefore time.Time) {
		t.Helper()
		for i, end := range ends {
			select {
			case at := <-end:
				if at.Before(notBefore) {
					t.Errorf("%s: %d ends at %v, want not before %v", what, i, at, notBefore)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: %d does not end", what, i)
			}
		}
	}
	kept, revoked := connected(lasting, ""), [][2]<-chan time.Time{connected(nas, ""), connected(without, revokedToken)}
	endings := map[string][2]<-chan time.Time{"a certificate": connected(brief, ""), "a token": connected(without, briefToken), "a certificate, beside a token": connected(brief, revokedToken)}
	for what, ends := range endings {
		await(what+" that expires", ends, soon)
	}
	for i, name := range []string{"nas", "phone"} {
		if err := token.Revoke(s.tokens, name); err != nil {
			t.Fatal(err)
		}
		await("what is revoked as "+name, revoked[i], time.Time{})
	}
	for _, end := range kept {
		select {
		case <-end:
			t.Error("another's end ends this")
		default:
		}
	}

	// A connection of HTTP that stays open, and whose certificate expires meanwhile.
	soon = time.Now().Add(2 * time.Second).Truncate(time.Second)
	staying := s.https(t, s.shown(t, ours.Issue(t, "desk", soon)))
	for want := http.StatusOK; ; {
		response, err := staying.Post("https://"+s.addr+"/me/hello", "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if late := !time.Now().Before(soon); response.StatusCode != want && !late {
			t.Fatal(response.Status)
		} else if response.StatusCode == http.StatusUnauthorized {
			break
		} else if late && time.Since(soon) > 5*time.Second {
			t.Fatal("its requests are admitted after its end")
		}
		time.Sleep(20 * time.Millisecond)
	}

	writeFile(t, s.authorities, bytes.Join([][]byte{certificatetest.NewAuthority(t).PEM(), certificatetest.NewAuthority(t).PEM()}, nil))
	if err := s.wire(t, lasting, ""); !errors.Is(err, sig.ErrNotAdmitted) {
		t.Errorf("after its authority: %v", err)
	}
	writeFile(t, s.authorities, []byte("not a certificate")) // which changes nothing
	if err := s.wire(t, lasting, ""); !errors.Is(err, sig.ErrNotAdmitted) {
		t.Errorf("after its authority, and a bad file: %v", err)
	}
	writeFile(t, s.authorities, ours.PEM())
	if err := s.wire(t, lasting, ""); err != nil {
		t.Errorf("with its authority again: %v", err)
	}
}
