package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// logLines is a logger's output.
type logLines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// loaded is a store with what it has loaded.
type loaded struct {
	*Store
	t      testing.TB
	log    *logLines
	events []sig.StoredEvent
	state  sig.StoreState
	next   uint64
	stop   func()
}

// load opens the store on a disk, and runs it.
func load(t testing.TB, d folder, opts Options) *loaded {
	t.Helper()
	l := open(t, d, opts)
	l.stop = wait.Start(context.Background(), func(ctx context.Context) { _ = l.Run(ctx) })
	return l
}

func open(t testing.TB, d folder, opts Options) *loaded {
	t.Helper()
	l := &loaded{t: t, log: new(logLines)}
	opts.folder, opts.Logger = d, slog.New(slog.NewTextHandler(l.log, nil))
	if opts.boot == "" {
		opts.boot = "boot"
	}
	var err error
	if l.Store, err = Open("", &opts); err != nil {
		t.Fatal(err)
	}
	l.state = l.Load(func(e sig.StoredEvent) {
		e.Extra, e.Data = bytes.Clone(e.Extra), bytes.Clone(e.Data)
		l.events = append(l.events, e)
	})
	l.next = l.state.Last
	return l
}

func (l *loaded) end() {
	l.stop()
	if err := l.Close(); err != nil {
		l.t.Error(err)
	}
}

// event is one that a text makes.
func event(seq uint64, data string) sig.StoredEvent {
	return sig.StoredEvent{Seq: seq, Time: time.Now().Truncate(time.Microsecond), Sender: "s", Event: "e", ForSender: "s", ForEvent: "e", Data: []byte(data)}
}

func (l *loaded) append(data string) (seq uint64) {
	l.next++
	l.Append(event(l.next, data))
	return l.next
}

// keep appends an event and returns once it is kept.
func (l *loaded) keep(data string) uint64 {
	seq := l.append(data)
	done := make(chan struct{})
	l.Kept(seq, func() { close(done) })
	<-done
	return seq
}

func data(events []sig.StoredEvent) (all []string) {
	for _, e := range events {
		if e.Lost {
			all = append(all, "lost")
		} else {
			all = append(all, string(e.Data))
		}
	}
	return all
}

func TestEverythingOfAnEventIsKept(t *testing.T) {
	for _, mode := range []Sync{SyncGroup, SyncEach, SyncNone} {
		dir := t.TempDir()
		s, err := Open(dir, &Options{Sync: mode})
		if err != nil {
			t.Fatal(err)
		}
		first := s.Load(func(sig.StoredEvent) { t.Error("there is an event") })
		stop := wait.Start(t.Context(), func(ctx context.Context) {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		now := time.Now().Truncate(time.Microsecond)
		want := []sig.StoredEvent{
			{Seq: 1, Time: now, Sender: "a", Event: "b", ForSender: "a", ForEvent: "b", Data: []byte("1")},
			{Seq: 2, Time: now, Sender: sig.Number(5), Event: "", ForSender: "x", ForEvent: "y", Data: []byte(`{"n":2}`), Extra: []byte(`{"o": 3}`), ID: "id", Listeners: 7},
			{Seq: 3, Time: now, Sender: "a", Event: "b", ForSender: "a", ForEvent: "b", Lost: true, ID: "id3"},
			{Seq: 4, Time: now, Sender: "a", Event: "b", ForSender: "a", ForEvent: "b", Data: bytes.Repeat([]byte("x"), sig.MaxData)},
		}
		for _, e := range want {
			s.Append(e)
		}
		stop()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, err = Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []sig.StoredEvent
		state := s.Load(func(e sig.StoredEvent) {
			got = append(got, e)
		})
		if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("%s: %s", mode, diff)
		}
		if want := (sig.StoreState{Epoch: first.Epoch, Last: 4}); !cmp.Equal(want, state) || first.Epoch == "" {
			t.Errorf("%s: %+v, then %+v", mode, first, state)
		}
		s.Close()
		for _, path := range []string{dir, filepath.Join(dir, "0000000001.events"), filepath.Join(dir, "lock")} {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if mode := info.Mode().Perm(); path != dir && mode != 0o600 && runtime.GOOS != "windows" {
				t.Errorf("%s has mode %o", path, mode)
			}
		}
	}
}

func TestOneStoreAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, nil); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	go func() { // its router has given up its address already
		time.Sleep(200 * time.Millisecond)
		s.Close()
	}()
	next, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	next.Close()
}

