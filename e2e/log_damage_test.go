//go:build linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
)

// logFile fills a new file with a log of n events, and returns what is in it.
func logFile(t *testing.T, n int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log.db")
	log, err := eventlog.Open(&eventlog.Options{Path: path, Limit: n})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); log.Run(ctx) }()
	for i := range n {
		data := fmt.Appendf(nil, `{"n": %d, "text": %q}`, i, strings.Repeat("a", 100))
		if err := log.Add(ctx, eventlog.Entry{Time: time.Now(), Sender: "s", Event: "e", Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	<-ended
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// A file that cannot be used is named, with what is wrong; the program ends as
// after any other failure.
func TestLogCannotBeOpened(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := h.serve(t, program(t))
	good := logFile(t, 5000)
	garbage := make([]byte, 100_000)
	for i := range garbage {
		garbage[i] = byte(rand.Uint32())
	}
	const metas = 2 * 4096 // the pages that say where all others are
	paths := map[string]string{
		h.dir:                                  "is not a file",
		h.write(t, "garbage", string(garbage)): "is damaged",
		h.write(t, "garbage-behind-the-beginning", string(good[:metas])+string(garbage)):              "is damaged",
		h.write(t, "text", strings.Repeat("some text\n", 10_000)):                                     "is damaged",
		filepath.Join(h.write(t, "a-file", ""), "log.db"):                                             "not a directory",
		filepath.Join(h.dir, "used"):                                                                  "is in use by another process",
		h.write(t, "zeros-behind-the-beginning", string(good[:metas])+strings.Repeat("\x00", 10<<20)): "is damaged",
	}
	if os.Getuid() != 0 { // who may write everywhere
		folder := filepath.Join(h.dir, "unwritable")
		if err := os.Mkdir(folder, 0o500); err != nil {
			t.Fatal(err)
		}
		paths[filepath.Join(folder, "log.db")] = "permission denied"
	}
	for _, size := range []int{1, 4095, 4096, metas, 3 * 4096, 4 * 4096, 100_000, len(bytes.TrimRight(good, "\x00")) - 4096} {
		paths[h.write(t, fmt.Sprintf("cut-to-%d", size), string(good[:size]))] = "is damaged"
	}
	h.startLog(t, s, "--store", filepath.Join(h.dir, "used"))
	for path, want := range paths {
		p := h.beginLog(t, s, "--store", path)
		code := p.wait(t)
		text := p.text()
		if code != 1 || !strings.Contains(text, want) || !strings.Contains(text, path) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: ends with %d, want 1 and %q:\n%s", filepath.Base(path), code, want, text)
		}
	}
}

// A file that is damaged while it is open is no reason to crash, nor to hang at
// the end.
func TestLogIsDamagedWhileOpen(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 3 * 4096, 500_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			s := h.serve(t, program(t))
			path := h.write(t, "log.db", string(logFile(t, 5000)))
			l := h.startLog(t, s, "--store", path)
			l.subscribed(t)
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
			s.send(t, "timer", "tick", "1")
			l.await(t, `cannot write the log[",].*`+path)
			for _, address := range []string{"/", "/healthz", "/clear", "/?fmt=plain", "/api/events"} {
				if body, err := fetch(t.Context(), l.url+address); err == nil && !strings.Contains(body, path) {
					t.Errorf("%s answers %q", address, body)
				}
			}
			if code := l.terminate(t); code != 0 {
				t.Errorf("ends with %d after SIGTERM", code)
			}
		})
	}
}
