package eventlog

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sigalert/sig"
)

const (
	// DefaultLimit is how many entries are kept by default.
	DefaultLimit = 10_000
	// MaxLimit is the highest limit.
	MaxLimit = 1_000_000

	diskBytes   = 1 << 30
	memoryBytes = 64 << 20
)

// ErrStale is wrapped by State.Err if a log cannot go on with its file, however
// often it tries.
var ErrStale = errors.New("restart the program that keeps it")

// Limits bound a log. They are kept in its file.
type Limits struct {
	// Count is how many entries are kept, from 1 to MaxLimit.
	Count int
	// Age is how long an entry is kept. 0: for ever.
	Age time.Duration
}

func (l Limits) check() error {
	if l.Count < 1 || l.Count > MaxLimit {
		return fmt.Errorf("a limit of %d is not between 1 and %d", l.Count, MaxLimit)
	}
	if l.Age < 0 {
		return fmt.Errorf("an age of %s is negative", l.Age)
	}
	return nil
}

// Options are a log's settings; nil is the zero value.
type Options struct {
	// Path is the file. Default: the log is in memory and ends with the
	// process.
	Path string
	// Limit is Limits.Count. Default: what the file says, or NewLimit.
	Limit int
	// NewLimit is Limits.Count of a log that has none yet. Default: DefaultLimit.
	NewLimit int
	// Age is Limits.Age. Default: what the file says, or for ever.
	Age *time.Duration
	// Once leaves out an event that the log has had before, by the server's number
	// and time for it, as far as it is among the last 10,000. Default: whoever fills
	// the log sees to that.
	Once bool
	// Trouble is called by Run when State.Err, which it is given, has changed:
	// once when the file cannot be opened or written, once for each other reason,
	// and once when it works again. It must not wait. Default: none.
	Trouble func(State)
	// Logger gets the same. Default: none.
	Logger *slog.Logger
}

// Log keeps entries.
type Log struct {
	opts     Options // Limit and Age are guarded by writing
	maxBytes int64
	log      *slog.Logger
	backlog  *backlog
	opened   chan struct{} // closed once the store is there for readers
	trouble  string        // reported last; Run's own

	writing  sync.Mutex   // held through an update of the store; guards the fields below
	store    store        // nil until it is open; does not change any more once opened is closed
	bytes    int64        // of all records
	last     uint64       // the number that was given last
	position sig.Position // that the store has
	numbers  numbers      // of the last entries, with Options.Once

	mu      sync.Mutex // guards the fields below
	limits  Limits
	state   State
	oldest  time.Time // when the first entry was logged
	minutes minutes
	changed chan struct{} // closed, and replaced, at each change
}

// State is how a log stands.
type State struct {
	// Before is a number before any that this log ever had.
	Before uint64
	// First and Last are the numbers of the oldest and the newest entry. There
	// are none if Last is less than First.
	First, Last uint64
	// Cleared is how often the log was cleared.
	Cleared int
	// Logged is how many entries were written.
	Logged uint64
	// Dropped entries were offered while too many waited; Missed ones were
	// forgotten by the server before they came; Unknown is how often some may have
	// been missed, and nobody can say how many.
	Dropped, Missed, Unknown uint64
	// Err is why the file cannot be opened or written at present.
	Err error
}

// Count is how many entries there are.
func (s State) Count() int { return int(s.Last + 1 - s.First) }

// Open opens a log. The error says what is wrong with the file, and what to do.
func Open(opts *Options) (*Log, error) {
	l := New(opts)
	if err := l.open(); err != nil {
		return nil, err
	}
	close(l.opened)
	return l, nil
}

