package doctor

import "golang.org/x/sys/windows"

// freeBytes is how much this user can still write to the disk of a folder; below 0:
// not known.
func freeBytes(dir string) int64 {
	path, err := windows.UTF16PtrFromString(dir)
	var free uint64
	if err != nil || windows.GetDiskFreeSpaceEx(path, &free, nil, nil) != nil {
		return -1
	}
	return int64(free)
}
