package cli

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"sigalert/internal/systemd"
	"sigalert/internal/wait"
)

// reportTo tells systemd how the router is doing, until stop is called.
func reportTo(ctx context.Context, manager *systemd.Manager, r *router) (stop func()) {
	manager.Ready(listening(r))
	ending := context.AfterFunc(ctx, func() { manager.Stopping("ending: clients get what waits for them") })
	watching := wait.Start(ctx, func(ctx context.Context) { manager.Watch(ctx, r.alive) })
	return func() {
		ending()
		watching()
	}
}

func listening(r *router) string { return "listening on " + r.addr() }

// alive returns nil if the router answers: to whoever asks it over a connection. To
// refuse or to close that is an answer, too; a router that hangs does neither.
func (r *router) alive(ctx context.Context) error {
	r.Sender("")                                                   // waits for the router's lock
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.addr()) // 0.0.0.0 is this machine, too
	if errors.Is(err, syscall.EMFILE) {
		return nil // its clients have all the descriptors, for which it need not be started again
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if _, err = io.WriteString(conn, "GET /healthz HTTP/1.0\r\n\r\n"); err == nil { // which requires no token
		_, err = conn.Read(make([]byte, 1))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}
