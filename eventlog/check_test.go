package eventlog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// goodFile is a file that has been used: with free pages, settings and, if there
// are enough entries, a tree of two levels. Each round of n logs so many more.
func goodFile(t testing.TB, n ...int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log.db")
	for round, n := range n {
		log, err := Open(&Options{Path: path, Limit: 900})
		if err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			if _, err := log.Clear(); err != nil {
				t.Fatal(err)
			}
		}
		var batch []Entry
		for i := range n {
			batch = append(batch, Entry{Time: time.Now(), Sender: "s", Event: "e", Data: fmt.Appendf(nil, `{"n": %d, "text": %q}`, i, strings.Repeat("a", 100))})
		}
		batch[n/2].Data = fmt.Appendf(nil, "%q", strings.Repeat("long", 3000)) // a page with others behind it
		if err := log.commit(batch); err != nil {
			t.Fatal(err)
		}
		if err := log.keepSubscriptions([]Topic{{Sender: "s"}}); err != nil {
			t.Fatal(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := os.Getpagesize()
	meta, err := (&checker{file: bytes.NewReader(file), pageSize: uint64(size)}).meta()
	if err != nil {
		t.Fatal(err)
	}
	return file[:size*int(order.Uint64(meta[40:]))]
}

// use does everything with a file that a program does. Each step has 2 s to end, with
// an error or without.
func use(t *testing.T, name, path string, file []byte) (works bool) {
	t.Helper()
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	step := func(what string, f func() error) bool {
		ended := make(chan error, 1)
		go func() { ended <- f() }()
		select {
		case err := <-ended:
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %s: an error that does not name the file: %v", name, what, err)
			}
			return err == nil
		case <-time.After(2 * time.Second):
			stacks := make([]byte, 1<<20)
			t.Fatalf("%s: %s does not end\n%s", name, what, stacks[:runtime.Stack(stacks, true)])
			return false
		}
	}
	var log *Log
	if !step("open", func() (err error) { log, err = Open(&Options{Path: path}); return err }) {
		return false
	}
	works = step("subscriptions", func() error { log.subscriptions(); _, err := log.Secret(); return err })
	works = step("read", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := log.Events(ctx, Query{Limit: MaxEvents, Text: "a"})
		for _, e := range r.Entries {
			if _, _, err := log.Event(e.ID); err != nil {
				return nil // an entry that is damaged says so
			}
			_, _ = json.Marshal(e)
		}
		return err
	}) && works
	works = step("write", func() error { return log.commit([]Entry{{Time: time.Now(), Sender: "s", Event: "e"}}) }) && works
	works = step("limit", func() error { return log.SetLimits(Limits{Count: 100}) }) && works
	works = step("clear", func() error { _, err := log.Clear(); return err }) && works
	works = step("write again", func() error { return log.commit([]Entry{{Time: time.Now(), Sender: "s", Event: "e"}}) }) && works
	works = step("close", log.Close) && works
	return works
}

