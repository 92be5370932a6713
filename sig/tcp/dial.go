package tcp

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// headStart is what each address of a name gets before the next is tried beside it.
const headStart = 300 * time.Millisecond

// connect makes a connection to the first address of the server's name that answers.
// A net.Dialer by itself tries only IPv4 beside IPv6: of two addresses of one kind, a
// dead one costs half of the time that there is.
func (c *Client) connect(ctx context.Context) (net.Conn, error) {
	host, port, err := net.SplitHostPort(c.addr)
	if _, isIP := netip.ParseAddr(host); err != nil || isIP == nil || host == "" {
		return c.dialer.DialContext(ctx, "tcp", c.addr)
	}
	ips, err := c.lookup(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	addrs := make([]string, len(ips))
	for i, ip := range alternate(ips) {
		addrs[i] = net.JoinHostPort(ip.Unmap().String(), port)
	}
	return c.race(ctx, addrs)
}

// alternate sorts addresses such that those of the first one's kind and those of the
// other take turns: a network may carry only one of the two.
func alternate(ips []netip.Addr) []netip.Addr {
	var kinds [2][]netip.Addr
	for _, ip := range ips {
		kind := 0
		if ip.Unmap().Is4() != ips[0].Unmap().Is4() {
			kind = 1
		}
		kinds[kind] = append(kinds[kind], ip)
	}
	sorted := make([]netip.Addr, 0, len(ips))
	for i := range ips {
		for _, kind := range kinds {
			if i < len(kind) {
				sorted = append(sorted, kind[i])
			}
		}
	}
	return sorted
}

// race dials the addresses one after the other, without waiting long for the ones
// before, and returns the first connection once all other attempts have ended. The
// error is the first one.
func (c *Client) race(ctx context.Context, addrs []string) (first net.Conn, err error) {
	type result struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, running := make(chan result, len(addrs)), 0
	next := time.NewTimer(0)
	defer next.Stop()
	for running > 0 || first == nil && len(addrs) > 0 {
		select {
		case <-next.C:
			if first != nil || len(addrs) == 0 {
				break
			}
			addr := addrs[0]
			addrs = addrs[1:]
			running++
			go func() {
				conn, err := c.dialer.DialContext(ctx, "tcp", addr)
				results <- result{conn, err}
			}()
			next.Reset(headStart)
		case r := <-results:
			running--
			switch {
			case r.err == nil && first == nil:
				first = r.conn
				cancel()
			case r.err == nil:
				r.conn.Close()
			case err == nil:
				err = r.err
				next.Reset(0)
			default:
				next.Reset(0)
			}
		}
	}
	if first != nil {
		return first, nil
	}
	return nil, err
}
