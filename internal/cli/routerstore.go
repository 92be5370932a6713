package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sigalert/internal/age"
	"sigalert/sig/store"
)

// keeping is what a router remembers, and where.
type keeping struct {
	dir   string // "": the default; noStore: nowhere
	sync  string
	limit int
	age   string
	size  int // in MiB

	safe   store.Sync
	oldest time.Duration
}

const (
	noStore     = "none"
	defaultKeep = 24 * time.Hour
	// forgotten is how many events a store keeps beyond the memory, so that those
	// missed can be counted after a restart, too.
	forgotten = 1 << 18
)

// defaultKeeping is what a router keeps for which there are no flags.
func defaultKeeping() (k keeping) {
	k.flags(pflag.NewFlagSet("", pflag.ContinueOnError))
	return k
}

func (k *keeping) flags(flags *pflag.FlagSet) {
	flags.StringVar(&k.dir, "store", "", "the `FOLDER` in which events outlive the router, or none (default: in the user's state folder, named after the address)")
	flags.StringVar(&k.sync, "sync", store.SyncGroup.String(), "when an event is safe, and its publisher answered: group (it outlives the router at once, and a power failure 5 ms later), each (a power failure, too) or none")
	flags.IntVar(&k.limit, "limit", 10_000, "remember the newest `N` events")
	flags.StringVar(&k.age, "age", "", "remember events for a `TIME` such as 12h or 30d; 0: for ever (default 24h)")
	flags.IntVar(&k.size, "size", 64, "remember at most this many `MIB` of events")
}

// check reads what the flags say.
func (k *keeping) check() (err error) {
	if k.safe, err = store.ParseSync(k.sync); err != nil {
		return usage(fmt.Errorf("--sync: %w", err))
	}
	if k.limit < 1 {
		return usage(fmt.Errorf("--limit must be greater than 0, got %d", k.limit))
	}
	if k.size < 1 {
		return usage(fmt.Errorf("--size must be greater than 0, got %d", k.size))
	}
	k.oldest = defaultKeep
	if k.age != "" {
		if k.oldest, err = age.Parse(k.age); err != nil {
			return usage(fmt.Errorf("--age: %w", err))
		}
		if k.oldest == 0 {
			k.oldest = math.MaxInt64
		}
	}
	return nil
}

// open opens the store of the router at an address; nil if there is none. Only one that
// was asked for has to be there.
func (k *keeping) open(p *program, listen string) (*store.Store, error) {
	dir := k.dir
	switch {
	case dir == noStore:
		return nil, nil
	case dir == "":
		if _, port, _ := net.SplitHostPort(listen); port == "0" { // it will have another address
			return nil, nil
		}
		dir = filepath.Join(routerStores(), fileName(listen))
	}
	kept, err := store.Open(dir, &store.Options{
		Sync: k.safe, Events: k.limit + forgotten, Bytes: 2 * int64(k.size) << 20, Age: k.oldest, Logger: p.log,
	})
	switch {
	case err == nil:
		return kept, nil
	case k.dir != "":
		return nil, fmt.Errorf("--store %s: %w", dir, err)
	}
	p.log.Warn("the router forgets its events when it ends", "store", dir, "err", err)
	return nil, nil
}

// routerStores is where the routers of this user keep their events by default.
func routerStores() string { return filepath.Join(stateFolder(), "router") }

// fileName is an address as part of a file's name.
func fileName(address string) string {
	return strings.Map(func(r rune) rune {
		if r == ':' || r == '[' || r == ']' || r == '/' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, address)
}

// keep writes the router's store until ctx ends, and closes it.
func (r *router) keep(ctx context.Context) {
	if err := errors.Join(r.store.Run(ctx), r.store.Close()); err != nil {
		r.log.Error("the router's last events are not kept", "err", err)
	}
}
