package notify

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func TestCleanTitle(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", " ci: build\n", "ci: build"},
		{"empty", "", "app"},
		{"blank", " \n\t ", "app"},
		{"nothing that may be shown", "\x00\u202e\x1b", "app"},
		{"lines", "a\nb\x00", "a b"},
		{"as long as may be", strings.Repeat("ü", 200), strings.Repeat("ü", 200)},
		{"too long", strings.Repeat("ü", 201), strings.Repeat("ü", 199) + "…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := cleanTitle(test.in, "app"); got != test.want {
				t.Errorf("cleanTitle(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func TestCleanBody(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"lines", "a:\t1\r\nb\x00", "a:\t1\nb"},
		{"as long as may be", strings.Repeat("x", 2000), strings.Repeat("x", 2000)},
		{"too long", strings.Repeat("x", 2001), strings.Repeat("x", 1999) + "…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := cleanBody(test.in); got != test.want {
				t.Errorf("cleanBody(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func TestCleanKey(t *testing.T) {
	for _, plain := range []string{"", "link", "Zustand ü", strings.Repeat("k", 200)} {
		if got := ShortKey(plain); got != plain {
			t.Errorf("ShortKey(%q) = %q, want it unchanged", plain, got)
		}
	}
	seen := make(map[string]string)
	for _, odd := range []string{"a\x00", "a\x01", "\xff", "\xfe", "a\nb", strings.Repeat("k", 201), strings.Repeat("k", 1<<20)} {
		got := ShortKey(odd)
		if len(got) > 100 || got != cleanBody(got) {
			t.Errorf("ShortKey(%.20q) = %q, want something short and plain", odd, got)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("ShortKey is the same for %.20q and %.20q", odd, other)
		}
		seen[got] = odd
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\r\nb\xff\x00\u202e…")
	f.Add("\xff\x00\xe2")
	f.Fuzz(func(t *testing.T, s string) {
		title, body := cleanTitle(s, "app"), cleanBody(s)
		if title == "" || strings.ContainsAny(title, "\n\t") || utf8.RuneCountInString(title) > maxTitle {
			t.Errorf("title %q", title)
		}
		if utf8.RuneCountInString(body) > maxBody {
			t.Errorf("body of %d characters", utf8.RuneCountInString(body))
		}
		if cleanBody(body) != body || cleanTitle(title, "app") != title {
			t.Errorf("cleaning twice differs from cleaning once: %q, %q", title, body)
		}
	})
}

func TestEscapeMarkup(t *testing.T) {
	const in, want = `a < b && "c" > <i>d</i> &amp;`, `a &lt; b &amp;&amp; "c" &gt; &lt;i&gt;d&lt;/i&gt; &amp;amp;`
	if got := escapeMarkup(in); got != want {
		t.Errorf("escapeMarkup(%q) = %q, want %q", in, got, want)
	}
}

func TestGuardArgument(t *testing.T) {
	for in, want := range map[string]string{
		"":           "",
		"a -b":       "a -b",
		"--help":     " --help",
		"[1,2]":      " [1,2]",
		"{a: 1}":     " {a: 1}",
		"(x)":        " (x)",
		"<x>":        " <x>",
		`"x"`:        ` "x"`,
		`\[`:         ` \[`,
		"…":          "…",
		"ordinary -": "ordinary -",
	} {
		if got := guardArgument(in); got != want {
			t.Errorf("guardArgument(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGuardNotifySend(t *testing.T) {
	for in, want := range map[string]string{
		`C:\new\0`: "C:\\\u200bnew\\\u200b0",
		`-\`:       " -\\\u200b",
	} {
		if got := guardNotifySend(in); got != want {
			t.Errorf("guardNotifySend(%q) = %q, want %q", in, got, want)
		}
	}
}

// What AppleScript reads knows \" \\ \n \t, and no other escape.
func TestGuardAppleScript(t *testing.T) {
	const in = "a\u00a0b\u3000c\u200bd\"\\\n\t👩‍💻é"
	got := guardAppleScript(in)
	if want := "a b cd\"\\\n\t👩💻é"; got != want {
		t.Errorf("guardAppleScript(%q) = %q, want %q", in, got, want)
	}
	quoted := strings.NewReplacer(`\\`, "", `\"`, "", `\n`, "", `\t`, "").Replace(strconv.Quote(got))
	if strings.Contains(quoted, `\`) {
		t.Errorf("%q has an escape that AppleScript does not know", quoted)
	}
}

func TestGuardPowerShell(t *testing.T) {
	for in, want := range map[string]string{
		"costs 5":        "costs 5",
		"$(calc)":        "$\u200b(calc)",
		"${x} $x $$":     "$\u200b{x} $\u200bx $\u200b$\u200b",
		"`n":             "`\u200bn",
		"\n\"@\ncalc":    "\n\"\u200b@\ncalc",
		"”@ “@ „@":       "”\u200b@ “\u200b@ „\u200b@",
		"]]>":            "]]\u200b>",
		"]]]>":           "]]]\u200b>",
		`"quoted" a@b.c`: `"quoted" a@b.c`,
	} {
		if got := guardPowerShell(in); got != want {
			t.Errorf("guardPowerShell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPutWide(t *testing.T) {
	for text, want := range map[string]string{
		"":         "",
		"seven77":  "seven77",
		"eight888": "eight8…",
		"12345🙂":   "12345🙂",
		"123456🙂":  "123456…",
		"12345🙂8":  "12345…",
	} {
		var field [8]uint16
		putWide(field[:], text)
		if got := string(utf16.Decode(field[:])); strings.TrimRight(got, "\x00") != want || !strings.HasSuffix(got, "\x00") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
