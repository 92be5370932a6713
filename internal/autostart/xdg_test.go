//go:build unix && !darwin

package autostart

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newHome gives the test folders of its own and a program in them.
func newHome(t *testing.T) (config, data, exe string) {
	t.Helper()
	home := t.TempDir()
	config, data = filepath.Join(home, "config"), filepath.Join(home, "data")
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", config)
	t.Setenv("XDG_DATA_HOME", data)
	t.Setenv("XDG_DATA_DIRS", filepath.Join(home, "system"))
	return config, data, newProgram(t, filepath.Join(home, "my $bin"))
}

func newProgram(t *testing.T, dir string) string {
	t.Helper()
	exe := filepath.Join(dir, "sigalert")
	write(t, exe, "#!/bin/sh\n")
	if err := os.Chmod(exe, 0o755); err != nil {
		t.Fatal(err)
	}
	return exe
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func filesIn(t *testing.T, dirs ...string) []string {
	t.Helper()
	var files []string
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return files
}

func checkStatus(t *testing.T, want Entry) {
	t.Helper()
	if got, err := Status(); got != want || err != nil {
		t.Errorf("Status() = %+v, %v\nwant %+v", got, err, want)
	}
}

func TestEnableAndDisable(t *testing.T) {
	config, data, exe := newHome(t)
	checkStatus(t, Entry{})

	where, err := Enable(exe)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(config, "autostart/sigalert.desktop"); where != want {
		t.Errorf("where %q, want %q", where, want)
	}
	checkStatus(t, Entry{Enabled: true, Where: where, Exe: exe})
	want := []string{
		where,
		filepath.Join(data, "applications/sigalert.desktop"),
		filepath.Join(data, "icons/hicolor/256x256/apps/sigalert.png"),
		filepath.Join(data, "icons/hicolor/48x48/apps/sigalert.png"),
		filepath.Join(data, "icons/hicolor/scalable/apps/sigalert.svg"),
	}
	if got := filesIn(t, config, data); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}

	before, _ := os.Stat(where)
	if _, err := Enable(exe); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(where); !os.SameFile(before, after) {
		t.Error("an entry that is right was written again")
	}

	removed, err := Disable()
	if !removed || err != nil {
		t.Errorf("Disable() = %v, %v", removed, err)
	}
	if files := filesIn(t, config, data); len(files) > 0 {
		t.Errorf("left behind: %q", files)
	}
	if removed, err := Disable(); removed || err != nil {
		t.Errorf("second Disable() = %v, %v", removed, err)
	}
	checkStatus(t, Entry{})
}

func TestStaleEntry(t *testing.T) {
	_, _, exe := newHome(t)
	old := newProgram(t, t.TempDir())
	where, err := Enable(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(old); err != nil {
		t.Fatal(err)
	}
	checkStatus(t, Entry{Where: where, Exe: old, Fault: old + " does not exist or cannot be run", Broken: true})
	if _, err := Enable(exe); err != nil {
		t.Fatal(err)
	}
	checkStatus(t, Entry{Enabled: true, Where: where, Exe: exe})
}

func TestTurnedOff(t *testing.T) {
	_, _, exe := newHome(t)
	where, err := Enable(exe)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(where)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Hidden=true", "X-GNOME-Autostart-enabled=false"} {
		write(t, where, string(text)+line+"\n")
		checkStatus(t, Entry{Where: where, Exe: exe, Fault: "it is turned off"})
		if _, err := Enable(exe); err != nil {
			t.Fatal(err)
		}
		checkStatus(t, Entry{Enabled: true, Where: where, Exe: exe})
	}
}

func TestSystemdUnit(t *testing.T) {
	config, _, exe := newHome(t)
	if _, err := Enable(exe); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(config, "systemd/user/graphical-session.target.wants/sigalert.service")
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere/sigalert.service", link); err != nil {
		t.Fatal(err)
	}
	checkStatus(t, Entry{Enabled: true, Where: link})
	if _, err := Enable(exe); !errors.Is(err, ErrUnit) || !strings.Contains(err.Error(), link) {
		t.Errorf("Enable: %v", err)
	}
	if removed, err := Disable(); !removed || !errors.Is(err, ErrUnit) {
		t.Errorf("Disable() = %v, %v", removed, err)
	}
}

