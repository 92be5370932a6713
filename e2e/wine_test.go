//go:build linux

package e2e

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// prng is what Go's runtime needs of Windows and Wine 8 lacks.
const prng = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n) { return SystemFunction036(p, (ULONG)n); }
`

// wine is a Windows of a test's own, on a desktop.
type wine struct {
	*desktop
	c string // its drive C
}

func newWine(t testing.TB) *wine {
	t.Helper()
	const compiler = "x86_64-w64-mingw32-gcc"
	need(t, "wine", compiler, "xdotool", "Xvfb")
	d := newBareDesktopOf(t, newHome(t), "1024x700")
	prefix := filepath.Join(d.dir, "wine")
	d.env = append(d.env, "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	w := &wine{d, filepath.Join(prefix, "drive_c")}
	if out, err := w.run("wineboot", "-i"); err != nil {
		t.Fatal(out, err)
	}
	t.Cleanup(func() { _, _ = w.run("wineboot", "-k") })
	source := d.write(t, "prng.c", prng)
	dll := filepath.Join(w.c, "windows", "system32", "bcryptprimitives.dll")
	if out, err := exec.Command(compiler, "-shared", "-o", dll, source, "-ladvapi32").CombinedOutput(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	return w
}

// run runs a program of Windows, and returns what it prints. That goes to a file: Wine
// has processes that outlive the program and keep its output open.
func (w *wine) run(argv ...string) (string, error) {
	out, err := os.CreateTemp(w.dir, "")
	if err != nil {
		return "", err
	}
	defer out.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "wine", argv...)
	c.Env, c.Stdout, c.Stderr = w.env, out, out
	err = c.Run()
	text, _ := os.ReadFile(out.Name())
	return strings.ReplaceAll(string(text), "\r", ""), err
}

// unpack makes the archive for Windows, and unpacks it as a user does.
func (w *wine) unpack(t testing.TB) (folder string) {
	t.Helper()
	out := t.TempDir()
	make := exec.Command("go", "run", ".", "-version", "0.0.1", "-arch", "amd64", "-system", "windows", "-out", out)
	make.Dir = "../packaging/dist"
	if text, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%s %v", text, err)
	}
	archive, err := zip.OpenReader(filepath.Join(out, "sigalert-0.0.1-windows-amd64.zip"))
	check(t, err)
	defer archive.Close()
	for _, f := range archive.File {
		to := filepath.Join(w.c, filepath.FromSlash(f.Name))
		check(t, os.MkdirAll(filepath.Dir(to), 0o755))
		from, err := f.Open()
		check(t, err)
		content, err := io.ReadAll(from)
		check(t, err)
		check(t, os.WriteFile(to, content, 0o755))
	}
	return `C:\sigalert-0.0.1-windows-amd64\`
}

// windowOf waits for a visible window of a program, of which the largest counts.
func (w *wine) windowOf(t testing.TB, class, what string) (largest image.Rectangle) {
	t.Helper()
	eventually(t, what, func() bool {
		for _, at := range w.windows(class) {
			if at.Dx() > 1 && at.Dx()*at.Dy() > largest.Dx()*largest.Dy() {
				largest = at
			}
		}
		return !largest.Empty()
	})
	return largest
}

// pixels is the same for pictures that look the same.
func pixels(m image.Image) (sum [sha256.Size]byte) {
	h := sha256.New()
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			r, g, b, _ := m.At(x, y).RGBA()
			h.Write([]byte{byte(r), byte(g), byte(b)})
		}
	}
	h.Sum(sum[:0])
	return sum
}

// The archive for Windows, as a user gets it, on the Windows that is there. It has no
// toasts: an alert is a balloon.
func TestWindows(t *testing.T) {
	if os.Getenv("SIGALERT_TEST_LONG") == "" {
		t.Skip("takes a minute, and Wine: make windows")
	}
	w := newWine(t)
	folder := w.unpack(t)
	run := func(args ...string) string {
		t.Helper()
		out, err := w.run(append([]string{folder + "sigalert.exe"}, args...)...)
		if err != nil {
			t.Fatalf("%s: %s%v", args, out, err)
		}
		return out
	}
	if got := run("version"); !strings.HasPrefix(got, "sigalert 0.0.1 (") || !strings.Contains(got, "windows/amd64") {
		t.Error(got)
	}

	start(t, w.env, "wine", "explorer", "/desktop=shell,1024x700")
	w.windowOf(t, "explorer.exe", "Wine's desktop is there")
	first := start(t, w.env, "wine", folder+"sigalertw.exe")
	config := ""
	eventually(t, "a first run writes a configuration", func() bool {
		found, _ := filepath.Glob(filepath.Join(w.c, "users", "*", "AppData", "Roaming", "sigalert", "config.yaml"))
		if len(found) > 0 {
			config = found[0]
		}
		return config != ""
	})
	eventually(t, "the first agent ends", func() bool {
		_, err := w.run(folder+"sigalert.exe", "quit")
		return err == nil
	})
	first.wait(t)

	// A port of its own: other tests have agents, too.
	addr := "127.0.0.1:" + freePort(t)
	text := fmt.Sprintf("router: {listen: %q}\nsubscriptions:\n  - {sender: me}\n", addr)
	check(t, os.WriteFile(config, []byte(text), 0o644))
	agent := start(t, w.env, "wine", folder+"sigalertw.exe")
	status := func(want string) {
		t.Helper()
		got := ""
		eventually(t, "its status has "+want, func() bool {
			var err error
			got, err = w.run(folder+"sigalert.exe", "status")
			return err == nil && strings.Contains(got, want)
		})
		t.Log(got)
	}
	status("1 subscription")

	// Sent from Linux, and shown with an icon of its own in the tray.
	bin := program(t)
	calm := pixels(w.screenshot(t))
	if out, err := exec.Command(bin, "send", "--server", addr, "me", "hello", "from Linux").CombinedOutput(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	status("1 shown")
	eventually(t, "something is shown", func() bool { return pixels(w.screenshot(t)) != calm })
	w.picture(t, "windows", image.Rect(0, 0, 400, 200))

	// A real click pauses: on the fifth line of the menu, which ends in the same ones always.
	const fromBottom = 183
	tray := image.Pt(13, 32)
	w.clickWith(t, "3", tray)
	menu := w.windowOf(t, "sigalertw.exe", "the menu is open")
	w.click(t, image.Pt(menu.Min.X+40, menu.Max.Y-fromBottom))
	status("aused")
	run("resume")

	// A change of the file takes effect, and a second start leaves the first alone.
	check(t, os.WriteFile(config, []byte(text+"  - {sender: you}\n"), 0o644))
	status("2 subscriptions")
	second := start(t, w.env, "wine", folder+"sigalert.exe")
	if code := second.wait(t); code != 0 {
		t.Errorf("a second start exits with %d", code)
	}

	history := run("history", "--json")
	if !strings.Contains(history, "from Linux") {
		t.Error(history)
	}
	_, page := agent.await(t, `msg=history url=(http://\S+)`)
	for _, url := range []string{page[1], "http://" + addr + "/healthz"} {
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusUnauthorized { // without a key
			t.Errorf("%s: %s", url, answer.Status)
		}
	}

	run("autostart", "enable")
	entry, err := w.run("reg", "query", `HKCU\Software\Microsoft\Windows\CurrentVersion\Run`)
	if err != nil || !strings.Contains(entry, folder+"sigalertw.exe") {
		t.Error(entry, err)
	}
	run("autostart", "disable")

	run("quit")
	if code := agent.wait(t); code != 0 {
		t.Errorf("it exits with %d", code)
	}
	time.Sleep(100 * time.Millisecond)
	if _, err := w.run(folder+"sigalert.exe", "status"); err == nil {
		t.Error("an agent is left")
	}
}
