package pairing_test

import (
	"strings"
	"testing"

	"sigalert/internal/pairing"
)

const (
	secret = "sigalert_abcdefghijklmnopqrstuvwxyz"
	sum    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]pairing.Line{
		"desk.example:3000#" + secret + "@sha256:" + sum:            {HostPort: "desk.example:3000", Token: secret},
		" [::1]:3000#" + secret + "@" + strings.ToUpper(sum) + "\n": {HostPort: "[::1]:3000", Token: secret},
		"1.2.3.4:03000#a#b@c-of-a-token-16@sha256:" + sum:           {HostPort: "1.2.3.4:3000", Token: "a#b@c-of-a-token-16"},
	} {
		want.Fingerprint = "sha256:" + sum
		l, err := pairing.Parse(text)
		if err != nil || l != want {
			t.Errorf("%q: %+v, %v", text, l, err)
		}
		if again, err := pairing.Parse(l.String()); err != nil || again != l {
			t.Errorf("%q: %+v, %v", l, again, err)
		}
	}
	for text, want := range map[string]string{
		"":                          `no "#"`,
		"desk:3000":                 `no "#"`,
		"desk:3000#" + secret:       `no "@"`,
		"desk:3000#" + secret + "@": "is not a fingerprint",
		"desk:3000#" + secret + "@sha256:" + sum[:60]:   "is not a fingerprint",
		"desk:3000#" + secret + "@sha256:" + sum + "0":  "is not a fingerprint",
		"desk:3000#@" + sum:                             "the token is empty",
		"desk:3000#short@" + sum:                        "too short",
		"desk:3000#" + secret + " x@" + sum:             "without blanks",
		"desk#" + secret + "@" + sum:                    "is not HOST:PORT",
		":3000#" + secret + "@" + sum:                   "is not HOST:PORT",
		"desk:#" + secret + "@" + sum:                   "is not HOST:PORT",
		"desk:0#" + secret + "@" + sum:                  "port 0",
		"desk:70000#" + secret + "@" + sum:              "is not a port",
		"de sk:3000#" + secret + "@" + sum:              "is not an address",
		"tls://desk:3000#" + secret + "@" + sum:         "is a URL",
		"desk:3000/x#" + secret + "@" + sum:             "has a path",
		"sigalert pair desk:3000#" + secret + "@" + sum: "is not an address",
	} {
		l, err := pairing.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v, %v, want %s", text, l, err, want)
		}
	}
}