func TestUnitWhoseProgramIsGone(t *testing.T) {
	config, _, exe := newHome(t)
	unit := filepath.Join(config, "systemd/user/graphical-session.target.wants/sigalert.service")
	gone := exe + " of old"
	for command, want := range map[string]Entry{
		`"` + exe + `" --log-level debug`: {Enabled: true, Where: unit, Exe: exe},
		`"` + gone + `"`:                  {Where: unit, Exe: gone, Fault: gone + " does not exist or cannot be run", Broken: true},
		"%h/bin/sigalert":                 {Enabled: true, Where: unit},
		"sigalert":                        {Enabled: true, Where: unit},
	} {
		write(t, unit, "[Service]\nExecStart="+command+"\n")
		checkStatus(t, want)
	}
}

// KDE keeps no history of the alerts of a program that is not among the applications.
func TestHiddenApplication(t *testing.T) {
	_, data, exe := newHome(t)
	path := filepath.Join(data, application)
	if _, err := Enable(exe); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if started, _ := parseDesktop(string(text)); started != exe || !strings.Contains(string(text), "\nNoDisplay=true\n") {
		t.Errorf("the entry is\n%s", text)
	}

	// Some sessions list the user's directory with the system's.
	system := os.Getenv("XDG_DATA_DIRS")
	t.Setenv("XDG_DATA_DIRS", data+":"+system)
	if _, err := Enable(exe); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}

	// The system's package brings one that the menu shows; ours would hide it.
	system = filepath.Join(system, application)
	write(t, system, "[Desktop Entry]\n")
	if _, err := Enable(exe); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it still stands before the system's: %v", err)
	}

	// One of the user's own stays as it is.
	if err := os.Remove(system); err != nil {
		t.Fatal(err)
	}
	const own = "[Desktop Entry]\nName=mine\n"
	write(t, path, own)
	if _, err := Enable(exe); err != nil {
		t.Fatal(err)
	}
	if _, err := Disable(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); string(text) != own {
		t.Errorf("the user's own entry is now %q, %v", text, err)
	}
}

func TestForeignIconStays(t *testing.T) {
	_, data, exe := newHome(t)
	if _, err := Enable(exe); err != nil {
		t.Fatal(err)
	}
	icon := filepath.Join(data, "icons", iconFiles[0])
	write(t, icon, "another")
	if _, err := Disable(); err != nil {
		t.Fatal(err)
	}
	if files := filesIn(t, data); !slices.Equal(files, []string{icon}) {
		t.Errorf("files %q", files)
	}
}

func TestFallbackFolders(t *testing.T) {
	_, _, exe := newHome(t)
	home := os.Getenv("HOME")
	t.Setenv("XDG_CONFIG_HOME", "relative")
	t.Setenv("XDG_DATA_HOME", "")
	where, err := Enable(exe)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(home, ".config/autostart/sigalert.desktop"); where != want {
		t.Errorf("where %q, want %q", where, want)
	}
	if files := filesIn(t, filepath.Join(home, ".local/share/icons")); len(files) != len(iconFiles) {
		t.Errorf("icons %q", files)
	}
}

func TestRelativePath(t *testing.T) {
	config, data, _ := newHome(t)
	if _, err := Enable("sigalert"); err == nil {
		t.Error("a relative path is taken")
	}
	if files := filesIn(t, config, data); len(files) > 0 {
		t.Errorf("files %q", files)
	}
}

func TestUnwritableFolder(t *testing.T) {
	config, _, exe := newHome(t)
	write(t, config, "a file in the folder's place")
	if _, err := Enable(exe); err == nil {
		t.Error("no error")
	}
}