// A segment that could neither be begun nor removed does not keep another from being begun.
func TestLeftoverSegment(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.WriteFile(filepath.Join(dir, segment{index: 1}.name()), []byte("sig"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Load(func(sig.StoredEvent) {})
	if s.failing != nil {
		t.Error(s.failing)
	}
}

// After a kill, nobody was told of what is not there, and the numbers go on after all
// that were given.
func TestKilled(t *testing.T) {
	d := newDisk()
	l := load(t, d, Options{})
	l.keep("1")
	l.keep("2")
	killed := d.kill()
	l.end()
	for i := range 3 {
		k := load(t, killed, Options{})
		want := sig.StoreState{Epoch: l.state.Epoch, Last: uint64(i+1) * block}
		if !cmp.Equal(k.state, want) || !slices.Equal(data(k.events), []string{"1", "2"}) {
			t.Errorf("%q %+v, not %+v", data(k.events), k.state, want)
		}
		if k.log.count("level=") > 0 {
			t.Errorf("it says %s", k.log.text.String())
		}
		killed = killed.kill()
		k.end()
	}
	k := load(t, killed, Options{boot: "another"})
	defer k.end()
	if want := []sig.Span{{From: 3*block + 1, To: 4 * block}}; !cmp.Equal(k.state.Unknown, want) {
		t.Errorf("when the system was started anew, %+v is unknown, not %+v", k.state.Unknown, want)
	}
}

// A tail that is cut short at any byte costs the last event only; the next run cuts it
// off.
func TestTornTail(t *testing.T) {
	d := newDisk()
	l := load(t, d, Options{})
	l.keep("1")
	whole := len(d.files["0000000001.events"].data)
	l.keep("22")
	killed := d.kill()
	l.end()
	text := killed.files["0000000001.events"].data
	for n := whole; n < len(text); n++ {
		for _, tail := range []string{"", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "x"} {
			torn := killed.kill()
			torn.files["0000000001.events"].data = append(slices.Clone(text[:n]), tail...)
			used := len(bytes.TrimRight(torn.files["0000000001.events"].data, "\x00"))
			k := load(t, torn, Options{})
			short := tail == "" // a kill while it was written
			if !slices.Equal(data(k.events), []string{"1"}) || k.state.Last%block != 0 || short && len(k.state.Unknown) > 0 {
				t.Errorf("%d bytes and %q: %q %+v", n, tail, data(k.events), k.state)
			}
			if want := min(1, max(0, used-whole)); k.log.count("incomplete, and cut off") != want {
				t.Errorf("%d bytes: it says %s", n, k.log.text.String())
			}
			k.keep("3")
			k.end()
			k = load(t, torn, Options{})
			if !slices.Equal(data(k.events), []string{"1", "3"}) || k.log.count("level=") > 0 {
				t.Errorf("%d bytes: then %q, and %s", n, data(k.events), k.log.text.String())
			}
			k.end()
		}
	}
}

// A byte that has changed anywhere costs one event at most, which is known to be
// missing, and no number comes twice.
func TestDamagedMiddle(t *testing.T) {
	d := newDisk()
	l := load(t, d, Options{})
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprint(i))
		l.keep(want[i])
	}
	l.end()
	text := d.files["0000000001.events"].data
	for i := range text {
		damaged := d.kill()
		damaged.files["0000000001.events"].data[i] ^= 0x10
		s, err := Open("", &Options{folder: damaged, boot: "boot"})
		if err != nil { // it has become another version
			if i >= len(line) {
				t.Fatalf("byte %d: %v", i, err)
			}
			continue
		}
		var got []string
		state := s.Load(func(e sig.StoredEvent) { got = append(got, string(e.Data)) })
		if len(got) < 4 {
			t.Errorf("byte %d: only %q are left", i, got)
		}
		if state.Last < 5 {
			t.Errorf("byte %d: the numbers go on after %d", i, state.Last)
		}
		for n, j := range want {
			there := slices.Contains(got, j)
			unknown := slices.ContainsFunc(state.Unknown, func(s sig.Span) bool { return s.From <= uint64(n+1) && uint64(n+1) <= s.To })
			if there == unknown && len(got) < 5 {
				t.Errorf("byte %d: event %d is there: %t, and unknown: %t", i, n+1, there, unknown)
			}
		}
		if i >= len(line) && state.Epoch != l.state.Epoch && len(got) == 5 && i > len(line)+60 {
			t.Errorf("byte %d: another epoch", i)
		}
	}
}

