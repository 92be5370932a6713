//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

// newRouter starts a router that is also known as log.test.
func newRouter(t testing.TB) *server {
	t.Helper()
	h := newHome(t)
	s := &server{bin: program(t), home: h}
	s.process = start(t, h.env, s.bin, "serve", "--listen", "127.0.0.1:0", "--host", "log.test")
	_, m := s.await(t, `listening on (127\.0\.0\.1:\d+)`)
	s.addr = m[1]
	return s
}

// published is what the router has had since its start, by its stream, without the
// mark that this publishes to know where the end is.
func (s *server) published(t testing.TB) (all []string) {
	t.Helper()
	if _, err := http.Post("http://"+s.addr+"/test/mark", "", nil); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get("http://" + s.addr + "/events?format=json&since=all")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for lines := json.NewDecoder(response.Body); ; {
		var ev struct {
			Sender, Event string
			Data          json.RawMessage
		}
		if err := lines.Decode(&ev); err != nil {
			t.Fatal(err)
		}
		if ev.Sender == "test" {
			return all
		}
		all = append(all, fmt.Sprintf("%s %s %s", ev.Sender, ev.Event, ev.Data))
	}
}

// The router's page in Chromium: its form sends, on a phone and without scripts, and
// no page of another site, port or host can publish or listen, whatever it tries.
func TestRouterPage(t *testing.T) {
	b := newBrowser(t)
	t.Run("sends", func(t *testing.T) {
		s := newRouter(t)
		p := b.newTab(t)
		p.noScripts(t)
		for _, scheme := range []string{"light", "dark"} {
			p.look(t, 360, 640, scheme)
			p.visit(t, "http://"+s.addr+"/")
		}
		p.fill(t, `[name="sender"]`, "phone")
		p.fill(t, `[name="title"]`, "From the <phone>")
		p.fill(t, `[name="message"]`, "grüße & küsse")
		p.click(t, "button")
		p.until(t, "the page says that it is sent", `document.body.innerText.includes("Sent to 0 listeners.")`)
		if evaluate[bool](t, p, `document.documentElement.scrollWidth > innerWidth`) {
			t.Error("the page is wider than a phone")
		}
		if got, want := evaluate[string](t, p, `document.querySelector("code").textContent.split("\n")[0]`), "curl -d 'hello' http://"+s.addr+"/me/hello"; got != want {
			t.Errorf("it says %q, not %q", got, want)
		}
		if got := fmt.Sprint(s.published(t)); got != `[phone hello {"message":"grüße & küsse","title":"From the <phone>"}]` &&
			got != `[phone hello {"message":"grüße \u0026 küsse","title":"From the \u003cphone\u003e"}]` {
			t.Error(got)
		}
		p.calm(t, "http://"+s.addr, "favicon.ico")
	})
	t.Run("refuses other sites", func(t *testing.T) {
		s := newRouter(t)
		s.resists(t, b.newTab(t), "http://"+s.addr+"/")
		s.resists(t, b.newTab(t), strings.Replace("http://"+s.addr+"/", "127.0.0.1", "log.test", 1))
	})
	t.Run("refuses other names", func(t *testing.T) {
		s := newRouter(t)
		p := b.newTab(t)
		p.visit(t, "http://"+strings.Replace(s.addr, "127.0.0.1", "evil.test", 1)+"/")
		if got := evaluate[string](t, p, `document.body.innerText`); !strings.HasPrefix(got, "this machine is not known as ") {
			t.Errorf("it says %.100q", got)
		}
		for _, request := range []string{`"/me/hello", {method: "POST", body: "x"}`, `"/", {method: "POST", body: '{"topic": "x"}'}`, `"/events"`} {
			evaluate[bool](t, p, `window.status_ = 0, fetch(`+request+`).then((r) => status_ = r.status), true`)
			p.until(t, request+" is refused", `status_ === 421`)
		}
		if got := s.published(t); len(got) > 0 {
			t.Errorf("%q was published", got)
		}
	})
}

