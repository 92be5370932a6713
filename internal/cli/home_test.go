package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/adrg/xdg"
)

// A relative HOME leads nothing into the working folder.
func TestRelativeHome(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("HOME does not matter here")
	}
	t.Cleanup(xdg.Reload) // after the variables are back
	for _, name := range []string{"XDG_STATE_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", "home")
	xdg.Reload()
	if home := ignoreRelativeHome(); home != "home" {
		t.Errorf("it is %q", home)
	}
	for _, dir := range []string{xdg.StateHome, xdg.CacheHome} {
		if !filepath.IsAbs(dir) {
			t.Errorf("%s is in the working folder", dir)
		}
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	if home := ignoreRelativeHome(); home != "" || os.Getenv("HOME") != dir {
		t.Errorf("an absolute one is ignored: %q", home)
	}
}
