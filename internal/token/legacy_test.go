package token_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"net/netip"
	"path/filepath"
	"testing"

	"sigalert/internal/token"
	"sigalert/sig"
)

// Who needs what: by the address, TLS, and a token or a certificate.
func TestRequire(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	secret := add(t, path, entry(t, "desk", "*", ""))
	add(t, path, entry(t, "legacy", "old", ""))
	certified := entry(t, "nas", "*", "")
	certified.Certificate = true
	add(t, path, certified)
	b, err := token.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	nets := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")}
	nas := &x509.Certificate{Subject: pkix.Name{CommonName: "nas"}}
	const inside, mapped, local, outside = "10.1.2.3:4", "[::ffff:10.1.2.3]:4", "[fe80::1%eth0]:4", "11.1.2.3:4"
	for _, tc := range []struct {
		secure bool
		sig.Caller
		want string // the holder; "": not admitted
	}{
		{true, sig.Caller{Peer: inside}, "legacy"},
		{true, sig.Caller{Peer: mapped}, "legacy"},
		{true, sig.Caller{Peer: local}, "legacy"},
		{true, sig.Caller{Peer: inside, Private: true}, "legacy"},
		{true, sig.Caller{Peer: inside, Token: secret}, "desk"},
		{true, sig.Caller{Peer: inside, Token: "sigalert_wrong"}, ""},
		{true, sig.Caller{Peer: inside, Private: true, Certificate: nas}, "nas"},
		{true, sig.Caller{Peer: outside}, ""},
		{true, sig.Caller{Peer: outside, Token: secret}, ""},
		{true, sig.Caller{Peer: outside, Token: secret, Private: true}, "desk"},
		{true, sig.Caller{Peer: outside, Private: true}, ""},
		{true, sig.Caller{Peer: "nonsense"}, ""},
		{true, sig.Caller{}, ""},
		{false, sig.Caller{Peer: outside}, ""},
		{false, sig.Caller{Peer: outside, Token: secret}, "desk"},
		{false, sig.Caller{Peer: inside}, "legacy"},
	} {
		b.Require(tc.secure, nets)
		got := ""
		if r, err := b.Admit(tc.Caller); err == nil {
			got = r.Holder()
		}
		if got != tc.want {
			t.Errorf("secure %v, %+v: %q, want %q", tc.secure, tc.Caller, got, tc.want)
		}
	}

	old, err := b.Admit(sig.Caller{Peer: inside})
	if err != nil {
		t.Fatal(err)
	}
	b.Require(true, nets)
	if old.Context().Err() != nil {
		t.Error("the same networks end the rights")
	}
	b.Require(true, nets[1:])
	if old.Context().Err() == nil {
		t.Error("other networks do not end the rights")
	}
	if _, err := b.Admit(sig.Caller{Peer: inside}); err == nil {
		t.Error("the network is still allowed")
	}
	if _, err := b.Admit(sig.Caller{Peer: local}); err != nil {
		t.Error(err)
	}
}
