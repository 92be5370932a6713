package web_test

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/internal/outcome"
)

// shelf has the events that nobody has read.
type shelf struct {
	mu     sync.Mutex // guards the field below
	unread []eventlog.EventID
}

func (s *shelf) Unread() []eventlog.EventID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unread)
}

func (s *shelf) MarkRead(id eventlog.EventID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = slices.DeleteFunc(s.unread, func(o eventlog.EventID) bool { return o == id })
}

func (s *shelf) MarkAllRead() { s.put() }

func (s *shelf) put(unread ...eventlog.EventID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = unread
}

// The page shows what nobody has read; to open it is not to read it. One can be marked as
// read, and all.
func TestReads(t *testing.T) {
	reads := new(shelf)
	entries := make([]eventlog.Entry, 3)
	for i := range entries {
		entries[i] = entry("a", "x", strconv.Itoa(i))
		entries[i].Time = entries[i].Time.Add(time.Duration(i) * time.Second)
	}
	s := newFilled(t, web.Options{Reads: reads}, entries...)
	id := func(n int) eventlog.EventID { return entries[n-1].EventID() }
	at := func(n int) string {
		return "/read?id=" + strconv.FormatUint(s.log.State().First+uint64(n)-1, 10)
	}
	const button = "Mark all as read"
	if page := s.get(t, "/"); strings.Contains(page, button) || strings.Contains(page, ">Unread<") {
		t.Errorf("nothing is unread:\n%s", page)
	}
	reads.put(id(1), id(2), id(3))
	s.get(t, "/?fmt=plain")
	s.get(t, "/api/events")
	s.get(t, "/regs")
	for range 2 {
		page := s.get(t, "/")
		if !strings.Contains(page, "3 unread alerts") || !strings.Contains(page, button) || strings.Count(page, ">Unread<") != 3 || strings.Count(page, `aria-label="Mark as read: a x"`) != 3 {
			t.Errorf("three are unread:\n%s", page)
		}
	}
	for range 2 { // a person may be quick
		if text := s.get(t, at(2)); !strings.Contains("marked as read\nit is read already\n", text) {
			t.Errorf("to read the second: %q", text)
		}
	}
	if got := reads.Unread(); !slices.Equal(got, []eventlog.EventID{id(1), id(3)}) {
		t.Errorf("without the second: %v", got)
	}
	if page := s.get(t, "/"); !strings.Contains(page, "2 unread alerts") || strings.Count(page, ">Unread<") != 2 {
		t.Errorf("two are unread:\n%s", page)
	}
	for address, want := range map[string]int{"/read?id=x": 400, "/read?id=" + strings.Repeat("9", 19): 404, "/read?row=1": 400} {
		s.expect(t, want, address)
	}
	if status, text, _ := s.do(t, "POST", at(1), nil, "Sec-Fetch-Site: cross-site"); status != 403 || len(reads.Unread()) != 2 {
		t.Errorf("from another site: %d %s", status, text)
	}
	if text := s.get(t, "/read"); text != "marked 2 alerts as read\n" || len(reads.Unread()) != 0 {
		t.Errorf("%q, %v are unread", text, reads.Unread())
	}

	newFilled(t, web.Options{}, entry("a", "x", "1")).expect(t, 404, "/read")
}

// The filter for what became of alerts is where there are alerts.
func TestOutcomes(t *testing.T) {
	shown, held := entry("a", "x", "1"), entry("a", "x", "2")
	shown.Outcome, held.Outcome = outcome.Shown, outcome.Held
	s := newFilled(t, web.Options{Reads: new(shelf)}, shown, held, entry("sigalert", "storm", "3"))
	for asked, want := range map[string]string{"": "3 2 1", "outcome=": "3 2 1", "outcome=shown": "1", "outcome=held+back": "2", "outcome=not+shown": ""} {
		if got := s.events(t, asked); got != want {
			t.Errorf("%s: %s, want %s", asked, got, want)
		}
	}
	s.expect(t, 400, "/api/events?outcome=held")
	page := s.get(t, "/?outcome=held+back")
	if !strings.Contains(page, `<option value="held back" selected>held back`) || strings.Count(page, `<li id="e`) != 1 || !strings.Contains(page, "Show all") {
		t.Errorf("what was held back:\n%s", page)
	}
	if page := newFilled(t, web.Options{}, shown).get(t, "/"); strings.Contains(page, `name="outcome"`) {
		t.Errorf("a log of no alerts:\n%s", page)
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
