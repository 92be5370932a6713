package reach

import (
	"context"
	"net"
	"net/http"

	"sigalert/internal/address"
	"sigalert/sig"
)

// Web is how HTTP reaches a server at one address: without a proxy, and knowing the server
// as the wire does. Requests begin with the base, such as https://host:3000. The error is
// that of a file, or of a fingerprint which is none.
func (p Proof) Web(addr string) (direct *http.Transport, base string, err error) {
	direct = &http.Transport{DisableKeepAlives: true}
	if p, addr, err = p.settle(addr); err != nil {
		return nil, "", err
	}
	if !address.IsSecure(addr) {
		return direct, "http://" + address.HostPort(addr), nil
	}
	opts, err := p.TLS()
	if err == nil {
		direct.TLSClientConfig, err = opts.Config(address.HostPort(addr))
	}
	return direct, "https://" + address.HostPort(addr), err
}

// Ask is Web with the token, which is sent only if nobody else can read it: the error is
// otherwise [sig.ErrNotPrivate].
func (p Proof) Ask(ctx context.Context, addr, method, path string) (*http.Response, error) {
	p, addr, err := p.settle(addr)
	if err != nil {
		return nil, err
	}
	direct, base, err := p.Web(addr)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, nil)
	if err != nil {
		return nil, err
	}
	secret, err := p.Secret()
	if err != nil {
		return nil, err
	}
	if secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
		if !address.IsSecure(addr) {
			direct.DialContext = dialNear
		}
	}
	return direct.RoundTrip(request)
}

// dialNear dials only this machine.
func dialNear(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if peer, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !peer.IP.IsLoopback() {
		conn.Close()
		return nil, sig.ErrNotPrivate
	}
	return conn, nil
}
