//go:build linux

package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
)

// A notification with two buttons and a picture, on both kinds of server: the
// picture is seen, the second button is pressed, the next one is closed, and the
// last one is left alone.
func TestNotificationIsAnswered(t *testing.T) {
	var picture bytes.Buffer
	violet := color.RGBA{140, 20, 220, 255}
	m := image.NewRGBA(image.Rect(0, 0, 600, 600))
	draw.Draw(m, m.Rect, image.NewUniform(violet), image.Point{}, draw.Src)
	if err := png.Encode(&picture, m); err != nil {
		t.Fatal(err)
	}
	shrunk, err := notify.ReadImage(picture.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, desk := range map[string]struct {
		start func(*desktop, testing.TB) *process
		class string // of its windows
		press func(*desktop, testing.TB, image.Rectangle)
		close func(*desktop, testing.TB, image.Rectangle)
		stays bool // when a button is pressed
	}{
		"dunst": {
			(*desktop).startNotifications, "Dunst",
			func(d *desktop, t testing.TB, _ image.Rectangle) { d.dunstctl(t, "action") },
			func(d *desktop, t testing.TB, _ image.Rectangle) { d.dunstctl(t, "close") },
			true,
		},
		"xfce4-notifyd": {
			(*desktop).startXfceNotifications, "[Xx]fce4-notifyd",
			func(d *desktop, t testing.TB, at image.Rectangle) { d.click(t, at.Max.Sub(image.Pt(60, 30))) },
			func(d *desktop, t testing.TB, at image.Rectangle) { d.click(t, at.Min.Add(image.Pt(30, 20))) },
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newBareDesktop(t)
			// What chooses from dunst's list of buttons.
			d.write(t, "config/dunst/dunstrc", dunstConfig+"[global]\n    dmenu = /bin/sed -n /Later/p\n")
			desk.start(d, t)
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.address)
			responses := make(chan notify.Response, 100)
			shows := notify.New(&notify.Options{Responded: func(r notify.Response) { responses <- r }})
			defer shows.Close()
			show := func(n notify.Notification) image.Rectangle {
				t.Helper()
				if _, err := shows.Notify(t.Context(), n); err != nil {
					t.Fatal(err)
				}
				d.window(t, desk.class, 0)
				return d.windows(desk.class)[0]
			}
			expect := func(want notify.Response) {
				t.Helper()
				select {
				case got := <-responses:
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("response (-want +got):\n%s", diff)
					}
				case <-time.After(patience):
					t.Fatalf("not within %v: %+v", patience, want)
				}
			}

			ring := notify.Notification{Title: "Door", Body: "Somebody rings.", Ref: 1, Image: shrunk,
				Actions: []notify.Action{{Label: "Open the door"}, {Label: "Later"}}}
			at := show(ring)
			eventually(t, "the picture is on the screen", func() bool { return count(d.screenshot(t), at, violet) > 500 })
			desk.press(d, t, at)
			expect(notify.Response{Ref: 1, Kind: notify.Acted, Action: 1})
			if desk.stays {
				desk.close(d, t, at)
			}
			expect(notify.Response{Ref: 1, Kind: notify.Dismissed})
			d.gone(t, desk.class)

			ring.Ref = 2
			desk.close(d, t, show(ring))
			expect(notify.Response{Ref: 2, Kind: notify.Dismissed})
			d.gone(t, desk.class)

			ring.Ref, ring.Timeout = 3, time.Second
			show(ring)
			expect(notify.Response{Ref: 3, Kind: notify.Expired})
			d.gone(t, desk.class)
			if len(responses) > 0 {
				t.Errorf("one response more: %+v", <-responses)
			}
		})
	}
}

func (d *desktop) dunstctl(t testing.TB, command string) {
	t.Helper()
	if _, err := d.tool("dunstctl", command); err != nil {
		t.Fatal(err)
	}
}

// count returns how many pixels of this colour there are.
func count(screen image.Image, where image.Rectangle, want color.RGBA) (n int) {
	for y := where.Min.Y; y < where.Max.Y; y++ {
		for x := where.Min.X; x < where.Max.X; x++ {
			if color.RGBAModel.Convert(screen.At(x, y)) == want {
				n++
			}
		}
	}
	return n
}
