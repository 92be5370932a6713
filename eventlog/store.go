package eventlog

import "iter"

// store keeps records under their numbers, which follow one another without a
// gap, and settings under their names.
type store interface {
	// update runs f, and keeps all of what it did, or nothing if f or the file
	// fails; in memory neither does. Updates do not overlap.
	update(f func(tx writer) error) error
	// view runs f on what was kept when it began, whatever is updated meanwhile.
	view(f func(tx reader) error) error
	// size is the room it takes, in bytes.
	size() int64
	close() error
}

// reader reads. What it returns must not be changed, nor used after the end of
// view or update.
type reader interface {
	// ends are the numbers of the oldest and of the newest; 0, 0 if there are
	// none.
	ends() (first, last uint64)
	get(id uint64) record
	// ascend goes from the number id on to the newest, descend to the oldest.
	ascend(id uint64) iter.Seq2[uint64, record]
	descend(id uint64) iter.Seq2[uint64, record]
	setting(name string) []byte
	// settings are the names that begin with prefix, in order.
	settings(prefix string) iter.Seq2[string, []byte]
}

type writer interface {
	reader
	put(id uint64, r record) error // id follows the newest
	removeBefore(id uint64) error  // all that are older
	removeAll() error
	set(name string, value []byte) error // nil: removed
}
