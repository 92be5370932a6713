package token

import "os"

// lockFlag opens the lock.
const lockFlag = os.O_CREATE | os.O_RDWR

// giveToOwner has nothing to do: files belong to whom their folder says.
func giveToOwner(string) error { return nil }
