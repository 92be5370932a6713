//go:build linux || darwin

package doctor

import "syscall"

// freeBytes is how much this user can still write to the disk of a folder; below 0:
// not known.
func freeBytes(dir string) int64 {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}
