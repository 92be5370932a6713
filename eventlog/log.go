package eventlog

import (
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
	// DefaultLimit is how many entries are kept unless told otherwise. It is
	// pysig's.
	DefaultLimit = 20
	// MostLimit is the highest limit.
	MostLimit = 1_000_000

	diskBytes   = 1 << 30
	memoryBytes = 64 << 20

	settle = 50 * time.Millisecond // between two commits
	again  = time.Second           // after one that failed
)

// Limits bound a log. They are kept in its file.
type Limits struct {
	// Count is how many entries are kept, from 1 to MostLimit.
	Count int
	// Age is how long an entry is kept. 0: for ever.
	Age time.Duration
}

func (l Limits) check() error {
	if l.Count < 1 || l.Count > MostLimit {
		return fmt.Errorf("a limit of %d: from 1 to %d is possible", l.Count, MostLimit)
	}
	if l.Age < 0 {
		return fmt.Errorf("an age of %s: it must not be negative", l.Age)
	}
	return nil
}

// Options are a log's settings; nil is the zero value.
type Options struct {
	// Path is the file. Default: the log is in memory and ends with the
	// process.
	Path string
	// Limit is Limits.Count. Default: what the file says, or DefaultLimit.
	Limit int
	// Age is Limits.Age; below 0: for ever. Default: what the file says, or for
	// ever.
	Age time.Duration
	// Logger hears of a file that cannot be written. Default: none.
	Logger *slog.Logger
}

// Log keeps entries.
type Log struct {
	store    store
	maxBytes int64
	log      *slog.Logger
	queue    *queue

	relimited chan struct{} // holds a token: Run is to look at the limits again

	writing  sync.Mutex   // held through an update of the store; guards the fields below
	bytes    int64        // of all records
	position sig.Position // that the store has

	mu      sync.Mutex // guards the fields below
	limits  Limits
	state   State
	oldest  time.Time // when the first entry was logged
	minutes minutes
	changed chan struct{} // closed, and replaced, at each change
}

// State tells how a log stands.
type State struct {
	// Before is a number before any that this log ever had.
	Before uint64
	// First and Last are the numbers of the oldest and the newest entry. There
	// are none where Last is less than First.
	First, Last uint64
	// Cleared is how often the log was cleared.
	Cleared int
	// Logged entries since Open.
	Logged uint64
	// Dropped were offered while the queue was full; Missed were forgotten by
	// the server before they came; Unknown is how often something may have been
	// missed, and nobody can tell how much.
	Dropped, Missed, Unknown uint64
	// Err is why the file cannot be written at present.
	Err error
}

// Count is how many entries there are.
func (s State) Count() int { return int(s.Last + 1 - s.First) }

// Open opens a log. The error says what is wrong with the file, and what to do.
func Open(opts *Options) (*Log, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	l := &Log{
		store:    newMemory(),
		maxBytes: memoryBytes,
		log:      o.Logger,
		queue:    newQueue(),
		minutes:  make(minutes),
		changed:  make(chan struct{}),

		relimited: make(chan struct{}, 1),
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if o.Path != "" {
		disk, err := openDisk(o.Path)
		if err != nil {
			return nil, err
		}
		l.store, l.maxBytes = disk, diskBytes
	}
	if err := l.load(o); err != nil {
		return nil, errors.Join(err, l.store.close())
	}
	return l, nil
}

// load takes over what the store has.
func (l *Log) load(o Options) error {
	now := time.Now()
	limits := Limits{Count: DefaultLimit}
	err := l.store.view(func(tx reader) error {
		getSetting(tx, settingLimits, &limits)
		getSetting(tx, settingBytes, &l.bytes)
		getSetting(tx, settingLast, &l.state.Last)
		getSetting(tx, settingPosition, &l.position)
		l.minutes = loadMinutes(tx)
		return nil
	})
	if err != nil {
		return err
	}
	if o.Path == "" { // whoever saw an earlier one must not mistake this for it
		l.state.Last = uint64(now.UnixMicro())
		l.state.Before = l.state.Last
	}
	if o.Limit != 0 {
		limits.Count = o.Limit
	}
	if o.Age != 0 {
		limits.Age = max(o.Age, 0)
	}
	return l.SetLimits(limits)
}

// Close ends the log. Run must have returned.
func (l *Log) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.store.close()
}

