package web_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/sig/sigtest"
)

// Each address of pysig's web_events_logger with its parameters, as scripts
// written for it use them, and as this page does with POST.
func TestAddressesOfPysig(t *testing.T) {
	sigtest.EachServer(t, func(t *testing.T, n sigtest.Server) {
		timer, err := n.AddSender("timer", "tick", "tock")
		if err != nil {
			t.Fatal(err)
		}
		keros, err := n.AddSender("keros", "ir")
		if err != nil {
			t.Fatal(err)
		}
		s := newSite(t, n.Addr, web.Options{}, eventlog.Topic{Sender: "keros"})
		fire := func(n int) {
			t.Helper()
			want := s.log.State().Logged + 2
			if err := timer.Trigger("tick", n); err != nil {
				t.Fatal(err)
			}
			if err := keros.Trigger("ir", n); err != nil {
				t.Fatal(err)
			}
			s.await(t, func() bool { return s.log.State().Logged >= want })
		}

		// /add
		for _, c := range []struct {
			address string
			status  int
			want    string
		}{
			{"/add?sender=timer&event=tick", 200, "subscribed to timer: tick\n"},
			{"/add?sender=timer&event=tick", 200, "already subscribed to timer: tick\n"},
			{"/add?sender=timer&event=nope", 409, "not subscribed to timer: nope: the sender is connected and does not offer this event\n"},
			{"/add?sender=keros", 200, "already subscribed to every event of keros\n"},
			{"/add?event=%23notify", 200, "subscribed to #notify of any sender\n"},
			{"/add?sender=ifttt", 200, "subscribed to every event of ifttt\n"},
			{"/add", 200, "subscribed to every event\n"},
			{"/remove", 200, "removed the subscription to every event\n"},
			{"/remove?sender=keros&event=x", 404, "there is no subscription to keros: x: /regs lists those that exist\n"},
			{"/rem?sender=ifttt", 200, "removed the subscription to every event of ifttt\n"},
			{"/rem?event=%23notify&sender=", 200, "removed the subscription to #notify of any sender\n"},
		} {
			if got := s.expect(t, c.status, c.address); got != c.want {
				t.Errorf("%s: %q, want %q", c.address, got, c.want)
			}
		}

		// /regs, /registrations
		const regs = "every event of keros (active)\ntimer: tick (active)\n"
		for _, address := range []string{"/regs?fmt=plain", "/registrations?fmt=plain"} {
			if got := s.get(t, address); got != regs {
				t.Errorf("%s: %q", address, got)
			}
		}
		for _, address := range []string{"/regs", "/registrations?fmt=html"} {
			if got := s.get(t, address); !strings.Contains(got, "<!DOCTYPE html>") || !strings.Contains(got, "timer: tick") {
				t.Errorf("%s: %s", address, got)
			}
		}

		// /
		fire(1)
		fire(2)
		line := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} `)
		for address, want := range map[string]string{
			"/?fmt=plain":                        "keros: ir 2\ntimer: tick 2\nkeros: ir 1\ntimer: tick 1\n",
			"/?fmt=plain&sender=timer":           "timer: tick 2\ntimer: tick 1\n",
			"/?fmt=plain&event=ir":               "keros: ir 2\nkeros: ir 1\n",
			"/?fmt=plain&sender=timer&event=ir":  "",
			"/?fmt=plain&sender=&event=":         "keros: ir 2\ntimer: tick 2\nkeros: ir 1\ntimer: tick 1\n",
			"/?fmt=plain&sender=keros&event=ir":  "keros: ir 2\nkeros: ir 1\n",
			"/?fmt=plain&sender=nobody":          "",
			"/?fmt=plain&q=TICK&limit=1":         "timer: tick 2\n",
			"/?fmt=plain&sender=timer&event=tic": "",
		} {
			if got := line.ReplaceAllString(s.get(t, address), ""); got != want {
				t.Errorf("%s: %q, want %q", address, got, want)
			}
		}
		for _, address := range []string{"/", "/?fmt=html", "/?sender=timer"} {
			if got := s.get(t, address); !strings.Contains(got, "<!DOCTYPE html>") || !strings.Contains(got, ">tick<") {
				t.Errorf("%s: %s", address, got)
			}
		}
		if got := s.get(t, "/?sender=timer"); strings.Contains(got, ">ir<") {
			t.Errorf("the filter lets others through: %s", got)
		}

		// /config, /cfg
		for _, c := range []struct {
			address string
			limit   int
		}{{"/config", 20}, {"/cfg?limit=3", 3}, {"/cfg", 3}, {"/config?limit=100&age=12h", 100}} {
			var got struct {
				Limit         int
				Server        string
				Connected     bool
				Subscriptions []any
			}
			text := s.get(t, c.address)
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%s: %v in %s", c.address, err, text)
			}
			if got.Limit != c.limit || got.Server != n.Addr || !got.Connected || len(got.Subscriptions) != 2 {
				t.Errorf("%s: %s", c.address, text)
			}
		}
		if got := s.get(t, "/?fmt=plain"); strings.Count(got, "\n") != 3 {
			t.Errorf("after limit=3: %q", got)
		}
		for _, bad := range []string{"0", "-1", "many", "1000001", "3.5"} {
			if got := s.expect(t, 400, "/config?limit="+bad); !strings.HasPrefix(got, "limit: must be a whole number from 1 to 1000000, not ") {
				t.Errorf("limit=%s: %s", bad, got)
			}
		}

		// /clear, /flush
		if got := s.get(t, "/clear"); got != "cleared 3 events\n" {
			t.Errorf("/clear: %q", got)
		}
		if got := s.get(t, "/flush"); got != "cleared 0 events\n" {
			t.Errorf("/flush: %q", got)
		}
		if got := s.get(t, "/?fmt=plain"); got != "" {
			t.Errorf("cleared: %q", got)
		}
		fire(3)
		if got := s.events(t, "sender=timer"); got != "3" {
			t.Errorf("after the clear: %s", got)
		}
	})
}

// What changes something takes POST as well: as a form that leads back to the
// page, and as the page's script sends it.
func TestPost(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("timer", "tick", "1"))
	for _, c := range []struct {
		address, form, accept string
		status                int
		want                  string
	}{
		{"/add", "sender=a&event=b", "text/html", 303, ""},
		{"/add", "sender=a&event=b", "application/json", 200, `{"text":"already subscribed to a: b"}` + "\n"},
		{"/add?sender=c", "", "", 200, "subscribed to every event of c\n"},
		{"/remove", "sender=a", "application/json", 404, `{"error":"there is no subscription to every event of a: /regs lists those that exist"}` + "\n"},
		{"/rem", "sender=a&event=b", "", 200, "removed the subscription to a: b\n"},
		{"/config", "limit=5", "text/html", 303, ""},
		{"/clear", "", "application/json", 200, `{"text":"cleared 1 event"}` + "\n"},
		{"/flush", "", "text/html", 303, ""},
	} {
		form, err := url.ParseQuery(c.form)
		if err != nil {
			t.Fatal(err)
		}
		status, text, head := s.do(t, "POST", c.address, form, "Accept: "+c.accept)
		if status != c.status || c.status != 303 && text != c.want || c.status == 303 && head.Get("Location") != "./" {
			t.Errorf("POST %s %s, %s: %d %q, %s", c.address, c.form, c.accept, status, text, head.Get("Location"))
		}
	}
	if status, text, _ := s.do(t, "POST", "/config", url.Values{"limit": {"x"}}, "Accept: text/html"); status != 400 || !strings.Contains(text, "limit: must be a whole number") {
		t.Errorf("a form with a mistake: %d %s", status, text)
	}
	if got := s.log.Limits().Count; got != 5 {
		t.Errorf("limit: %d", got)
	}
}

// A mistake in a parameter must not be taken for "every one".
func TestMistakes(t *testing.T) {
	s := newSite(t, sigtest.Serve(t, "127.0.0.1:0").Addr, web.Options{}, eventlog.Topic{})
	for address, want := range map[string]string{
		"/remove?sendr=timer":                `unknown parameter "sendr": this address takes sender, event`,
		"/remove?sender=a&sender=b":          "the parameter sender is given twice",
		"/remove?sender=%ff":                 "the parameter sender is not UTF-8",
		"/remove?sender=%zz":                 "cannot read the parameters",
		"/clear?everything=1":                `unknown parameter "everything": this address takes none`,
		"/?fmt=xml":                          `fmt: must be html or plain, not "xml"`,
		"/regs?fmt=xml":                      `fmt: must be html or plain, not "xml"`,
		"/?before=x":                         `before: must be a whole number, not "x"`,
		"/?since=yesterday":                  `since: must be an event's number, a time like 2006-01-02T15:04:05Z, or how long ago, like 10m or 1d`,
		"/?limit=1001":                       "limit: at most 1000, not 1001",
		"/config?age=soon":                   `age: "soon" is not a valid age: use days or hours`,
		"/cfg?age=0.0001s":                   `age: "0.0001s" is too short an age: use at least 1m, or 0 for no limit`,
		"/cfg?limit=5&age=59s":               `age: "59s" is too short`,
		"/cfg?age=0.00000000000000001h":      `age: "0.00000000000000001h" is too short`,
		"/api/events?limit=-1":               "limit: must be a whole number",
		"/api/events/x":                      "must end in an event's number",
		"/api/stream?fmt=plain":              "fmt: must be html, or left out for JSON",
		"/api/events?fmt=plain":              "unknown parameter",
		"/add?sender=" + string(longName()):  "not subscribed",
		"/config?limit=99999999999999999999": "limit: must be a whole number",
	} {
		status, text, _ := s.do(t, "GET", address, nil)
		if status < 400 || status > 502 || !strings.Contains(text, want) {
			t.Errorf("%.60s: %d %.200s, want %s", address, status, text, want)
		}
	}
	status, text, _ := s.do(t, "POST", "/remove", nil, "Content-Type: application/json")
	if status != 400 || !strings.Contains(text, "send the parameters as a form") {
		t.Errorf("POST of JSON: %d %s", status, text)
	}
	status, _, _ = s.do(t, "POST", "/remove", url.Values{"sender": {strings.Repeat("x", 100<<10)}})
	if status != 400 {
		t.Errorf("a form that is too long: %d", status)
	}
	if got := s.get(t, "/regs?fmt=plain"); got != "every event (active)\n" {
		t.Errorf("subscriptions: %s", got)
	}
	for _, method := range []string{"DELETE", "PUT"} {
		if status, _, _ := s.do(t, method, "/clear", nil); status != 405 {
			t.Errorf("%s /clear: %d", method, status)
		}
	}
	s.expect(t, 404, "/nowhere")
	s.expect(t, 404, "/assets/page.html")
}

func longName() []byte { return fmt.Append(nil, strings.Repeat("n", 5000)) }

// Where the subscriptions are a file's, the log says so.
func TestFixedSubscriptions(t *testing.T) {
	const fixed = "The subscriptions are those of config.yaml: edit it."
	s := newFilled(t, web.Options{Fixed: fixed, Title: "sigalert history"})
	for _, address := range []string{"/add?sender=a", "/remove?sender=nobody", "/config?limit=5"} {
		if got := s.expect(t, 403, address); got != fixed+"\n" {
			t.Errorf("%s: %s", address, got)
		}
	}
	page := s.get(t, "/")
	for _, want := range []string{"<title>sigalert history</title>", fixed, `action="clear"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, not := range []string{`action="add"`, `action="remove"`, `action="config"`} {
		if strings.Contains(page, not) {
			t.Errorf("the page has %s", not)
		}
	}
	s.get(t, "/config")
	s.get(t, "/clear")
}
