package wire

import (
	"math/bits"
	"slices"
	"sync"
)

// Room is what those share that read what is too long for a small buffer, such as
// decoders. When there is none left, who has held a large buffer for the longest time
// gives way: whoever begins long messages and leaves them stands in nobody's way.
type Room struct {
	mu      sync.Mutex // guards the fields below
	left    int        // bytes
	limit   int
	gaveWay uint64   // how many have given way
	holders []holder // the longest first
}

type holder struct {
	claim *Claim
	size  int
}

// Claim is somebody's claim to some room.
type Claim struct{ giveWay func() }

// NewClaim returns a claim to none. If somebody else needs the room, giveWay is called,
// once, on any goroutine: it must see to it that the reader fails.
func NewClaim(giveWay func()) *Claim { return &Claim{giveWay} }

// NewRoom returns room for this many bytes.
func NewRoom(bytes int) *Room { return &Room{left: bytes, limit: bytes} }

// Limit changes how much room there is. Nobody gives way until somebody needs some.
func (r *Room) Limit(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left += bytes - r.limit
	r.limit = bytes
}

// Held returns how many bytes are in use, and how many decoders have given way.
func (r *Room) Held() (bytes int, gaveWay uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limit - r.left, r.gaveWay
}

// Hold notes that somebody has a buffer of this size, and makes others give way if there
// is not enough room for it. A small one, of up to 64 KiB, does not count.
func (r *Room) Hold(c *Claim, size int) {
	for _, c := range r.held(c, size) {
		c.giveWay()
	}
}

func (r *Room) held(c *Claim, size int) (giveWay []*Claim) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.holders, func(h holder) bool { return h.claim == c })
	switch {
	case i < 0 && size <= streamBuffer:
		return nil
	case i < 0:
		r.holders = append(r.holders, holder{c, size})
		r.left -= size
	case size <= streamBuffer:
		r.left += r.holders[i].size
		r.holders = slices.Delete(r.holders, i, i+1)
	default:
		r.left += r.holders[i].size - size
		r.holders[i].size = size
	}
	for r.left < 0 && r.holders[0].claim != c {
		r.left += r.holders[0].size
		giveWay = append(giveWay, r.holders[0].claim)
		r.gaveWay++
		r.holders = slices.Delete(r.holders, 0, 1)
	}
	return giveWay
}

// buffers are large buffers that no decoder uses now, by the length of their
// capacity in bits. Without them, a peer that begins one long message after another
// would keep the garbage collector busy.
var buffers [32]sync.Pool

// resize replaces the buffer by one of at least this size that holds rest.
func (d *Decoder) resize(size int, rest []byte) {
	if d.room != nil && max(size, cap(d.buf)) > streamBuffer {
		d.room.Hold(d.claim, size)
	}
	old := d.buf
	d.buf = append(takeBuffer(size), rest...)
	if cap(old) > streamBuffer {
		buffers[bits.Len(uint(cap(old)))].Put(&old)
	}
}

func takeBuffer(size int) []byte {
	if size > streamBuffer {
		if b, ok := buffers[bits.Len(uint(size))].Get().(*[]byte); ok && cap(*b) >= size {
			return (*b)[:0]
		}
	}
	return make([]byte, 0, size)
}
