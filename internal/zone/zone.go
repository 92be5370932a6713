// Package zone is this machine's time zone as it is now: package time reads it
// once in a process, which may outlive a journey or a change of the settings.
package zone

import (
	"os"
	"sync"
	"time"
)

// file is where a Unix system has its zone.
const file = "/etc/localtime"

var local = follower{path: file}

// Local is the zone as it is now. Where the environment variable TZ names one, and
// on Windows, it is [time.Local].
func Local() *time.Location {
	if _, set := os.LookupEnv("TZ"); set {
		return time.Local
	}
	return local.zone()
}

// follower reads a zone from a file, and again once that is another.
type follower struct {
	path string

	mu       sync.Mutex // guards the fields below
	info     os.FileInfo
	location *time.Location
}

// zone is [time.Local] until the file is first found, and the last good zone
// while the file is missing or bad.
func (f *follower) zone() *time.Location {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := os.Stat(f.path); err == nil && f.differs(info) {
		f.info = info
		if data, err := os.ReadFile(f.path); err == nil {
			if l, err := time.LoadLocationFromTZData("Local", data); err == nil {
				f.location = l
			}
		}
	}
	if f.location == nil {
		return time.Local
	}
	return f.location
}

func (f *follower) differs(info os.FileInfo) bool {
	return f.info == nil || !os.SameFile(f.info, info) || !info.ModTime().Equal(f.info.ModTime()) || info.Size() != f.info.Size()
}
