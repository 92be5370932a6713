//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chroot is a Debian of its own, which sees the desktop's folders at the same place.
type chroot struct {
	dir string
	d   *desktop
}

func newChroot(t testing.TB, d *desktop) *chroot {
	t.Helper()
	need(t, "debootstrap", "chroot", "mount", "umount")
	if os.Getuid() != 0 {
		leaveOut(t, "needs root, for a Debian of its own")
	}
	c := &chroot{filepath.Join(t.TempDir(), "debian"), d}
	if out, err := exec.Command("debootstrap", "--variant=minbase", "bookworm", c.dir).CombinedOutput(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	inside := filepath.Join(c.dir, d.dir)
	check(t, os.MkdirAll(inside, 0o755))
	if out, err := exec.Command("mount", "--bind", d.dir, inside).CombinedOutput(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	t.Cleanup(func() { _ = exec.Command("umount", inside).Run() })
	return c
}

// command is a command in the chroot, in the desktop's session.
func (c *chroot) command(argv ...string) []string {
	return append([]string{"chroot", c.dir, "env", "-i",
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
		"DBUS_SESSION_BUS_ADDRESS=" + c.d.address}, argv...)
}

func (c *chroot) run(t testing.TB, argv ...string) string {
	t.Helper()
	argv = c.command(argv...)
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", argv, err, out)
	}
	return string(out)
}

func (c *chroot) put(t testing.TB, from string) (name string) {
	t.Helper()
	content, err := os.ReadFile(from)
	check(t, err)
	name = filepath.Base(from)
	check(t, os.WriteFile(filepath.Join(c.dir, name), content, 0o644))
	return "/" + name
}

// dist makes a package of a version for this machine.
func dist(t testing.TB, version string) string {
	t.Helper()
	out := t.TempDir()
	make := exec.Command("go", "run", ".", "-version", version, "-arch", "amd64", "-system", "linux", "-gtk=false", "-out", out)
	make.Dir = "../packaging/dist"
	if text, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%s %v", text, err)
	}
	return filepath.Join(out, fmt.Sprintf("sigalert_%s-1_amd64.deb", version))
}

// On a fresh Debian: from the package to the first notification, an upgrade while the
// agent runs, and what is left when it is removed.
func TestPackage(t *testing.T) {
	if os.Getenv("SIGALERT_TEST_LONG") == "" {
		t.Skip("takes minutes: SIGALERT_TEST_LONG=1")
	}
	d := newBareDesktop(t)
	d.startNotifications(t)
	c := newChroot(t, d)
	before := c.run(t, "find", "/", "-xdev", "-name", "*sigalert*", "-not", "-path", "/tmp/*", "-not", "-path", "/proc/*")
	deb := c.put(t, dist(t, "0.0.1"))

	began := time.Now()
	c.run(t, "apt-get", "install", "-y", "--no-install-recommends", deb)
	argv := c.command("sigalert")
	agent := start(t, nil, argv...)
	agent.await(t, "wrote a first configuration")
	d.mon.next(t) // how to send one
	c.run(t, "sigalert", "send", "me", "hello", "from a package")
	if got := d.mon.next(t); got.body != "from a package" {
		t.Errorf("%+v", got)
	}
	t.Logf("from apt-get install to the first notification: %.1f s", time.Since(began).Seconds())

	for _, name := range []string{
		"/usr/share/man/man1/sigalert-send.1.gz", "/usr/share/bash-completion/completions/sigalert",
		"/usr/lib/systemd/system/sigalert-router.service", "/usr/share/applications/sigalert.desktop",
	} {
		if _, err := os.Stat(filepath.Join(c.dir, name)); err != nil {
			t.Error(err)
		}
	}

	c.run(t, "apt-get", "install", "-y", "--no-install-recommends", c.put(t, dist(t, "0.0.2")))
	agent.running(t)
	if got := c.run(t, "sigalert", "version"); !strings.HasPrefix(got, "sigalert 0.0.2 ") {
		t.Error(got)
	}
	c.run(t, "sigalert", "send", "me", "hello", "after the upgrade")
	if got := d.mon.next(t); got.body != "after the upgrade" {
		t.Errorf("%+v", got)
	}
	c.run(t, "sigalert", "quit")
	agent.wait(t)

	c.run(t, "apt-get", "purge", "-y", "sigalert")
	c.run(t, "rm", "-rf", "/root/.config/sigalert", "/root/.local/state/sigalert", deb, "/sigalert_0.0.2-1_amd64.deb")
	after := c.run(t, "find", "/", "-xdev", "-name", "*sigalert*", "-not", "-path", "/tmp/*", "-not", "-path", "/proc/*")
	if after != before {
		t.Errorf("it leaves %s", after)
	}
}
