package zone

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// zoneFile finds a zone of the system's.
func zoneFile(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("/usr/share/zoneinfo", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no zones: ", err)
	}
	return path
}

func TestZoneIsReadAgain(t *testing.T) {
	berlin, denver := zoneFile(t, "Europe/Berlin"), zoneFile(t, "America/Denver")
	path := filepath.Join(t.TempDir(), "localtime")
	f := follower{path: path}
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	is := func(what, want string) {
		t.Helper()
		if got := noon.In(f.zone()).Format("15:04 MST"); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	is("no file", noon.In(time.Local).Format("15:04 MST"))
	must(os.Symlink(berlin, path))
	is("a link", "13:00 CET")
	must(os.Symlink(denver, path+".new"))
	must(os.Rename(path+".new", path))
	is("another link", "05:00 MST")
	must(os.Remove(path))
	is("no file any more", "05:00 MST")
	must(os.WriteFile(path, []byte("not a zone"), 0o600))
	is("a bad file", "05:00 MST")
	text, err := os.ReadFile(berlin)
	must(err)
	must(os.WriteFile(path, text, 0o600))
	is("a file", "13:00 CET")
}

func TestTZComesFirst(t *testing.T) {
	t.Setenv("TZ", "America/Denver")
	if Local() != time.Local {
		t.Error("the file's zone in place of TZ's")
	}
}
