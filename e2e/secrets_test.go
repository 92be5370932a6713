//go:build linux

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// No secret is in what a program writes, at any level, or in a file that it keeps: with
// tokens that are right, wrong, or in a place where none belongs.
func TestNoSecretIsWritten(t *testing.T) {
	h, bin := newHome(t), program(t)
	run := func(env []string, args ...string) []byte {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c := exec.CommandContext(ctx, bin, args...)
		c.Env = append(h.env[:len(h.env):len(h.env)], env...)
		out, _ := c.CombinedOutput() // many are to fail
		return out
	}
	secret := strings.TrimSpace(string(run(nil, "token", "new", "desk", "--listen", "*", "--send", "*")))
	if len(secret) != len("sigalert_")+43 {
		t.Fatalf("the token is %q", secret)
	}
	wrong := "sigalert_" + strings.Repeat("wRoNg", 8) + "abc"
	var outputs [][]byte
	say := func(env []string, args ...string) string {
		t.Helper()
		out := run(env, append(args, "--log-level", "trace")...)
		outputs = append(outputs, fmt.Appendf(nil, "$ sigalert %s\n%s", strings.Join(args, " "), out))
		return string(out)
	}

	router := h.serveAt(t, bin, "127.0.0.1:0", "--tls", "auto", "--tokens", "auto", "--log-level", "trace")
	m := regexp.MustCompile(`fingerprint=(sha256:[0-9a-f]{64})`).FindStringSubmatch(router.text())
	if m == nil {
		t.Fatal("the router does not say its fingerprint")
	}
	config := func(name, token string) string {
		return h.write(t, "config/"+name, fmt.Sprintf("servers:\n  desk:\n    url: tls://%s\n    fingerprint: %s\n    %s\nsubscriptions: [{sender: timer}]\n", router.addr, m[1], token))
	}
	good, bad := config("good.yaml", "token: "+secret), config("bad.yaml", "token: "+wrong)

	// Commands, whose settings have tokens also where none belongs.
	for _, args := range [][]string{{"send", "timer", "tick"}, {"senders"}, {"request", "timer", "echo"}, {"check"}, {"doctor"}, {"explain"}, {"token", "list"}} {
		for _, file := range []string{good, bad} {
			say(nil, append(args, "--config", file)...)
		}
		say([]string{"SIGALERT_TOKEN=" + wrong, "SIGALERT_SERVER=tls://" + router.addr}, args...)
	}
	if out := say(nil, "senders", "--config", good); !strings.Contains(out, "timer") && strings.Contains(out, "not admitted") {
		t.Error(out)
	}
	for i, misplaced := range []string{"token_file: " + secret, "fingerprint: " + secret, "url: tls://" + secret, "token: [" + secret + "]", secret + ": x", "token: \"" + secret, "ca: /" + secret, "token: " + secret + "\n    token_file: /nowhere"} {
		say(nil, "check", "--config", config(fmt.Sprintf("misplaced%d.yaml", i), misplaced))
	}
	say(nil, "send", "--server", "tls://"+router.addr+"#"+secret, "timer", "tick")
	say(nil, "token", "revoke", secret)
	say(nil, "token", "new", secret, "--listen", "*")
	for _, line := range []string{"#" + secret + "@" + m[1], "#" + wrong + "@" + m[1], "#" + secret, "#x@" + secret, "#" + secret + "@" + m[1] + "0", secret + "#" + secret + "@" + m[1], " " + secret} {
		say(nil, "pair", router.addr+line, "--config", filepath.Join(h.dir, "config", "paired.yaml"))
	}
	say([]string{"SIGALERT_TOKEN=" + secret + " "}, "senders", "--server", "tcp://"+router.addr)

	// HTTP, with tokens in every place.
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	spelled := make(map[string]string) // secrets, as they are on the way
	for _, s := range []string{secret, wrong} {
		for _, text := range []string{s, "Bearer " + s, "somebody:" + s, "Basic " + base64.StdEncoding.EncodeToString([]byte("somebody:"+s))} {
			spelled[text] = s
			spelled[base64.StdEncoding.EncodeToString([]byte(text))] = s
			spelled[base64.RawURLEncoding.EncodeToString([]byte(text))] = s
		}
		auth := base64.RawURLEncoding.EncodeToString([]byte("Bearer " + s))
		for _, path := range []string{"/me/hello", "/topic", "/topic?auth=" + auth, "/message?token=" + s, "/message", "/" + url.PathEscape(s), "/a/b/c?token=" + s, "/events?since=" + s, "/me/hello?x=%zz" + s} {
			for header, value := range map[string]string{"Authorization": "Bearer " + s, "authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("somebody:"+s)), "X-Gotify-Key": s, "Host": s} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				request, err := http.NewRequestWithContext(ctx, "POST", "https://"+router.addr+"/", strings.NewReader("message=x"))
				if err != nil {
					t.Fatal(err)
				}
				request.URL.Opaque = "//" + router.addr + path
				request.Header.Set(header, value)
				if header == "Host" {
					request.Host = value
				}
				if response, err := client.Do(request); err == nil {
					response.Body.Close()
				}
				cancel()
			}
		}

		// The wire, with messages that are not as they should be.
		for _, text := range []string{
			`{"id": 1, "method": "get_version", "params": {"token": "%s", "features": ["stream"]}}`,
			`["get_version", {"token": "%s"}]`,
			`{"id": "%s", "method": "%[1]s", "params": "%[1]s"}`,
			`{"id": 1, "method": "get_version", "params": {"token": "%s"`,
			`%s`,
		} {
			conn, err := net.Dial("tcp", router.addr)
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			fmt.Fprintf(conn, text, s)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}

	// The agent, its control socket, and files that are wrong for a while.
	path := h.write(t, "config/sigalert/config.yaml", "")
	for _, file := range []string{good, bad} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		a := start(t, h.env, bin, "--config", path, "--log-level", "trace")
		a.await(t, `msg="?(subscribed|no connection)`)
		say(nil, "send", "timer", "tick", "--config", good)
		if err := os.WriteFile(path, append(text, "  token_file: "+secret...), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"status"}, {"status", "--json"}, {"reload"}, {"explain"}, {"history"}, {"history", "--json"}, {"doctor"}, {"pause"}, {"resume"}, {"reconnect"}, {"check"}} {
			say(nil, args...)
		}
		a.terminate(t)
		outputs = append(outputs, []byte(a.text()))
	}
	router.terminate(t)
	outputs = append(outputs, []byte(router.text()))

	search := func(where string, text []byte) {
		t.Helper()
		if aToken.Match(text) { // the router's own, for this machine, perhaps
			t.Errorf("%s has a token: %.300s", where, text)
		}
		for spelling, s := range spelled {
			if at := bytes.Index(text, []byte(spelling)); at >= 0 {
				begin, end := bytes.LastIndexByte(text[:at], '\n')+1, min(at+200, len(text))
				t.Errorf("%s has a token (%s): %.300s", where, map[string]string{secret: "the right one", wrong: "a wrong one"}[s], text[begin:end])
				return
			}
		}
	}
	for _, out := range outputs {
		// The command line is ours, and not the program's.
		first, rest, _ := bytes.Cut(out, []byte("\n"))
		search(string(first[:min(60, len(first))]), rest)
	}
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() || strings.HasPrefix(path, filepath.Join(h.dir, "config")) {
			return err
		}
		if filepath.Dir(path) == filepath.Join(h.dir, "state", "sigalert", "local") { // where the router's own token is
			if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
			}
			return nil
		}
		text, err := os.ReadFile(path)
		search(path, text)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
