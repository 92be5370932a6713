package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestDecoderCutsStreams(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"joined", `{"a": 1}{"b": [2, {}]}`, `{"a": 1}|{"b": [2, {}]}`},
		{"lines", "{\"a\":1}\r\n\n{}\n", `{"a":1}|{}`},
		{"brackets and quotes in strings", `{"a": "}{\"]\\"}[1]`, `{"a": "}{\"]\\"}|[1]`},
		{"Python's numbers", `{"a": [NaN, -Infinity, Infinity, "NaN"]}`, `{"a": [NaN, -Infinity, Infinity, "NaN"]}`},
		{"raw UTF-8", `{"é": "日本"}`, `{"é": "日本"}`},
		{"white space only", " \n ", ``},
	} {
		for _, split := range []bool{false, true} {
			var r io.Reader = strings.NewReader(tc.in)
			if split {
				r = iotest.OneByteReader(r)
			}
			d := NewDecoder(r, 100)
			var got []string
			for {
				v, err := d.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", tc.name, err)
				}
				got = append(got, string(v))
			}
			if strings.Join(got, "|") != tc.want {
				t.Errorf("%s (split %v): got %q", tc.name, split, got)
			}
		}
	}
}

func TestDecoderReadsLines(t *testing.T) {
	const in = "{\"a\": \"}{\"}\n\n  {}\r\n[1]\n{\"b\":1}"
	for _, split := range []bool{false, true} {
		var r io.Reader = strings.NewReader(in)
		if split {
			r = iotest.OneByteReader(r)
		}
		d := NewDecoder(r, 100)
		d.Lines()
		got := decodeAll(d)
		if want := "{\"a\": \"}{\"}|{}\r|[1]"; strings.Join(got, "|") != want {
			t.Errorf("split %v: got %q, want %q", split, got, want)
		}
		if _, err := d.Next(); err != io.ErrUnexpectedEOF {
			t.Errorf("a line that does not end: %v", err)
		}
	}
	d := NewDecoder(endless{}, 1000)
	d.Lines()
	if _, err := d.Next(); err == nil {
		t.Error("read an endless line")
	}
}

func TestParseObject(t *testing.T) {
	for text, want := range map[string]string{
		` {"a": 1, "b\u0020": {"c": []} } `: `a=1;b ={"c": []}`,
		`{}`:                                ``,
		`[]`:                                `no`,
		`{"a": 1`:                           `no`,
		`{"a": 1} x`:                        `no`,
		`{"a": 01}`:                         `no`,
		`{"a" 1}`:                           `no`,
		`{"a": 1,}`:                         `no`,
		"{\"a\": \"\xff\"}":                 `no`,
	} {
		var got []string
		result := "no"
		if ParseObject([]byte(text), func(k, v []byte) { got = append(got, string(k)+"="+string(v)) }) {
			result = strings.Join(got, ";")
		}
		if result != want {
			t.Errorf("%s: got %q, want %q", text, result, want)
		}
	}
}

func TestDecoderRefuses(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"HTTP/1.1 200 OK", `not JSON: it begins with "HTTP/1.1 200 OK"`},
		{"\x00\x00", `not JSON: it begins with "\x00\x00"`},
		{"5", `not JSON: it begins with "5"`},
		{"\ufeff{}", `not JSON: it begins with "\ufeff{}"`},
		{strings.Repeat(" \n", maxBlank), "white space"},
		{"{\x00}", "a NUL byte"},
		{`{"a": 1`, "unexpected EOF"},
		{strings.Repeat("[", MaxDepth+envelope+1), "nested deeper"},
		{`{"a": "` + strings.Repeat("x", 13000) + `"}`, "message too large"},
		{`{"a": "` + strings.Repeat("x", 30000), "message too large"},
	} {
		_, err := NewDecoder(strings.NewReader(tc.in), 12_000).Next()
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.40q: got %v, want %q", tc.in, err, tc.want)
		}
	}
}

// A peer that never ends its message must not fill the memory.
func TestDecoderHoldsNoMoreThanItsLimit(t *testing.T) {
	const limit = 1 << 20
	d := NewDecoder(io.MultiReader(strings.NewReader(`{"a": "`), endless{}), limit)
	if _, err := d.Next(); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
	if cap(d.buf) > limit+8192 {
		t.Errorf("holds %d bytes", cap(d.buf))
	}
}

