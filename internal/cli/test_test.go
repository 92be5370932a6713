package cli

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent/notify"
)

// What became of a test's notification, in words.
func TestSayResponse(t *testing.T) {
	n := notify.Notification{Actions: []notify.Action{{Label: "Open"}, {Label: "La\x1bter"}}}
	for _, test := range []struct {
		response *notify.Response // nil: none comes
		ends     bool             // by a signal
		want     string
	}{
		{&notify.Response{Kind: notify.Clicked}, false, "it was clicked"},
		{&notify.Response{Kind: notify.Acted, Action: 1}, false, `the button "Later" was pressed`},
		{&notify.Response{Kind: notify.Dismissed}, false, "somebody closed it"},
		{&notify.Response{Kind: notify.Expired}, false, "its time was over, and the desktop took it away"},
		{&notify.Response{Kind: notify.Withdrawn}, false, "it was taken away, and the desktop does not say by whom"},
		{nil, false, "nobody has clicked or closed it"},
		{nil, true, "nobody has clicked or closed it yet"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			p := &program{out: &output{w: &out}}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			responses := make(chan notify.Response, 1)
			if test.response != nil {
				responses <- *test.response
			}
			if test.ends {
				time.AfterFunc(time.Second, cancel)
			}
			p.sayResponse(ctx, n, time.Minute, responses)
			if got := out.String(); got != "waiting for a click, for 1m at most\n"+test.want+"\n" {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestSayLimits(t *testing.T) {
	n := notify.Notification{Actions: []notify.Action{{Label: "Open"}}}
	for _, test := range []struct {
		server notify.Server
		want   string
	}{
		{notify.Server{Capabilities: []string{"actions"}}, ""},
		{notify.Server{}, "it has no buttons: they were left out\n"},
		{notify.Server{Capabilities: []string{"actions"}, Inhibited: true}, "do not disturb is on: it shows nothing at present\n"},
	} {
		var out bytes.Buffer
		(&program{out: &output{w: &out}}).sayLimits(n, test.server)
		if out.String() != test.want {
			t.Errorf("%+v: %q", test.server, out.String())
		}
	}
}

func TestTrial(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 300, 100))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, picture.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := trial{title: "T", body: "B", urgency: "critical", image: path, sound: path, actions: []string{"Open", "Later"}}.notification()
	if err != nil || n.Title != "T" || n.Body != "B" || n.Urgency != notify.Critical || n.Sound != path || len(n.Actions) != 2 || n.Image == nil || n.Image.Width < n.Image.Height {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := (trial{urgency: "normal", sound: "message-new-instant"}).notification(); err != nil || n.Sound != "message-new-instant" {
		t.Errorf("%+v, %v", n, err)
	}
	large := filepath.Join(t.TempDir(), "large.png")
	f, err := os.Create(large)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(maxImage + 1); err != nil {
		t.Fatal(err)
	}
	if _, err := (trial{urgency: "normal", image: large}).notification(); err == nil || !strings.Contains(err.Error(), "more than 16 MiB") {
		t.Error(err)
	}
}
