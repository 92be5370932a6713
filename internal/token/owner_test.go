//go:build unix

package token_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"sigalert/internal/token"
)

// What root writes, the router's user can read.
func TestTokensBelongToTheFoldersOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	path := filepath.Join(t.TempDir(), "tokens.json")
	if err := os.Chown(filepath.Dir(path), 12345, 23456); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := token.New(path, token.Entry{Name: name}); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{path, path + ".lock"} {
			var of syscall.Stat_t
			if err := syscall.Stat(file, &of); err != nil || of.Uid != 12345 || of.Gid != 23456 || of.Mode&0o777 != 0o600 {
				t.Errorf("%s: %v, %+v", file, err, of)
			}
		}
	}
}

// The router's user cannot have root give it somebody else's file.
func TestLinksAreNotFollowed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	theirs := filepath.Join(t.TempDir(), "theirs")
	if err := os.WriteFile(theirs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{theirs, theirs + ".new"} {
		path := filepath.Join(t.TempDir(), "tokens.json")
		if err := errors.Join(os.Chown(filepath.Dir(path), 12345, 23456), os.Symlink(target, path+".lock")); err != nil {
			t.Fatal(err)
		}
		if _, err := token.New(path, token.Entry{Name: "a"}); err == nil {
			t.Error("the link is followed")
		}
	}
	var of syscall.Stat_t
	if err := syscall.Stat(theirs, &of); err != nil || of.Uid != 0 {
		t.Errorf("%v, it belongs to %d", err, of.Uid)
	}
	if _, err := os.Lstat(theirs + ".new"); err == nil {
		t.Error("a file is made")
	}
}
