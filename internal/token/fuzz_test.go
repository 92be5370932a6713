package token_test

import (
	"os"
	"path/filepath"
	"testing"

	"sigalert/internal/token"
)

// Whatever a file has, it is refused or its tokens have names, hashes and rights.
func FuzzFile(f *testing.F) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, seed := range []string{
		`{"version": 1, "tokens": []}`,
		`{"version": 1, "tokens": [{"name": "a", "sha256": "` + sum + `", "listen": ["*", "a/b"], "send": ["#c"], "created": "2026-01-02T03:04:05Z", "expires": "2026-01-02T03:04:05Z"}]}`,
		`{"version": 1, "tokens": [{"name": "a", "sha256": "` + sum + `", "listen": ["a\\/b", "["]}]}`,
		`{"version": 1, "tokens": [{"name": "a", "certificate": true, "listen": ["*"]}]}`,
		`null`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "tokens.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := token.List(path)
		if err != nil {
			return
		}
		for _, e := range all {
			if token.CheckName(e.Name) != nil || (len(e.Hash) == 64) == e.Certificate {
				t.Errorf("%+v", e)
			}
			for _, r := range append(e.Listen, e.Send...) {
				if again, err := token.ParseRight(r.String()); err != nil || again.String() != r.String() {
					t.Errorf("%q: %v", r, err)
				}
			}
		}
	})
}

// Whatever a right is, it gives no more than everything, and it does not panic.
func FuzzRight(f *testing.F) {
	for _, seed := range []string{"*", "a", "a/b", "#c", "a-*/b?", `a\/b`, "5", "[a-z]/", "/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := token.ParseRight(text)
		if err != nil {
			return
		}
		again, err := token.ParseRight(r.String())
		if err != nil || again.String() != text {
			t.Errorf("%q: %q, %v", text, again, err)
		}
	})
}
