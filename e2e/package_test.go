//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// machine is where packages are installed, with a session's desktop: this machine, or a
// Debian of its own in a folder. The program has a network of its own, where nobody else
// has the port of a first run.
type machine struct {
	*desktop
	root    string // "": this machine
	network string
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	needMachine(t)
	d := newBareDesktop(t)
	d.startNotifications(t)
	t.Setenv("SOURCE_DATE_EPOCH", strconv.FormatInt(time.Now().Unix(), 10))
	m := &machine{desktop: d, network: "sigalert-" + strconv.Itoa(os.Getpid())}
	done(t, "ip", "netns", "add", m.network)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", m.network).Run() })
	done(t, "ip", "-n", m.network, "link", "set", "lo", "up")
	return m
}

// done runs a command, which must succeed, and returns what it prints.
func done(t testing.TB, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", argv, err, out)
	}
	return string(out)
}

// inDebian makes the machine one that debootstrap makes, which sees the desktop's folder at
// the same path.
func (m *machine) inDebian(t testing.TB) {
	t.Helper()
	need(t, "debootstrap", "chroot", "mount", "umount")
	m.root = filepath.Join(t.TempDir(), "debian")
	done(t, "debootstrap", "--variant=minbase", "bookworm", m.root)
	check(t, os.MkdirAll(m.root+m.dir, 0o755))
	for _, mount := range [][]string{{"--bind", m.dir, m.root + m.dir}, {"-t", "proc", "proc", m.root + "/proc"}} {
		done(t, append([]string{"mount"}, mount...)...)
		t.Cleanup(func() { _ = exec.Command("umount", "--lazy", mount[len(mount)-1]).Run() })
	}
}

// command is a command on the machine, in the desktop's session, with a home of its own.
func (m *machine) command(argv ...string) []string {
	set := []string{"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
		"HOME=" + m.dir, "XDG_RUNTIME_DIR=" + filepath.Join(m.dir, "run"), "DBUS_SESSION_BUS_ADDRESS=" + m.address}
	if m.root != "" {
		set = append([]string{"chroot", m.root}, set...)
	}
	if argv[0] == "sigalert" {
		set = append([]string{"ip", "netns", "exec", m.network}, set...)
	}
	return append(set, argv...)
}

func (m *machine) run(t testing.TB, argv ...string) string {
	t.Helper()
	return done(t, m.command(argv...)...)
}

