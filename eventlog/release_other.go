//go:build !linux

package eventlog

import (
	"os"

	bolt "go.etcd.io/bbolt"
)

const mapped = 0 // what is mapped may be written to the disk

func release(*bolt.Tx) {}

// unlock is known for Linux only; elsewhere the lock lasts as long as the process.
func unlock(*os.File) {}
