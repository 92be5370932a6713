package web_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"sigalert/eventlog/web"
)

// shelf counts what nobody has read.
type shelf struct{ unread atomic.Int64 }

func (s *shelf) Unread() int { return int(s.unread.Load()) }
func (s *shelf) MarkRead()   { s.unread.Store(0) }

// The page says how many are new, and whoever opens it has read them.
func TestReads(t *testing.T) {
	reads := new(shelf)
	s := newFilled(t, web.Options{Reads: reads}, entry("a", "x", "1"))
	const button = "Mark all as read"
	if page := s.get(t, "/"); strings.Contains(page, button) {
		t.Errorf("nothing is new:\n%s", page)
	}
	reads.unread.Store(3)
	s.get(t, "/?fmt=plain")
	s.get(t, "/api/events")
	s.get(t, "/regs")
	if n := reads.Unread(); n != 3 {
		t.Errorf("%d are new though nobody has seen the page", n)
	}
	if page := s.get(t, "/"); !strings.Contains(page, "3 new alerts") || !strings.Contains(page, button) {
		t.Errorf("three are new:\n%s", page)
	}
	if n := reads.Unread(); n != 0 {
		t.Errorf("%d are new although somebody has seen the page", n)
	}
	reads.unread.Store(1)
	if text := s.get(t, "/read"); text != "marked 1 alert as read\n" || reads.Unread() != 0 {
		t.Errorf("%q, %d are new", text, reads.Unread())
	}

	s = newFilled(t, web.Options{}, entry("a", "x", "1"))
	response, err := http.Get(s.url + "/read")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("where nobody counts: %s", response.Status)
	}
}

// A message of several lines is folded out as such.
func TestMessageOfSeveralLines(t *testing.T) {
	for data, want := range map[string]string{
		`{"title": "While you were away", "message": "backup: done ×3\n<b>door</b>: ring"}`: "backup: done ×3\n&lt;b&gt;door&lt;/b&gt;: ring",
		`{"message": "one line"}`: "",
		`"two\nlines"`:            "",
	} {
		page := newFilled(t, web.Options{}, entry("a", "x", data)).get(t, "/")
		_, text, _ := strings.Cut(page, `<p class="message" dir="auto">`)
		text, _, _ = strings.Cut(text, "</p>")
		if text != want {
			t.Errorf("%s: %q, want %q", data, text, want)
		}
	}
}
