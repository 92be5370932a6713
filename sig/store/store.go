package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// Sync says when an event is safe enough for its publisher to be answered.
type Sync int

const (
	// SyncGroup answers when the system has the event, and syncs within 5 ms: it
	// outlives the process, and mostly the system.
	SyncGroup Sync = iota
	// SyncEach answers once it is on the disk.
	SyncEach
	// SyncNone answers at once, and leaves it to the system to sync.
	SyncNone
)

var syncNames = [...]string{"group", "each", "none"}

func (s Sync) String() string { return syncNames[s] }

// ParseSync is the reverse of String.
func ParseSync(name string) (Sync, error) {
	for i, n := range syncNames {
		if n == name {
			return Sync(i), nil
		}
	}
	return 0, fmt.Errorf("unknown mode %q: must be group, each or none", name)
}

// Options are a store's settings; nil is the zero value.
type Options struct {
	// Sync is when an event is safe. Default SyncGroup.
	Sync Sync
	// Events, Bytes and Age limit what is kept. Files are removed as a whole, so that
	// up to an eighth more may be there. Default 300,000, 128 MiB and 24 h.
	Events int
	Bytes  int64
	Age    time.Duration
	// Logger reports damage, and a disk that cannot be written. Default: none.
	Logger *slog.Logger

	folder folder // default: the system's
	boot   string // default: the system's run
}

// ErrInUse is Open's error for a folder that another store has.
var ErrInUse = errors.New("another router uses this store")

const (
	// What waits to be written, with its data and without.
	maxWaiting, maxWaitingBytes = 50_000, 32 << 20
	maxLost                     = 100_000
	// Listeners wait no longer for the disk, and publishers no longer for it.
	handLate = 250 * time.Millisecond
	keptLate = 4 * time.Second
	// retry is the time between two attempts at a disk that cannot be written.
	retry = time.Second
	// handOver is how long Open waits for a folder that is in use: a router gives up its
	// address a little before its store.
	handOver, handOverLook = 3 * time.Second, 20 * time.Millisecond
	// groupDelay leaves time for a sync that is late by 5 ms at most.
	groupDelay = 4 * time.Millisecond
)

// Store keeps events in the files of a folder.
type Store struct {
	opts   Options
	folder folder
	lock   *flock.Flock
	log    *slog.Logger
	ready  wait.Token // there is something to write
	dirty  wait.Token // there is something to sync

	// The goroutine of Load's, and then Run's.
	segments []segment // the last one is the one that is written to
	offset   int64     // of the next record
	room     int64     // up to here, the file has zeros
	run      start
	header   bool // the run's beginning has yet to be written
	gap      bool // the segment's mark says that events may be missing
	lost     int  // events whose data could not be kept while the disk failed
	batch    []sig.StoredEvent
	spare    []sig.StoredEvent
	buffer   []byte

	handed atomic.Uint64 // what Handed need not wait for

	mu        sync.Mutex // guards the fields below
	changed   sync.Cond  // of handed
	waiting   []sig.StoredEvent
	bytes     int      // of the data and names in waiting
	stripped  int      // so many at the front have lost their data
	dropped   sig.Span // before those, nothing is left of these; zero: none
	written   uint64
	synced    uint64
	pledges   []pledge
	fulfilled uint64 // those up to this number
	running   bool   // from Load until Run ends
	failing   error  // nil: the disk works
	slow      bool   // listeners do not wait any more for what is being written
	late      int    // operations that nobody waits for any more
	told      bool   // that the disk is slow
	unsynced  error  // of a sync that failed

	file     file   // that is written to
	finished []file // to be synced and closed
	created  bool   // the folder has to be synced, too
}

// pledge is a publisher that waits.
type pledge struct {
	seq  uint64
	done func()
}

