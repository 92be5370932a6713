package token_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"sigalert/internal/token"
	"sigalert/sig"
)

// A book that moves to another file ends only the rights that are not in it as they were;
// if it cannot be read, none.
func TestMove(t *testing.T) {
	dir := t.TempDir()
	from, to, bad := filepath.Join(dir, "from"), filepath.Join(dir, "to"), filepath.Join(dir, "bad")
	both, first := add(t, from, entry(t, "both", "*", "")), add(t, from, entry(t, "first", "*", ""))
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{to: string(text), bad: "{"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := token.Revoke(to, "first"); err != nil {
		t.Fatal(err)
	}
	second := add(t, to, entry(t, "second", "*", ""))

	b, err := token.Open(from, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	granted := make(map[string]sig.Rights)
	for _, secret := range []string{both, first} {
		if granted[secret], err = b.Admit(sig.Caller{Token: secret}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, admitted map[string]bool) {
		t.Helper()
		for secret, want := range admitted {
			if _, err := b.Admit(sig.Caller{Token: secret}); (err == nil) != want {
				t.Errorf("%s: admitted: %v, want %v", what, err == nil, want)
			}
			if r := granted[secret]; r != nil && (r.Context().Err() == nil) != want {
				t.Errorf("%s: the rights are there: %v, want %v", what, !want, want)
			}
		}
	}
	for _, bad := range []string{bad, filepath.Join(bad, "tokens")} {
		if err := b.Move(bad); err == nil {
			t.Error("moved to a file that is none")
		}
	}
	check("not moved", map[string]bool{both: true, first: true, second: false})
	if err := b.Move(from); err != nil {
		t.Error(err)
	}
	check("read again", map[string]bool{both: true, first: true, second: false})
	if err := b.Move(to); err != nil {
		t.Error(err)
	}
	check("moved", map[string]bool{both: true, first: false, second: true})
	if err := b.Move(filepath.Join(dir, "nowhere")); err != nil {
		t.Error(err)
	}
	check("moved to no file", map[string]bool{both: false, first: false, second: false})
}
