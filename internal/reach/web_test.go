package reach_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"sigalert/internal/reach"
	"sigalert/sig"
)

// A token goes over HTTP only where nobody else can read it.
func TestAsk(t *testing.T) {
	elsewhere := ""
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			elsewhere = n.IP.String()
		}
	}
	for _, tc := range []struct {
		host, token, want string
		err               error
	}{
		{"127.0.0.1", "", "", nil},
		{"127.0.0.1", "secret", "Bearer secret", nil},
		{elsewhere, "", "", nil},
		{elsewhere, "secret", "", sig.ErrNotPrivate},
	} {
		if tc.host == "" {
			t.Log("this machine has no address besides loopback")
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(tc.host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 1)
		server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got <- r.Method + r.URL.Path + r.Header.Get("Authorization")
		})}
		served := make(chan error)
		go func() { served <- server.Serve(l) }()
		response, err := reach.Proof{Token: tc.token}.Ask(t.Context(), l.Addr().String(), "DELETE", "/clients/1")
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: %v", tc.host, err)
		}
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if asked := <-got; asked != "DELETE/clients/1"+tc.want {
				t.Errorf("%s: %s", tc.host, asked)
			}
		}
		server.Close()
		<-served
		if len(got) > 0 {
			t.Errorf("%s: it was asked all the same: %s", tc.host, <-got)
		}
	}
}
