package address_test

import (
	"strings"
	"testing"

	"sigalert/internal/address"
)

func TestParsePage(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8080", "127.9.9.9:0080": "127.9.9.9:80", "LocalHost:0": "LocalHost:0", "[::1]:8080": "[::1]:8080",
		"[fe80::1%eth0]:1": "[fe80::1%eth0]:1", "0.0.0.0:65535": "0.0.0.0:65535", "host:80": "host:80",
	} {
		if got, err := address.ParsePage(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	const want = ": use HOST:PORT, such as 127.0.0.1:8080"
	for in, problem := range map[string]string{
		"":                       `"" is not an address` + want,
		":":                      `":" is not an address` + want,
		"8080":                   `"8080" is not an address` + want,
		"9090":                   `"9090" is not an address: use HOST:PORT, such as 127.0.0.1:9090`,
		"http://localhost:8080/": `"http://localhost:8080/" is not an address` + want,
		"localhost":              `"localhost" has no port` + want,
		"::1":                    `"::1" has no port` + want,
		":8080":                  `":8080" has no host: use 127.0.0.1:8080 for this machine alone, or 0.0.0.0:8080 for everyone who can reach it`,
		"localhost:80/log":       `"80/log" is not a port: a port is a number up to 65535`,
		"localhost:65536":        `"65536" is not a port: a port is a number up to 65535`,
	} {
		if got, err := address.ParsePage(in); err == nil || err.Error() != problem {
			t.Errorf("%q: %q, %v, want %s", in, got, err, problem)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true, "LocalHost:1": true,
		"0.0.0.0:1": false, "[::]:1": false, "[::ffff:10.0.0.1]:1": false, "192.168.1.5:1": false, "host:1": false,
		"localhost.example:1": false, "127.1:1": false, // a name, as some read it
	} {
		if got := address.IsLoopback(addr); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

func TestCheckHost(t *testing.T) {
	for _, name := range []string{"log", "Log.Example", "log.example.", "my_pc", "xn--bcher-kva.example", "10.0.0.1", "::1", "fe80::1%eth0"} {
		if err := address.CheckHost(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "http://log", "log:8080", "log/", "*.example", "two words", "bücher.example", "[::1]", "a,b"} {
		if err := address.CheckHost(name); err == nil || !strings.Contains(err.Error(), "is not a host name: use a name such as log.example") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestCheckToken(t *testing.T) {
	for _, token := range []string{"s3cret-0123456789"[:16], strings.Repeat("!~", 8), strings.Repeat("x", 1000)} {
		if err := address.CheckToken(token); err != nil {
			t.Errorf("%q: %v", token, err)
		}
	}
	for token, want := range map[string]string{
		"": "the token is empty", " \t": "the token is empty",
		"two words": "without blanks", "a\nb": "without blanks", "é": "of ASCII", "a\x7f": "of ASCII",
		"s3cret": "too short: use at least 16 characters", "123456789012345": "too short",
	} {
		if err := address.CheckToken(token); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", token, err)
		}
	}
}