// The JavaScript of docs/sending.md in a page that comes from the router's address:
// one example hears what the other sends, also after the router has been away.
func TestSendingFromAPage(t *testing.T) {
	s := newRouter(t)
	doc, err := os.ReadFile("../docs/sending.md")
	check(t, err)
	_, part, _ := strings.Cut(strings.ReplaceAll(string(doc), "127.0.0.1:3000", s.addr), "```js\n")
	send, part, _ := strings.Cut(part, "```")
	_, part, _ = strings.Cut(part, "```js\n")
	follow, _, found := strings.Cut(part, "```")
	if !found {
		t.Fatal("docs/sending.md has not two examples in JavaScript")
	}
	p := newBrowser(t).newTab(t)
	p.visit(t, "http://"+s.addr+"/healthz")
	evaluate[bool](t, p, `window.said = "", console.log = (...words) => said += words.join(" ") + "\n", true`)
	evaluate[bool](t, p, "(() => {"+follow+"window.events = events; return true})()")
	p.until(t, "the stream is open", "events.readyState === 1")
	evaluate[bool](t, p, "(async () => {"+send+"})(), true")
	p.until(t, "what is sent is heard", `said === "done\n"`)

	s.kill()
	s.process = start(t, s.home.env, s.bin, "serve", "--listen", s.addr)
	s.await(t, "listening on ")
	evaluate[bool](t, p, `window.sending = setInterval(async () => {`+send+`}, 500), true`)
	p.until(t, "what is sent after that is heard", `said.startsWith("done\nmissed some\ndone\n")`)
}

// resists has other sites' pages try to publish and to listen at this address.
func (s *server) resists(t testing.TB, p *tab, address string) {
	t.Helper()
	const send = `</form><script>document.forms[0].submit()</script>`
	attacks := map[string]string{
		"image":          `<img src="%sme/hello?message=x" onerror="done = true">`,
		"form":           `<form action="%s" method="post"><input name="sender" value="a"><input name="event" value="b">` + send,
		"form as text":   `<form action="%s" method="post" enctype="text/plain"><input name='{"topic": "x", "a' value='": 1}'>` + send,
		"form in parts":  `<form action="%smessage" method="post" enctype="multipart/form-data"><input name="message" value="a">` + send,
		"form to a name": `<form action="%sme/hello" method="post">` + send,
		"POST":           `<script>fetch("%sme/hello", {mode: "no-cors", method: "POST", body: "x", credentials: "include"}).finally(() => done = true)</script>`,
		"JSON":           `<script>fetch("%sme/hello", {method: "PUT", headers: {"Content-Type": "application/json"}, body: "1"}).finally(() => done = true)</script>`,
		"beacon":         `<script>navigator.sendBeacon("%sme/hello", "x"); setTimeout(() => done = true, 100)</script>`,
		"ping":           `<a href="#x" ping="%sme/hello">a prize</a><script>document.links[0].click(); setTimeout(() => done = true, 100)</script>`,
		"request":        `<script>r = new XMLHttpRequest(); r.open("POST", "%sme/hello"); r.onloadend = () => done = true; r.send("x")</script>`,
		"listening":      `<script>e = new EventSource("%sevents?since=all"); e.onerror = () => done = true; e.onmessage = () => document.title = "heard"</script>`,
		"frame":          `<iframe src="%s" onload="done = true"></iframe>`,
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/" {
			fmt.Fprintf(w, "<!DOCTYPE html><script>done = false</script>"+attacks[r.FormValue("how")], r.FormValue("at"))
		}
	}))
	defer other.Close()
	for _, host := range []string{"127.0.0.1", "localhost", "log.test", "evil.test"} {
		from := strings.Replace(other.URL, "127.0.0.1", host, 1)
		for how := range attacks {
			p.visit(t, from+"/?"+url.Values{"how": {how}, "at": {address}}.Encode())
			p.until(t, how+" from "+from+" has tried", fmt.Sprintf(`window.done || location.href.startsWith(%q) && document.body.innerText.includes("another site")`, address))
			if evaluate[bool](t, p, `document.title === "heard"`) {
				t.Errorf("%s from %s listens", how, from)
			}
		}
	}
	if got := s.published(t); len(got) > 0 {
		t.Errorf("%q was published", got)
	}
}
