package address_test

import (
	"testing"

	"sigalert/internal/address"
)

func TestParseServer(t *testing.T) {
	for in, want := range map[string]string{
		"": "127.0.0.1:3000", "tcp://": "127.0.0.1:3000", "tcp://h:1": "h:1", "TCP://h": "h:3000", "h": "h:3000", "h:80": "h:80",
		":80": "127.0.0.1:80", "h:": "h:3000", "h:0080": "h:80", "tcp://h:1/": "h:1", "10.0.0.1": "10.0.0.1:3000", " h ": "h:3000",
		"::1": "[::1]:3000", "[::1]": "[::1]:3000", "[::1]:5": "[::1]:5", "tls://h": "tls://h:3000", "TLS://:1": "tls://127.0.0.1:1", "https://h/": "tls://h:443", "https://h:1": "tls://h:1", "tcp://[fe80::1%eth0]:5": "[fe80::1%eth0]:5",
	} {
		if got, err := address.ParseServer(in); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"http://h":       `unknown scheme "http": use tcp://HOST:PORT`,
		"://h":           `unknown scheme "": use tcp://HOST:PORT`,
		"h:x":            `"x" is not a port: a port is a number up to 65535`,
		"h:-1":           `"-1" is not a port: a port is a number up to 65535`,
		"h:+5":           `"+5" is not a port: a port is a number up to 65535`,
		"h:70000":        `"70000" is not a port: a port is a number up to 65535`,
		"https://h/path": `"https://h/path" has a path: use https://HOST:PORT`,
		"tcp://h/path":   `"tcp://h/path" has a path: use tcp://HOST:PORT`,
		"h:1:2":          `"h:1:2" is not an address: use tcp://HOST:PORT`,
		"/run/socket":    `"/run/socket" is not an address: use tcp://HOST:PORT`,
		"a b":            `"a b" is not an address: use tcp://HOST:PORT`,
		"user@h":         `"user@h" is not an address: use tcp://HOST:PORT`,
		"3000":           `"3000" is not an address: use tcp://HOST:PORT, such as tcp://127.0.0.1:3000`,
		"[]":             `"[]" is not an address: use tcp://HOST:PORT`,
		"[h]:1":          `"[h]:1" is not an address: use tcp://HOST:PORT`,
		"h\x00":          `"h\x00" is not an address: use tcp://HOST:PORT`,
	} {
		if got, err := address.ParseServer(in); err == nil || err.Error() != want {
			t.Errorf("%q: %q, %v, want %s", in, got, err, want)
		}
	}
}
