//go:build linux

package e2e

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The example for nginx in docs/log.md works as it stands there: with only the port,
// the certificate and the log's address replaced.
func TestLogBehindNginx(t *testing.T) {
	t.Parallel()
	const token = "a-token-for-this-test"
	l := newLog(t, "--host", "log.example", "--token", token)
	base, client := l.behindNginx(t, true)

	ask := func(method, path string, form url.Values) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(form.Encode()))
		check(t, err)
		r.Header.Set("Accept", "text/html")
		if method == "POST" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", strings.TrimSuffix(base, "/events/")) // as a browser of before Sec-Fetch-Site
		}
		response, err := client.Do(r)
		check(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		check(t, err)
		return response, string(text)
	}

	// A person logs in, and lands on the page.
	if r, text := ask("GET", "", nil); r.StatusCode != 401 || !strings.Contains(text, `action="login"`) {
		t.Fatalf("the page: %s %s", r.Status, text)
	}
	if r, text := ask("POST", "login", url.Values{"token": {"wrong"}}); r.StatusCode != 401 || !strings.Contains(text, "Wrong token.") {
		t.Fatalf("a wrong token: %s %s", r.Status, text)
	}
	r, text := ask("POST", "login", url.Values{"token": {token}})
	if r.StatusCode != 303 {
		t.Fatalf("the token: %s %s", r.Status, text)
	}
	if to, err := r.Location(); err != nil || to.String() != base {
		t.Errorf("the login leads to %s, %v, want %s", to, err, base)
	}
	if cookie := r.Header.Get("Set-Cookie"); !strings.Contains(cookie, "; Secure") || !strings.Contains(cookie, "; HttpOnly") {
		t.Errorf("the session is %q", cookie)
	}
	if folder, err := url.Parse(strings.TrimSuffix(base, "events/")); err != nil || len(client.Jar.Cookies(folder)) != 0 {
		t.Errorf("the session goes to the whole host: %v", client.Jar.Cookies(folder))
	}

	// All that the page needs is in its folder.
	l.sent(t, "door", "ring", `"front"`)
	l.holds(t, "door: ring")
	_, page := ask("GET", "", nil)
	if !strings.Contains(page, "front") {
		t.Errorf("the page: %s", page)
	}
	links := regexp.MustCompile(`(?:href|src)="([^"#]+)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 5 {
		t.Errorf("the page has %q", links)
	}
	for _, m := range links {
		if r, _ := ask("GET", strings.ReplaceAll(m[1], "&amp;", "&"), nil); r.StatusCode != 200 {
			t.Errorf("%s: %s", m[1], r.Status)
		}
	}
	r, text = ask("POST", "add", url.Values{"sender": {"timer"}})
	if to, err := r.Location(); r.StatusCode != 303 || err != nil || to.String() != base {
		t.Errorf("a form leads to %s, %v: %s", to, err, text)
	}
	if _, text := ask("GET", "regs", nil); !strings.Contains(text, "every event of timer") {
		t.Errorf("subscriptions: %s", text)
	}

	// A stream brings an event at once.
	stream, err := client.Get(base + "api/stream")
	check(t, err)
	defer stream.Body.Close()
	events := bufio.NewReader(stream.Body)
	if first, err := events.ReadString('\n'); err != nil || first != ": open\n" {
		t.Fatalf("the stream begins with %q, %v", first, err)
	}
	l.sent(t, "door", "ring", `"back"`)
	arrived := make(chan error, 1)
	go func() {
		for line, err := "", error(nil); ; {
			if line, err = events.ReadString('\n'); err != nil || strings.Contains(line, `"back"`) {
				arrived <- err
				return
			}
		}
	}()
	select {
	case err := <-arrived:
		check(t, err)
	case <-time.After(5 * time.Second): // before the next sign of life, which would push it out
		t.Error("the event is held back")
	}

	// Guesses are bounded by the proxy.
	refused := 0
	for range 20 {
		if r, _ := ask("POST", "login", url.Values{"token": {"guess"}}); r.StatusCode == 429 {
			refused++
		}
	}
	if refused < 10 {
		t.Errorf("of 20 guesses %d are refused", refused)
	}
}

// In Chromium, the page in its folder follows the log and changes it.
func TestLogPageBehindNginx(t *testing.T) {
	t.Parallel()
	l := newLog(t, "--host", "log.example", "--token", "a-token-for-this-test")
	base, _ := l.behindNginx(t, false)
	p := newBrowser(t).newTab(t)
	p.visit(t, base+"?token="+l.token)
	p.until(t, "the page is live", `live.textContent === "Live"`)
	l.sent(t, "door", "ring", `"front"`)
	p.until(t, "the event is there", `log.textContent.includes("front")`)
	p.fill(t, `form[action="add"] [name="sender"]`, "timer")
	p.click(t, `form[action="add"] button`)
	p.until(t, "the subscription is listed", `subscriptions.textContent.includes("every event of timer")`)
	p.click(t, "a.sender")
	p.until(t, "the page is filtered", `location.pathname === "/events/" && location.search === "?sender=door" && document.querySelector("a.sender") !== null`)
}

// behindNginx starts nginx with the example of docs/log.md, and returns the page's
// address there, and a client that is sent to it and follows no redirection. What is
// not encrypted is at 127.0.0.1, as no browser trusts the certificate.
func (l *logPage) behindNginx(t *testing.T, encrypted bool) (base string, client *http.Client) {
	t.Helper()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = "/usr/sbin/nginx"
		if _, err := os.Stat(nginx); err != nil {
			leaveOut(t, "needs nginx: see e2e/deps.sh")
		}
	}
	docs, err := os.ReadFile("../docs/log.md")
	check(t, err)
	example := regexp.MustCompile("(?s)```nginx\n(.*?)```").FindSubmatch(docs)
	if example == nil {
		t.Fatal("docs/log.md has no example for nginx")
	}
	h := l.home
	certificate, key, pool := selfSigned(t, "log.example")
	port := freePort(t)
	site := string(example[1])
	for old, now := range map[string]string{
		"listen 443 ssl": fmt.Sprintf("listen 127.0.0.1:%s ssl", port),
		"ssl_certificate /etc/ssl/log.example.pem":             "ssl_certificate " + h.write(t, "nginx/site.pem", certificate),
		"ssl_certificate_key /etc/ssl/private/log.example.key": "ssl_certificate_key " + h.write(t, "nginx/site.key", key),
		"http://127.0.0.1:8080/":                               l.url,
	} {
		if !strings.Contains(site, old) {
			t.Fatalf("the example lacks %q", old)
		}
		site = strings.ReplaceAll(site, old, now)
	}
	base = "https://log.example:" + port + "/events/"
	if !encrypted {
		base = "http://127.0.0.1:" + port + "/events/"
		site = regexp.MustCompile(`(?m)^\s*ssl_.*$| ssl;`).ReplaceAllStringFunc(site, func(m string) string {
			if m == " ssl;" {
				return ";"
			}
			return ""
		})
	}
	dir := h.dir + "/nginx"
	conf := fmt.Sprintf("daemon off;\nmaster_process off;\npid %[1]s/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n", dir)
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	conf += site + "}\n"
	start(t, h.env, nginx, "-p", dir, "-e", "stderr", "-c", h.write(t, "nginx/nginx.conf", conf))
	addr := "127.0.0.1:" + port
	eventually(t, "nginx listens", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	jar, err := cookiejar.New(nil)
	check(t, err)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return base, &http.Client{
		Transport:     transport,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// selfSigned is a certificate for a name, its key, and a pool that trusts it.
func selfSigned(t *testing.T, name string) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	check(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	check(t, err)
	parsed, err := x509.ParseCertificate(der)
	check(t, err)
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})), pool
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	check(t, err)
	return port
}
