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
	session *session             // nil until dialed. The connection is our own: others close godbus's shared one
	earlier Screen               // what an earlier session, or process, has shown
	stoodIn recent[string, bool] // the keys for which beeep stood in last
	player  player
}

func newBackend(closing context.Context, opts Options) *backend {
	return &backend{opts: opts, player: player{ctx: closing, logger: opts.Logger}}
}

func (b *backend) notify(ctx context.Context, n Notification) (receipt Receipt, err error) {
	if n.Resolved && b.stoodIn.get(n.Key) && beeepFindsBus() {
		b.stoodIn.drop(n.Key)
		return b.byBeeep(ctx, n.over())
	}
	err = b.overBus(ctx, func(s *session) error {
		receipt, err = s.notify(ctx, n, b.opts.AppName, cmp.Or(n.Icon, b.opts.Icon))
		return err
	})
	if n.Resolved {
		return receipt, err
	}
	b.stoodIn.drop(n.Key)
	if isRefusal(err) && !errors.Is(err, ErrNoDesktop) {
		receipt, err = b.standIn(ctx, n, err)
	}
	if err == nil && n.Sound != "" && n.Sound != noSound && !b.server().sounds {
		b.player.play(n.Sound)
	}
	return receipt, err
}

// server returns the one that is known, if any.
func (b *backend) server() server {
	if b.session == nil {
		return server{}
	}
	return b.session.known()
}

func (b *backend) describe(ctx context.Context) (found Server, err error) {
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
		b.hangUp()
	}
	if b.session == nil {
		address, err := busAddress()
		if err != nil {
			return err
		}
		if b.session, err = newSession(ctx, address, b.opts.Responded); err != nil {
			return err
		}
		b.session.earlier = &b.earlier
		b.opts.Logger.Debug("connected to the session bus", "address", address)
	}
	err := use(b.session)
	if errors.Is(err, errBusLost) {
		b.hangUp()
	}
	return err
}

func noServer(err error) error {
	return fmt.Errorf("%w: %w: install and start one, such as dunst", ErrNoDesktop, err)
}

// standIn is for when the bus answered with refusal.
func (b *backend) standIn(ctx context.Context, n Notification, refusal error) (Receipt, error) {
	if errors.Is(refusal, errNoServer) {
		refusal = noServer(refusal)
	}
	if !beeepFindsBus() {
		return Receipt{}, refusal
	}
	receipt, err := b.byBeeep(ctx, n)
	if err != nil {
		return Receipt{}, fmt.Errorf("%w; then %w", refusal, err)
	}
	if n.Key != "" {
		b.stoodIn.put(n.Key, true)
	}
	b.opts.Logger.Warn("beeep stood in for the notification server", "err", refusal)
	return receipt, nil
}

func (b *backend) byBeeep(ctx context.Context, n Notification) (Receipt, error) {
	n = n.spelledOut()
	if b.server().markup {
		n.Body = escapeMarkup(n.Body)
	}
	return Receipt{Via: "beeep"}, runBeeep(ctx, b.opts.AppName, func() error {
		// Not Alert: that rings the terminal's bell on standard output.
		return beeep.Notify(guardArgument(n.Title), guardNotifySend(n.Body), cmp.Or(n.Icon, b.opts.Icon))
	})
}

// screen is what may still be shown.
func (b *backend) screen() Screen {
	if b.session != nil {
		if s := b.session.screen(); s.Server != "" {
			return s
		}
	}
	return b.earlier
}

func (b *backend) restore(s Screen) { b.earlier = s }

// close is called when the Desktop, whose context ends what is played, closes.
func (b *backend) close() {
	b.hangUp()
	b.player.wait()
}

// hangUp is called before dialing again, too.
func (b *backend) hangUp() {
	if b.session != nil {
		b.earlier = b.screen()
		b.session.close()
		b.session = nil
	}
}
