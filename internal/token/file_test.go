package token_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/internal/token"
	"sigalert/internal/wait"
	"sigalert/sig"
)

func entry(t testing.TB, name, listen, send string) token.Entry {
	r := rights(t, listen, send)
	return token.Entry{Name: name, Listen: r.Listen, Send: r.Send}
}

func add(t testing.TB, path string, e token.Entry) string {
	t.Helper()
	secret, err := token.New(path, e)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// The file has no token, and only its owner can read it.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sigalert", "tokens.json")
	secrets := make([]string, 20)
	var tasks sync.WaitGroup
	for i := range secrets {
		tasks.Go(func() { secrets[i] = add(t, path, entry(t, "t"+string(rune('a'+i)), "door-*", "")) })
	}
	tasks.Wait()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		if len(s) < 50 || strings.Contains(string(text), s) || strings.Contains(string(text), s[len(s)-43:]) {
			t.Errorf("%s", s)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if all, err := token.List(path); err != nil || len(all) != len(secrets) || all[0].Listen[0].String() != "door-*" {
		t.Error(all, err)
	}
	if _, err := token.New(path, entry(t, "ta", "", "")); err == nil {
		t.Error("two tokens have one name")
	}
	if err := token.Revoke(path, "ta"); err != nil {
		t.Error(err)
	}
	if err := token.Revoke(path, "ta"); !errors.Is(err, token.ErrNoToken) {
		t.Error(err)
	}
	if _, err := token.New(path, entry(t, "a b", "", "")); err == nil {
		t.Error("a name has a blank")
	}
}

func TestBook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	b, err := token.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer wait.Start(t.Context(), b.Run)()
	admitted := func(secret string) sig.Rights {
		r, err := b.Admit(sig.Caller{Token: secret})
		if err != nil {
			return nil
		}
		return r
	}
	secret := add(t, path, entry(t, "door", "door", ""))
	r := admitted(secret)
	switch {
	case r == nil:
		t.Fatal("a new token is not admitted")
	case r.Holder() != "door" || !r.May(sig.ToHear, "door", "ring") || r.May(sig.ToHear, "attic", "ring") || r.May(sig.ToPublish, "door", "ring"):
		t.Error("its rights are others")
	}
	for _, wrong := range []string{"", "sigalert_", secret[:len(secret)-1], secret + "x", strings.ToUpper(secret)} {
		if admitted(wrong) != nil {
			t.Errorf("%q is admitted", wrong)
		}
	}

	short := entry(t, "short", "*", "*")
	short.Expires = time.Now().Add(200 * time.Millisecond)
	brief := admitted(add(t, path, short))
	if brief == nil {
		t.Fatal("it has expired too soon")
	}
	ends := func(r sig.Rights) {
		t.Helper()
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
			t.Fatal("the rights do not end")
		}
	}
	ends(brief)
	if r.Context().Err() != nil || admitted(secret) != r {
		t.Error("another token's change ends the rights")
	}

	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(text []byte) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".next", text, 0o600), os.Rename(path+".next", path)); err != nil {
			t.Fatal(err)
		}
	}
	replace([]byte("{"))
	if admitted(secret) != r {
		t.Error("a bad file changes something")
	}
	replace(good)
	if admitted(secret) != r {
		t.Error("the same file changes something")
	}
	if err := token.Revoke(path, "door"); err != nil {
		t.Fatal(err)
	}
	ends(r)
	if admitted(secret) != nil {
		t.Error("a revoked token is admitted")
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for name, text := range map[string]string{
		"nothing":                             "",
		"another version":                     `{"version": 2, "tokens": []}`,
		"a misspelling":                       `{"version": 1, "tokens": [{"name": "a", "sha256": "` + sum + `", "lisen": ["*"]}]}`,
		"a short hash":                        `{"version": 1, "tokens": [{"name": "a", "sha256": "e3"}]}`,
		"a certificate with a hash":           `{"version": 1, "tokens": [{"name": "a", "certificate": true, "sha256": "` + sum + `"}]}`,
		"a name twice, once of a certificate": `{"version": 1, "tokens": [{"name": "a", "certificate": true}, {"name": "a", "sha256": "` + sum + `"}]}`,
		"no hash":                             `{"version": 1, "tokens": [{"name": "a"}]}`,
		"capitals":                            `{"version": 1, "tokens": [{"name": "a", "sha256": "` + strings.ToUpper(sum) + `"}]}`,
		"one name twice":                      `{"version": 1, "tokens": [{"name": "a", "sha256": "` + sum + `"}, {"name": "a", "sha256": "00` + sum[2:] + `"}]}`,
		"a bad glob":                          `{"version": 1, "tokens": [{"name": "a", "sha256": "` + sum + `", "listen": ["["]}]}`,
		"more":                                `{"version": 1, "tokens": []} {}`,
	} {
		path := filepath.Join(dir, "tokens.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := token.Open(path, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	path := filepath.Join(dir, "open.json")
	if err := os.WriteFile(path, []byte(`{"version": 1, "tokens": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := token.Open(path, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a file that others can change is accepted")
	}
}

// A file that cannot be looked at is reported once, and changes nothing.
func TestFileCannotBeReached(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	path := filepath.Join(folder, "tokens.json")
	secret := add(t, path, entry(t, "door", "door", ""))
	var log strings.Builder
	b, err := token.Open(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	away := folder + ".away"
	if err := errors.Join(os.Rename(folder, away), os.WriteFile(folder, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := b.Admit(sig.Caller{Token: secret}); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, &log)
	}
	if err := errors.Join(os.Remove(folder), os.Rename(away, folder), token.Revoke(path, "door")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Admit(sig.Caller{Token: secret}); err == nil {
		t.Error("once the file can be read again, nothing changes")
	}
}
