package token_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sigalert/internal/token"
	"sigalert/internal/wait"
	"sigalert/sig"
)

// lines counts what is logged.
type lines struct{ strings.Builder }

func (l *lines) count() int { return strings.Count(l.String(), "\n") }

// A file that could not be read counts as soon as it can be, even if that is not a change
// of its text; meanwhile, the fault is logged once.
func TestBookHeals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it needs modes and links")
	}
	path := filepath.Join(t.TempDir(), "tokens.json")
	revoked := add(t, path, entry(t, "revoked", "*", "*"))
	kept := add(t, path, entry(t, "kept", "*", "*"))
	log := new(lines)
	b, err := token.Open(path, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	admits := func(secret string) bool {
		_, err := b.Admit(sig.Caller{Token: secret})
		return err == nil
	}
	if !admits(revoked) || !admits(kept) {
		t.Fatal("they are not admitted")
	}

	other := filepath.Join(t.TempDir(), "tokens.json")
	text, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(other, text, 0o600), token.Revoke(other, "revoked"), os.Chmod(other, 0o664), os.Rename(other, path)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if !admits(revoked) {
			t.Error("a file that others can write to counts")
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if admits(revoked) || !admits(kept) {
		t.Error("after chmod, the file does not count")
	}
	if log.count() != 1 {
		t.Errorf("the log: %s", log)
	}

	if err := errors.Join(os.Remove(path), os.Symlink(path, path)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if !admits(kept) {
			t.Error("a file that cannot be looked at changes something")
		}
	}
	if log.count() != 2 {
		t.Errorf("the log: %s", log)
	}
}

// A file may become readable without looking different.
func TestBookTriesAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it needs links")
	}
	dir := t.TempDir()
	good, bad, path := filepath.Join(dir, "good"), filepath.Join(dir, "bad"), filepath.Join(dir, "tokens.json")
	secret := add(t, good, entry(t, "a", "*", "*"))
	text, err := os.ReadFile(good)
	if err := errors.Join(err, os.WriteFile(bad, []byte(strings.Replace(string(text), "{", "[", 1)), 0o600)); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	link := func(to string) {
		t.Helper()
		if err := errors.Join(os.Chtimes(to, at, at), os.Symlink(to, path+".next"), os.Rename(path+".next", path)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := token.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer wait.Start(t.Context(), b.Run)()
	link(bad)
	if _, err := b.Admit(sig.Caller{Token: secret}); err == nil {
		t.Fatal("a bad file counts")
	}
	link(good)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := b.Admit(sig.Caller{Token: secret}); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the good file does not count")
		}
	}
}

// A link to the file stays one, and whoever knows the file by its own name sees the change.
func TestFileBehindLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it needs links")
	}
	path := filepath.Join(t.TempDir(), "tokens.json")
	link := filepath.Join(t.TempDir(), "link.json")
	add(t, path, entry(t, "a", "*", "*"))
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := token.Revoke(link, "a"); err != nil {
		t.Fatal(err)
	}
	if all, err := token.List(path); err != nil || len(all) != 0 {
		t.Errorf("the file has %v, %v", all, err)
	}
}
