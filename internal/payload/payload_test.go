package payload_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/internal/payload"
	"sigalert/internal/plain"
)

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		data string
		want payload.Payload
	}{
		{`{"title": "Build failed", "message": "2 tests", "urgency": "critical", "tag": "ci", "url": "https://ci.example/7", "icon": "dialog-error", "resolved": true}`,
			payload.Payload{Title: "Build failed", Message: new("2 tests"), Urgency: "critical", Tag: "ci", URL: "https://ci.example/7", Icon: "dialog-error", Resolved: true}},

		{``, payload.Payload{}},
		{`null`, payload.Payload{}},
		{`"title"`, payload.Payload{}},
		{`[{"title": "x"}]`, payload.Payload{}},
		{`{"title": "x"`, payload.Payload{}},
		{`{}`, payload.Payload{}},
		{` {"title": "x"}`, payload.Payload{Title: "x"}},
		{`{"TITLE": "x"}`, payload.Payload{Title: "x"}},
		{`{"data": {"title": "x"}}`, payload.Payload{}},

		{`{"actions": [{"label": " Open\n it ", "open": "https://a/"}, {"label": "Mail", "open": "mailto:a@b", "more": 1}]}`,
			payload.Payload{Actions: []payload.Action{{"Open  it", "https://a/"}, {"Mail", "mailto:a@b"}}}},
		{`{"actions": [{"label": "a", "open": "http://1"}, {"label": "b", "open": "http://2"}, {"label": "c", "open": "http://3"}, {"label": "d", "open": "http://4"}]}`,
			payload.Payload{Actions: []payload.Action{{"a", "http://1"}, {"b", "http://2"}, {"c", "http://3"}}}},
		{`{"actions": [5, null, [], "x", {}, {"label": "a"}, {"open": "http://a"}, {"label": "a", "open": "file:///a"}, {"label": "a", "open": "javascript:b"}, {"label": " ", "open": "http://a"}, {"label": 5, "open": "http://a"}, {"label": "` + strings.Repeat("l", 50) + `", "open": "http://b"}]}`,
			payload.Payload{Actions: []payload.Action{{strings.Repeat("l", 39) + "…", "http://b"}}}},
		{`{"actions": {"label": "a", "open": "http://a"}, "title": "x"}`, payload.Payload{Title: "x"}},
		{`{"actions": [{"label": "a", "open": "http://a"}], "actions": null}`, payload.Payload{}},
		{`{"actions": [` + strings.Repeat("1,", 20) + `{"label": "a", "open": "http://a"}]}`, payload.Payload{}},

		// Of the wrong type.
		{`{"title": 5, "message": ["x"], "urgency": {}, "tag": 7, "url": true, "icon": null, "resolved": "true"}`, payload.Payload{}},
		{`{"title": null, "message": null, "urgency": null, "priority": null, "resolved": 1}`, payload.Payload{}},
		{`{"title": "x", "title": 5}`, payload.Payload{}},

		// Other names.
		{`{"body": "b", "text": "t"}`, payload.Payload{Message: new("b")}},
		{`{"text": "t"}`, payload.Payload{Message: new("t")}},
		{`{"message": {"text": "x"}, "text": "t"}`, payload.Payload{Message: new("t")}},
		{`{"message": "", "text": "t"}`, payload.Payload{Message: new("")}},
		{`{"click": "http://a/"}`, payload.Payload{URL: "http://a/"}},
		{`{"url": "/relative", "click": "http://a/"}`, payload.Payload{URL: "http://a/"}},
		{`{"urgency": "low", "priority": 5}`, payload.Payload{Urgency: "low"}},
		{`{"urgency": "red", "priority": 5}`, payload.Payload{Urgency: "critical"}},

		// Texts that are not safe, or too long.
		{`{"title": " a\nb\u0000\u202ec\ud800 "}`, payload.Payload{Title: "a bc\ufffd"}},
		{`{"title": " \n "}`, payload.Payload{}},
		{`{"message": "a\r\nb\u001b[1m"}`, payload.Payload{Message: new("a\nb[1m")}},
		{`{"title": "` + strings.Repeat("t", 1<<20) + `"}`, payload.Payload{Title: strings.Repeat("t", 199) + "…"}},
		{`{"message": "` + strings.Repeat("m", 1<<20) + `"}`, payload.Payload{Message: new(strings.Repeat("m", 1999) + "…")}},
	} {
		if diff := cmp.Diff(tc.want, payload.Read([]byte(tc.data))); diff != "" {
			t.Errorf("%.200s:\n%s", tc.data, diff)
		}
	}
}

func TestImage(t *testing.T) {
	most := base64.StdEncoding.EncodeToString(make([]byte, 256<<10))
	for _, tc := range []struct {
		data string
		want int // bytes; -1: none
	}{
		{`{"image": "aGVsbG8="}`, 5}, {`{"image": "aGVsbG8"}`, 5}, {` {"Image": "aGVs\r\nbG8=\n"}`, 5},
		{`{"image": "data:image/png;base64,aGVsbG8="}`, 5},
		{`{"image": "` + most + `"}`, 256 << 10}, {`{"image": "` + most + `AAAA"}`, -1},
		{`{"image": "` + base64.StdEncoding.EncodeToString(make([]byte, 256<<10+1)) + `"}`, -1},
		{`{"image": "a b"}`, -1}, {`{"image": "/etc/passwd.png"}`, -1}, {`{"image": 5}`, -1}, {`{"image": null}`, -1}, {`["image"]`, -1}, {``, -1},
	} {
		got := payload.Image([]byte(tc.data))
		if tc.want < 0 && len(got) > 0 || tc.want >= 0 && len(got) != tc.want {
			t.Errorf("%.60s: %d bytes", tc.data, len(got))
		}
	}
}

