package autostart

import (
	"os"
	"testing"

	"golang.org/x/sys/windows/registry"
)

// The test works on a value of its own: the user's entry stays as it is.
func TestRegistry(t *testing.T) {
	const v value = "sigalert autostart test"
	t.Cleanup(func() { v.disable() })
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	check := func(want Entry) {
		t.Helper()
		if got, err := v.status(); got != want || err != nil {
			t.Errorf("status %+v, %v\nwant %+v", got, err, want)
		}
	}
	check(Entry{})
	gone := `C:\no such folder\sigalert.exe`
	if _, err := v.enable(gone); err != nil {
		t.Fatal(err)
	}
	check(Entry{Where: v.where(), Exe: gone, Fault: gone + " does not exist or cannot be run", Broken: true})
	if _, err := v.enable(exe); err != nil {
		t.Fatal(err)
	}
	check(Entry{Enabled: true, Where: v.where(), Exe: exe})

	key, _, err := registry.CreateKey(registry.CURRENT_USER, approvedKey, registry.SET_VALUE)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	if err := key.SetBinaryValue(string(v), make([]byte, 12)); err != nil {
		t.Fatal(err)
	}
	check(Entry{Enabled: true, Where: v.where(), Exe: exe})
	if err := key.SetBinaryValue(string(v), []byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	check(Entry{Where: v.where(), Exe: exe, Fault: "it is turned off"})
	if _, err := v.enable(exe); err != nil {
		t.Fatal(err)
	}
	check(Entry{Enabled: true, Where: v.where(), Exe: exe})

	if removed, err := v.disable(); !removed || err != nil {
		t.Errorf("disable: %v, %v", removed, err)
	}
	if removed, err := v.disable(); removed || err != nil {
		t.Errorf("second disable: %v, %v", removed, err)
	}
	check(Entry{})
}
