package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

const (
	gotifyModule  = "github.com/gotify/server/v2"
	gotifyVersion = "v2.6.1"
)

// buildGotify needs a C compiler, for SQLite.
func buildGotify(ctx context.Context, program string) error {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", gotifyModule+"@"+gotifyVersion).Output()
	var module struct{ Dir, Error string }
	if bad := json.Unmarshal(out, &module); bad != nil || module.Dir == "" {
		return fmt.Errorf("go mod download: %w: %s", err, module.Error)
	}
	source := program + "-source"
	if err := os.CopyFS(source, os.DirFS(module.Dir)); err != nil {
		return err
	}
	page := filepath.Join(source, "ui", "build") // which the module does not have
	if err := os.Mkdir(page, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"index.html", "manifest.json", "asset-manifest.json"} {
		if err := os.WriteFile(filepath.Join(page, name), nil, 0o644); err != nil {
			return err
		}
	}
	return goBuild(ctx, source, program, "1", "-ldflags=-X main.Mode=prod")
}

func gotifyCommand(host, port string) (arguments, environment []string) {
	return nil, []string{"GOTIFY_SERVER_LISTENADDR=" + host, "GOTIFY_SERVER_PORT=" + port}
}

type gotify struct {
	addr        string
	application string // the token that it publishes with
	client      string // the token that it listens with
	stream      *webConn
	listening   sync.WaitGroup
}

func newGotify(_ context.Context, addr string) (webClient, error) {
	conn, err := dialWeb(addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	g := &gotify{addr: addr}
	for path, token := range map[string]*string{"/application": &g.application, "/client": &g.client} {
		body, err := conn.ask(postRequest(path, "application/json", `{"name":"bench"}`, "Authorization: Basic YWRtaW46YWRtaW4="), http.StatusOK) // admin:admin
		if err != nil {
			return nil, err
		}
		var answer struct{ Token string }
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, err
		}
		*token = answer.Token
	}
	return g, nil
}

func (g *gotify) request() []byte {
	return postRequest("/message", "application/json", fmt.Sprintf(`{"message":%s}`, payload(0)), "X-Gotify-Key: "+g.application)
}

// listen follows the server's WebSocket.
func (g *gotify) listen(_ context.Context, heard func()) (err error) {
	if g.stream, err = dialWeb(g.addr); err != nil {
		return err
	}
	if _, err := g.stream.ask([]byte("GET /stream HTTP/1.1\r\nHost: localhost\r\nX-Gotify-Key: "+g.client+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
		http.StatusSwitchingProtocols); err != nil {
		return err
	}
	if err := g.awaitStream(); err != nil {
		return err
	}
	g.listening.Go(func() {
		for readFrame(g.stream.r) == nil {
			heard()
		}
	})
	return nil
}

// awaitStream publishes until an event arrives: the server answers before it has
// the listener.
func (g *gotify) awaitStream() error {
	conn, err := dialWeb(g.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	for start := time.Now(); time.Since(start) < patience; {
		if err := conn.post(g.request()); err != nil {
			return err
		}
		g.stream.SetReadDeadline(time.Now().Add(time.Second))
		if err = readFrame(g.stream.r); !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	return cmp.Or(err, g.stream.SetDeadline(time.Time{}))
}

// readFrame takes the next frame of a server's WebSocket: each is a message, until it
// pings, which it does after 45 s.
func readFrame(r *bufio.Reader) error {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	length := uint16(head[1])
	if length == 126 { // the length of a longer one follows
		if err := binary.Read(r, binary.BigEndian, &length); err != nil {
			return err
		}
	}
	_, err := r.Discard(int(length))
	return err
}

func (g *gotify) close() {
	if g.stream != nil {
		g.stream.Close()
	}
	g.listening.Wait()
}
