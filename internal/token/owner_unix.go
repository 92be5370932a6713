//go:build unix

package token

import (
	"os"
	"path/filepath"
	"syscall"
)

// giveToOwner lets the owner of the folder have a file that root has made in it: it is
// the router's user, who could not read it otherwise.
func giveToOwner(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	of, ok := folder.Sys().(*syscall.Stat_t)
	if !ok || of.Uid == 0 {
		return nil
	}
	return os.Chown(path, int(of.Uid), int(of.Gid))
}
