package plain

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "ci: build", "ci: build"},
		{"empty", "", ""},
		{"blanks stay", " a  b ", " a  b "},
		{"line breaks and tabs", "a\nb\r\nc\td\re", "a b c d e"},
		{"unicode line breaks", "a\u2028b\u2029c\u0085d", "a b c d"},
		{"control characters", "a\x00b\x07c\x7fd\u009be", "abcde"},
		{"bad utf-8", "a\xff\xfeb\xc3", "a\ufffdb\ufffd"},
		{"surrogate half", "a\xed\xa0\x80b", "a\ufffdb"},
		{"xml noncharacters", "a\ufffe\uffffb", "ab"},
		{"bidi overrides", "invoice\u202efdp.exe\u202c \u2067x\u2069", "invoicefdp.exe x"},
		{"bidi marks and letters", "\u200fשלום\u200e 1", "\u200fשלום\u200e 1"},
		{"emoji with joiner", "👩‍💻", "👩‍💻"},
		{"as long as may be", strings.Repeat("ü", 20), strings.Repeat("ü", 20)},
		{"too long", strings.Repeat("ü", 21), strings.Repeat("ü", 19) + "…"},
		{"too long but for what is dropped", strings.Repeat("ü", 20) + "\x00\x00", strings.Repeat("ü", 20)},
		{"markup", "<b>&amp;", "<b>&amp;"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Line(test.in, 20); got != test.want {
				t.Errorf("Line(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"lines and tabs stay", "a:\t1\nb:\t2\n", "a:\t1\nb:\t2\n"},
		{"other line breaks", "a\r\nb\rc\u2028d\r\r\ne", "a\nb\nc\nd\n\ne"},
		{"control characters", "\x1b[1ma\x00b", "[1mab"},
		{"as long as may be", strings.Repeat("x", 20), strings.Repeat("x", 20)},
		{"too long", strings.Repeat("x", 21), strings.Repeat("x", 19) + "…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Text(test.in, 20); got != test.want {
				t.Errorf("Text(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func TestEscape(t *testing.T) {
	for _, test := range []struct{ in, tricky, unseen string }{
		{"ci: build\n", "ci: build\n", "ci: build\n"},
		{"a\x1b\tb\xff", `a\u001b\u0009b\ufffd`, `a\u001b\u0009b\ufffd`},
		{"a\u200e\u200f\u061c\u202a\u202e\u2066\u2069", `a\u200e\u200f\u061c\u202a\u202e\u2066\u2069`, `a\u200e\u200f\u061c\u202a\u202e\u2066\u2069`},
		{"a\u00ad\u200b\u2060\ufeffb", "a\u00ad\u200b\u2060\ufeffb", `a\u00ad\u200b\u2060\ufeffb`},
		{"a\u00a0\u2003\u2009\u202f\u3000b", "a\u00a0\u2003\u2009\u202f\u3000b", `a\u00a0\u2003\u2009\u202f\u3000b`},
		{"👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم"},
	} {
		if got := Escape(test.in); got != test.tricky {
			t.Errorf("Escape(%q) = %q", test.in, got)
		}
		if got := EscapeUnseen(test.in); got != test.unseen {
			t.Errorf("EscapeUnseen(%q) = %q", test.in, got)
		}
	}
}

// Cleaning takes memory for the result, not for the text.
func TestTextIsBounded(t *testing.T) {
	const limit = 2000
	for name, text := range map[string]string{
		"letters":      strings.Repeat("x", 1<<20),
		"wide letters": strings.Repeat("😀", 1<<18),
		"bad utf-8":    strings.Repeat("\xff", 1<<20),
		"nul":          strings.Repeat("\x00", 1<<20),
		"spaces":       strings.Repeat(" ", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got = Text(text, limit)
			runtime.ReadMemStats(&after)
			if n := utf8.RuneCountInString(got); n > limit {
				t.Errorf("%d characters left, want at most %d", n, limit)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<10 {
				t.Errorf("took %d bytes of memory", used)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\r\nb\xff\x00\u202e…", 2000)
	f.Add("\xff\x00\xe2", 1)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 1 {
			limit = 1
		}
		line, text := Line(s, limit), Text(s, limit)
		if strings.ContainsAny(line, "\n\t") {
			t.Errorf("line %q", line)
		}
		for _, out := range []string{line, text} {
			if n := utf8.RuneCountInString(out); n > limit {
				t.Errorf("%d characters, want at most %d", n, limit)
			}
			if !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return dropped(r) || r == '\r' || r == '\u0085' }) {
				t.Errorf("unsafe text %q", out)
			}
		}
		if Text(text, limit) != text || Line(line, limit) != line {
			t.Errorf("cleaning twice differs from cleaning once: %q, %q", line, text)
		}
	})
}

func BenchmarkText(b *testing.B) {
	for name, text := range map[string]string{
		"line":           "main is green",
		"1MiB":           strings.Repeat("wörter ", 1<<17),
		"1MiB of breaks": strings.Repeat("\x00", 1<<20),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Text(text, 2000)
			}
		})
	}
}
