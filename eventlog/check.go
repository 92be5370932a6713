package eventlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
)

// checkStructure looks at everything in a file that leads bbolt from one place to
// another: bbolt believes it, so that damage there can make it read for ever, use up
// all memory or overwrite what it should keep. The check itself reads each page once, and not
// what the entries say; a million entries take about a fifth of a second. A file
// that passes has entries whose numbers follow one another.
//
// The format is bbolt's version 2: pages with a header and a table of elements,
// which form a tree for each bucket. All numbers are in the machine's byte order.
func checkStructure(file io.ReaderAt, size int64, pageSize int) error {
	if pageSize < minPageSize || pageSize > maxPageSize || pageSize&(pageSize-1) != 0 {
		return fmt.Errorf("its pages cannot have %d bytes", pageSize)
	}
	c := &checker{file: file, pageSize: uint64(pageSize)}
	meta, err := c.meta()
	if err != nil {
		return err
	}
	root, freelist := order.Uint64(meta[16:]), order.Uint64(meta[32:])
	c.pages = order.Uint64(meta[40:])
	if have := uint64(size) / c.pageSize; have < c.pages {
		return fmt.Errorf("it has %d pages and should have %d", have, c.pages)
	}
	c.seen = make([]bool, c.pages)
	if err := c.walk(root, c.bucket); err != nil {
		return err
	}
	if freelist == noFreelist {
		return nil
	}
	return c.free(freelist)
}

const (
	minPageSize = 1 << 10
	maxPageSize = 1 << 24

	metaSize    = 64 // its last 8 bytes are a checksum of the others
	metaMagic   = 0xed0cdaed
	metaVersion = 2
	noFreelist  = math.MaxUint64

	headerSize  = 16 // of a page: number, flags, count, overflow
	elementSize = 16
	bucketSize  = 16 // of a bucket's value: root, sequence; then a page if root is 0

	branchPage, leafPage, freelistPage = 1, 2, 16

	maxDepth = 32 // of a tree; the largest log has four levels
	maxID    = 1 << 62
)

var order = binary.NativeEndian

type checker struct {
	file     io.ReaderAt
	pageSize uint64
	pages    uint64
	seen     []bool           // the pages that something leads to
	room     [maxDepth][]byte // for a page of each level
}

// meta is the newer of the two meta pages that are good, without its page's header.
func (c *checker) meta() (newest []byte, err error) {
	for i := range uint64(2) {
		meta := make([]byte, metaSize)
		if _, err := c.file.ReadAt(meta, int64(i*c.pageSize+headerSize)); err != nil {
			return nil, err
		}
		sum := fnv.New64a()
		sum.Write(meta[:metaSize-8])
		good := order.Uint32(meta) == metaMagic && order.Uint32(meta[4:]) == metaVersion && order.Uint64(meta[56:]) == sum.Sum64()
		if good && (newest == nil || order.Uint64(meta[48:]) > order.Uint64(newest[48:])) {
			newest = meta
		}
	}
	if newest == nil {
		return nil, errors.New("its beginning is damaged")
	}
	return newest, nil
}

// page is a page, of which only the first part is in memory.
type page struct {
	c            *checker
	id           uint64
	flags, count uint16
	size         uint64
	head         []byte
}

// read reads a page that nothing else has led to.
func (c *checker) read(id uint64, room []byte) (p page, err error) {
	if id < 2 || id >= c.pages {
		return p, fmt.Errorf("there is no page %d", id)
	}
	if _, err := c.file.ReadAt(room, int64(id*c.pageSize)); err != nil {
		return p, fmt.Errorf("page %d: %w", id, err)
	}
	p = page{c: c, id: id, flags: order.Uint16(room[8:]), count: order.Uint16(room[10:]), head: room}
	after := uint64(order.Uint32(room[12:]))
	if order.Uint64(room) != id || after >= c.pages-id {
		return p, p.damaged("header")
	}
	p.size = (after + 1) * c.pageSize
	return p, c.reach(id, id+after)
}

// reach notes that something leads to these pages, and fails if something else does.
func (c *checker) reach(from, to uint64) error {
	for id := from; id <= to; id++ {
		if c.seen[id] {
			return fmt.Errorf("page %d is used twice", id)
		}
		c.seen[id] = true
	}
	return nil
}

func (p *page) damaged(what string) error {
	return fmt.Errorf("the %s of page %d is damaged", what, p.id)
}

// at is a part of the page.
func (p *page) at(from, size uint64) ([]byte, error) {
	switch {
	case from > p.size || size > p.size-from:
		return nil, p.damaged("table")
	case from+size <= uint64(len(p.head)):
		return p.head[from:][:size], nil
	}
	part := make([]byte, size)
	_, err := p.c.file.ReadAt(part, int64(p.id*p.c.pageSize+from))
	return part, err
}

// element is an entry of a page's table.
type element struct {
	key       []byte
	child     uint64 // of a branch
	bucket    bool   // of a leaf: the value is a bucket's
	value     uint64 // of a leaf: where it is in the page
	valueSize uint64
}

