package topic_test

import (
	"slices"
	"testing"

	"sigalert/internal/topic"
	"sigalert/sig"
)

// parse is the name with this JSON.
func parse(t *testing.T, text string) sig.Name {
	t.Helper()
	n, err := sig.ParseName([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestName(t *testing.T) {
	seen := make(map[string]string)
	for _, tc := range []struct{ json, want string }{
		{`"timer"`, `timer`}, {`"20 s"`, `20 s`}, {`"0123"`, `0123`}, {`"0x1F"`, `0x1F`}, {`"1.2.3"`, `1.2.3`}, {`null`, ``},
		{`20`, `20`}, {`"20"`, `"20"`}, {`" 20"`, `" 20"`}, {`-1.5e3`, `-1.5e3`}, {`"-1.5e3"`, `"-1.5e3"`},
		{`true`, `true`}, {`"true"`, `"true"`}, {`NaN`, `NaN`}, {`"NaN"`, `"NaN"`}, {`""`, `""`}, {`" "`, `" "`},
		{`"\"20\""`, `"\"20\""`}, {`"say \"hi\""`, `say "hi"`}, {`"\"<b>ü"`, `"\"<b>ü"`},
		{`"ab"`, `ab`}, {`"a b"`, `a b`}, {`"a\u00adb"`, `"a\u00adb"`}, {`"a\u3000b"`, `"a\u3000b"`}, {`"a\u2009b"`, `"a\u2009b"`}, {`"a\u00a0b"`, `"a\u00a0b"`},
		{`"a\u200fb"`, `"a\u200fb"`}, {`"a\u202eb"`, `"a\u202eb"`}, {`"a\u2066b"`, `"a\u2066b"`}, {`"a\ufeffb"`, `"a\ufeffb"`}, {`"a\u200bb"`, `"a\u200bb"`},
		{`"a\u0000b"`, `"a\u0000b"`}, {`"\u0000"`, `"\u0000"`}, {`"a\nb"`, `"a\nb"`}, {`"a\tb"`, `"a\u0009b"`}, {`"a\\u200bb"`, `a\u200bb`}, {`"👩\u200d💻"`, "👩\u200d💻"},
	} {
		got := topic.Name(parse(t, tc.json))
		if got != tc.want {
			t.Errorf("%s: %s, want %s", tc.json, got, tc.want)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s looks like %s: %s", tc.json, other, got)
		}
		seen[got] = tc.json
	}
}

func TestMeanings(t *testing.T) {
	for word, want := range map[string][]string{
		"": {`null`}, "timer": {`"timer"`}, "#notify": {`"#notify"`},
		"20": {`"20"`, `20`}, "-1.5e3": {`"-1.5e3"`, `-1.5e3`}, "true": {`"true"`, `true`}, "null": {`"null"`},
		"0123": {`"0123"`}, "0x1F": {`"0x1F"`}, " 20": {`" 20"`}, "{}": {`"{}"`},
		"\x0020": {`"\u000020"`}, "\x00null": {`"\u0000null"`}, "\x00": {`"\u0000"`},
		`"20"`: {`"20"`}, `"\"20\""`: {`"\"20\""`}, `"20`: {`"\"20"`}, `""`: {`""`},
	} {
		var names []sig.Name
		for _, text := range want {
			names = append(names, parse(t, text))
		}
		if got := topic.Meanings(word); !slices.Equal(got, names) {
			t.Errorf("%q: %q, want %q", word, got, names)
		}
	}
}

// What is shown means, when it is typed, the name that it was.
func TestShownIsMeant(t *testing.T) {
	for _, text := range []string{`"timer"`, `20`, `"20"`, `true`, `"true"`, `""`, `"\"20\""`, `"say \"hi\""`, `null`, `"a\u200bb"`, `"\u202e\"5\u3000"`, `"\u0000"`} {
		n := parse(t, text)
		if !slices.Contains(topic.Meanings(topic.Name(n)), n) {
			t.Errorf("%s is shown as %s, which does not mean it", text, topic.Name(n))
		}
	}
}

func TestMeant(t *testing.T) {
	n20, n5 := sig.Number(20), sig.Number(5)
	want := []topic.Topic{{"20", "5"}, {"20", n5}, {n20, "5"}, {n20, n5}}
	if got := topic.Meant("20", "5"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := topic.Meant("", "tick"); !slices.Equal(got, []topic.Topic{{"", "tick"}}) {
		t.Errorf("%q", got)
	}
}
