//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Alerts that wait, are shown again until somebody closes them, are held back by another
// and are escalated, with a real notification server; a kill in between changes nothing.
func TestWaits(t *testing.T) {
	bin := program(t)
	d := newBareDesktop(t)
	d.startNotifications(t)
	s := d.serve(t, bin)
	told := filepath.Join(d.dir, "escalated.json")
	config := fmt.Sprintf(`server: tcp://%s
subscriptions:
- {sender: door, tag: door, for: 3s}
- {sender: ups, tag: power-cut, urgency: critical, repeat: {every: 2s, at_most: 5}, escalate: {after: 3s, command: {shell: 'cat > %s.new && mv %[2]s.new %[2]s'}}}
- {sender: lamp, unless: power-cut}
`, s.addr, told)
	a := d.startAgent(t, bin, config)
	a.await(t, subscribedLine)

	s.send(t, "door", "open", "briefly")
	s.send(t, "door", "shut", `{"resolved": true}`)
	s.send(t, "door", "open", "for long")
	time.Sleep(1200 * time.Millisecond) // the memory has it
	a.kill()
	a = d.startAgent(t, bin, config)
	d.mon.next(t).says(t, "door open ×1") // it ought to have been shown soon after the kill
	a.await(t, subscribedLine)

	s.send(t, "ups", "down", "on battery")
	cut := d.mon.next(t)
	cut.is(t, "ups: down", "on battery")
	s.send(t, "lamp", "off", "kitchen")
	again := d.mon.next(t)
	again.says(t, "on battery", "Shown again (1 of 5)")
	if again.id != cut.id && again.replaces != cut.id {
		t.Errorf("%v is not in the place of %v", again, cut)
	}
	eventually(t, "the escalation", func() bool { _, err := os.Stat(told); return err == nil })
	text, err := os.ReadFile(told)
	check(t, err)
	if !strings.Contains(string(text), `"on battery"`) {
		t.Errorf("escalated: %s", text)
	}
	d.mon.next(t).says(t, "Shown again (2 of 5)")
	d.closeNotifications(t)
	if n, ok := d.mon.within(3 * time.Second); ok {
		t.Errorf("shown although somebody has closed it: %v", n)
	}

	a.kill()
	a = d.startAgent(t, bin, config)
	a.await(t, subscribedLine)
	s.send(t, "ups", "up", `{"resolved": true}`)
	d.mon.next(t).says(t, `1 alert while "power-cut" was shown`, "lamp: off (kitchen)")
	d.closeNotifications(t)

	s.send(t, "ups", "down", "once more")
	d.mon.next(t).is(t, "ups: down", "once more")
	time.Sleep(1200 * time.Millisecond)
	a.kill()
	a = d.startAgent(t, bin, config)
	a.await(t, subscribedLine)
	s.send(t, "ups", "up", `{"resolved": true}`)
	d.gone(t, "Dunst")
}
