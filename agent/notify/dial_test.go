//go:build linux || freebsd || netbsd || openbsd

package notify

import "testing"

func TestParseAddress(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/1000")
	for _, test := range []struct{ address, network, target string }{
		{"unix:path=/run/user/1000/bus", "unix", "/run/user/1000/bus"},
		{"unix:path=/tmp/a%20b%2cc,guid=0123", "unix", "/tmp/a b,c"},
		{"unix:guid=0123,abstract=/tmp/dbus-x", "unix", "@/tmp/dbus-x"},
		{"unix:runtime=yes", "unix", "/run/user/1000/bus"},
		{"tcp:host=localhost,port=4000", "tcp", "localhost:4000"},
		{"tcp:host=::1,port=4000,family=ipv6", "tcp6", "[::1]:4000"},
		{"tcp:host=127.0.0.1,port=4000,family=ipv4", "tcp4", "127.0.0.1:4000"},
	} {
		network, target, err := parseAddress(test.address)
		if err != nil || network != test.network || target != test.target {
			t.Errorf("%s: %s %s, %v; want %s %s", test.address, network, target, err, test.network, test.target)
		}
	}
	for _, bad := range []string{"", "unix", "unix:", "unix:path=", "unix:path=%4", "unixexec:path=/bin/sh", "tcp:host=localhost", "autolaunch:"} {
		if network, target, err := parseAddress(bad); err == nil {
			t.Errorf("%q gave %s %s, want an error", bad, network, target)
		}
	}
}
