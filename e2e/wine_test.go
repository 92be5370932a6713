//go:build linux

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// prng is a DLL that Go's runtime needs and Wine 8 lacks: it leads to one that is there.
const prng = "LIBRARY bcryptprimitives\nEXPORTS\nProcessPrng = advapi32.SystemFunction036\n"

// wine is a Windows of a test's own, on a desktop, with its archive of sigalert unpacked.
type wine struct {
	*desktop
	c      string // its drive C
	user   string // the user's folder on it
	folder string // where the archive is unpacked, as Windows names it
}

func newWine(t testing.TB) *wine {
	t.Helper()
	const linker = "x86_64-w64-mingw32-ld"
	need(t, "wine", linker)
	d := newBareDesktopOf(t, newHome(t), "1024x700")
	prefix := filepath.Join(d.dir, "wine")
	// Names with a space and an umlaut are common, and a mistake with them is, too.
	const user = "Jörg Müller"
	d.env = slices.DeleteFunc(d.env, func(v string) bool { return strings.HasPrefix(v, "XDG_") })
	d.env = append(d.env, "USER="+user, "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	c := filepath.Join(prefix, "drive_c")
	w := &wine{d, c, filepath.Join(c, "users", user), `C:\users\` + user + `\My Programs\sigalert-0.0.1-windows-amd64\`}
	t.Cleanup(func() { _, _ = w.run("wineboot", "-k") })
	booted := make(chan error, 1)
	go func() {
		_, err := w.run("wineboot", "-i")
		booted <- err
	}()
	archive := windowsArchive(t)
	check(t, <-booted)
	out, err := exec.Command(linker, "-shared", "-o", filepath.Join(c, "windows/system32/bcryptprimitives.dll"), d.write(t, "prng.def", prng)).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v", out, err)
	}
	unpack(t, archive, filepath.Join(w.user, "My Programs"))
	return w
}

// windowsArchive makes the archive for Windows.
func windowsArchive(t testing.TB) string {
	t.Helper()
	out := t.TempDir()
	make := exec.Command("go", "run", ".", "-version", "0.0.1", "-commit", strings.Repeat("c0ffee", 7), "-arch", "amd64", "-system", "windows", "-out", out)
	make.Dir, make.Env = "../packaging/dist", append(os.Environ(), "SOURCE_DATE_EPOCH=1234567890")
	if text, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%s %v", text, err)
	}
	return filepath.Join(out, "sigalert-0.0.1-windows-amd64.zip")
}

func unpack(t testing.TB, file, folder string) {
	t.Helper()
	archive, err := zip.OpenReader(file)
	check(t, err)
	defer archive.Close()
	for _, f := range archive.File {
		to := filepath.Join(folder, filepath.FromSlash(f.Name))
		check(t, os.MkdirAll(filepath.Dir(to), 0o755))
		from, err := f.Open()
		check(t, err)
		content, err := io.ReadAll(from)
		check(t, err)
		check(t, os.WriteFile(to, content, 0o755))
	}
}

// run runs a program of Windows, and returns what it prints. That goes to a file: Wine
// has processes that outlive the program and keep its output open.
func (w *wine) run(argv ...string) (string, error) { return w.runFor(time.Minute, argv...) }

func (w *wine) runFor(limit time.Duration, argv ...string) (string, error) {
	out, err := os.CreateTemp(w.dir, "")
	if err != nil {
		return "", err
	}
	defer out.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := exec.CommandContext(ctx, "wine", argv...)
	c.Env, c.Stdout, c.Stderr = w.env, out, out
	err = c.Run()
	text, _ := os.ReadFile(out.Name())
	return strings.ReplaceAll(string(text), "\r", ""), err
}

// sigalert runs a command, which must succeed.
func (w *wine) sigalert(t testing.TB, args ...string) string {
	t.Helper()
	out, err := w.run(append([]string{w.folder + "sigalert.exe"}, args...)...)
	if err != nil {
		t.Fatalf("%s: %s%v", args, out, err)
	}
	return out
}

// status waits until the status of the agent matches. Wine leads the first who opens a
// pipe to where nobody answers, so that an attempt must be short, if the machine allows.
func (w *wine) status(t testing.TB, pattern string) {
	t.Helper()
	want := regexp.MustCompile(pattern)
	limit := time.Second
	eventually(t, "the status matches "+pattern, func() bool {
		limit *= 2
		got, err := w.runFor(limit, w.folder+"sigalert.exe", "status")
		return err == nil && want.MatchString(got)
	})
}

// window waits for a window of a program that is at least this high, or until it is gone.
func (w *wine) window(t testing.TB, class string, height int, there bool) (found image.Rectangle) {
	t.Helper()
	eventually(t, fmt.Sprintf("there is a window of %s with a height of %d: %v", class, height, there), func() bool {
		found = image.Rectangle{}
		for _, at := range w.windows(class) {
			if at.Dx() > 1 && at.Dy() >= height && at.Dy() < 700 && at.Dy() > found.Dy() {
				found = at
			}
		}
		return found.Empty() != there
	})
	return found
}

// balloon waits for one, or until there is none.
func (w *wine) balloon(t testing.TB, there bool) image.Rectangle {
	t.Helper()
	return w.window(t, "explorer.exe", 40, there)
}

// files are those that the user has for sigalert.
func (w *wine) files(t testing.TB) (all []string) {
	t.Helper()
	for _, folder := range []string{"AppData", "Temp"} {
		check(t, filepath.WalkDir(filepath.Join(w.user, folder), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				name, _ := filepath.Rel(w.user, path)
				all = append(all, name)
			}
			return err
		}))
	}
	return all
}

// The archive for Windows, as a user gets it, on a Windows without toasts: an alert is a
// balloon.
func TestWindows(t *testing.T) {
	t.Parallel()
	needDefaultPort(t)
	bin, w := program(t), newWine(t)
	if got := w.sigalert(t, "version"); !regexp.MustCompile(`^sigalert 0\.0\.1 \(pysig protocol \S+, commit c0ffeec0ffee of 2009-02-13, go\S+, windows/amd64\)\n$`).MatchString(got) {
		t.Error(got)
	}
	start(t, w.env, "wine", "explorer", "/desktop=shell,1024x700")
	eventually(t, "there is a desktop", func() bool { return len(w.windows("explorer.exe")) > 1 })
	before := w.files(t)

	// What ends without anywhere to print why says so in a window.
	if out, err := w.run("start", w.folder+"sigalertw.exe", "--config", `C:\missing.yaml`); err != nil {
		t.Error(out, err)
	}
	box := w.window(t, "sigalertw.exe", 60, true)
	w.picture(t, "windows-error.png", box)
	w.click(t, image.Pt((box.Min.X+box.Max.X)/2, box.Max.Y-22))
	w.window(t, "sigalertw.exe", 60, false)
	screen := image.Rect(0, 0, 1024, 700)
	var empty sight
	eventually(t, "the desktop is drawn where the window was", func() bool {
		empty = w.lookAtRest(t, screen)
		at := empty.RGBAAt(512, 350)
		return at != color.RGBA{A: 255} && at == empty.RGBAAt(1000, 600)
	})

	// The first run writes a configuration, and says how to try it. The port is changed to
	// one of its own, as other tests have agents, too: a change takes effect at once.
	agent := start(t, w.env, "wine", w.folder+"sigalertw.exe")
	agent.await(t, "wrote a first configuration")
	agent.await(t, `to see a first notification.*My Programs.*\\sigalert\.exe\\" send me hello`)
	w.balloon(t, true)
	w.picture(t, "windows-welcome.png", image.Rect(0, 0, 600, 120))
	w.status(t, `Connected to 127\.0\.0\.1:3000 .*\n.*\n5 subscriptions`)
	addr := "127.0.0.1:" + freePort(t)
	config := fmt.Sprintf("router: {listen: %q}\nsubscriptions:\n  - {sender: me}\n", addr)
	check(t, os.WriteFile(filepath.Join(w.user, "AppData/Roaming/sigalert/config.yaml"), []byte(config), 0o644))
	w.status(t, "Connected to "+addr+` .*\n.*\n1 subscription`)

	const runKey = `HKCU\Software\Microsoft\Windows\CurrentVersion\Run`
	w.sigalert(t, "autostart", "enable")
	entry, err := w.run("reg", "query", runKey)
	if err != nil || !regexp.MustCompile(`sigalert +REG_SZ +"C:.*\\My Programs\\.*\\sigalertw\.exe"\n`).MatchString(entry) {
		t.Error(entry, err)
	}
	w.sigalert(t, "autostart", "disable")
	if entry, err := w.run("reg", "query", runKey); err != nil || strings.Contains(entry, "sigalert") {
		t.Error(entry, err)
	}

	// Sent from Linux, shown by a balloon until it is over.
	send := func(data string) {
		t.Helper()
		if out, err := exec.Command(bin, "send", "--server", addr, "me", "hello", data).CombinedOutput(); err != nil {
			t.Fatalf("%s %v", out, err)
		}
	}
	w.balloon(t, false) // that of the first run is over
	send(`{"title": "Fish & Chips", "message": "from <Linux>", "tag": "lunch"}`)
	w.balloon(t, true)
	w.picture(t, "windows-balloon.png", image.Rect(0, 0, 300, 120))
	send(`{"tag": "lunch", "resolved": true}`)
	w.balloon(t, false)
	w.status(t, "1 shown")

	// A real click pauses: on the fifth line of the menu, which ends in the same ones always.
	const fromBottom = 183
	w.clickWith(t, "3", image.Pt(13, 32))
	menu := w.window(t, "sigalertw.exe", 200, true)
	w.picture(t, "windows-menu.png", menu)
	w.click(t, image.Pt(menu.Min.X+40, menu.Max.Y-fromBottom))
	w.status(t, "Paused until")
	w.sigalert(t, "resume")

	// A second start opens the history of the first.
	opened := w.fakeEditor(t)
	if out, err := w.run(w.folder + "sigalertw.exe"); err != nil {
		t.Error(out, err)
	}
	link := ""
	eventually(t, "the history is opened", func() bool {
		text, _ := os.ReadFile(opened)
		link = strings.TrimSpace(string(text))
		return link != ""
	})
	if status, page := newReader(t).get(t, link); status != 200 || !strings.Contains(page, "sigalert history") {
		t.Errorf("%d %s", status, page)
	}
	if history := w.sigalert(t, "history", "--json"); !strings.Contains(history, "from <Linux>") {
		t.Error(history)
	}

	w.sigalert(t, "quit")
	if code := agent.wait(t); code != 0 {
		t.Errorf("it exits with %d", code)
	}
	if out, err := w.run(w.folder+"sigalert.exe", "status"); err == nil || !strings.Contains(out, "no agent is running") {
		t.Error(out, err)
	}
	// It stays until somebody has seen its balloon.
	tried := start(t, w.env, "wine", w.folder+"sigalert.exe", "test")
	w.balloon(t, true)
	if code := tried.wait(t); code != 0 {
		t.Errorf("a test exits with %d: %s", code, tried.text())
	}
	eventually(t, "there is no icon left", func() bool { return bytes.Equal(w.look(t, screen).Pix, empty.Pix) })
	ours := regexp.MustCompile(`^AppData/(Roaming/sigalert/config\.yaml|Local/sigalert[./].*|Local/cache/sigalert/sigalert\.png)$`)
	for _, name := range w.files(t) {
		if !slices.Contains(before, name) && !ours.MatchString(name) {
			t.Errorf("%s is left", name)
		}
	}
}