// New returns a log that Run opens as soon as possible. Entries and limits wait
// until then; anything else that needs the file fails.
func New(opts *Options) *Log {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Trouble == nil {
		o.Trouble = func(State) {}
	}
	l := &Log{
		opts:     o,
		maxBytes: memoryBytes,
		log:      o.Logger,
		backlog:  newBacklog(),
		opened:   make(chan struct{}),
		minutes:  make(minutes),
		changed:  make(chan struct{}),
		state:    State{First: 1},
	}
	if o.Path != "" {
		l.maxBytes = diskBytes
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	return l
}

// Opened is closed once the log is open.
func (l *Log) Opened() <-chan struct{} { return l.opened }

// open opens the store, and takes over what it has.
func (l *Log) open() error {
	s, err := openStore(l.opts.Path) // without the lock: it may take a second
	if err == nil {
		err = l.load(s)
	}
	if err != nil {
		l.publish(func() { l.state.Err = err })
	}
	return err
}

func openStore(path string) (store, error) {
	if path == "" {
		return newMemory(), nil
	}
	return openDisk(path)
}

// load closes the store if it fails.
func (l *Log) load(s store) (err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.store = s
	defer func() {
		if err != nil {
			l.store, err = nil, errors.Join(err, s.close())
		}
	}()
	initial := Limits{Count: cmp.Or(l.opts.NewLimit, DefaultLimit)}
	limits := initial
	var hour minutes
	l.bytes, l.last, l.position = 0, 0, sig.Position{}
	err = s.view(func(tx reader) error {
		getSetting(tx, settingLimits, &limits)
		getSetting(tx, settingBytes, &l.bytes)
		getSetting(tx, settingLast, &l.last)
		getSetting(tx, settingPosition, &l.position)
		hour = loadMinutes(tx)
		if l.opts.Once {
			l.numbers = loadNumbers(tx)
		}
		// Of settings that are damaged none may remove an entry, or leave a gap.
		if limits.check() != nil {
			limits = initial
		}
		first, last := tx.ends()
		if last > 0 || l.last > maxID {
			l.last = last
		}
		if l.bytes < 0 || l.bytes > l.maxBytes {
			l.bytes = 0
			for _, r := range tx.ascend(first) {
				l.bytes += int64(len(r))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	before := uint64(0)
	if l.opts.Path == "" { // whoever saw an earlier one must not mistake this for it
		before = uint64(time.Now().UnixMicro())
		l.last = before
	}
	if l.opts.Limit != 0 {
		limits.Count = l.opts.Limit
	}
	if l.opts.Age != nil {
		limits.Age = *l.opts.Age
	}
	if err := l.limit(limits); err != nil {
		return err
	}
	l.publish(func() { l.minutes, l.state.Before = hour, before })
	return nil
}

// view requires the log to be open, as update does.
func (l *Log) view(f func(tx reader) error) error {
	select {
	case <-l.opened:
		return l.store.view(f)
	default:
		return l.unopened()
	}
}

func (l *Log) update(f func(tx writer) error) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.store == nil {
		return l.unopened()
	}
	return l.store.update(f)
}

// unopened is why the log is not open.
func (l *Log) unopened() error {
	if err := l.State().Err; err != nil {
		return err
	}
	return errors.New("the log is not open yet")
}

// Close ends the log. Run must have returned.
func (l *Log) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.store == nil {
		return nil
	}
	return l.store.close()
}

// Add logs an entry once there is room for it to wait. The error is ctx's, or
// ErrEnded.
func (l *Log) Add(ctx context.Context, e Entry) error { return l.backlog.add(ctx, e) }

// Offer logs an entry if there is room for it to wait; otherwise it drops and
// counts it.
func (l *Log) Offer(e Entry) {
	if room, err := l.backlog.offer(e); room != nil || err != nil {
		l.publish(func() { l.state.Dropped++ })
	}
}

// Missed notes that a server has forgotten n events; if n is below 0, that it may
// have, and nobody can say how many.
func (l *Log) Missed(n int) {
	l.publish(func() {
		if n < 0 {
			l.state.Unknown++
			return
		}
		l.state.Missed += uint64(n)
	})
}

// passed notes how far a server's events have come, none of which was to be
// logged.
func (l *Log) passed(p sig.Position) {
	_, _ = l.backlog.offer(Entry{position: p, passed: true}) // if there is no room, what waits says more
}

// State is the log's present state.
func (l *Log) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Limits are the limits in force.
func (l *Log) Limits() Limits {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limits
}

// Size is the room that the log takes, in bytes: its file's, or that of its
// entries in memory.
func (l *Log) Size() int64 {
	select {
	case <-l.opened:
		return l.store.size()
	default:
		return 0
	}
}

// LastHour counts the events of the last hour by minute, for the n busiest
// senders, and for all others together. It also counts events that the limits
// have removed since.
func (l *Log) LastHour(n int) []Series {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.minutes.series(time.Now(), n)
}

// Changed is closed at the next change of anything that a Log returns.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Touch wakes those who wait for a change. It is for the log's source, whose own
// state is shown beside the log's.
func (l *Log) Touch() { l.publish(func() {}) }

// publish changes what mu guards, and announces the change.
func (l *Log) publish(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Secret is a random key that the log keeps as long as its file lives.
func (l *Log) Secret() ([]byte, error) {
	var secret []byte
	err := l.update(func(tx writer) error {
		if getSetting(tx, settingSecret, &secret) {
			return nil
		}
		secret = []byte(rand.Text())
		return setSetting(tx, settingSecret, secret)
	})
	return secret, err
}

// Position is how far the log has got in its server's events; nil: not known.
func (l *Log) Position() *sig.Position {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.position.Epoch == "" {
		return nil
	}
	p := l.position
	return &p
}

// subscriptions are the topics that were kept; false: none ever were.
func (l *Log) subscriptions() (topics []Topic, ok bool) {
	_ = l.view(func(tx reader) error { // fails once it is closed
		ok = getSetting(tx, settingSubscriptions, &topics)
		return nil
	})
	return topics, ok
}

func (l *Log) keepSubscriptions(topics []Topic) error {
	return l.update(func(tx writer) error { return setSetting(tx, settingSubscriptions, topics) })
}
