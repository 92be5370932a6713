package certificate_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"sigalert/internal/certificate"
)

func own(t testing.TB, path string) *certificate.Files {
	t.Helper()
	f, err := certificate.Own(path, []string{"router.example", "127.0.0.1", ""}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Error(err)
		return nil
	}
	return f
}

func shown(f *certificate.Files) string { return string(f.Current().Certificate[0]) }

// It is made once, even by several at a time, and only its owner can read it.
func TestOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sigalert", "certificate.pem")
	all := make([]string, 8)
	var tasks sync.WaitGroup
	for i := range all {
		tasks.Go(func() {
			if f := own(t, path); f != nil {
				all[i] = shown(f)
			}
		})
	}
	tasks.Wait()
	for _, c := range all {
		if c != all[0] {
			t.Fatal("there are two certificates")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	leaf := own(t, path).Current().Leaf
	for _, host := range []string{"router.example", "127.0.0.1"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(path + ".*"); left != nil {
		t.Error(left)
	}
}

// New files are used at the next handshake; bad ones are not.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.pem")
	f := own(t, path)
	first := shown(f)
	replace := func(text []byte, at time.Time) {
		t.Helper()
		next := filepath.Join(dir, "next")
		if err := os.WriteFile(next, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(next, at, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
	}
	replace([]byte("half a certific"), time.Now().Add(time.Minute))
	if shown(f) != first {
		t.Error("a bad file is used")
	}
	os.Remove(path)
	if shown(f) != first {
		t.Error("a missing file is used")
	}
	text, err := certificate.New([]string{"other.example"})
	if err != nil {
		t.Fatal(err)
	}
	replace(text, time.Now().Add(2*time.Minute))
	if err := f.Current().Leaf.VerifyHostname("other.example"); err != nil {
		t.Error(err)
	}
}

// A file that could not be read may become readable without looking different, as after
// chown.
func TestReloadTriesAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it needs links")
	}
	dir := t.TempDir()
	path, good, bad := filepath.Join(dir, "a.pem"), filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	f := own(t, path)
	text, err := certificate.New([]string{"other.example"})
	at := time.Now().Add(-time.Hour)
	if err := errors.Join(err, os.WriteFile(good, text, 0o600), os.WriteFile(bad, bytes.ToUpper(text), 0o600), os.Chtimes(good, at, at), os.Chtimes(bad, at, at)); err != nil {
		t.Fatal(err)
	}
	first := shown(f)
	for _, to := range []string{bad, good} {
		if err := errors.Join(os.Symlink(to, path+".next"), os.Rename(path+".next", path)); err != nil {
			t.Fatal(err)
		}
		if changed := shown(f) != first; changed != (to == good) {
			t.Errorf("%s: changed: %v", to, changed)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := certificate.Load(filepath.Join(dir, "none"), filepath.Join(dir, "none"), slog.Default()); err == nil {
		t.Error("no file is a certificate")
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("-----BEGIN CERTIFICATE-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Own(bad, nil, slog.Default()); err == nil {
		t.Error("a bad file is a certificate")
	}
}
