package eventlog

import (
	"math"
	"os"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// mapped is how much room in memory a file has at least, whatever its size. None
// on 32 bits, which have little.
const mapped = (math.MaxInt >> 62) << 30

// release unmaps what has been read of a file, which the system still has in
// its cache: all that was ever read would count as this process's memory.
func release(tx *bolt.Tx) {
	// What follows the mapping is not the file's: a size beyond it, which a
	// damaged file may claim, must not be believed.
	size := min(uintptr(tx.Size()), mapped)
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, tx.DB().Info().Data, size, syscall.MADV_DONTNEED)
}

// unlock gives back bbolt's lock on a file.
func unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