func (m *machine) apt(t testing.TB, argv ...string) string {
	t.Helper()
	return m.run(t, append([]string{"apt-get", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"}, argv...)...)
}

// ours is every file of a system that has the program's name.
func (m *machine) ours(t testing.TB) string {
	t.Helper()
	return m.run(t, "find", "/etc", "/usr", "/var", "-name", "*sigalert*", "-not", "-path", "/var/log/*", "-not", "-path", "/var/cache/apt/*")
}

// releases makes the packages of a version for this machine, in the desktop's folder.
func (m *machine) releases(t testing.TB, version string, args ...string) (folder string) {
	t.Helper()
	folder = filepath.Join(m.dir, version)
	done(t, append([]string{"go", "-C", "../packaging/dist", "run", ".", "-version", version, "-arch", "amd64", "-system", "linux", "-out", folder}, args...)...)
	check(t, os.Chmod(m.dir, 0o755)) // apt's own user reads the packages
	return folder + "/"
}

// installed installs a package and waits for the first notifications of a new user's agent.
func (m *machine) installed(t testing.TB, install func()) *process {
	t.Helper()
	began := time.Now()
	install()
	ready := time.Since(began)
	agent := start(t, nil, m.command("sigalert")...)
	agent.await(t, "wrote a first configuration")
	m.mon.next(t) // how to send one
	first := time.Since(began)
	m.shows(t, "from a package")
	t.Logf("installed within %.1f s; the first notification is there after %.1f s, a sent one after %.1f s",
		ready.Seconds(), first.Seconds(), time.Since(began).Seconds())
	return agent
}

func (m *machine) shows(t testing.TB, text string) {
	t.Helper()
	m.run(t, "sigalert", "send", "me", "hello", text)
	m.mon.next(t).is(t, "me: hello", text)
}

// has compares the version that is installed.
func (m *machine) has(t testing.TB, version string) {
	t.Helper()
	if got := m.run(t, "sigalert", "version"); !strings.HasPrefix(got, "sigalert "+version+" (") {
		t.Errorf("%s is not %s", got, version)
	}
}

// upgraded upgrades while the agent runs, and ends it.
func (m *machine) upgraded(t testing.TB, agent *process, version string, upgrade func()) {
	t.Helper()
	upgrade()
	agent.running(t)
	m.has(t, version)
	m.shows(t, "after the upgrade")
	m.run(t, "sigalert", "quit")
	if code := agent.wait(t); code != 0 {
		t.Errorf("the agent ends with %d", code)
	}
}

// enabled says whether the router starts with the system.
func (m *machine) enabled(t testing.TB, want bool) {
	t.Helper()
	_, err := os.Lstat(m.root + "/etc/systemd/system/multi-user.target.wants/sigalert-router.service")
	if got := err == nil; got != want {
		t.Errorf("the router is enabled: %t", got)
	}
}

// keep makes what the router keeps, in folders as systemd makes them.
func (m *machine) keep(t testing.TB) {
	t.Helper()
	const private = "/var/lib/private"
	if _, err := os.Stat(m.root + private); err != nil {
		t.Cleanup(func() { _ = os.Remove(m.root + private) })
	}
	m.run(t, "install", "--directory", "--mode=700", private, private+"/sigalert")
	m.run(t, "touch", private+"/sigalert/tokens.json")
}

// kept is what the router keeps.
func (m *machine) kept(t testing.TB, want bool) {
	t.Helper()
	_, err := os.Stat(m.root + "/var/lib/private/sigalert/tokens.json")
	if got := err == nil; got != want {
		t.Errorf("what the router keeps is there: %t", got)
	}
}

// needTime skips a test that takes minutes, and fetches much, unless somebody asks for it.
func needTime(t testing.TB) {
	t.Helper()
	if os.Getenv("SIGALERT_TEST_LONG") == "" {
		t.Skip("takes minutes: make packages")
	}
}

// needMachine skips a test that changes the machine, unless somebody asks for it.
func needMachine(t testing.TB) {
	t.Helper()
	needTime(t)
	need(t, "apt-get", "dpkg", "systemctl", "ip")
	if os.Getuid() != 0 {
		leaveOut(t, "installing packages needs root")
	}
	for _, path := range []string{"/usr/bin/sigalert", "/var/lib/sigalert", "/var/lib/private/sigalert"} {
		if _, err := os.Lstat(path); err == nil {
			t.Skip(path + " is there: it stays as it is")
		}
	}
}

// Where no systemd runs, as on this machine or in a container: installed, upgraded while
// the agent runs, removed, installed again, and purged.
func TestPackageHere(t *testing.T) {
	m := newMachine(t)
	t.Cleanup(func() { _ = exec.Command("dpkg", "--purge", "sigalert", "sigalert-gtk").Run() })
	before := m.ours(t)
	old, recent := m.releases(t, "0.0.1-rc.1", "-gtk=false"), m.releases(t, "0.0.1", "-gtk=false")

	agent := m.installed(t, func() { m.apt(t, "install", old+"sigalert_0.0.1~rc.1-1_amd64.deb") })
	m.enabled(t, false)
	m.run(t, "systemctl", "enable", "sigalert-router.service")
	m.keep(t)
	m.upgraded(t, agent, "0.0.1", func() { m.apt(t, "install", recent+"sigalert_0.0.1-1_amd64.deb") })

	m.apt(t, "remove", "sigalert")
	m.kept(t, true)
	m.apt(t, "install", recent+"sigalert_0.0.1-1_amd64.deb")
	m.enabled(t, true)
	m.apt(t, "purge", "sigalert")
	m.kept(t, false)
	if after := m.ours(t); after != before {
		t.Errorf("it leaves\n%s", after)
	}
}

// On a fresh Debian, and with rpm. The program with GTK takes the place of the one
// without, with the libraries that it needs.
func TestPackage(t *testing.T) {
	needTime(t)
	need(t, "lintian", "rpm")
	m := newMachine(t)
	m.inDebian(t)
	before := m.ours(t)
	old, recent := m.releases(t, "0.0.1"), m.releases(t, "0.0.2", "-gtk=false")

	t.Run("deb", func(t *testing.T) {
		agent := m.installed(t, func() { m.apt(t, "install", old+"sigalert_0.0.1-1_amd64.deb") })
		m.upgraded(t, agent, "0.0.2", func() { m.apt(t, "install", recent+"sigalert_0.0.2-1_amd64.deb") })

		m.keep(t)
		said := m.apt(t, "install", old+"sigalert-gtk_0.0.1-1_amd64.deb")
		if !strings.Contains(said, "The following packages will be REMOVED:\n  sigalert\n") || !strings.Contains(said, "libgtk-3-0") {
			t.Error(said)
		}
		m.has(t, "0.0.1")
		if got := m.run(t, "sh", "-c", "ldd /usr/bin/sigalert; dpkg --audit"); strings.Contains(got, "not found") || !strings.Contains(got, "libgtk-3.so.0") {
			t.Error(got)
		}
		m.apt(t, "install", recent+"sigalert_0.0.2-1_amd64.deb")
		m.has(t, "0.0.2")
		m.apt(t, "install", old+"sigalert-gtk_0.0.1-1_amd64.deb")
		m.has(t, "0.0.1")
		m.apt(t, "purge", "sigalert")
		m.kept(t, true)
		m.apt(t, "purge", "sigalert-gtk")
		m.kept(t, false)
		if after := m.ours(t); after != before {
			t.Errorf("it leaves\n%s", after)
		}
	})
	t.Run("rpm", func(t *testing.T) {
		rpm := func(args ...string) string {
			t.Helper()
			return done(t, append([]string{"rpm", "--root", m.root}, args...)...)
		}
		check(t, os.RemoveAll(filepath.Join(m.dir, ".config")))
		rpm("--initdb")
		agent := m.installed(t, func() { rpm("--install", m.root+old+"sigalert-0.0.1-1.x86_64.rpm") })
		if got := rpm("--verify", "sigalert"); got != "" {
			t.Error(got)
		}
		out, err := exec.Command("rpm", "--root", m.root, "--install", "--nodeps", m.root+old+"sigalert-gtk-0.0.1-1.x86_64.rpm").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "conflicts") {
			t.Errorf("sigalert-gtk is installed, too: %s", out)
		}
		m.upgraded(t, agent, "0.0.2", func() { rpm("--upgrade", m.root+recent+"sigalert-0.0.2-1.x86_64.rpm") })
		rpm("--erase", "sigalert")
		if after := m.ours(t); after != before {
			t.Errorf("it leaves\n%s", after)
		}
	})
	t.Run("lintian", func(t *testing.T) {
		out, err := exec.Command("lintian", "--fail-on", "error,warning", old+"sigalert_0.0.1-1_amd64.deb", old+"sigalert-gtk_0.0.1-1_amd64.deb").CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// With systemd: the router runs as a user that the package has not created. An upgrade
// restarts it, a removal stops it, and a purge removes what it has kept.
func TestPackageWithSystemd(t *testing.T) {
	needTime(t)
	need(t, "systemd-nspawn", "debootstrap")
	m := newMachine(t)
	root := filepath.Join(t.TempDir(), "debian")
	done(t, "debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv", "bookworm", root)
	old, recent := m.releases(t, "0.0.1", "-gtk=false"), m.releases(t, "0.0.2", "-gtk=false")
	done(t, "cp", old+"sigalert_0.0.1-1_amd64.deb", recent+"sigalert_0.0.2-1_amd64.deb", root)
	const script = `#!/bin/bash
exec 3>/log
say() { echo "$1:" $(shift; "$@" 2>&1) >&3; }
states() { say "$1" systemctl is-enabled sigalert-router.service; say "$1" systemctl is-active sigalert-router.service sigalert-router.socket; }
process() { systemctl show -p MainPID sigalert-router.service; }
export DEBIAN_FRONTEND=noninteractive
dpkg -i /sigalert_0.0.1-1_amd64.deb
states installed
systemctl enable --now sigalert-router.service
states started
say folder stat -c %a /var/lib/private/sigalert
[ "$(stat -c %u /var/lib/private/sigalert)" -gt 61000 ] && echo a dynamic user >&3
say sent sigalert send me hello there
before=$(process)
dpkg -i /sigalert_0.0.2-1_amd64.deb
states upgraded
[ "$before" != "$(process)" ] && echo restarted >&3
say sent sigalert send me hello there
dpkg -r sigalert
say removed ls /var/lib/sigalert
dpkg -i /sigalert_0.0.2-1_amd64.deb
states again
dpkg -P sigalert
say purged find /etc /usr /var -name '*sigalert*' -not -path '/var/log/*'
say failed systemctl list-units --failed --plain --no-legend
`
	const want = `installed: disabled
installed: inactive inactive
started: enabled
started: active active
folder: 700
a dynamic user
sent:
upgraded: enabled
upgraded: active active
restarted
sent:
removed: router
again: enabled
again: active active
purged:
failed:
`
	const unit = "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/script\nExecStopPost=systemctl poweroff\n[Install]\nWantedBy=multi-user.target\n"
	check(t, os.WriteFile(filepath.Join(root, "script"), []byte(script), 0o755))
	check(t, os.WriteFile(filepath.Join(root, "etc/systemd/system/script.service"), []byte(unit), 0o644))
	done(t, "chroot", root, "systemctl", "enable", "script.service")
	done(t, "timeout", "180", "systemd-nspawn", "--quiet", "--boot", "--directory", root, "--private-network", "--register=no", "--keep-unit")
	if got, err := os.ReadFile(filepath.Join(root, "log")); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}