// Add logs an entry once there is room for it in the queue. The error is ctx's,
// or ErrEnded.
func (l *Log) Add(ctx context.Context, e Entry) error { return l.queue.add(ctx, e) }

// Offer logs an entry if there is room for it in the queue, and else drops and
// counts it.
func (l *Log) Offer(e Entry) {
	if room, err := l.queue.offer(e); room != nil || err != nil {
		l.publish(func() { l.state.Dropped++ })
	}
}

// Missed notes events that a server has forgotten; n is what
// [sig.ClientOptions].Missed is told.
func (l *Log) Missed(n int) {
	l.publish(func() {
		if n < 0 {
			l.state.Unknown++
			return
		}
		l.state.Missed += uint64(n)
	})
}

// Passed notes how far a server's events have come, none of which was to be
// logged; it is for [sig.ClientOptions].Passed.
func (l *Log) Passed(p sig.Position) {
	_, _ = l.queue.offer(Entry{position: p, passed: true}) // where there is no room, what waits tells more
}

// Run writes entries until ctx ends; then it writes what waits, and takes no
// more.
func (l *Log) Run(ctx context.Context) {
	unwritten := l.write(ctx)
	l.queue.close()
	unwritten = append(unwritten, l.queue.take()...)
	if len(unwritten) == 0 {
		return
	}
	if err := l.commit(unwritten); err != nil {
		l.log.Error("entries are lost at the end", "count", len(unwritten), "err", err)
	}
}

// write commits until ctx ends, and returns what it could not.
func (l *Log) write(ctx context.Context) (unwritten []Entry) {
	for {
		expiry := time.NewTimer(l.expires())
		old := false
		select {
		case <-ctx.Done():
		case <-l.queue.ready:
		case <-l.relimited:
		case <-expiry.C:
			old = true
		}
		expiry.Stop()
		if ctx.Err() != nil {
			return nil
		}
		batch := l.queue.take()
		if !old && l.tellsNothing(batch) {
			continue
		}
		if !l.keep(ctx, batch) {
			return batch
		}
		if pause(ctx, settle) != nil {
			return nil
		}
	}
}

// keep commits until that succeeds; false: ctx ended before.
func (l *Log) keep(ctx context.Context, batch []Entry) bool {
	for told := false; ; told = true {
		err := l.commit(batch)
		switch {
		case err == nil && told:
			l.log.Info("the log is written again")
			fallthrough
		case err == nil:
			return true
		case !told: // once, not each second
			l.log.Error("cannot write the log, trying again", "err", err)
		}
		if pause(ctx, again) != nil {
			return false
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// never is long enough for a timer that is not wanted.
const never = 1000 * time.Hour

// expires is how long the oldest entry has to stay.
func (l *Log) expires() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limits.Age == 0 || l.oldest.IsZero() {
		return never
	}
	return max(time.Until(l.oldest.Add(l.limits.Age)), again)
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
func (l *Log) Size() int64 { return l.store.size() }

// LastHour counts the events of the last hour by minute, for the senders that
// had most, at most most of them, and for all others together. It also counts
// events that the limits have taken since.
func (l *Log) LastHour(most int) []Series {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.minutes.series(time.Now(), most)
}

// Changed is closed at the next change of anything that a Log tells.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Touch has who waits for a change look again: it is for whoever fills the log,
// whose own state is shown beside the log's.
func (l *Log) Touch() { l.publish(func() {}) }

// publish changes what is guarded by mu, and says so.
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

// Position is how far the log has got among its server's events, for
// [sig.ClientOptions].Since; nil: that is not known.
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
	_ = l.store.view(func(tx reader) error { // fails once it is closed
		ok = getSetting(tx, settingSubscriptions, &topics)
		return nil
	})
	return topics, ok
}

func (l *Log) keepSubscriptions(topics []Topic) error {
	return l.update(func(tx writer) error { return setSetting(tx, settingSubscriptions, topics) })
}
