//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The zone may change while the agent runs: a laptop travels.
func TestTimeZoneChanges(t *testing.T) {
	need(t, "unshare", "nsenter", "mount")
	h := newHome(t)
	bin := program(t)
	if p := start(t, h.env, "unshare", "-rm", "true"); p.wait(t) != 0 {
		leaveOut(t, "needs a user and a mount namespace: "+p.text())
	}
	localtime, err := filepath.EvalSymlinks("/etc/localtime")
	if err != nil {
		leaveOut(t, err.Error())
	}
	zone := func(name string) string {
		text, err := os.ReadFile(filepath.Join("/usr/share/zoneinfo", name))
		if err != nil {
			leaveOut(t, err.Error())
		}
		return h.write(t, name, string(text))
	}
	berlin, denver := zone("Europe/Berlin"), zone("America/Denver")

	s := h.serve(t, bin)
	config := h.write(t, "config.yaml", fmt.Sprintf("server: tcp://%s\nsubscriptions:\n  - {sender: timer, body: 'at {{ time.Format(\"MST\") }}'}\n", s.addr))
	a := start(t, h.env, "unshare", "-rm", "sh", "-c", `mount --bind "$1" "$2" && exec "$3" --config "$4"`, "sh", berlin, localtime, bin, config)
	a.await(t, subscribedLine)
	s.send(t, "timer", "tick", "1")
	a.await(t, `time=\S+\+0[12]:00 .*timer: tick \| at CES?T`)
	m := start(t, h.env, "nsenter", "-t", fmt.Sprint(a.pid()), "-U", "-m", "--preserve-credentials", "mount", "--bind", denver, localtime)
	if m.wait(t) != 0 {
		t.Fatal(m.text())
	}
	s.send(t, "timer", "tick", "2")
	a.await(t, `time=\S+-0[67]:00 .*timer: tick \| at M[SD]T`)
}