func TestVersions(t *testing.T) {
	d := newDisk()
	d.files["0000000001.events"] = &diskFile{disk: d, data: []byte("sigalert events 2 \nwhatever")}
	_, err := Open("", &Options{folder: d})
	if err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a later version: %v", err)
	}
	if string(d.files["0000000001.events"].data) != "sigalert events 2 \nwhatever" {
		t.Error("it was changed")
	}
	d.files = map[string]*diskFile{"other": {disk: d}, "1.events": {disk: d}, "0000000001.events": {disk: d}}
	l := load(t, d, Options{})
	l.keep("1")
	l.end()
	if len(d.files) != 4 {
		t.Errorf("%d files", len(d.files))
	}
}

// While the disk is full, nobody waits; what it could not take is written when it can,
// and whatever is then left out is known.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		l := load(t, d, Options{})
		l.keep("before")
		d.set(func(d *disk) { d.room = 10 })
		const more = maxWaiting + 30_000
		for i := range more {
			seq := l.append(fmt.Sprint(i))
			if i%10_000 == 0 {
				began := time.Now()
				l.Handed(seq)
				done := make(chan struct{})
				l.Kept(seq, func() { close(done) })
				<-done
				if took := time.Since(began); took > time.Second {
					t.Errorf("it took %v", took)
				}
			}
		}
		time.Sleep(10 * time.Second)
		full := d.kill()
		d.set(func(d *disk) { d.room = 100_000 }) // less than is needed
		time.Sleep(10 * time.Second)
		d.set(func(d *disk) { d.room = -1 })
		time.Sleep(2 * time.Second)
		l.keep("after")
		killed := d.kill()
		l.end()
		if a, b := l.log.count("cannot write the store"), l.log.count("is written again"); a != 1 || b != 1 {
			t.Errorf("it says so %d times, and %d times that it is over", a, b)
		}
		k := load(t, killed, Options{})
		lost := 0
		for i, e := range k.events {
			if e.Seq != uint64(i+1) {
				t.Fatalf("event %d has number %d", i, e.Seq)
			}
			if e.Lost {
				lost++
			}
		}
		f := load(t, full, Options{})
		kept := uint64(len(f.events)) // when there was no more room
		if most := more + 1 - maxWaiting; len(k.events) != more+2 || lost > most || lost < most-int(kept) || len(k.state.Unknown) > 0 {
			t.Errorf("%d events, %d of them lost, not %d, %v unknown", len(k.events), lost, most, k.state.Unknown)
		}
		k.end()
		// Whoever missed events then is not told that there were none.
		if kept == 0 || !cmp.Equal(f.state.Unknown, []sig.Span{{From: kept + 1, To: block}}) {
			t.Errorf("killed while it was full: %d events %+v", kept, f.state)
		}
		f.end()
	})
}

// What is too much even without its data is known to be unknown.
func TestVeryFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		l := load(t, d, Options{})
		l.keep("1")
		d.set(func(d *disk) { d.fails = errors.New("read-only") })
		for range maxWaiting + maxLost + 10 {
			l.append("x")
		}
		time.Sleep(5 * time.Second)
		d.set(func(d *disk) { d.fails = nil })
		time.Sleep(5 * time.Second)
		l.end()
		k := load(t, d, Options{})
		defer k.end()
		if n := len(k.events); n != 1+maxWaiting+maxLost || !cmp.Equal(k.state.Unknown, []sig.Span{{From: 2, To: 11}}) {
			t.Errorf("%d events, %v unknown", n, k.state.Unknown)
		}
	})
}

// Names take room, too.
func TestLongNamesOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		l := load(t, d, Options{})
		l.keep("1")
		d.set(func(d *disk) { d.fails = errors.New("read-only") })
		for i := range maxWaiting + maxLost {
			l.next++
			e := event(l.next, "x")
			e.Sender = sig.Name(strings.Repeat("s", 1000))
			if l.Append(e); i%1000 == 0 {
				time.Sleep(time.Second)
			}
		}
		l.Store.mu.Lock()
		held := len(l.waiting) * 1000
		l.Store.mu.Unlock()
		if held > maxWaitingBytes {
			t.Errorf("%d bytes are held", held)
		}
		d.set(func(d *disk) { d.fails = nil })
		time.Sleep(5 * time.Second)
		l.end()
		k := load(t, d, Options{})
		defer k.end()
		if n := uint64(len(k.events)); n < 20_000 || !cmp.Equal(k.state.Unknown, []sig.Span{{From: 2, To: l.next - n + 1}}) {
			t.Errorf("%d events, %v unknown", n, k.state.Unknown)
		}
	})
}

