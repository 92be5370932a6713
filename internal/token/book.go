package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// Book is the tokens of a file, for a router. It is a [sig.Access].
//
// Callers of Admit see each change of the file at once. A file that cannot be read
// changes nothing, and is reported; one that is removed has no tokens.
type Book struct {
	path string
	log  *slog.Logger

	mu     sync.Mutex        // guards the fields below
	secure bool              // clients need TLS
	old    []netip.Prefix    // where clients come from that need neither TLS nor a token
	grants map[string]*grant // by their keys
	there  bool              // the file, when it was last looked at
	as     stamp             // how it was then
	fault  string            // why it could not be read then; "": it could
}

// stamp tells whether the file has changed.
type stamp struct {
	size int64
	time time.Time
	mode fs.FileMode
}

// grant is a token's rights, until it changes.
type grant struct {
	Rights
	entry Entry
	as    string // the entry in the file
	ctx   context.Context
	end   context.CancelFunc
}

func newGrant(e Entry, as string) *grant {
	ctx, end := context.WithCancel(context.Background())
	return &grant{Rights{e.Listen, e.Send, e.Admin}, e, as, ctx, end}
}

func (g *grant) Holder() string           { return g.entry.Name }
func (g *grant) Context() context.Context { return g.ctx }

// Open reads the file, which need not be there.
func Open(path string, log *slog.Logger) (*Book, error) {
	b := &Book{path: path, log: log}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.follow(false); err != nil {
		return nil, err
	}
	return b, nil
}

// Move follows another file from now on, or reads the same one again. Tokens that are as
// they were keep their rights. If the file cannot be read, nothing changes.
func (b *Book) Move(path string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, there, as, fault := b.path, b.there, b.as, b.fault
	b.path, b.there, b.as, b.fault = path, false, stamp{}, ""
	err := b.follow(false)
	if err != nil {
		b.path, b.there, b.as, b.fault = was, there, as, fault
	}
	return err
}

// Run follows the file until ctx ends; the rights of all tokens end with it.
func (b *Book) Run(ctx context.Context) {
	for wait.Sleep(ctx, time.Second, nil) {
		b.refresh(true)
		b.endExpired()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.use(nil)
}

// endExpired ends the rights of tokens that have expired. Timers would not do: they stand
// still while the machine sleeps, and do not hear of a clock that is set.
func (b *Book) endExpired() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range b.grants {
		if g.entry.Expired(time.Now()) {
			b.renew(g)
		}
	}
}

// Require says whether clients need TLS, except on this machine. Those from the networks
// do not, nor a token: whoever shows neither that nor a certificate has the rights of the
// entry named legacy. When the networks change, all who have these rights lose them. By
// default clients need no TLS, and there are no networks.
func (b *Book) Require(secure bool, legacy []netip.Prefix) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.secure = secure
	if slices.Equal(b.old, legacy) {
		return
	}
	b.old = legacy
	if g := b.named(LegacyName); g != nil {
		b.renew(g)
	}
}

// renew ends the rights of those who have them; the caller holds the lock.
func (b *Book) renew(g *grant) {
	g.end()
	b.grants[g.entry.key()] = newGrant(g.entry, g.as)
}

// Has reports whether there is an entry of this name.
func (b *Book) Has(name string) bool {
	b.refresh(false)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.named(name) != nil
}

// named is the grant of the entry with a name; nil: there is none. The caller holds the
// lock.
func (b *Book) named(name string) *grant {
	for _, g := range b.grants {
		if g.entry.Name == name {
			return g
		}
	}
	return nil
}

// isOld reports whether an address is in one of the networks.
func isOld(legacy []netip.Prefix, peer string) bool {
	at, err := netip.ParseAddrPort(peer)
	addr := at.Addr().Unmap().WithZone("")
	return err == nil && slices.ContainsFunc(legacy, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Admit implements [sig.Access]. Of a token and a certificate the token counts, even if
// it is not valid. A certificate is known by its common name.
func (b *Book) Admit(c sig.Caller) (sig.Rights, error) {
	b.refresh(false)
	b.mu.Lock()
	defer b.mu.Unlock()
	var g *grant
	var what string
	old := isOld(b.old, c.Peer)
	switch {
	case b.secure && !c.Private && !old:
		return nil, errors.New("it came without TLS")
	case c.Token != "":
		g, what = b.grants[hash(c.Token)], "its token"
	case c.Certificate != nil:
		name := c.Certificate.Subject.CommonName
		g, what = b.grants[certificateKey(name)], fmt.Sprintf("the token for its certificate, %.64q,", name)
	case old:
		g, what = b.named(LegacyName), "the token named legacy, whose rights clients without any have,"
	default:
		return nil, errors.New("it has neither a token nor a certificate")
	}
	switch {
	case g == nil:
		return nil, fmt.Errorf("%s is unknown", what)
	case g.entry.Expired(time.Now()):
		return nil, fmt.Errorf("%s has expired", what)
	}
	return g, nil
}

func (b *Book) refresh(again bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.follow(again); err != nil {
		b.log.Error("the tokens have changed and cannot be read: those before stay", "err", err)
	}
}

// follow reads the file if it has changed and, with again, if it could not be read: it
// may be readable by now without having changed. The caller holds the lock. An error
// comes once for each change.
func (b *Book) follow(again bool) error {
	info, err := os.Stat(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		if b.there {
			b.log.Warn("the file of the tokens is gone: nobody is admitted", "tokens", b.path)
		}
		b.there, b.as, b.fault = false, stamp{}, ""
		b.use(nil)
		return nil
	}
	var as stamp
	if err == nil {
		as = stamp{info.Size(), info.ModTime(), info.Mode()}
	}
	same := b.there && as == b.as
	if same && (b.fault == "" || !again) {
		return nil
	}
	before := b.fault
	b.there, b.as, b.fault = true, as, ""
	if err == nil {
		var all []Entry
		if all, err = read(b.path); err == nil {
			b.use(all)
			return nil
		}
	}
	if b.fault = err.Error(); same && b.fault == before {
		return nil
	}
	return err
}

// use ends the rights of tokens that are not among these as they were; the caller holds
// the lock.
func (b *Book) use(all []Entry) {
	grants := make(map[string]*grant, len(all))
	for _, e := range all {
		text, _ := json.Marshal(e) // which was read from such
		g := b.grants[e.key()]
		if g == nil || g.as != string(text) {
			g = newGrant(e, string(text))
		}
		grants[e.key()] = g
	}
	for key, g := range b.grants {
		if grants[key] != g {
			g.end()
		}
	}
	b.grants = grants
}
