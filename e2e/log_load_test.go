//go:build linux

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

// eventLog is a running "sigalert log".
type eventLog struct {
	*process
	url string // of its page, without the slash at the end
}

// beginLog starts a log of this server's events on a free port.
func (h *home) beginLog(t testing.TB, s *server, args ...string) *process {
	t.Helper()
	return start(t, h.env, append([]string{s.bin, "log", "--server", "tcp://" + s.addr, "--listen", "127.0.0.1:0"}, args...)...)
}

// startLog also waits until it shows its page.
func (h *home) startLog(t testing.TB, s *server, args ...string) *eventLog {
	t.Helper()
	p := h.beginLog(t, s, args...)
	_, m := p.await(t, `^(http://\S+)/$`)
	return &eventLog{p, m[1]}
}

// fetch returns the body of an answer. Of one that breaks off it returns what came.
func fetch(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	}
	return string(body), err
}

func (l *eventLog) get(t testing.TB, path string) string {
	t.Helper()
	body, err := fetch(context.Background(), l.url+path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// metric is one of /metrics, without the common beginning of their names.
func (l *eventLog) metric(t testing.TB, name string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^sigalert_log_` + regexp.QuoteMeta(name) + ` (\d+)$`).FindStringSubmatch(l.get(t, "/metrics"))
	if m == nil {
		t.Fatalf("no %s in /metrics", name)
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// subscribed waits until the server knows that the log listens.
func (l *eventLog) subscribed(t testing.TB) {
	t.Helper()
	eventually(t, "the log has subscribed", func() bool { return l.metric(t, `subscriptions{status="active"}`) > 0 })
}

// message is one of a stream of Server-Sent Events.
type message struct{ event, id, data string }

// follow calls each with every message of a stream, until it breaks off.
func follow(ctx context.Context, url string, each func(message)) error {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 4<<20)
	var m message
	for lines.Scan() {
		switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
		case "event":
			m.event = value
		case "id":
			m.id = value
		case "data":
			m.data += value + "\n"
		case "":
			if lines.Text() == "" && m != (message{}) {
				each(m)
				m = message{}
			}
		}
	}
	return lines.Err()
}

// sender is one in this process, which the server knows.
func (s *server) sender(t testing.TB, name, event sig.Name) *sig.RemoteSender {
	t.Helper()
	client := sig.NewClientRouter(tcp.NewClient(s.addr), nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); client.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	sender, err := client.AddRemoteSender(ctx, name, event)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// paced calls f rate times a second until ctx ends or f fails.
func paced(ctx context.Context, rate int, f func() error) error {
	const step = 5 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	began, done := time.Now(), 0
	for {
		for due := int(time.Since(began).Seconds() * float64(rate)); done < due; done++ {
			if err := f(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
