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
	as     look              // the file when it was last looked at
}

// look is how a file looks from outside.
type look struct{ size, time int64 }

var (
	unseen      = look{size: -1} // not looked at yet
	gone        = look{size: -2}
	unreachable = look{size: -3}
)

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
	b := &Book{path: path, log: log, as: unseen}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.follow(); err != nil {
		return nil, err
	}
	return b, nil
}

// Move follows another file from now on, or reads the same one again. Tokens that are as
// they were keep their rights. If the file cannot be read, nothing changes.
func (b *Book) Move(path string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, as := b.path, b.as
	b.path, b.as = path, unseen
	err := b.follow()
	if err != nil {
		b.path, b.as = was, as
	}
	return err
}

// Run follows the file until ctx ends; the rights of all tokens end with it.
func (b *Book) Run(ctx context.Context) {
	for wait.Sleep(ctx, time.Second, nil) {
		b.refresh()
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
	b.refresh()
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
	b.refresh()
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

func (b *Book) refresh() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.follow(); err != nil {
		b.log.Error("the tokens have changed and cannot be read: those before stay", "err", err)
	}
}

// follow reads the file if it has changed; the caller holds the lock. An error comes
// once for each change.
func (b *Book) follow() error {
	info, err := os.Stat(b.path)
	was := b.as
	switch {
	case err == nil:
		b.as = look{info.Size(), info.ModTime().UnixNano()}
	case errors.Is(err, fs.ErrNotExist):
		b.as = gone
	default:
		b.as = unreachable
	}
	switch {
	case b.as == was:
		return nil
	case b.as == unreachable:
		return err
	case b.as == gone:
		if was != unseen {
			b.log.Warn("the file of the tokens is gone: nobody is admitted", "tokens", b.path)
		}
		b.use(nil)
		return nil
	}
	all, err := read(b.path)
	if err != nil {
		return err
	}
	b.use(all)
	return nil
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