// Open opens the store in a folder, which it makes if need be. The error is ErrInUse if
// another one has it, and still does 3 s later.
func Open(dir string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Events <= 0 {
		o.Events = 300_000
	}
	if o.Bytes <= 0 {
		o.Bytes = 128 << 20
	}
	if o.Age <= 0 {
		o.Age = 24 * time.Hour
	}
	if o.boot == "" {
		o.boot = bootID()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{opts: o, folder: o.folder, log: o.Logger, ready: wait.NewToken(), dirty: wait.NewToken()}
	s.changed.L = &s.mu
	if s.folder == nil {
		if err := s.take(dir); err != nil {
			return nil, err
		}
		s.folder = osFolder(dir)
	}
	if err := s.find(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Failing is why events are kept in memory only.
func (s *Store) Failing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing == nil && s.late > 0 {
		return errSilent
	}
	return s.failing
}

var errSilent = errors.New("the disk does not answer")

// take makes the folder ours.
func (s *Store) take(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s.lock = flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(context.Background(), handOver)
	defer cancel()
	_, err := s.lock.TryLockContext(ctx, handOverLook)
	if errors.Is(err, context.DeadlineExceeded) {
		err = ErrInUse
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", s.lock.Path(), err)
	}
	return nil
}

func (s *Store) find() (err error) {
	if s.segments, err = segmentNames(s.folder); err != nil {
		return err
	}
	for _, seg := range s.segments {
		text, err := s.folder.read(seg.name(), int64(len(line)))
		if err != nil {
			continue // Load reports it
		}
		if err := checkVersion(seg.name(), text); err != nil {
			return err
		}
	}
	return nil
}

// Close gives the folder up. Run has ended, or was never called.
func (s *Store) Close() error {
	s.mu.Lock()
	files := s.finished
	if s.file != nil {
		files = append(files, s.file)
	}
	s.finished, s.file = nil, nil
	s.mu.Unlock()
	var err error
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return err
}

// Append implements [sig.Store].
func (s *Store) Append(e sig.StoredEvent) {
	s.mu.Lock()
	s.waiting = append(s.waiting, e)
	s.bytes += sizeOf(&e)
	s.bound()
	s.mu.Unlock()
	s.ready.Raise()
}

func sizeOf(e *sig.StoredEvent) int {
	return len(e.Data) + len(e.Extra) + len(e.Sender) + len(e.Event) + len(e.ForSender) + len(e.ForEvent) + len(e.ID)
}

// bound lets go of the data of what has waited for longest, and then of all of it. The
// caller holds the lock.
func (s *Store) bound() {
	for s.stripped < len(s.waiting)-1 && (len(s.waiting)-s.stripped > maxWaiting || s.bytes > maxWaitingBytes) {
		e := &s.waiting[s.stripped]
		s.bytes -= len(e.Data) + len(e.Extra)
		e.Data, e.Extra, e.Lost = nil, nil, true
		s.stripped++
	}
	n := 0
	for s.stripped > n && (s.stripped-n > maxLost || s.bytes > maxWaitingBytes) {
		s.bytes -= sizeOf(&s.waiting[n])
		n++
	}
	if n == 0 {
		return
	}
	if s.dropped.To == 0 {
		s.dropped.From = s.waiting[0].Seq
	}
	s.dropped.To = s.waiting[n-1].Seq
	clear(s.waiting[:n])
	s.waiting = s.waiting[n:]
	s.stripped -= n
}

// Kept implements [sig.Store].
func (s *Store) Kept(seq uint64, done func()) {
	s.mu.Lock()
	if seq <= s.kept() {
		s.mu.Unlock()
		done()
		return
	}
	s.pledges = append(s.pledges, pledge{seq, done})
	s.mu.Unlock()
}

// kept is up to which number nobody waits any more. The caller holds the lock.
func (s *Store) kept() uint64 {
	switch {
	case !s.running || s.failing != nil || s.late > 0 || s.opts.Sync == SyncNone:
		return everything
	case s.opts.Sync == SyncEach:
		return s.synced
	}
	return s.written
}

// Handed implements [sig.Store].
func (s *Store) Handed(seq uint64) {
	if seq <= s.handed.Load() {
		return
	}
	s.mu.Lock()
	for s.handed.Load() < seq {
		s.changed.Wait()
	}
	s.mu.Unlock()
}

// everything is a number that no event has.
const everything = 1<<64 - 1

// release lets those go on that need not wait any more. The lock is held when it is
// called, and not when it returns.
func (s *Store) release() {
	handed := s.written
	if !s.running || s.failing != nil || s.slow || s.opts.Sync == SyncNone {
		handed = everything
	}
	if s.handed.Swap(handed) != handed {
		s.changed.Broadcast()
	}
	kept := s.kept()
	if kept == s.fulfilled { // there may be many that wait for a later one
		s.mu.Unlock()
		return
	}
	s.fulfilled = kept
	var done []pledge
	left := s.pledges[:0]
	for _, p := range s.pledges {
		if p.seq <= kept {
			done = append(done, p)
		} else {
			left = append(left, p)
		}
	}
	clear(s.pledges[len(left):])
	s.pledges = left
	s.mu.Unlock()
	for _, p := range done {
		p.done()
	}
}
