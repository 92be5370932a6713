package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// HTTP is the same over TLS: publishing, streams, and the answer to what is refused.
func TestHTTPS(t *testing.T) {
	s, client := newSecureSite(t, nil)
	stream, err := client.Get(s.url + "/events?sender=me&format=json&since=all")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	for _, want := range []string{"hello", strings.Repeat("long", 100_000)} {
		response, err := client.Post(s.url+"/me/hello", "text/plain", strings.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatal(response.Status)
		}
	}
	lines := bufio.NewReader(stream.Body)
	for _, want := range []string{`"data":"hello"`, `"data":"longlong`} {
		line, err := lines.ReadString('\n')
		for err == nil && line == "\n" {
			line, err = lines.ReadString('\n')
		}
		if err != nil || !strings.Contains(line, want) {
			t.Fatalf("%.100s, %v, want %s", line, err, want)
		}
	}
	response, err := client.Post(s.url+"/a/b/c", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusNotFound {
		t.Errorf("%s, %s, %v", response.Status, text, err)
	}
}
