package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
)

// cutServer accepts clients as a pysig server does, and answers what they ask until
// they use this method: then it closes the connection.
func cutServer(t *testing.T, method string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				dec := json.NewDecoder(conn)
				for {
					var request struct {
						ID     json.RawMessage
						Method string
					}
					if dec.Decode(&request) != nil || request.Method == method {
						return
					}
					response := `"1.01"`
					if request.Method == "list_senders" {
						response = `[]`
					}
					fmt.Fprintf(conn, `{"id": %s, "status": 0, "response": %s}`, request.ID, response)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// What was sent on a connection that ended before the answer may have arrived.
func TestUnanswered(t *testing.T) {
	for _, tc := range []struct {
		cut  string
		args []string
		code int
		want string
	}{
		{"signal", []string{"send", "me", "hello"}, 3, "sigalert: no answer: it may have arrived ("},
		{"signal", []string{"send", "20", "hello"}, 3, "sigalert: no answer: it may have arrived ("},
		{"signal", []string{"send", "me", "hello", "--count", "1", "--every", "1ms"}, 3, "sigalert: 1 of 1 events got no answer: they may have arrived"},
		{"request", []string{"request", "me", "hello"}, 3, "sigalert: no answer: it may have arrived ("},
		{"add_sender", []string{"send", "me", "hello"}, 1, "connection"},
		{"get_version", []string{"send", "me", "hello"}, 1, "connection"},
		{"get_version", []string{"request", "me", "hello"}, 1, "connection"},
	} {
		var out, err bytes.Buffer
		args := append(tc.args, "--server", cutServer(t, tc.cut), "--log-level", "critical")
		if code := Main(args, strings.NewReader(""), &out, &err); code != tc.code || !strings.Contains(err.String(), tc.want) {
			t.Errorf("%q, cut at %s: exit code %d, %s", tc.args, tc.cut, code, err.String())
		}
	}
}

// A router that hangs holds a command's end up for 5 s, and what is said then is the
// reason.
func TestRunAtASilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts for it
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out, log bytes.Buffer
	code := Main([]string{"run", "--server", l.Addr().String(), "--", "true"}, strings.NewReader(""), &out, &log)
	if want := "sigalert: how the command went was not sent: no answer within 5s\n"; code != 0 || log.String() != want {
		t.Errorf("exit code %d, %s", code, log.String())
	}
}
