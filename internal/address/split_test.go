package address

import (
	"testing"
)

func TestSplit(t *testing.T) {
	for in, want := range map[string][2]string{
		"": {}, ":": {}, "h": {"h", ""}, "h:": {"h", ""}, "h:1": {"h", "1"}, ":1": {"", "1"}, "h:x": {"h", "x"},
		"::1": {"::1", ""}, "[::1]": {"::1", ""}, "[::1]:5": {"::1", "5"}, "[fe80::1%eth0]:5": {"fe80::1%eth0", "5"}, "1.2.3.4:5": {"1.2.3.4", "5"},
	} {
		if host, port, ok := split(in); !ok || host != want[0] || port != want[1] {
			t.Errorf("%q: %q, %q, %v", in, host, port, ok)
		}
	}
	for _, in := range []string{"3000", "h:1:2", "[h]:1", "[]", "a b", "u@h", "/h", "h\x00", "[::1", "::1]:5"} {
		if host, port, ok := split(in); ok {
			t.Errorf("%q: %q, %q", in, host, port)
		}
	}
}
