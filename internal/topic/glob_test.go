package topic_test

import (
	"errors"
	"path"
	"strings"
	"testing"

	"sigalert/internal/topic"
	"sigalert/sig"
)

func TestGlob(t *testing.T) {
	for _, tc := range []struct {
		pattern    string
		yes, no    []sig.Name
		unlikePath bool // path.Match, which knows no "/" in a star, says otherwise
	}{
		{pattern: "door-*", yes: []sig.Name{"door-", "door-1", "door-a*b"}, no: []sig.Name{"door", "a door-1", "Door-1", "", sig.Number(5)}},
		{pattern: "*", yes: []sig.Name{"", "a", "#a", sig.Number(5)}, unlikePath: true},
		{pattern: "***", yes: []sig.Name{"", "a", sig.Number(5)}, unlikePath: true},
		{pattern: "*.log", yes: []sig.Name{".log", "a.log", "a.log.log"}, no: []sig.Name{"a.logs", "log"}},
		{pattern: "a*/b", yes: []sig.Name{"a/b", "a/c/b"}, no: []sig.Name{"a/bc"}, unlikePath: true},
		{pattern: "*a*b*", yes: []sig.Name{"ab", "xaxbx", "bab"}, no: []sig.Name{"ba", "a", "b"}},
		{pattern: "a**b", yes: []sig.Name{"ab", "a*b"}, no: []sig.Name{"a"}},
		{pattern: "?", yes: []sig.Name{"a", "ü", "日", "\ufffd"}, no: []sig.Name{"", "ab", sig.Number(5)}},
		{pattern: "door-?", yes: []sig.Name{"door-1", "door-?"}, no: []sig.Name{"door-", "door-12"}},
		{pattern: "?*", yes: []sig.Name{"a", "ab"}, no: []sig.Name{""}},
		{pattern: "[abc]", yes: []sig.Name{"a", "c"}, no: []sig.Name{"d", "ab", "[abc]"}},
		{pattern: "[a-c]*", yes: []sig.Name{"a", "b1"}, no: []sig.Name{"d", "-", "B"}},
		{pattern: "[^a-c]", yes: []sig.Name{"d", "^", "ü"}, no: []sig.Name{"a", "", "dd"}},
		{pattern: "[!a-c]", yes: []sig.Name{"d", "!"}, no: []sig.Name{"b"}, unlikePath: true},
		{pattern: "[a-]", yes: []sig.Name{"a", "-"}, no: []sig.Name{"b"}, unlikePath: true},
		{pattern: "[-a]", yes: []sig.Name{"a", "-"}, no: []sig.Name{"b"}, unlikePath: true},
		{pattern: "[a^!]", yes: []sig.Name{"a", "^", "!"}, no: []sig.Name{"b"}},
		{pattern: "[ä-ü]", yes: []sig.Name{"ä", "ö", "ü"}, no: []sig.Name{"a"}},
		{pattern: `[\]\\\-\^]`, yes: []sig.Name{"]", `\`, "-", "^"}, no: []sig.Name{"a"}},
		{pattern: `[a\-z]`, yes: []sig.Name{"a", "-", "z"}, no: []sig.Name{"b"}},
		{pattern: `[\d]`, yes: []sig.Name{`\`, "d"}, no: []sig.Name{"5"}, unlikePath: true},
		{pattern: `a\*b*`, yes: []sig.Name{"a*b", "a*bc"}, no: []sig.Name{"axb"}},
		{pattern: `\\*`, yes: []sig.Name{`\`, `\a`}, no: []sig.Name{"a"}},
		{pattern: `a\b*`, yes: []sig.Name{`a\b`, `a\bc`}, no: []sig.Name{"ab"}, unlikePath: true},
		{pattern: `*\`, yes: []sig.Name{`a\`, `\`}, no: []sig.Name{"a"}, unlikePath: true},
		{pattern: "#door-*", yes: []sig.Name{"#door-1"}, no: []sig.Name{"door-1", "#Door-1"}},
		{pattern: "]*", yes: []sig.Name{"]", "]a"}, no: []sig.Name{"a"}},
		{pattern: "5*", yes: []sig.Name{"5", "55"}, no: []sig.Name{sig.Number(5), sig.Number(55)}},
		{pattern: "t*e", yes: []sig.Name{"true"}, no: []sig.Name{"\x00true"}},
		{pattern: "?a*", yes: []sig.Name{topic.Text("\x00a")}, no: []sig.Name{topic.Text("\x00b")}},
	} {
		name, glob, err := topic.ParseGlob(tc.pattern)
		if err != nil || name != "" {
			t.Errorf("%s: %q, %v", tc.pattern, name, err)
		}
		for want, names := range map[bool][]sig.Name{true: tc.yes, false: tc.no} {
			for _, n := range names {
				if got := glob.Matches(n); got != want {
					t.Errorf("%s, %q: %v", tc.pattern, n, got)
				}
				if std, _ := path.Match(tc.pattern, string(n)); !tc.unlikePath && n != "" && n[0] != 0 && std != want {
					t.Errorf("%s, %q: path.Match says %v", tc.pattern, n, std)
				}
			}
		}
	}
}

// What is no glob is a name.
func TestGlobOfOneName(t *testing.T) {
	for text, want := range map[string]sig.Name{
		"": "", "door": "door", "#door": "#door", `a\*b`: "a*b", `\?`: "?", `\[a\]`: "[a]", `a\\b`: `a\b`, `a\b`: `a\b`, `a\`: `a\`, "a]": "a]",
		"5": "5", "a-z": "a-z", "^!": "^!", "\x00a": "\x00\"\\u0000a\"",
	} {
		name, glob, err := topic.ParseGlob(text)
		if err != nil || name != want || !glob.IsZero() {
			t.Errorf("%q: %q, %q, %v", text, name, glob, err)
		}
	}
}

func TestGlobErrors(t *testing.T) {
	for text, want := range map[string]topic.GlobError{
		"[a":       {0, `"[" has no "]": write \[ for the character itself`},
		"ü-[":      {2, `"[" has no "]": write \[ for the character itself`},
		`[a\]`:     {0, `"[" has no "]": write \[ for the character itself`},
		"a[^":      {1, `"[" has no "]": write \[ for the character itself`},
		"[a-":      {0, `"[" has no "]": write \[ for the character itself`},
		"a*[]":     {2, `there are no characters between "[" and "]": write \[ for the character itself`},
		"[!]":      {0, `there are no characters between "[" and "]": write \[ for the character itself`},
		"x[z-a]":   {1, "nothing is from z to a: write [a-z]"},
		"[a][z-a]": {3, "nothing is from z to a: write [a-z]"},
	} {
		_, _, err := topic.ParseGlob(text)
		got, ok := errors.AsType[*topic.GlobError](err)
		if !ok || *got != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A pattern that is hard on those who try every way takes no longer than its length
// times the name's.
func TestHostileGlobs(t *testing.T) {
	long := strings.Repeat("a", 1000)
	for pattern, want := range map[string]bool{
		strings.Repeat("*a", 400) + "b":                        false,
		strings.Repeat("*a", 400):                              true,
		"*" + strings.Repeat("?", 500) + "b":                   false,
		"*" + strings.Repeat("[^b]", 500) + "*":                true,
		strings.Repeat("a*", 100) + "b":                        false,
		strings.Repeat("[a-z]*?*", 100) + "[!a]":               false,
		"[" + strings.Repeat("b", 1000) + "]*":                 false,
		strings.Repeat("*", 900) + "a":                         true,
		strings.Repeat("*a*b", 200) + strings.Repeat("*", 200): false,
	} {
		_, glob, err := topic.ParseGlob(pattern)
		if err != nil || glob.Matches(sig.Name(long)) != want {
			t.Errorf("%.20s…: %v, %v", pattern, !want, err)
		}
	}
}

// FuzzGlob compares with path.Match, which is written otherwise.
func FuzzGlob(f *testing.F) {
	for _, seed := range []string{"door-*", "[a-c]?", `\*[^x]`, "*a*b", "[a-", "[]a]"} {
		f.Add(seed, "door-1")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		_, glob, err := topic.ParseGlob(pattern)
		if err != nil || glob.IsZero() || name == "" || name[0] == 0 || len(pattern)+len(name) > 2000 {
			return
		}
		got := glob.Matches(sig.Name(name))
		std, err := path.Match(pattern, name)
		if err == nil && !strings.ContainsAny(pattern+name, `/!\`) && got != std {
			t.Errorf("%q, %q: %v", pattern, name, got)
		}
	})
}

func BenchmarkGlob(b *testing.B) {
	for name, tc := range map[string][2]string{
		"usual":   {"door-*", "door-kitchen"},
		"hostile": {strings.Repeat("*a", 400) + "b", strings.Repeat("a", 1000)},
		"worst":   {"*" + strings.Repeat("a", 500) + "b", strings.Repeat("a", 1000)},
	} {
		b.Run(name, func(b *testing.B) {
			_, glob, err := topic.ParseGlob(tc[0])
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				glob.Matches(sig.Name(tc[1]))
			}
		})
	}
}
