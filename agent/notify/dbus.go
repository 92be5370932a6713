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

func (b *backend) notify(ctx context.Context, n Notification) (Receipt, error) {
	receipt, err := b.overBus(ctx, n)
	if errors.Is(err, errBusLost) || errors.Is(err, errServerGone) {
		// Whatever the one that died may have shown died with it, so this shows
		// it once.
		receipt, err = b.overBus(ctx, n)
	}
	if isRefusal(err) && !n.Resolved && !errors.Is(err, ErrNoDesktop) {
		return b.overBeeep(ctx, n, err)
	}
	return receipt, err
}

// overBus dials if there is no connection, or a dead one.
func (b *backend) overBus(ctx context.Context, n Notification) (Receipt, error) {
	if b.session != nil && !b.session.conn.Connected() {
		b.close()
	}
	if b.session == nil {
		address, err := busAddress()
		if err != nil {
			return Receipt{}, err
		}
		if b.session, err = newSession(ctx, address, b.opts.Open); err != nil {
			return Receipt{}, err
		}
		b.opts.Logger.Debug("connected to the session bus", "address", address)
	}
	receipt, err := b.session.notify(ctx, n, b.opts.AppName, cmp.Or(n.Icon, b.opts.Icon))
	if errors.Is(err, errBusLost) {
		b.close()
	}
	return receipt, err
}

// overBeeep is for when the bus answered with refusal.
func (b *backend) overBeeep(ctx context.Context, n Notification, refusal error) (Receipt, error) {
	if errors.Is(refusal, errNoServer) {
		refusal = fmt.Errorf("%w: %w: install and start one, such as dunst", ErrNoDesktop, refusal)
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
