//go:build linux

package notify_test

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
)

func TestTimeout(t *testing.T) {
	s := startBus(t).serve(t, &server{})
	d := open(t)
	for timeout, want := range map[time.Duration]int32{
		0: -1, -1: 0, -time.Hour: 0, 1: 1, 10 * time.Second: 10_000, 1500 * time.Microsecond: 1, 1 << 62: 1<<31 - 1,
	} {
		if got := send(t, d, s, notify.Notification{Timeout: timeout}).Timeout; got != want {
			t.Errorf("%s: the server got %d, want %d", timeout, got, want)
		}
	}
}

// What the server gets by name, beside the urgency and the desktop entry.
func TestHints(t *testing.T) {
	pixels := bytes.Repeat([]byte{1, 2, 3, 4}, 6)
	file := filepath.Join(t.TempDir(), "ring.oga")
	none := map[string]any{}
	for _, test := range []struct {
		name         string
		capabilities []string
		in           notify.Notification
		want         map[string]any
	}{
		{"nothing", []string{"sound"}, notify.Notification{}, none},
		{"sound name", []string{"sound"}, notify.Notification{Sound: "bell"}, map[string]any{"sound-name": "bell"}},
		{"sound file", []string{"sound"}, notify.Notification{Sound: file}, map[string]any{"sound-file": file}},
		{"silence", []string{"sound"}, notify.Notification{Sound: "none"}, map[string]any{"suppress-sound": true}},
		{"silence of a server without sounds", nil, notify.Notification{Sound: "none"}, map[string]any{"suppress-sound": true}},
		{"hostile sound", []string{"sound"}, notify.Notification{Sound: "a\x00"}, none},
		{"long sound", []string{"sound"}, notify.Notification{Sound: strings.Repeat("a", 1<<20)}, none},
		{
			"image", nil, notify.Notification{Image: &notify.Image{Width: 3, Height: 2, Pixels: pixels}},
			map[string]any{"image-data": []any{int32(3), int32(2), int32(12), true, int32(8), int32(4), pixels}},
		},
		{"image of another size", nil, notify.Notification{Image: &notify.Image{Width: 3, Height: 3, Pixels: pixels}}, none},
		{"image of no size", nil, notify.Notification{Image: &notify.Image{}}, none},
		{"image of negative size", nil, notify.Notification{Image: &notify.Image{Width: -3, Height: -2, Pixels: pixels}}, none},
		{"image of overflowing size", nil, notify.Notification{Image: &notify.Image{Width: 1 << 62, Height: 4}}, none},
	} {
		s := startBus(t).serve(t, &server{capabilities: test.capabilities})
		got := make(map[string]any)
		for name, value := range send(t, open(t), s, test.in).Hints {
			if name != "urgency" && name != "desktop-entry" {
				got[name] = value.Value()
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// Whatever a field holds, D-Bus takes it.
func TestHostileFields(t *testing.T) {
	s := startBus(t).serve(t, &server{capabilities: append(allActions, "body-markup", "sound")})
	l := listen(t, s)
	for _, text := range []string{"\x00", "\xff\xfe", "a\nb", "\u202e", strings.Repeat("<", 1<<20), "../../x", "_&_"} {
		got := send(t, l.Desktop, s, notify.Notification{
			Title: text, Body: text, URL: text, Icon: text, Sound: text, Key: text, Ref: 1, Click: true,
			Actions: []notify.Action{{Label: text}, {Label: text, Reply: true}},
		})
		if names := slices.Sorted(maps.Keys(got.Hints)); len(got.Actions) != 6 {
			t.Errorf("%.10q: the server got %q, %q", text, got.Actions, names)
		}
	}
}

func BenchmarkNotifyImage(b *testing.B) {
	s := startBus(b).serve(b, &server{})
	d := open(b)
	n := notify.Notification{Title: "door", Image: &notify.Image{Width: 128, Height: 72, Pixels: make([]byte, 4*128*72)}}
	send(b, d, s, n)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Notify(b.Context(), n); err != nil {
			b.Fatal(err)
		}
		<-s.shown
	}
}

// A server may read for ever what is no file.
func TestPathsOfWhatIsNoFile(t *testing.T) {
	s := startBus(t).serve(t, &server{capabilities: append(allActions, "sound")})
	d := open(t)
	for _, path := range []string{"/dev/zero", t.TempDir()} {
		got := send(t, d, s, notify.Notification{Title: "a", Icon: path, Sound: path})
		if _, sound := got.Hints["sound-file"]; sound || got.Icon == path {
			t.Errorf("%s: the server got the icon %q, %v", path, got.Icon, got.Hints)
		}
	}
}
