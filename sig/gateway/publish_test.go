package gateway_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"sigalert/sig"
)

const (
	asJSON = "Content-Type: application/json"
	asForm = "Content-Type: application/x-www-form-urlencoded"
)

func TestPublish(t *testing.T) {
	s := newSite(t, nil)
	heard := s.heard(t)
	for _, tc := range []struct {
		name, path, body string
		headers          []string
		want             string
	}{
		{"text", "/me/hello", "hello", nil, `"me" "hello" "hello"`},
		{"text that looks like JSON", "/me/hello", "{1}", nil, `"me" "hello" "{1}"`},
		{"text of several lines", "/me/hello", "a\n\"b\"\r\n", nil, `"me" "hello" "a\n\"b\"\u000d\n"`},
		{"text that is not UTF-8", "/me/hello", "gr\xfc\xdfe", nil, `"me" "hello" "gr` + "\uFFFD\uFFFD" + `e"`},
		{"nothing", "/me/hello", "", nil, `"me" "hello" null`},
		{"JSON", "/me/hello", `{"n": 1.0, "a": [null]}`, []string{asJSON}, `"me" "hello" {"n": 1.0, "a": [null]}`},
		{"JSON of a kind", "/me/hello", `5`, []string{"Content-Type: application/cloudevents+json; charset=utf-8"}, `"me" "hello" 5`},
		{"JSON of an old kind", "/me/hello", `5`, []string{"Content-Type: text/json"}, `"me" "hello" 5`},
		{"GitHub's form", "/me/hello", "payload=%7B%22n%22%3A+%22a%26b%22%7D", []string{asForm}, `"me" "hello" {"n": "a&b"}`},
		{"GitHub's form with a title", "/me/hello?title=T", "payload=%7B%22n%22%3A1%7D", []string{asForm}, `"me" "hello" {"n":1,"title":"T"}`},
		{"text in a form", "/me/hello", "payload=5", []string{asForm}, `"me" "hello" "payload=5"`},
		{"half an object in a form", "/me/hello", "payload={", []string{asForm}, `"me" "hello" "payload={"`},
		{"a form with more", "/me/hello", "payload={}&a=1", []string{asForm}, `"me" "hello" "payload={}&a=1"`},
		{"text that begins like a form", "/me/hello", "payload={}", []string{"Content-Type: text/plain"}, `"me" "hello" "payload={}"`},
		{"JSON by curl -d", "/me/hello", `{"n": 1.0}`, []string{asForm}, `"me" "hello" {"n": 1.0}`},
		{"a number by curl -d", "/me/hello", `31.5`, []string{asForm}, `"me" "hello" 31.5`},
		{"JSON without a type", "/me/hello", `[1]`, nil, `"me" "hello" [1]`},
		{"JSON that is called text", "/me/hello", `{"n": 1}`, []string{"Content-Type: text/plain"}, `"me" "hello" "{\"n\": 1}"`},
		{"what only Python takes for JSON", "/me/hello", `NaN`, []string{asForm}, `"me" "hello" "NaN"`},
		{"a number with a title is a message", "/me/hello?title=T", `42`, []string{asForm}, `"me" "hello" {"message":"42","title":"T"}`},
		{"an object by curl -d with a title", "/me/hello?title=T", `{"n": 1}`, []string{asForm}, `"me" "hello" {"n":1,"title":"T"}`},
		{"Python's JSON", "/me/hello", `[NaN]`, []string{asJSON}, `"me" "hello" [NaN]`},
		{"numbers are text", "/20/1.5", "x", nil, `"20" "1.5" "x"`},
		{"any characters", "/a%2Fb%20%23/%23c%C3%BC%22%0A%25", "x", nil, `"a/b #" "#cü\"\n%" "x"`},
		{"a plus is a plus", "/a+b/c", "x", nil, `"a+b" "c" "x"`},
		{"NUL", "/%001/%00", "x", nil, `"\u00001" "\u0000" "x"`},
		{"parameters", "/me/hello?title=A+%26+B&urgency=low&tag=t&url=https%3A%2F%2Fx.y%2F", "text", nil,
			`"me" "hello" {"message":"text","title":"A & B","urgency":"low","tag":"t","url":"https://x.y/"}`},
		{"headers", "/me/hello", "text", []string{"Title: =?UTF-8?B?w7w=?=", "Urgency: critical", "Tag: t", "Url: https://x.y/"},
			`"me" "hello" {"message":"text","title":"ü","urgency":"critical","tag":"t","url":"https://x.y/"}`},
		{"a header in raw UTF-8", "/me/hello", "text", []string{"Title: grün"}, `"me" "hello" {"message":"text","title":"grün"}`},
		{"a priority that is a number", "/me/hello?priority=5", "text", nil, `"me" "hello" {"message":"text","priority":5}`},
		{"a priority that is a word", "/me/hello?priority=max", "text", nil, `"me" "hello" {"message":"text","priority":"max"}`},
		{"a browser's priority", "/me/hello", "text", []string{"Priority: u=1, i"}, `"me" "hello" "text"`},
		{"a title alone", "/me/hello?title=T", "", nil, `"me" "hello" {"title":"T"}`},
		{"a title for an object", "/me/hello?title=T", `{"title": "old", "temp": 31.50}`, []string{asJSON}, `"me" "hello" {"temp":31.50,"title":"T"}`},
		{"a priority for an urgent object", "/me/hello?priority=max", `{"urgency": "low", "temp": 31.5}`, []string{asJSON}, `"me" "hello" {"temp":31.5,"priority":"max"}`},
		{"a title for a list", "/me/hello?title=T", `[1]`, []string{asJSON}, `"me" "hello" {"message":[1],"title":"T"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := s.do(t, "POST", tc.path, tc.body, tc.headers...)
			if a.status != 200 || a.head.Get("Content-Type") != "application/json" {
				t.Errorf("%d %s %s", a.status, a.head, a.text)
			}
			if got := heard(); !slices.Equal(got, []string{tc.want}) {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestPublishAnswer(t *testing.T) {
	s := newSite(t, nil)
	s.heard(t)
	for _, want := range []string{`{"seq":1,"listeners":1}`, `{"seq":2,"listeners":1}`} {
		if a := s.do(t, "PUT", "/me/hello", "x"); a.text != want+"\n" {
			t.Errorf("%s, not %s", a.text, want)
		}
	}
}

// A request that is repeated with its id is answered as before, and delivered once.
func TestPublishAgain(t *testing.T) {
	s := newSite(t, nil)
	heard := s.heard(t)
	for _, header := range []string{"Idempotency-Key: one", "Id: one"} {
		if a := s.do(t, "POST", "/me/hello", "x", header); a.text != `{"seq":1,"listeners":1}`+"\n" {
			t.Error(a.text)
		}
	}
	s.do(t, "POST", "/me/hello?id=one", "x")
	if got := heard(); len(got) != 1 {
		t.Errorf("%q", got)
	}
	// Another event may have the same id.
	for _, path := range []string{"/me/bye", "/you/hello", "/hello", "/message"} {
		if a := s.do(t, "POST", path, "message=x", "Id: one", asForm); a.status != 200 {
			t.Error(a.text)
		}
	}
	if got := heard(); len(got) != 4 {
		t.Errorf("%q", got)
	}
}

func TestNtfy(t *testing.T) {
	s := newSite(t, nil)
	heard := s.heard(t)
	for _, tc := range []struct {
		name, path, body string
		headers          []string
		want             string
	}{
		{"text", "/alerts", "hello", nil, `"ntfy" "#alerts" "hello"`},
		{"long names", "/alerts", "hello", []string{"X-Title: T", "X-Priority: urgent", "X-Tags: warning, skull", "X-Click: https://x.y/"},
			`"ntfy" "#alerts" {"message":"hello","title":"T","priority":"urgent","tags":["warning","skull"],"url":"https://x.y/"}`},
		{"short names", "/alerts", "hello", []string{"t: T", "p: 4", "ta: skull"},
			`"ntfy" "#alerts" {"message":"hello","title":"T","priority":4,"tags":["skull"]}`},
		{"parameters", "/alerts?title=T&prio=1&message=m", "", nil, `"ntfy" "#alerts" {"message":"m","title":"T","priority":1}`},
		{"what replaces another", "/alerts", "50 %", []string{"X-Sequence-ID: download"}, `"ntfy" "#alerts" {"message":"50 %","tag":"download"}`},
		{"actions", "/alerts", "hello", []string{`Actions: view, "Open, it", https://x.y/?a=b, clear=true; http, Close, https://api/; action=view, label=Two, url=https://two`},
			`"ntfy" "#alerts" {"message":"hello","actions":[{"label":"Open, it","open":"https://x.y/?a=b"},{"label":"Two","open":"https://two"}]}`},
		{"what has no meaning here", "/alerts", "hello", []string{"Delay: 1h", "Email: a@b.c", "Icon: https://x.y/i.png", "Authorization: Bearer x"}, `"ntfy" "#alerts" "hello"`},
		{"a sender", "/alerts?sender=backup", "hello", nil, `"backup" "#alerts" "hello"`},
		{"JSON", "/", `{"topic": "alerts", "message": "hi", "title": "T", "tags": ["a", "b"], "priority": 4, "click": "https://x.y/",
			"attach": "https://x.y/a.jpg", "actions": [{"action": "view", "label": "L", "url": "https://u"}, {"action": "http", "label": "M", "url": "https://v"}]}`, nil,
			`"ntfy" "#alerts" {"message":"hi","title":"T","priority":4,"tags":["a", "b"],"url":"https://x.y/","actions":[{"label":"L","open":"https://u"}]}`},
		{"JSON with its header", "/", `{"topic": "alerts", "message": "hi"}`, []string{asJSON}, `"ntfy" "#alerts" "hi"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := s.do(t, "POST", tc.path, tc.body, tc.headers...)
			if a.status != 200 || !strings.Contains(a.text, `"event":"message","topic":"alerts"`) {
				t.Errorf("%d %s", a.status, a.text)
			}
			if got := heard(); !slices.Equal(got, []string{tc.want}) {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestGotify(t *testing.T) {
	s := newSite(t, nil)
	heard := s.heard(t)
	for _, tc := range []struct {
		name, body string
		headers    []string
		want       string
	}{
		{"a form", "title=T&message=m+1&priority=5", []string{asForm, "X-Gotify-Key: A"}, `"gotify" "message" {"message":"m 1","title":"T","urgency":"normal"}`},
		{"a form of parts", "--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nhi\r\n--x--\r\n", []string{"Content-Type: multipart/form-data; boundary=x"}, `"gotify" "message" "hi"`},
		{"JSON", `{"message": "m", "priority": 8, "extras": {"client::notification": {"click": {"url": "https://x.y/"}}, "client::display": {"contentType": "text/markdown"}}}`, []string{asJSON},
			`"gotify" "message" {"message":"m","urgency":"critical","url":"https://x.y/"}`},
		{"extras of another kind", `{"message": "m", "extras": {"client::notification": {"click": "x"}, "a::b": [1]}}`, []string{asJSON}, `"gotify" "message" "m"`},
		{"a low priority", `{"message": "m", "priority": 3}`, []string{asJSON}, `"gotify" "message" {"message":"m","urgency":"low"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if a := s.do(t, "POST", "/message?token=A", tc.body, tc.headers...); a.status != 200 || !strings.HasPrefix(a.text, `{"id":`) {
				t.Errorf("%d %s", a.status, a.text)
			}
			if got := heard(); !slices.Equal(got, []string{tc.want}) {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestForm(t *testing.T) {
	s := newSite(t, nil)
	heard := s.heard(t)
	page := s.do(t, "GET", "/", "", "Host: router.example:3000")
	for _, want := range []string{"http://router.example:3000/me/hello", `<form method="post" action="/">`, "light-dark("} {
		if !strings.Contains(page.text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	form := []string{asForm, "Accept: text/html", "Sec-Fetch-Site: same-origin", "Origin: " + s.url}
	a := s.do(t, "POST", "/", "sender=phone&event=note&title=&message=a%0D%0Ab&urgency=low", form...)
	if a.status != 303 || a.head.Get("Location") != "/?event=note&sender=phone&sent=1" {
		t.Errorf("%d %s", a.status, a.head)
	}
	if got := heard(); !slices.Equal(got, []string{`"phone" "note" {"message":"a\nb","urgency":"low"}`}) {
		t.Errorf("%s", got)
	}
	if a = s.do(t, "GET", a.head.Get("Location"), ""); !strings.Contains(a.text, "Sent to 1 listener.") || !strings.Contains(a.text, `value="phone"`) {
		t.Error(a.text)
	}
	if a = s.do(t, "POST", "/", "sender=%3Cb%3E&event=&message=kept", form...); a.status != 400 || !strings.Contains(a.text, "fill in both") || !strings.Contains(a.text, ">kept<") || strings.Contains(a.text, "<b>") {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// Where tokens are required, the page asks for one, and never shows it again.
func TestFormWithToken(t *testing.T) {
	s, secrets := guarded(t, map[string][2]string{"phone": {"", "phone"}})
	page := s.do(t, "GET", "/", "")
	for _, want := range []string{`name="token" type="password"`, `-H &#39;Authorization`} {
		if !strings.Contains(strings.ReplaceAll(page.text, "'", "&#39;"), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	form := []string{asForm, "Accept: text/html", "Sec-Fetch-Site: same-origin", "Origin: " + s.url}
	for token, want := range map[string]int{secrets["phone"]: 303, "wrong_token_of_16": 401, "": 401} {
		a := s.do(t, "POST", "/", "sender=phone&event=note&message=m&token="+token, form...)
		if a.status != want || strings.Contains(a.text+a.head.Get("Location"), "token_of") || want == 401 && !strings.Contains(a.text, "requires a valid token") {
			t.Errorf("%d %s %s", a.status, a.head, a.text)
		}
	}
	if a := s.do(t, "POST", "/", "sender=other&event=note&token="+secrets["phone"], form...); a.status != 403 {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// What a remote listener gets.
func TestRemoteListener(t *testing.T) {
	s := newSite(t, nil)
	arrived := newListener(t, s, "me", "hello")
	s.do(t, "POST", "/me/hello", "hi")
	if ev := <-arrived; ev.Data.Value() != "hi" || ev.Sender != sig.Name("me") {
		t.Errorf("%v", ev)
	}
}

func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl")
	}
	s := newSite(t, nil)
	heard := s.heard(t)
	most := strings.Repeat("x", 1<<20-100) // with the quotation marks
	for _, tc := range []struct {
		args  []string
		input string
		want  string
	}{
		{[]string{"-d", "hello", s.addr + "/me/hello"}, "", `"me" "hello" "hello"`},
		{[]string{"--json", `{"n": 1}`, s.addr + "/me/hello"}, "", `"me" "hello" {"n": 1}`},
		{[]string{"-T", "-", s.addr + "/me/hello?title=T"}, "input", `"me" "hello" {"message":"input","title":"T"}`},
		{[]string{"-F", "message=m", s.addr + "/message?token=A"}, "", `"gotify" "message" "m"`},
		{[]string{"-d", "@-", s.addr + "/me/hello"}, most, `"me" "hello" "` + most + `"`},
	} {
		cmd := exec.Command(curl, append([]string{"-sS", "--max-time", "20"}, tc.args...)...)
		cmd.Stdin = strings.NewReader(tc.input)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "{") {
			t.Errorf("%.80q: %v %s", tc.args, err, out)
		}
		if got := heard(); !slices.Equal(got, []string{tc.want}) {
			t.Errorf("got  %.100s\nwant %.100s", got, tc.want)
		}
	}
}
