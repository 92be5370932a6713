package web_test

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/sig"
)

// A line has an object's members by name, text as it is, and anything else as
// JSON; what is folded out is always JSON.
func TestExcerpt(t *testing.T) {
	tags := regexp.MustCompile(`<[^>]*>`)
	text := func(page string) string { return strings.Join(strings.Fields(tags.ReplaceAllString(page, "")), " ") }
	long := strings.Repeat("x", 300)
	for data, want := range map[string][2]string{
		`"a  b\nc"`: {"a b c", `&#34;a b\nc&#34;`},
		`12.50`:     {"12.50", "12.50"},
		`[1, "a"]`:  {"[1,&#34;a&#34;]", `[ 1, &#34;a&#34; ]`},
		`{"n": 1, "s": "a b", "o": {"x": [true, null]}, "z": null}`: {
			`n 1 s a b o {&#34;x&#34;:[true,null]} z null`,
			`{ &#34;n&#34;: 1, &#34;s&#34;: &#34;a b&#34;, &#34;o&#34;: { &#34;x&#34;: [ true, null ] }, &#34;z&#34;: null }`,
		},
		`{"n": 1, "title": "A <b> title", "z": 2}`: {
			`A &lt;b&gt; title n 1 z 2`, `{ &#34;n&#34;: 1, &#34;title&#34;: &#34;A &lt;b&gt; title&#34;, &#34;z&#34;: 2 }`,
		},
		`{"title": "alone"}`:           {"alone", `{ &#34;title&#34;: &#34;alone&#34; }`},
		`{"title": 5}`:                 {"title 5", `{ &#34;title&#34;: 5 }`},
		`{}`:                           {"{}", "{}"},
		`null`:                         {"no data", ""},
		``:                             {"no data", ""},
		`"` + long + `"`:               {long[:199] + "…", `&#34;` + long + `&#34;`},
		`{"a":"` + long + `","b":1}`:   {"a " + long[:199] + "…", `{ &#34;a&#34;: &#34;` + long + `&#34;, &#34;b&#34;: 1 }`},
		`"\u0418 \u202etxt"`:           {"И txt", `&#34;И \u202etxt&#34;`},
		`"<i>` + long[:100] + `</i>"`:  {"&lt;i&gt;" + long[:100] + "&lt;/i&gt;", `&#34;&lt;i&gt;` + long[:100] + `&lt;/i&gt;&#34;`},
		`"` + strings.Repeat(long, 40): {`&#34;` + long[:198] + "…", ""}, // no end is seen of what is too long
	} {
		s := newFilled(t, web.Options{}, entry("a", "x", data))
		page := s.get(t, "/")
		excerpt := regexp.MustCompile(`(?s)<summary>(.*?)</summary>`).FindStringSubmatch(page)
		folded := regexp.MustCompile(`(?s)<pre [^>]*>(.*?)</pre>`).FindStringSubmatch(page)
		if folded == nil {
			folded = []string{"", ""}
		}
		if got := [2]string{text(excerpt[1]), text(folded[1])}; got != want {
			t.Errorf("%.60s: %q, want %q", data, got, want)
		}
		if want[1] == "" && len(data) > 10 && !strings.Contains(page, "as JSON, all 11.7 KiB</a>") {
			t.Errorf("%.60s: the page does not say how much there is", data)
		}
	}
}