// A disk that cannot be written at the start is tried again.
func TestFailsFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		l := load(t, d, Options{})
		l.keep("1")
		l.end()
		d.set(func(d *disk) { d.fails = errors.New("read-only") })
		k := load(t, d, Options{})
		if !slices.Equal(data(k.events), []string{"1"}) || k.state.Epoch != l.state.Epoch {
			t.Errorf("%q %+v", data(k.events), k.state)
		}
		k.keep("2")
		d.set(func(d *disk) { d.fails = nil })
		time.Sleep(2 * time.Second)
		k.keep("3")
		k.end()
		k = load(t, d, Options{})
		defer k.end()
		if !slices.Equal(data(k.events), []string{"1", "2", "3"}) || len(k.state.Unknown) > 0 {
			t.Errorf("then %q %+v", data(k.events), k.state)
		}
	})
}

// Of a run that found the disk full and was killed before there was room, the next one
// knows nothing but that it was: what was missed is unknown, and no number comes again.
func TestFullFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		l := load(t, d, Options{})
		l.keep("1")
		l.end()
		for range 3 {
			d.set(func(d *disk) { d.room = 0 })
			k := load(t, d, Options{})
			given := k.keep("2")
			time.Sleep(10 * time.Second)
			after := d.kill()
			k.end()
			after.set(func(d *disk) { d.room = -1 })
			n := load(t, after, Options{})
			if u := n.state.Unknown; len(u) != 1 || u[0] != (sig.Span{From: 2, To: n.state.Last}) || n.state.Last+1 == given {
				t.Errorf("after number %d: %+v", given, n.state)
			}
			n.end()
		}
	})
}

// A sync that fails is said once, and tried again.
func TestSyncFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		l := load(t, d, Options{Sync: SyncEach})
		l.keep("1")
		d.set(func(d *disk) { d.fails = errors.New("broken") })
		for range 5 {
			l.keep("x")
			time.Sleep(time.Second)
		}
		d.set(func(d *disk) { d.fails = nil })
		time.Sleep(2 * time.Second)
		var before, after int
		d.set(func(d *disk) { before = d.syncs })
		l.keep("2")
		if d.set(func(d *disk) { after = d.syncs }); after == before {
			t.Error("it is not synced any more")
		}
		l.end()
		if a, b := l.log.count("cannot write the store"), l.log.count("is written again"); a != 1 || b != 1 {
			t.Errorf("it says so %d times, and %d times that it is over", a, b)
		}
	})
}

// A store says whether its disk fails, or does not answer.
func TestFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, broken := newDisk(), errors.New("broken")
		l := load(t, d, Options{})
		for _, tc := range []struct {
			fails error
			slow  time.Duration
			want  error
		}{{nil, 0, nil}, {broken, 0, broken}, {nil, 0, nil}, {nil, time.Minute, errSilent}, {nil, 0, nil}} {
			d.set(func(d *disk) { d.fails, d.slow = tc.fails, tc.slow })
			l.append("x")
			time.Sleep(keptLate + 2*time.Second)
			if err := l.Failing(); !errors.Is(err, tc.want) {
				t.Errorf("%+v: %v", tc, err)
			}
			d.set(func(d *disk) { d.fails, d.slow = nil, 0 })
			time.Sleep(3 * time.Minute)
		}
		l.end()
	})
}

// Listeners do not wait for a slow disk, and publishers not for ever.
func TestSlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		l := load(t, d, Options{})
		l.keep("1")
		for _, slow := range []struct{ write, handed, kept time.Duration }{
			{100 * time.Millisecond, 100 * time.Millisecond, 100 * time.Millisecond},
			{time.Second, handLate, time.Second},
			{time.Minute, handLate, keptLate},
			{0, 0, 0},
		} {
			d.set(func(d *disk) { d.slow = slow.write })
			time.Sleep(2 * time.Minute)
			began := time.Now()
			seq := l.append("x")
			l.Handed(seq)
			handed := time.Since(began)
			done := make(chan struct{})
			l.Kept(seq, func() { close(done) })
			<-done
			if kept := time.Since(began); handed != slow.handed || kept != slow.kept {
				t.Errorf("writes take %v: listeners wait %v, publishers %v", slow.write, handed, kept)
			}
			time.Sleep(2 * time.Minute)
		}
		l.end()
		if a, b := l.log.count("does not answer"), l.log.count("answers again"); a != 1 || b != 1 {
			t.Errorf("it says so %d times, and %d times that it is over", a, b)
		}
	})
}