// A file that is damaged, whichever way, ends in an error that names it, or works;
// and it does so soon. All ways take two minutes; one in 50 is tried unless
// SIGALERT_DAMAGE is "all".
func TestDamagedFile(t *testing.T) {
	good, size := goodFile(t, 50, 700, 300), os.Getpagesize()
	pages := len(good) / size
	dir := t.TempDir()
	tried, worked := 0, 0
	pick := rand.New(rand.NewPCG(5, 6))
	try := func(name string, damage func(file []byte) []byte) {
		t.Helper()
		if os.Getenv("SIGALERT_DAMAGE") != "all" && pick.IntN(50) > 0 {
			return
		}
		file := damage(bytes.Clone(good))
		if bytes.Equal(file, good) {
			return
		}
		tried++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", tried)) // if the one before stays open, its lock must not count
		if use(t, name, path, file) {
			worked++
		}
		_ = os.Remove(path)
	}
	// put writes a number of 2, 4 or 8 bytes, and makes the checksum of a meta page
	// fit again if fix is set.
	put := func(name string, at, width int, n uint64, fix bool) {
		t.Helper()
		try(fmt.Sprintf("%s: %#x", name, n), func(file []byte) []byte {
			switch width {
			case 2:
				order.PutUint16(file[at:], uint16(n))
			case 4:
				order.PutUint32(file[at:], uint32(n))
			default:
				order.PutUint64(file[at:], n)
			}
			if fix {
				meta := file[at/size*size+headerSize:][:metaSize]
				sum := fnv.New64a()
				sum.Write(meta[:metaSize-8])
				order.PutUint64(meta[metaSize-8:], sum.Sum64())
			}
			return file
		})
	}
	if !use(t, "undamaged", filepath.Join(dir, "log.db"), good) {
		t.Fatal("what is not damaged does not work")
	}

	numbers := []uint64{0, 1, 2, 3, uint64(pages) - 1, uint64(pages), math.MaxInt16, math.MaxUint16, math.MaxInt32, math.MaxUint32, math.MaxInt64, math.MaxUint64}
	for id := range pages {
		page := good[id*size:][:size]
		put16 := func(name string, at int, n uint64) {
			put(fmt.Sprintf("page %d, %s", id, name), id*size+at, 2, n, false)
		}
		for _, n := range numbers {
			put(fmt.Sprintf("page %d, number", id), id*size, 8, n, false)
			put16("count", 10, n)
			put(fmt.Sprintf("page %d, overflow", id), id*size+12, 4, n, false)
		}
		for _, flags := range []uint64{0, branchPage, leafPage, 4, freelistPage, 3, math.MaxUint16} {
			put16("flags", 8, flags)
		}
		count := int(order.Uint16(page[10:]))
		if id < 2 {
			for at := headerSize; at < headerSize+metaSize; at += 4 {
				for _, n := range numbers {
					put(fmt.Sprintf("meta %d, at %d", id, at), id*size+at, 4, n, false)
					put(fmt.Sprintf("meta %d, at %d, with its checksum", id, at), id*size+at, 8, n, true)
				}
			}
			count = 0
		}
		for _, i := range []int{0, count / 2, count - 1} {
			at := headerSize + i*elementSize
			if i < 0 || i >= count || at+elementSize > size {
				continue
			}
			for _, n := range append(numbers, uint64(id)) {
				for field := 0; field < elementSize; field += 4 {
					put(fmt.Sprintf("page %d, element %d, at %d", id, i, field), id*size+at+field, 4, n, false)
				}
				put(fmt.Sprintf("page %d, element %d, pointer", id, i), id*size+at+8, 8, n, false)
				put(fmt.Sprintf("page %d, element %d, the list's", id, i), id*size+at, 8, n, false)
			}
			key := at + int(order.Uint32(page[at+4:]))
			if order.Uint16(page[8:]) == branchPage {
				key = at + int(order.Uint32(page[at:]))
			}
			if key+8 <= size {
				for _, n := range numbers {
					put(fmt.Sprintf("page %d, element %d, key", id, i), id*size+key, 8, n, false)
				}
				for bit := range 8 {
					put(fmt.Sprintf("page %d, element %d, key", id, i), id*size+key, 8, order.Uint64(page[key:])^1<<(8*bit), false)
				}
			}
		}
		try(fmt.Sprintf("page %d of zeros", id), func(file []byte) []byte { clear(file[id*size:][:size]); return file })
		try(fmt.Sprintf("page %d, its second half of zeros", id), func(file []byte) []byte { clear(file[id*size+size/2:][:size/2]); return file })
		try(fmt.Sprintf("ends before page %d", id), func(file []byte) []byte { return file[:id*size] })
		try(fmt.Sprintf("ends in page %d", id), func(file []byte) []byte { return file[:id*size+size/3] })
		try(fmt.Sprintf("page %d twice", id), func(file []byte) []byte {
			return bytes.Join([][]byte{file[:(id+1)*size], file[id*size:]}, nil)
		})
		for _, other := range []int{0, 1, 2, id - 1, (id + 7) % pages} {
			try(fmt.Sprintf("page %d as page %d", other, id), func(file []byte) []byte {
				copy(file[id*size:][:size], good[max(other, 0)*size:])
				return file
			})
			try(fmt.Sprintf("page %d as page %d, with its number", other, id), func(file []byte) []byte {
				copy(file[id*size+8:][:size-8], good[max(other, 0)*size+8:])
				return file
			})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		try(fmt.Sprintf("random %d", i), func(file []byte) []byte {
			for range 1 + random.IntN(8) {
				file[random.IntN(len(file))] ^= byte(1 << random.IntN(8))
			}
			return file
		})
	}
	t.Logf("%d pages, %d ways of damage, %d work", pages, tried, worked)
}

// Whatever a log does leaves a structure that the check accepts.
func TestCheckAcceptsWhatIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 60 {
		log, err := Open(&Options{Path: path})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for range 1 + random.IntN(4) {
			switch random.IntN(5) {
			case 0:
				err = log.SetLimits(Limits{Count: 1 + random.IntN(3000)})
			case 1:
				if random.IntN(3) == 0 {
					_, err = log.Clear()
				}
			default:
				batch := make([]Entry, random.IntN(1500))
				for i := range batch {
					batch[i] = Entry{Time: time.Now(), Sender: "s", Event: "e", Data: fmt.Appendf(nil, "%q", strings.Repeat("x", random.IntN(1<<random.IntN(14))))}
				}
				err = log.commit(batch)
			}
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		if err := log.keepSubscriptions(make([]Topic, random.IntN(200))); err != nil {
			t.Fatal(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Nothing that a file may hold makes the check itself fail. Two of its numbers are
// replaced.
func FuzzCheck(f *testing.F) {
	good := goodFile(f, 5, 20)
	f.Add(uint(8), uint64(branchPage), uint(16), uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, at uint, n uint64, at2 uint, n2 uint64) {
		file := bytes.Clone(good)
		order.PutUint64(file[at%uint(len(file)-8):], n)
		order.PutUint64(file[at2%uint(len(file)-8):], n2)
		_ = checkStructure(bytes.NewReader(file), int64(len(file)), os.Getpagesize())
	})
}
