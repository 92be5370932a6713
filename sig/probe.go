package sig

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// probeAfter is the silence after which a client asks whether its server is
// still there; two unanswered probes end the connection.
const probeAfter = 15 * time.Second

// probe asks the server, when it is silent, whether it is still there, until
// ctx ends. It returns an error once two probes in a row went unanswered. A
// token on now makes it ask at once, or return an error if the connection cannot
// work any more. pong handles the answers on a stream, on
// the reading goroutine.
func (p *peer) probe(ctx context.Context, now <-chan struct{}, pong func(*peer, []byte)) error {
	method := "get_version"
	if p.streaming.Load() {
		method = "ping"
	} else {
		pong = func(*peer, []byte) {}
	}
	silence := time.NewTimer(probeAfter)
	defer silence.Stop()
	for unanswered := 0; ; {
		asked := unanswered > 0
		if !asked {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-silence.C:
			case <-now:
				if c, ok := p.conn.(RootedConn); ok {
					if err := c.Rooted(); err != nil {
						return err
					}
				}
				asked = true
			}
		}
		before := p.lastRead.Load()
		if quiet := time.Since(p.born) - time.Duration(before); quiet < probeAfter && !asked {
			silence.Reset(probeAfter - quiet)
			continue
		}
		err := p.ask(ctx, method, nil, func(response []byte) { pong(p, response) })
		switch {
		case err == nil || errors.As(err, new(*RemoteError)) || p.lastRead.Load() != before:
			unanswered = 0
			silence.Reset(probeAfter)
		case errors.Is(err, ErrNoAnswer):
			if unanswered++; unanswered == 2 {
				return fmt.Errorf("the connection is dead: %w, twice", err)
			}
		default:
			return err
		}
	}
}