func TestDecoderGivesBackALargeBuffer(t *testing.T) {
	long := `{"a": "` + strings.Repeat("x", 100000) + `"}`
	d := NewDecoder(iotest.HalfReader(strings.NewReader(long+`{"b": 1}`)), 1<<20)
	for _, want := range []string{long, `{"b": 1}`} {
		if v, err := d.Next(); err != nil || string(v) != want {
			t.Fatalf("got %.20q, %v", v, err)
		}
	}
	if cap(d.buf) > streamBuffer {
		t.Errorf("keeps %d bytes", cap(d.buf))
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestObjectAndArray(t *testing.T) {
	var got []string
	for o := ObjectOf([]byte(` { "a" : [1, "]"] , "b\u0020c":{"x":NaN}, "d": -1.5e3,"e":"\"}" } `)); o.Next(); {
		got = append(got, string(o.Key)+"="+string(o.Value))
	}
	if want := `a=[1, "]"];b c={"x":NaN};d=-1.5e3;e="\"}"`; strings.Join(got, ";") != want {
		t.Errorf("got %q", got)
	}
	got = nil
	a, ok := ArrayOf([]byte(`[ 1,"a" , [2,3],{}, null ]`))
	for a.Next() {
		got = append(got, string(a.Value))
	}
	if want := `1;"a";[2,3];{};null`; !ok || strings.Join(got, ";") != want {
		t.Errorf("got %v %q", ok, got)
	}
	for _, text := range []string{`[]`, `5`, `"x"`, `null`, ``} {
		if o := ObjectOf([]byte(text)); o.Next() || IsObject([]byte(text)) {
			t.Errorf("%q taken for an object", text)
		}
	}
	if _, ok := ArrayOf([]byte(`{}`)); ok {
		t.Error("an object taken for an array")
	}
}

// Ours agrees with encoding/json, except for Python's numbers.
func TestValid(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, ` [1, -0, 2.5e-3, 1E+9, 0.1] `, `{"a": {"b": [true, false, null]}}`, `"\u00e9\n\"\\\/"`, `"é日本"`, `0`, `""`,
		``, ` `, `{`, `}`, `[`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{"a":1 "b":2}`, `[1 2]`, `01`, `-`, `1.`, `.5`, `1e`, `+1`,
		`tru`, `nulls`, `"`, `"\`, `"\x"`, `"\u12g4"`, `"\u12`, "\"\n\"", "\"\x00\"", "\"\xff\"", `{} {}`, `12345678901234567890`, `"0123456789abcdef"`,
		`"01234567\"9"`, "\"01234567\t\"", `{"": 1}`, "\ufeff{}", `'a'`, `[[[[[[]]]]]]`,
	} {
		want := json.Valid([]byte(text)) && utf8.ValidString(text)
		if got := Valid([]byte(text)); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{`NaN`, `[-Infinity, Infinity, NaN]`} {
		if !Valid([]byte(text)) {
			t.Errorf("%s is not valid", text)
		}
	}
}

func TestStrict(t *testing.T) {
	in := []byte(`{"NaN": NaN, "x": ["Infinity", -Infinity, Infinity], "n": -1}`)
	want := `{"NaN": null, "x": ["Infinity", null, null], "n": -1}`
	if got := Strict(in); string(got) != want {
		t.Errorf("got %s", got)
	}
}

func TestAppend(t *testing.T) {
	s := "a\"\\\n\x01é😀\xff"
	if got, want := string(AppendString(nil, s)), `"a\"\\\n\u0001é😀�"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(AppendASCII(nil, s)), `"a\"\\\n\u0001\u00e9\ud83d\ude00\ufffd"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, in := range []string{
		`{"a": [1, NaN]}{"b": "\""} [2]`,
		"{}\x00",
		"{\"a\": 1}\n\r\n {\"b\":\n2}\n[",
		"{\"a\": \"\n\"}\n{}{}\n",
	} {
		f.Add(false, []byte(in))
		f.Add(true, []byte(in))
	}
	f.Fuzz(func(t *testing.T, lines bool, in []byte) {
		const limit = 1000
		decode := func(r io.Reader) []string {
			d := NewDecoder(r, limit)
			if lines {
				d.Lines()
			}
			return decodeAll(d)
		}
		whole := decode(bytes.NewReader(in))
		for name, r := range map[string]io.Reader{
			"bytes":  iotest.OneByteReader(bytes.NewReader(in)),
			"halves": iotest.HalfReader(bytes.NewReader(in)),
		} {
			if split := decode(r); !slices.Equal(whole, split) {
				t.Errorf("whole %q, split into %s %q", whole, name, split)
			}
		}
		for _, v := range whole {
			switch {
			case len(v) == 0 || len(v) > limit || v[0] != '{' && v[0] != '[':
				t.Errorf("not a value: %q", v)
			case lines && strings.Contains(v, "\n"):
				t.Errorf("more than a line: %q", v)
			}
			members := 0
			if ok := ParseObject([]byte(v), func(_, _ []byte) { members++ }); ok != (Valid([]byte(v)) && IsObject([]byte(v))) {
				t.Errorf("an object: %v: %q", ok, v)
			} else if !ok {
				continue
			}
			for o := ObjectOf([]byte(v)); o.Next(); members-- {
				if !Valid(o.Value) {
					t.Errorf("the value %q of %q", o.Value, v)
				}
			}
			if members != 0 {
				t.Errorf("%d members more or less in %q", members, v)
			}
		}
		for _, v := range whole {
			if !Valid([]byte(v)) {
				continue
			}
			for a, _ := ArrayOf([]byte(v)); a.Next(); {
				if !Valid(a.Value) {
					t.Errorf("the element %q of %q", a.Value, v)
				}
			}
		}
	})
}

func FuzzValid(f *testing.F) {
	f.Add([]byte(`{"a": [1, -2.5e3, true, null, "\u00e9"]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		text := Strict(in)
		if got, want := Valid(text), json.Valid(text) && utf8.Valid(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	})
}

func decodeAll(d *Decoder) (values []string) {
	for {
		v, err := d.Next()
		if err != nil {
			return values
		}
		values = append(values, string(v))
	}
}