// An address in an event is a link, if it leads to a page or to mail.
func TestLink(t *testing.T) {
	for data, want := range map[string]string{
		`{"url": "https://a.example/?b=1&c=\u003ci"}`: "",
		`{"url": "https://a.example/?b=1&c=2"}`:       `<a href="https://a.example/?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">`,
		`{"click": "mailto:a@b.example"}`:             `<a href="mailto:a@b.example" target="_blank" rel="noopener noreferrer">`,
		`{"url": "javascript:alert(1)"}`:              "",
		`{"url": "//a.example/"}`:                     "",
		`"https://a.example/"`:                        "",
	} {
		s := newFilled(t, web.Options{}, entry("a", "x", data))
		if got := regexp.MustCompile(`<a [^>]*target[^>]*>`).FindString(s.get(t, "/")); got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}

// A sender keeps its colour while it is in the chart, whoever comes; no two
// have the same, and those beyond share one.
func TestColours(t *testing.T) {
	s := newFilled(t, web.Options{})
	now := func(sender string, n int) {
		for range n {
			s.fill(t, eventlog.Entry{Time: time.Now(), Sender: sig.Name(sender), Event: "x", Data: []byte("1")})
		}
	}
	legend := func() map[string]string {
		of := make(map[string]string)
		for _, m := range regexp.MustCompile(`<li class="(c\d)"><a [^>]*><bdi>(\w+)</bdi>`).FindAllStringSubmatch(s.get(t, "/"), -1) {
			of[m[2]] = m[1]
		}
		return of
	}
	now("first", 2)
	was := legend()
	for i := range 20 {
		now(fmt.Sprintf("sender%d", i%7), 1+i%3)
		is, seen := legend(), make(map[string]bool)
		for name, colour := range is {
			if was[name] != "" && was[name] != colour {
				t.Errorf("%s was %s, and is %s", name, was[name], colour)
			}
			if seen[colour] {
				t.Errorf("two are %s: %v", colour, is)
			}
			seen[colour] = true
		}
		was = is
	}
	page := s.get(t, "/")
	if len(was) != 6 || !strings.Contains(page, `<li class="others">all others <b>`) {
		t.Errorf("%d senders have a colour, and the others: %s", len(was), page)
	}
	for _, m := range regexp.MustCompile(`class="sender( c\d|)" [^>]*><bdi>(\w+)</bdi>`).FindAllStringSubmatch(page, -1) {
		if strings.TrimSpace(m[1]) != was[m[2]] {
			t.Errorf("%s is %q in the list, and %q in the chart", m[2], m[1], was[m[2]])
		}
	}
}

// More events at once than a page is sent are not left out in silence.
func TestPageStreamTellsOfGap(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"))
	if err := s.log.SetLimits(eventlog.Limits{Count: 1000}); err != nil {
		t.Fatal(err)
	}
	since := s.log.State().Last
	many := make([]eventlog.Entry, 150)
	for i := range many {
		many[i] = entry("a", "x", fmt.Sprint(i))
	}
	s.fill(t, many...)
	rows := s.follow(t, fmt.Sprint("/api/stream?fmt=html&sender=a&since=", since))()
	if link := fmt.Sprintf(`<li class="gap"><a href="./?before=%d&amp;sender=a">`, since+51); strings.Count(rows, `<li id="e`) != 100 || !strings.Contains(rows, link) {
		t.Errorf("no %s in %s", link, rows)
	}
	s.fill(t, entry("a", "x", "1"))
	rows = s.follow(t, fmt.Sprint("/api/stream?fmt=html&sender=a&since=", s.log.State().Last-1))()
	if strings.Count(rows, `<li id="e`) != 1 || strings.Contains(rows, "gap") {
		t.Errorf("one more: %s", rows)
	}
}

// Older events, and those of a name, are of what was asked for.
func TestPageKeepsTheQuestion(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"), entry("a", "x", "2"), entry("b", "y", "3"), entry("a", "x", "4"))
	first := s.log.State().First
	since := fmt.Sprint(first - 1)
	links := func(address, class string) (all []string) {
		for _, m := range regexp.MustCompile(`<a [^>]*`+class+`[^>]*href="([^"]*)"`).FindAllStringSubmatch(s.get(t, address), -1) {
			all = append(all, html.UnescapeString(m[1]))
		}
		return all
	}
	older := links("/?limit=2&sender=a&since="+since, `rel="next"`)
	if want := fmt.Sprintf("./?before=%d&limit=2&sender=a&since=%s", first+1, since); len(older) != 1 || older[0] != want {
		t.Fatalf("older events are at %q, want %s", older, want)
	}
	if page := s.get(t, older[0][1:]); strings.Count(page, `<li id="e`) != 1 || !strings.Contains(page, ">back to the newest<") {
		t.Errorf("older events: %s", page)
	}
	for class, want := range map[string]string{"sender": "./?limit=2&q=4&sender=a&since=" + since, "event": "./?event=x&limit=2&q=4&since=" + since} {
		if got := links("/?limit=2&q=4&before=9999999999999999&token=x&fmt=html&since="+since, `class="`+class); len(got) != 1 || got[0] != want {
			t.Errorf("of the %s: %q, want %s", class, got, want)
		}
	}
	for _, hidden := range []string{`name="since" value="` + since + `"`, `name="limit" value="2"`} {
		if page := s.get(t, "/?limit=2&since="+since); !strings.Contains(page, `<input type="hidden" `+hidden) {
			t.Errorf("the filter forgets %s", hidden)
		}
	}
}

// Where there is nothing, the page says of what.
func TestPageSaysWhyNothingIsThere(t *testing.T) {
	empty := newFilled(t, web.Options{})
	s := newFilled(t, web.Options{}, entry("a", "x", "1"))
	for address, want := range map[string]string{
		"/?since=10m": "No event matches the filter.", "/?q=none": "No event matches the filter.", "/?before=1": "There are no older events.",
	} {
		if page := s.get(t, address); !strings.Contains(page, want) || strings.Contains(page, "No events yet") {
			t.Errorf("%s does not say %s", address, want)
		}
	}
	for _, address := range []string{"/", "/?limit=5"} {
		if page := empty.get(t, address); !strings.Contains(page, "No events yet") {
			t.Errorf("%s of an empty log does not say so", address)
		}
	}
}

// What is kept for a time that the page does not offer is shown as it is.
func TestPageOffersAges(t *testing.T) {
	s := newFilled(t, web.Options{})
	for age, want := range map[string]string{"0": `"0" selected>for ever`, "30d": `"30d" selected>30 days`, "90m": `"1h30m" selected>1h30m`} {
		s.get(t, "/config?age="+age)
		if page := s.get(t, "/"); !strings.Contains(page, "<option value="+want) || strings.Count(page, " selected") != 1 {
			t.Errorf("age %s: no %s", age, want)
		}
	}
}
