//go:build linux

package e2e

import (
	"context"
	"fmt"
	"image"
	"strings"
	"testing"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// A door with a button in its notification, a room that is too hot until it is not, and
// why an event was not shown: with each kind of notification server, and each tray.
func TestRules(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		for name, desk := range map[string]struct {
			start func(*desktop, testing.TB) *process
			class string // of its windows
			press func(*desktop, testing.TB, image.Rectangle)
			close func(*desktop, testing.TB, image.Rectangle)
		}{
			"dunst": {
				(*desktop).startNotifications, "Dunst",
				func(d *desktop, t testing.TB, _ image.Rectangle) { d.dunstctl(t, "action") },
				func(d *desktop, t testing.TB, _ image.Rectangle) { d.closeNotifications(t) },
			},
			"xfce4-notifyd": {
				(*desktop).startXfceNotifications, "[Xx]fce4-notifyd",
				func(d *desktop, t testing.TB, at image.Rectangle) { d.click(t, at.Max.Sub(image.Pt(60, 30))) },
				func(d *desktop, t testing.TB, at image.Rectangle) { d.click(t, at.Min.Add(image.Pt(30, 20))) },
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := newBareDesktop(t)
				desk.start(d, t)
				s := d.serve(t, bin)
				a := d.startAgent(t, bin, fmt.Sprintf(`server: tcp://%s
subscriptions:
  - sender: "door-*"
    event: ring
    tag: bell
    actions: [{label: Open the door, request: {method: open, params: {floor: "{{ data.floor }}"}}}]
  - sender: sensors
    event: "temp*"
    when: data.temp > 30
    resolve: data.temp < 28
    tag: "{{ data.room }}"
    title: "{{ data.room }} has {{ data.temp }} °C"
    body: ""
    urgency: critical
`, s.addr))
				a.await(t, subscribedLine)
				asked := s.door(t)

				s.send(t, "door-2", "ring", `{"floor": 2}`)
				ring := d.mon.next(t)
				ring.is(t, "door-2: ring", "floor: 2")
				d.window(t, desk.class, 0)
				desk.press(d, t, d.windows(desk.class)[0])
				answer := d.mon.next(t)
				answer.is(t, "door-2: opened", "")
				if got := <-asked; got != `open {"floor":2}` {
					t.Errorf("the door was asked %s", got)
				}
				d.window(t, desk.class, 0) // one: the answer, in the place of the bell
				desk.close(d, t, d.windows(desk.class)[0])
				d.gone(t, desk.class)

				s.send(t, "sensors", "temperature", `{"room": "Attic", "temp": 31}`)
				d.mon.next(t).is(t, "Attic has 31 °C", "")
				d.window(t, desk.class, 0)
				s.send(t, "sensors", "temperature", `{"room": "Attic", "temp": 29}`)
				s.send(t, "sensors", "temperature", `{"room": "Attic", "temp": 21.5}`)
				d.gone(t, desk.class)

				listed := strings.Split(strings.TrimSpace(d.ask(t, bin, 0, "explain")), "\n")
				if len(listed) != 4 {
					t.Fatalf("explain:\n%s", strings.Join(listed, "\n"))
				}
				for i, want := range []string{"shown", "shown", "filtered", "resolved"} {
					if !strings.Contains(listed[i], "  "+want+" ") {
						t.Errorf("%q is not %s", listed[i], want)
					}
				}
				why := d.ask(t, bin, 0, "explain", "3")
				for _, want := range []string{
					"line 3: the sender is sensors, not door-*",
					"line 7: when data.temp > 30 is false: data.temp is 29",
				} {
					if !strings.Contains(why, want) {
						t.Errorf("%q is not in\n%s", want, why)
					}
				}
			})
		}
	})
}

// door connects a door that opens when it is asked to; what it is asked comes out of the
// channel.
func (s *server) door(t testing.TB) <-chan string {
	t.Helper()
	asked := make(chan string, 10)
	c := sig.NewClientRouter(tcp.NewClient(s.addr), nil)
	t.Cleanup(wait.Start(context.Background(), c.Run))
	_, err := c.AddRemoteSenderWith(t.Context(), "door-2", sig.SenderOptions{
		Events: []sig.Name{"ring"},
		Requests: map[sig.Name]sig.RequestFunc{"open": func(_ context.Context, method sig.Name, params sig.Data) (any, error) {
			text, err := params.JSON()
			asked <- fmt.Sprintf("%s %s", method, text)
			return "opened", err
		}},
	})
	check(t, err)
	return asked
}
