package token_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sigalert/internal/token"
	"sigalert/sig"
)

func provide(t *testing.T, folder, tokens, port, cert string) string {
	t.Helper()
	if err := token.Provide(folder, tokens, port, cert); err != nil {
		t.Fatal(err)
	}
	secret, got, err := token.Local(folder, port)
	if err != nil || got != cert {
		t.Fatal(got, err)
	}
	return secret
}

func TestLocal(t *testing.T) {
	dir := t.TempDir()
	folder, tokens := filepath.Join(dir, "state", "local"), filepath.Join(dir, "state", "tokens.json")
	if secret, cert, err := token.Local(folder, "3000"); secret != "" || cert != "" || err != nil {
		t.Error(secret, cert, err)
	}
	add(t, tokens, entry(t, "desk", "x", ""))

	// Several routers of a user have one.
	secrets := make([]string, 8)
	var tasks sync.WaitGroup
	for i := range secrets {
		tasks.Go(func() { secrets[i] = provide(t, folder, tokens, "300"+string(rune('0'+i)), "/a certificate.pem") })
	}
	tasks.Wait()
	for _, s := range secrets {
		if s == "" || s != secrets[0] {
			t.Fatal("there are several tokens")
		}
	}
	b, err := token.Open(tokens, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Admit(sig.Caller{Token: secrets[0]})
	if err != nil || r.Holder() != "local" || !r.May(sig.ToHear, "", "") || !r.May(sig.ToConnect, "x", "") {
		t.Error(r, err)
	}
	for _, name := range []string{"token", "3000"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info.Mode(), err)
		}
	}

	// What is wrong with it is made anew.
	if err := token.Revoke(tokens, "local"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Admit(sig.Caller{Token: secrets[0]}); err == nil {
		t.Error("it is admitted after it was revoked")
	}
	second := provide(t, folder, tokens, "3000", "")
	if second == secrets[0] {
		t.Error("a revoked token comes back")
	}
	if err := os.Remove(filepath.Join(folder, "token")); err != nil {
		t.Fatal(err)
	}
	if third := provide(t, folder, tokens, "3000", ""); third == second {
		t.Error("it is the same")
	}
	if all, err := token.List(tokens); err != nil || len(all) != 2 {
		t.Error(all, err)
	}

	if err := token.Withdraw(folder, "3000"); err != nil {
		t.Error(err)
	}
	if secret, _, err := token.Local(folder, "3000"); secret != "" || err != nil {
		t.Error("it is not withdrawn", err)
	}
	if err := token.Withdraw(folder, "3000"); err != nil {
		t.Error(err)
	}
	if _, err := token.New(tokens, entry(t, "local", "*", "")); err == nil {
		t.Error("its name is free for others")
	}
}

// Each file of tokens has a token of its own for the user's programs.
func TestLocalOfSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	folder, tokens, other := filepath.Join(dir, "state", "local"), filepath.Join(dir, "state", "tokens.json"), filepath.Join(dir, "other.json")
	for range 2 {
		one, two := provide(t, folder, tokens, "3000", ""), provide(t, folder, other, "4000", "/c.pem")
		if one == two {
			t.Error("two files have the same token")
		}
		for path, secret := range map[string]string{tokens: one, other: two} {
			b, err := token.Open(path, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Admit(sig.Caller{Token: secret}); err != nil {
				t.Error(path, err)
			}
		}
	}
	if again := provide(t, folder, other, "3000", ""); again != provide(t, folder, other, "4000", "") {
		t.Error("two routers with one file have two tokens")
	}
}
