//go:build linux || freebsd || netbsd || openbsd

package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/gen2brain/beeep"
)

// backend talks to the notification server on the session bus, and to beeep if
// that server refused. Its methods must take turns.
type backend struct {
	opts    Options
	session *session // nil until dialed. The connection is our own: others close godbus's shared one
}

func newBackend(opts Options) *backend { return &backend{opts: opts} }

func (b *backend) notify(ctx context.Context, n Notification) (receipt Receipt, err error) {
	err = b.overBus(ctx, func(s *session) error {
		receipt, err = s.notify(ctx, n, b.opts.AppName, cmp.Or(n.Icon, b.opts.Icon))
		return err
	})
	if isRefusal(err) && !n.Resolved && !errors.Is(err, ErrNoDesktop) {
		return b.overBeeep(ctx, n, err)
	}
	return receipt, err
}

func (b *backend) server(ctx context.Context) (found Server, err error) {
	err = b.overBus(ctx, func(s *session) error {
		found, err = s.describe(ctx)
		return err
	})
	if errors.Is(err, errNoServer) {
		err = noServer(err)
	}
	return found, err
}

// overBus calls use with a connection that lives, and again if that or the server died meanwhile: whatever
// the one that died may have shown died with it, so this shows it once.
func (b *backend) overBus(ctx context.Context, use func(*session) error) error {
	err := b.overBusOnce(ctx, use)
	if errors.Is(err, errBusLost) || errors.Is(err, errServerGone) {
		err = b.overBusOnce(ctx, use)
	}
	return err
}

// overBusOnce dials if there is no connection, or a dead one.
func (b *backend) overBusOnce(ctx context.Context, use func(*session) error) error {
	if b.session != nil && !b.session.conn.Connected() {
		b.close()
	}
	if b.session == nil {
		address, err := busAddress()
		if err != nil {
			return err
		}
		if b.session, err = newSession(ctx, address, b.opts.Open); err != nil {
			return err
		}
		b.opts.Logger.Debug("connected to the session bus", "address", address)
	}
	err := use(b.session)
	if errors.Is(err, errBusLost) {
		b.close()
	}
	return err
}

func noServer(err error) error {
	return fmt.Errorf("%w: %w: install and start one, such as dunst", ErrNoDesktop, err)
}

// overBeeep is for when the bus answered with refusal.
func (b *backend) overBeeep(ctx context.Context, n Notification, refusal error) (Receipt, error) {
	if errors.Is(refusal, errNoServer) {
		refusal = noServer(refusal)
	}
	if !beeepFindsBus() {
		return Receipt{}, refusal
	}
	n = n.spelledOut()
	if b.session != nil && b.session.readsMarkup() {
		n.Body = escapeMarkup(n.Body)
	}
	err := runBeeep(ctx, b.opts.AppName, func() error {
		// Not Alert: that rings the terminal's bell on standard output.
		return beeep.Notify(guardArgument(n.Title), guardNotifySend(n.Body), b.opts.Icon)
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("%w; then %w", refusal, err)
	}
	b.opts.Logger.Warn("beeep stood in for the notification server", "err", refusal)
	return Receipt{Via: "beeep"}, nil
}

// close is called when the Desktop closes, and before dialing again.
func (b *backend) close() {
	if b.session != nil {
		b.session.close()
		b.session = nil
	}
}
