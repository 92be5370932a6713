//go:build linux

package notify_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
)

// Where the server plays no sounds, the first program that can does.
func TestSoundByProgram(t *testing.T) {
	for _, test := range []struct {
		name, sound string
		programs    []string
		want        string
	}{
		{"theme", "bell", []string{"canberra-gtk-play", "pw-play", "paplay", "aplay"}, "canberra-gtk-play --id=bell"},
		{"an option", "-rf", []string{"canberra-gtk-play"}, "canberra-gtk-play --id=-rf"},
		{"file", "/a b.oga", []string{"canberra-gtk-play", "pw-play", "paplay", "aplay"}, "pw-play /a b.oga"},
		{"PulseAudio", "/a.oga", []string{"canberra-gtk-play", "paplay", "aplay"}, "paplay /a.oga"},
		{"ALSA", "/a.WAV", []string{"canberra-gtk-play", "aplay"}, "aplay -q /a.WAV"},
		{"what ALSA takes for noise", "/a.oga", []string{"canberra-gtk-play", "aplay"}, "canberra-gtk-play --file=/a.oga"},
		{"the first fails", "/a.oga", []string{"broken pw-play", "paplay"}, "pw-play /a.oga paplay /a.oga"},
		{"nothing there", "/a.oga", nil, ""},
		{"silence", "none", []string{"canberra-gtk-play"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startBus(t).serve(t, &server{})
			record, lines := recorder(t)
			scripts := make(map[string]string)
			for _, program := range test.programs {
				name, broken := strings.CutPrefix(program, "broken ")
				scripts[name] = record
				if broken {
					scripts[name] += "exit 1\n"
				}
			}
			commands(t, scripts)
			d := open(t)
			send(t, d, s, notify.Notification{Title: "x", Sound: test.sound})
			var got string
			eventually(t, test.want, func() bool {
				got = strings.ReplaceAll(strings.TrimSpace(strings.Join(lines(), "")), "\n", " ")
				return len(got) >= len(test.want)
			})
			d.Close()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("played (-want +got):\n%s", diff)
			}
		})
	}
}

// One that does not end keeps others from being played, and holds up neither
// notifications nor Close, which ends it and what it has started.
func TestSoundThatDoesNotEnd(t *testing.T) {
	s := startBus(t).serve(t, &server{})
	dir := t.TempDir()
	pids, fifo := filepath.Join(dir, "pids"), filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	hang := "read line <" + fifo
	commands(t, map[string]string{"pw-play": "(" + hang + ") &\necho $! $$ >>" + pids + "\n" + hang + "\n"})
	d := open(t)
	n := notify.Notification{Title: "x", Sound: "/a.wav"}
	send(t, d, s, n)
	started := func() []string {
		text, _ := os.ReadFile(pids)
		return strings.Fields(string(text))
	}
	eventually(t, "the player", func() bool { return len(started()) == 2 })
	for range 10 {
		send(t, d, s, n)
	}
	d.Close()
	if got := started(); len(got) != 2 {
		t.Errorf("%d processes were started", len(got))
	}
	for _, field := range started() {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the end of what was played", func() bool { return !runs(pid) })
	}
}

// runs reports whether the process is there and no zombie.
func runs(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