// Whatever comes, what is read is short and safe.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"title": "a", "message": "b", "urgency": "low", "priority": 5, "tag": "c", "url": "http://a/", "icon": "d", "resolved": true}`))
	f.Add([]byte(`{"body": "\u202e", "text": 5, "click": "mailto:a@b?attach=c"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := payload.Read(data)
		if p.Title != strings.TrimSpace(plain.Line(p.Title, 200)) || p.Message != nil && *p.Message != plain.Text(*p.Message, 2000) {
			t.Errorf("%+v", p)
		}
		scheme, rest, _ := strings.Cut(strings.ToLower(p.URL), ":")
		if p.URL != "" && (rest == "" || scheme != "http" && scheme != "https" && scheme != "mailto") || p.URL != plain.Line(p.URL, 2048) {
			t.Errorf("%q", p.URL)
		}
		for _, a := range p.Actions {
			if len(p.Actions) > 3 || a.Label == "" || a.Label != plain.Line(a.Label, 40) || a.Open == "" || a.Open != payload.Link(a.Open) {
				t.Errorf("%+v", p.Actions)
			}
		}
		if len(payload.Image(data)) > 256<<10 {
			t.Error("a large picture")
		}
		if strings.ContainsAny(p.Icon, "/\\: ") {
			t.Errorf("%q", p.Icon)
		}
	})
}

func TestUrgencies(t *testing.T) {
	for want, all := range map[string][]string{
		"low":      {`1`, `2`, `"1"`, `"min"`, `"low"`, `1.0`, `"LOW"`, `" low "`},
		"normal":   {`3`, `4`, `"default"`, `"normal"`, `"high"`},
		"critical": {`5`, `5e0`, `"5"`, `"max"`, `"urgent"`, `"critical"`},
		"":         {`0`, `6`, `2.5`, `-1`, `1e999`, `"NaN"`, `"red"`, `""`, `true`, `[3]`},
	} {
		for _, value := range all {
			for _, name := range []string{"urgency", "priority"} {
				if got := payload.Read(fmt.Appendf(nil, `{%q: %s}`, name, value)).Urgency; got != want {
					t.Errorf("%s %s is %q, want %q", name, value, got, want)
				}
			}
		}
	}
}

func TestLinks(t *testing.T) {
	for _, good := range []string{
		"http://a", "https://a.example:8443/b?c=d&e#f", "HTTPS://a/", "http://[::1]:80/", "http://user@a/", "https://münchen.example/ä",
		"mailto:a@b.example", "mailto:a@b.example?subject=x%20y",
	} {
		if got := read(t, "url", good).URL; got != good {
			t.Errorf("%s: got %q", good, got)
		}
	}
	if got := read(t, "url", " http://a\n").URL; got != "http://a" {
		t.Errorf("blanks around it: %q", got)
	}
	for _, bad := range []string{
		"", "a", "/etc/passwd", "//a/b", "a.example/b", "file:///etc/passwd", "file://a/b", "javascript:alert(1)", "data:text/html,x", "ftp://a/", "ssh://a",
		"http:", "http://", "http:///a", "http:a", "http://:80", "https://?a", "mailto:", "mailto://a", "vscode://a", "x-http://a",
		"http://a b", "http://a/ b", "http://a/\nb", "http://a/\x00", "http://a/\u202eb", "http://a/\"b", "http://a/`b`", "http://a\\b", "http://a/%zz", "-http://a", "http://a:b/",
		"mailto:a@b?attach=/etc/passwd", "mailto:a@b?subject=x&Attachment=/etc/passwd", "mailto:a@b?%61ttach=x",
		"http://a/" + strings.Repeat("b", 2048),
	} {
		if got := read(t, "url", bad).URL; got != "" {
			t.Errorf("%.50q: got %q", bad, got)
		}
	}
}

func TestIcons(t *testing.T) {
	for _, good := range []string{"dialog-error", "org.gnome.Maps", "audio-x-generic", "c++", "Name_2"} {
		if got := read(t, "icon", good).Icon; got != good {
			t.Errorf("%s: got %q", good, got)
		}
	}
	for _, bad := range []string{"/usr/share/a.png", "a/b", "../a", ".hidden", "-a", "file:///a", "http://a/b.png", `C:\a`, "a b", "ä", "a\x00", strings.Repeat("a", 101)} {
		if got := read(t, "icon", bad).Icon; got != "" {
			t.Errorf("%.50q: got %q", bad, got)
		}
	}
}

func read(t *testing.T, name, value string) payload.Payload {
	t.Helper()
	data, err := json.Marshal(map[string]string{name: value})
	if err != nil {
		t.Fatal(err)
	}
	return payload.Read(data)
}

func BenchmarkRead(b *testing.B) {
	for name, data := range map[string]string{
		"text":    `"18,342 files, 7.3 GB in 1 m 52 s"`,
		"object":  `{"number": 4200, "project": "lighthouse", "log": "2 of 812 tests failed: TestLogin, TestLogout"}`,
		"payload": `{"title": "Build 4200 failed", "message": "2 of 812 tests", "urgency": "critical", "tag": "ci", "url": "https://ci.example/4200"}`,
		"mebi":    `{"a": 1` + strings.Repeat(`, "b": 2`, 1<<17) + "}",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				payload.Read([]byte(data))
			}
		})
	}
}
