//go:build linux

package notify_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"

	"sigalert/agent/notify"
)

// dunst runs the real server, and returns what it prints about each notification
// that it shows, and what ends it.
func (b *bus) dunst(t *testing.T, display string) (shown <-chan string, stop func()) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "dunstrc")
	if err := os.WriteFile(config, []byte("[global]\n\tmarkup = full\n\tformat = \"<b>%s</b>\\n%b\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	watch := b.connect(t)
	owners := make(chan *dbus.Signal, 10)
	watch.Signal(owners)
	if err := watch.AddMatchSignal(dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, serverName)); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command("dunst", "-conf", config, "-print")
	cmd.Env = append(os.Environ(), "DISPLAY="+display, "WAYLAND_DISPLAY=", "LC_ALL=C.UTF-8")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed, read := make(chan string, 10), make(chan struct{})
	go func() {
		defer close(read)
		splitBlocks(out, printed)
	}()
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(os.Interrupt)
		<-read
		cmd.Wait()
	})
	t.Cleanup(stop)
	for owner := ""; owner == ""; { // the bus also reports our own name, and that the name was given up
		if sig := receive(t, owners, "dunst to take its name"); sig.Name == "org.freedesktop.DBus.NameOwnerChanged" {
			owner, _ = sig.Body[2].(string)
		}
	}
	return printed, stop
}

// splitBlocks sends each of dunst's blocks, which stand between braces on lines of their own.
func splitBlocks(out io.Reader, blocks chan<- string) {
	var block strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch lines.Text() {
		case "{":
			block.Reset()
		case "}":
			blocks <- block.String()
		default:
			block.WriteString(lines.Text() + "\n")
		}
	}
}

func TestDunst(t *testing.T) {
	need(t, "Xvfb", "dunst")
	b := startBus(t)
	_, number := start(t, "Xvfb", "-displayfd", "3", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset")
	printed, stop := b.dunst(t, ":"+number)
	d := open(t)
	show := func(n notify.Notification, want ...string) notify.Receipt {
		t.Helper()
		receipt, err := d.Notify(within(t), n)
		if err != nil {
			t.Fatalf("notify: %v", err)
		}
		if !regexp.MustCompile(`^dunst \d.* \(knopwob\) over D-Bus$`).MatchString(receipt.Via) {
			t.Errorf("receipt %+v, want dunst's", receipt)
		}
		got := receive(t, printed, "dunst to show it")
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("dunst shows\n%swant it to contain %q", got, line)
			}
		}
		return receipt
	}

	first := show(notify.Notification{Title: "link", Body: "down <a & b>\nsince 12:00", Urgency: notify.Critical, Key: "link"},
		"appname: 'sigalert'", "summary: 'link'", "urgency: CRITICAL", "desktop_entry: 'sigalert'", "stack_tag: link",
		"<b>link</b>\ndown &lt;a &amp; b&gt;\nsince 12:00")
	second := show(notify.Notification{Title: "link", Body: "back", Urgency: notify.Low, Key: "link"}, "urgency: LOW", "body: 'back'")
	if second.ID != first.ID {
		t.Errorf("the second has id %d, want it to replace %d", second.ID, first.ID)
	}
	other := show(notify.Notification{Title: "a\x00b", Body: strings.Repeat("long ", 1<<18)}, "summary: 'ab'", "…")
	if other.ID == first.ID {
		t.Errorf("one without a key replaces %d", first.ID)
	}

	stop()
	printed, _ = b.dunst(t, ":"+number)
	show(notify.Notification{Title: "link", Body: "after a restart", Key: "link"}, "body: 'after a restart'")
}
