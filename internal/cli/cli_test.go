package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sigalert/internal/certificate/certificatetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"sigalert": func() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// freePort is a port that is free at all addresses, and none of those that systems give
// to clients, one of which could have it a moment later.
func freePort() string {
	for {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		if l, err := net.Listen("tcp4", ":"+port); err == nil {
			l.Close()
			return port
		}
	}
}

// A script a feature, each with folders and a port of its own, and without a
// desktop.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			port := freePort()
			env.Setenv("ADDR", "127.0.0.1:"+port)
			env.Setenv("PORT", port)
			env.Setenv("HOSTIP", hostIP())
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits a second at each exit
			for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"} {
				dir := env.WorkDir + "/" + strings.ToLower(name)
				if err := os.Mkdir(dir, 0o700); err != nil {
					return err
				}
				env.Setenv(name, dir)
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "hostip" {
				return false, fmt.Errorf("unknown condition %s", cond)
			}
			return hostIP() != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await, "get": get, "peer": peer,
			"certify": func(ts *testscript.TestScript, _ bool, names []string) { certify(t, ts, names) },
		},
	})
}

// certify makes an authority, ca.pem, and a certificate with its key for each name,
// NAME.pem; other.pem and expired.pem are for the first name, the one by another authority.
func certify(t *testing.T, ts *testscript.TestScript, names []string) {
	ours, later := certificatetest.NewAuthority(t), time.Now().Add(time.Hour)
	files := map[string][]byte{
		"ca":      ours.PEM(),
		"other":   certificatetest.NewAuthority(t).Issue(t, names[0], later),
		"expired": ours.Issue(t, names[0], time.Now().Add(-time.Minute)),
	}
	for _, name := range names {
		files[name] = ours.Issue(t, name, later)
	}
	for name, text := range files {
		ts.Check(os.WriteFile(ts.MkAbs(name+".pem"), text, 0o600))
	}
}

// hostIP is an address of this machine that others may reach; "" if it has none.
func hostIP() string {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	return ""
}

// await waits until a file, such as a background command's log, has a text.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	awaitFile(ts, ts.MkAbs(args[0]), args[1])
}

// peer connects to a server as a pysig client, sends messages, and prints the
// server's next message after each. The connection lasts as long as the script.
func peer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: peer ADDRESS MESSAGE...")
	}
	conn, err := net.Dial("tcp", args[0])
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	ts.Check(conn.SetDeadline(time.Now().Add(20 * time.Second)))
	answers := json.NewDecoder(conn)
	for _, message := range args[1:] {
		_, err := io.WriteString(conn, message)
		ts.Check(err)
		var answer json.RawMessage
		ts.Check(answers.Decode(&answer))
		fmt.Fprintf(ts.Stdout(), "%s\n", answer)
	}
}

func TestLevels(t *testing.T) {
	var out bytes.Buffer
	for _, name := range []string{"trace", "debug", "info", "warning", "error", "critical", "NONE"} {
		level, err := parseLevel(name)
		if err != nil {
			t.Fatal(err)
		}
		out.Reset()
		newLogger(&out, level).Log(t.Context(), level, "x")
		if want := "level=" + strings.ToLower(name); !strings.Contains(out.String(), want) {
			t.Errorf("%s: %q", name, out.String())
		}
		out.Reset()
		newLogger(&out, level).Log(t.Context(), level-1, "x")
		if out.Len() > 0 {
			t.Errorf("%s lets through: %s", name, out.String())
		}
	}
	if _, err := parseLevel("loud"); err == nil {
		t.Error("loud is a level")
	}
}
