//go:build linux

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigalert/sig"
	"sigalert/sig/tcp"

	"github.com/godbus/dbus/v5"
)

// BenchmarkSendToNotify measures the path of an event from a sender, through
// "sigalert serve" and the agent, to the notification server's receipt of
// Notify, three processes and a bus away. One event is under way at a time. Of fifty
// rules, ten are globs with a condition, and the event is for the last of them.
func BenchmarkSendToNotify(b *testing.B) {
	rules := strings.Builder{}
	for i := range 40 {
		fmt.Fprintf(&rules, "  - {sender: host-%d, event: disk, when: data.used > 90, title: '{{ data.disk }} is full'}\n", i)
	}
	for i := range 10 {
		fmt.Fprintf(&rules, "  - {sender: 'ti*r', event: 't?ck', when: 'int(data) %% 10 < 0 || %d == 9', title: '{{ sender }}', tag: '{{ event }}'}\n", i)
	}
	b.Run("one rule", func(b *testing.B) { sendToNotify(b, "  - {sender: timer, event: tick}\n") })
	b.Run("fifty rules", func(b *testing.B) { sendToNotify(b, rules.String()) })
}

func sendToNotify(b *testing.B, subscriptions string) {
	d := newBus(b)
	took := d.countNotifications(b)
	bin := program(b)
	s := d.serve(b, bin)
	// Critical alerts are not held back, however many there are.
	a := d.startAgent(b, bin, "server: tcp://"+s.addr+"\ndefaults: {urgency: critical}\nsubscriptions:\n"+subscriptions)
	a.await(b, subscribedLine)

	client := sig.NewClientRouter(tcp.NewClient(s.addr), nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); client.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	sender, err := client.AddRemoteSender(ctx, "timer", "tick")
	if err != nil {
		b.Fatal(err)
	}

	// send returns how long an event took; false if none arrives.
	send := func(wait time.Duration) (time.Duration, bool) {
		if err := sender.Trigger(ctx, "tick", strconv.FormatInt(time.Now().UnixNano(), 10)); err != nil {
			b.Fatal(err)
		}
		select {
		case t := <-took:
			return t, true
		case <-time.After(wait):
			return 0, false
		}
	}
	var all []time.Duration
	for b.Loop() {
		t, ok := send(patience)
		if !ok {
			b.Fatalf("no notification for event %d", len(all)+1)
		}
		all = append(all, t)
		b.StopTimer()
		// Between two messages on one connection the protocol requires 10 ms: we measure the path, not that wait.
		time.Sleep(30 * time.Millisecond)
		b.StartTimer()
	}
	slices.Sort(all)
	at := func(part float64) float64 { return all[int(part*float64(len(all)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), "median-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}

// countNotifications makes the benchmark the notification server. It reports how
// long ago the time was that each notification has as its body.
func (d *desktop) countNotifications(b *testing.B) <-chan time.Duration {
	b.Helper()
	conn, err := dbus.Connect(d.address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	took := make(chan time.Duration, 16)
	methods := map[string]any{
		"GetCapabilities": func() ([]string, *dbus.Error) { return []string{"body"}, nil },
		"GetServerInformation": func() (name, vendor, version, spec string, err *dbus.Error) {
			return "benchmark", "sigalert", "1", "1.2", nil
		},
		"Notify": func(app string, replaces uint32, icon, title, body string, actions []string, hints map[string]dbus.Variant, timeout int32) (uint32, *dbus.Error) {
			now := time.Now()
			if sent, err := strconv.ParseInt(body, 10, 64); err == nil {
				took <- now.Sub(time.Unix(0, sent))
			}
			return 1, nil
		},
	}
	const name = "org.freedesktop.Notifications"
	if err := conn.ExportMethodTable(methods, "/org/freedesktop/Notifications", name); err != nil {
		b.Fatal(err)
	}
	if _, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil {
		b.Fatal(err)
	}
	return took
}

// BenchmarkAgentAtRest measures the memory of a connected agent that has
// nothing to do, and the processor time that it takes for 10 s of that.
func BenchmarkAgentAtRest(b *testing.B) {
	const rest = 10 * time.Second
	measure := func(b *testing.B, a *agent) {
		for b.Loop() {
			time.Sleep(rest)
			before := a.cpu(b)
			time.Sleep(rest)
			b.ReportMetric(float64(a.cpu(b)-before), "cpu-ticks/10s")
			b.ReportMetric(a.memory(b, "VmRSS"), "RSS-MiB")
			b.ReportMetric(a.memory(b, "VmHWM"), "peak-MiB")
		}
	}
	b.Run("without tray", func(b *testing.B) {
		h := newHome(b)
		bin := program(b)
		a := h.startAgent(b, bin, timer(h.serve(b, bin)))
		a.await(b, subscribedLine)
		measure(b, a)
	})
	b.Run("with a router", func(b *testing.B) {
		a := newHome(b).startAgent(b, program(b), own(free(b)))
		a.await(b, subscribedLine)
		measure(b, a)
	})
	for i, backend := range backends {
		b.Run(fmt.Sprintf("tray %s", backend.name), func(b *testing.B) {
			d := newDesktop(b)
			bin := build(b, i)
			s := d.serve(b, bin)
			a := d.startAgent(b, bin, timer(s))
			d.tray(b, a.process).is(b, s.connected(1))
			measure(b, a)
		})
	}
}
