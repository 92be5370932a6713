//go:build unix

package token

import (
	"os"
	"path/filepath"
	"syscall"
)

// lockFlag opens the lock, but not what a link in its place leads to: the router's user
// could have root make any file.
const lockFlag = os.O_CREATE | os.O_RDWR | syscall.O_NOFOLLOW

// giveToOwner lets the owner of the folder have a file that root has made in it: it is
// the router's user, who could not read it otherwise. That user can put a link in place of
// the file, to one of somebody else: what the link leads to stays its owner's.
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
	return os.Lchown(path, int(of.Uid), int(of.Gid))
}
