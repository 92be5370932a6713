package address_test

import (
	"testing"

	"sigalert/internal/address"
)

func TestParseListen(t *testing.T) {
	for in, want := range map[string]string{
		"":               "127.0.0.1:3000",
		":":              ":3000",
		" :4000":         ":4000",
		":0":             ":0",
		"0.0.0.0":        "0.0.0.0:3000",
		"::":             "[::]:3000",
		"::1":            "[::1]:3000",
		"tcp://host:40":  "host:40",
		"tcp://":         "127.0.0.1:3000",
		"127.0.0.1:4000": "127.0.0.1:4000",
	} {
		if got, err := address.ParseListen(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{":99999", "127.0.0.1:99999", ":x", ":-1", ":http", "[]:1", "http://host"} {
		if got, err := address.ParseListen(in); err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}
