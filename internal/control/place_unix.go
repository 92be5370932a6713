//go:build unix

package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

func listen(path string) (net.Listener, error) {
	if err := CheckFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket == 0 {
		return nil, fmt.Errorf("%s is in the way: it is not a socket", path)
	}
	_ = os.Remove(path) // of a server that ended; another's would be refused below
	l, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EINVAL) {
		return nil, fmt.Errorf("%s is too long for a socket: it may have about 100 characters", path)
	}
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// CheckFolder returns an error unless a socket can be in a folder: only we may put
// something into its place.
func CheckFolder(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", path)
	case owner != os.Geteuid():
		return fmt.Errorf("the folder %s belongs to another user", path)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("the folder %s can be changed by other users: chmod go-w would forbid that", path)
	}
	return nil
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", path)
}
