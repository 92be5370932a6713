package web_test

import (
	"net"
	"net/url"
	"testing"

	"sigalert/eventlog/web"
)

func TestURL(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080/",
		"0.0.0.0:80":     "http://127.0.0.1:80/",
		"[::]:8080":      "http://127.0.0.1:8080/",
		"[::1]:8080":     "http://[::1]:8080/",
		"[fe80::1%lo]:1": "http://[fe80::1%25lo]:1/",
	} {
		at, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		got := web.URL(at)
		if _, err := url.Parse(got); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", addr, got, err, want)
		}
	}
}

func TestListen(t *testing.T) {
	taken, err := web.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := taken.Addr().String()
	for addr, want := range map[string]string{
		busy:                busy + " is in use by another program",
		"nowhere.invalid:1": "cannot listen on nowhere.invalid:1: lookup nowhere.invalid",
	} {
		listener, err := web.Listen(addr)
		if err == nil {
			listener.Close()
			t.Errorf("%s: it listens", addr)
		} else if got := err.Error(); len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
}
