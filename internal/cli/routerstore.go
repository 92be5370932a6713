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

	"sigalert/agent/config"
	"sigalert/sig/store"
)

// forgotten is how many events a store keeps beyond the memory, so that those missed can
// be counted after a restart, too.
const forgotten = 1 << 18

// memoryAge is for how long a router remembers.
func memoryAge(c *config.Router) time.Duration {
	if c.Store.Age == 0 {
		return math.MaxInt64
	}
	return c.Store.Age
}

// openStore returns nil if there is to be no store. Only one that was asked for has to be
// there.
func (p *program) openStore(c *config.Router) (*store.Store, error) {
	dir := c.Store.Dir
	switch {
	case dir == config.None:
		return nil, nil
	case dir == "":
		if _, port, _ := net.SplitHostPort(c.Listen); port == "0" { // it will have another address
			return nil, nil
		}
		dir = filepath.Join(routerStores(), fileName(c.Listen))
	}
	kept, err := store.Open(dir, &store.Options{
		Sync: c.Store.Sync, Events: c.Store.Limit + forgotten, Bytes: 2 * int64(c.Store.Size) << 20, Age: memoryAge(c), Logger: p.log,
	})
	switch {
	case err == nil:
		return kept, nil
	case c.Store.Dir != "":
		return nil, fmt.Errorf("%s: %s: %w", c.Place("store.dir"), dir, err)
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

// storeEnd is how long the end of a store may take; a disk that hangs cannot be hurried.
const storeEnd = 10 * time.Second

// endStore ends what keep does, or gives it up.
func (r *router) endStore(stop func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stop()
	}()
	select {
	case <-ended:
	case <-time.After(storeEnd):
		r.log.Error("the router's last events are not kept: the disk of its store does not answer", "after", storeEnd)
	}
}

// keep writes the router's store until ctx ends, and closes it.
func (r *router) keep(ctx context.Context) {
	if err := errors.Join(r.store.Run(ctx), r.store.Close()); err != nil {
		r.log.Error("the router's last events are not kept", "err", err)
	}
}