// Nobody waits for what is removed, either.
func TestSlowRemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		l := load(t, d, Options{Age: time.Hour})
		time.Sleep(time.Second)
		for i := range 120 {
			if i == 60 {
				d.set(func(d *disk) { d.slow = 50 * time.Second })
			}
			time.Sleep(time.Minute)
			began := time.Now()
			seq := l.append("x")
			if l.Handed(seq); time.Since(began) > handLate {
				t.Errorf("after %d minutes, listeners wait %v", i, time.Since(began))
			}
		}
		d.set(func(d *disk) { d.slow = 0 })
		l.end()
	})
}

// The power fails again and again. What was kept is there, if it was synced; no number
// comes twice; what is missing is unknown.
func TestPowerFails(t *testing.T) {
	for _, mode := range []Sync{SyncGroup, SyncEach} {
		for seed := range uint64(200) {
			synctest.Test(t, func(t *testing.T) { powerFails(t, mode, rand.New(rand.NewPCG(seed, 1))) })
		}
	}
}

func powerFails(t *testing.T, mode Sync, r *rand.Rand) {
	type given struct {
		data string
		at   time.Time // when it was kept
	}
	d, kept, epoch, highest, run := newDisk(), map[uint64]given{}, "", uint64(0), 0
	for range 4 {
		run++
		l := load(t, d, Options{Sync: mode, Bytes: 256 << 10, boot: fmt.Sprint("boot", run)})
		if epoch != "" && l.state.Epoch != epoch {
			t.Fatalf("the epoch changes from %s to %s", epoch, l.state.Epoch)
		}
		epoch = l.state.Epoch
		if l.state.Last < highest {
			t.Fatalf("numbers go on after %d, and %d was given", l.state.Last, highest)
		}
		there := map[uint64]string{}
		for _, e := range l.events {
			there[e.Seq] = string(e.Data)
		}
		for seq, g := range kept {
			unknown := slices.ContainsFunc(l.state.Unknown, func(s sig.Span) bool { return s.From <= seq && seq <= s.To })
			safe := mode == SyncEach || time.Since(g.at) >= 5*time.Millisecond
			switch got, ok := there[seq]; {
			case ok && got != g.data:
				t.Fatalf("event %d is %s, not %s", seq, got, g.data)
			case !ok && safe:
				t.Fatalf("event %d is gone, and was kept", seq)
			case !ok && !unknown:
				t.Fatalf("event %d is gone, and not unknown", seq)
			case !ok:
				delete(kept, seq)
			}
		}
		for range 1 + r.IntN(40) {
			text := fmt.Sprint(run, " ", r.IntN(1000))
			seq := l.keep(text)
			kept[seq] = given{text, time.Now()}
			time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
		}
		highest = l.append("not answered")
		after := d.crash(r)
		l.end()
		d = after
	}
}

// What is too old or too much goes, a file at a time.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("x", 1000)
		for _, opts := range []Options{{Bytes: 80_000}, {Events: 70, Bytes: 80_000}, {Age: time.Hour}} {
			d := newDisk()
			l := load(t, d, opts)
			for range 300 {
				l.keep(text)
				time.Sleep(time.Minute)
			}
			l.end()
			size := 0
			for _, f := range d.files {
				size += len(f.data)
			}
			k := load(t, d, opts)
			least, most := 60, 82
			if n := len(k.events); n < least || n > most {
				t.Errorf("%+v: %d events are kept, of %d bytes in %d files", opts, n, size, len(d.files))
			}
			forgotten := k.events[0].Seq - 1
			if want := []sig.Span{{From: 1, To: forgotten}}; !cmp.Equal(k.state.Unknown, want) || k.state.Last != 300 {
				t.Errorf("%+v: %+v", opts, k.state)
			}
			if opts.Age > 0 {
				time.Sleep(3 * time.Hour)
				if names, _ := d.names(); len(names) != 1 {
					t.Errorf("what is too old is there: %q", names)
				}
			}
			k.end()
		}
	})
}
