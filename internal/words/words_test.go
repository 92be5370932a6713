package words_test

import (
	"testing"
	"time"

	"sigalert/internal/words"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 events", 1: "1 event", 2: "2 events", 999: "999 events", 1000: "1,000 events", 1234567: "1,234,567 events"} {
		if got := words.Count(n, "event"); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if got := words.Number(-123456); got != "-123,456" {
		t.Error(got)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 59999 * time.Millisecond: "59 s", time.Minute: "1 m", 125 * time.Minute: "2 h 5 m", 28 * time.Hour: "1 d 4 h",
	} {
		if got := words.Span(d); got != want {
			t.Errorf("%s: %q, not %q", d, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	commands := []string{"demo", "log", "listen", "send", "senders", "serve", "autostart", "check"}
	for word, want := range map[string]string{
		"sned": "send", "SEND": "send", "sender": "senders", "lsten": "listen", "auto": "autostart", "chek": "check", "lgo": "log",
		"foo": "", "x": "", "": "", "stop": "", "a": "", "au": "",
	} {
		if got := words.Nearest(word, commands); got != want {
			t.Errorf("%q: %q, not %q", word, got, want)
		}
	}
	for word, want := range map[string]string{"Door-2": "door-1", "garage": ""} {
		if got := words.Nearest(word, []string{"door-1"}); got != want {
			t.Errorf("%q: %q, not %q", word, got, want)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 s", 440 * time.Millisecond: "0.4 s", 12*time.Second + 900*time.Millisecond: "12 s",
		3*time.Minute + 5*time.Second: "3 m 5 s", 2*time.Hour + 5*time.Minute: "2 h 5 m",
	} {
		if got := words.Took(d); got != want {
			t.Errorf("%s: %s, not %s", d, got, want)
		}
	}
}