func (p *page) element(i uint16) (e element, err error) {
	at := headerSize + uint64(i)*elementSize
	raw, err := p.at(at, elementSize)
	if err != nil {
		return e, err
	}
	var position, keySize uint64
	if p.flags == branchPage {
		position, keySize, e.child = uint64(order.Uint32(raw)), uint64(order.Uint32(raw[4:])), order.Uint64(raw[8:])
	} else {
		flags := order.Uint32(raw)
		if flags > 1 {
			return e, p.damaged("table")
		}
		position, keySize, e.valueSize = uint64(order.Uint32(raw[4:])), uint64(order.Uint32(raw[8:])), uint64(order.Uint32(raw[12:]))
		e.bucket = flags == 1
	}
	position += at
	if e.value = position + keySize; e.value > p.size || e.valueSize > p.size-e.value || keySize == 0 || keySize > maxKey {
		return e, p.damaged("table")
	}
	e.key, err = p.at(position, keySize)
	return e, err
}

// maxKey is bbolt's.
const maxKey = 32768

// visit is called for each element of a tree's leaves, in order.
type visit func(p *page, e element) error

// walk goes through a tree, whose keys must rise.
func (c *checker) walk(root uint64, f visit) error {
	return c.tree(root, nil, 0, rising(f))
}

func rising(f visit) visit {
	var last []byte
	return func(p *page, e element) error {
		if last != nil && bytes.Compare(last, e.key) >= 0 {
			return p.damaged("order")
		}
		last = append(last[:0], e.key...)
		return f(p, e)
	}
}

// tree goes through the part of a tree below a page, whose first key is known
// unless it is the root.
func (c *checker) tree(id uint64, first []byte, depth int, f visit) error {
	if depth == maxDepth {
		return fmt.Errorf("page %d is too deep", id)
	}
	if c.room[depth] == nil {
		c.room[depth] = make([]byte, c.pageSize)
	}
	p, err := c.read(id, c.room[depth])
	if err != nil {
		return err
	}
	if p.flags != branchPage && p.flags != leafPage || p.count == 0 && (first != nil || p.flags == branchPage) {
		return p.damaged("header")
	}
	return p.elements(func(p *page, e element) error {
		if first != nil && !bytes.Equal(e.key, first) {
			return p.damaged("first key")
		}
		first = nil
		if p.flags == branchPage {
			return c.tree(e.child, e.key, depth+1, f)
		}
		return f(p, e)
	})
}

func (p *page) elements(f visit) error {
	for i := range p.count {
		e, err := p.element(i)
		if err == nil {
			err = f(p, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket checks one that the root leads to.
func (c *checker) bucket(p *page, e element) error {
	var f visit
	switch name := string(e.key); name {
	case string(entriesBucket):
		f = following()
	case string(settingsBucket):
		f = func(p *page, e element) error { return p.isPlain(e) }
	default:
		return fmt.Errorf("it has %q, which no event log has", name)
	}
	if !e.bucket || e.valueSize < bucketSize {
		return p.damaged("bucket")
	}
	value, err := p.at(e.value, e.valueSize)
	if err != nil {
		return err
	}
	if root := order.Uint64(value); root != 0 {
		// The walk needs the room that this page is in.
		below := &checker{file: c.file, pageSize: c.pageSize, pages: c.pages, seen: c.seen}
		return below.walk(root, f)
	}
	inline := page{c: c, id: p.id, size: e.valueSize - bucketSize, head: value[bucketSize:]}
	if inline.size < headerSize {
		return p.damaged("bucket")
	}
	inline.flags, inline.count = order.Uint16(inline.head[8:]), order.Uint16(inline.head[10:])
	if inline.flags != leafPage {
		return p.damaged("bucket")
	}
	return inline.elements(rising(f))
}

func (p *page) isPlain(e element) error {
	if e.bucket {
		return p.damaged("table")
	}
	return nil
}

// following expects the numbers of entries, each following the one before it.
func following() visit {
	last := uint64(0)
	return func(p *page, e element) error {
		id := number(e.key)
		if id == 0 || id > maxID || last != 0 && id != last+1 {
			return p.damaged("order")
		}
		last = id
		return p.isPlain(e)
	}
}

// free checks the list of free pages, to none of which anything may lead.
func (c *checker) free(id uint64) error {
	p, err := c.read(id, make([]byte, c.pageSize))
	if err != nil {
		return err
	}
	if p.flags != freelistPage {
		return p.damaged("header")
	}
	from, count := uint64(headerSize), uint64(p.count)
	if p.count == math.MaxUint16 { // too many for the header
		first, err := p.at(from, 8)
		if err != nil {
			return err
		}
		from, count = from+8, order.Uint64(first)
	}
	if count > c.pages {
		return p.damaged("list")
	}
	list, err := p.at(from, 8*count)
	if err != nil {
		return err
	}
	for last := uint64(1); len(list) > 0; list = list[8:] {
		id := order.Uint64(list)
		if id <= last || id >= c.pages {
			return p.damaged("list")
		}
		if err := c.reach(id, id); err != nil {
			return err
		}
		last = id
	}
	return nil
}
