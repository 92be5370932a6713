package web_test

import (
	"net/url"
	"strings"
	"testing"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// A word that spells a number means the text and the number; in quotes it means the
// text alone. What looks alike is told apart.
func TestNumbersAsNames(t *testing.T) {
	s := newSite(t, sigtest.Serve(t, "127.0.0.1:0").Addr, web.Options{}, eventlog.Topic{Sender: "nobody"})
	for _, c := range []struct {
		address, answer, regs string
	}{
		{"/add?sender=20", `subscribed to every event of "20"; subscribed to every event of 20`, `every event of "20", every event of 20`},
		{"/add?sender=20", `already subscribed to every event of "20"; already subscribed to every event of 20`, `every event of "20", every event of 20`},
		{`/remove?sender="20"`, `removed the subscription to every event of "20"`, `every event of 20`},
		{"/remove?sender=20", "removed the subscription to every event of 20", ""},
		{`/add?sender="5"&event=tick`, `subscribed to "5": tick`, `"5": tick`},
		{"/remove?sender=5&event=tick", `removed the subscription to "5": tick`, ""},
		{"/add?sender=01", "subscribed to every event of 01", "every event of 01"},
		{"/remove?sender=01", "removed the subscription to every event of 01", ""},
	} {
		path, parameters, _ := strings.Cut(c.address, "?")
		v, err := url.ParseQuery(parameters)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.get(t, path+"?"+v.Encode()); got != c.answer+"\n" {
			t.Errorf("%s: %s", c.address, got)
		}
		regs := strings.ReplaceAll(strings.TrimSuffix(s.get(t, "/regs?fmt=plain"), " (active)\n"), " (active)\n", ", ")
		if want := strings.TrimSuffix("every event of nobody, "+c.regs, ", "); regs != want {
			t.Errorf("after %s: %s, want %s", c.address, regs, want)
		}
	}
	if text := s.expect(t, 404, "/remove?sender=7"); !strings.Contains(text, `there is no subscription to every event of "7"`) {
		t.Error(text)
	}
}

func TestNumbersAsFilters(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("20", "x", "1"), entry(sig.Number(20), "x", "2"), entry("a", sig.Number(1.5), "3"))
	for parameters, want := range map[string]string{
		"sender=20": "2 1", "sender=20.0": "2", "sender=%2220%22": "1", "event=1.5": "3", "event=%221.5%22": "",
	} {
		if got := s.events(t, parameters); got != want {
			t.Errorf("%s: %s, want %s", parameters, got, want)
		}
	}
	page := s.get(t, "/")
	for _, want := range []string{`<bdi>&#34;20&#34;</bdi>`, `<bdi>20</bdi>`, `href="./?sender=20"`, `href="./?sender=%2220%22"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if text := s.get(t, "/?fmt=plain"); !strings.Contains(text, ` "20": x 1`) || !strings.Contains(text, " 20: x 2") {
		t.Error(text)
	}
}

// What JSON has no word for is shown as pysig writes it, and null in JSON.
func TestPythonsNumbers(t *testing.T) {
	s := newFilled(t, web.Options{},
		entry("a", "x", `[NaN, -Infinity, Infinity, 1e400, "NaN"]`), entry("a", "x", `{"\u00fc": NaN}`), entry("a", "x", `""`), entry("a", "x", `null`), entry("a", "x", ``))
	text := s.get(t, "/?fmt=plain")
	for _, want := range []string{`a: x [NaN, -Infinity, Infinity, 1e400, "NaN"]` + "\n", `a: x {"ü": NaN}` + "\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
	if n := strings.Count(text, "a: x\n"); n != 3 {
		t.Errorf("%d without data: %q", n, text)
	}
	if got := s.events(t, ""); got != `null null "" {"\u00fc":null} [null,null,null,1e400,"NaN"]` {
		t.Error(got)
	}
	page := s.get(t, "/")
	if n := strings.Count(page, ">no data<"); n != 3 || strings.Contains(page, "&#34;&#34;") || !strings.Contains(page, "[NaN, -Infinity") {
		t.Errorf("%d without data: %s", n, page)
	}
}
