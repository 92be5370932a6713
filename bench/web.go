package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// webSystem is a server that events are published to by HTTP. It runs as a process
// of its own, of its program.
type webSystem struct {
	name  string
	build func(ctx context.Context, program string) error
	// arguments and environment of the program
	command func(host, port string) (arguments, environment []string)
	// client is called once the server answers.
	client func(ctx context.Context, addr string) (webClient, error)
}

func (s webSystem) String() string { return s.name }

func webSystems() [2]webSystem {
	return [2]webSystem{{"ours", buildOurs, serveCommand, newOurWeb}, {"gotify", buildGotify, gotifyCommand, newGotify}}
}

// webClient is what a server's clients say and hear.
type webClient interface {
	// request publishes an event of 128 bytes.
	request() []byte
	// listen returns once the server has the listener.
	listen(ctx context.Context, heard func()) error
	close()
}

// web measures publishing by HTTP, over connections that stay open.
func web(ctx context.Context, p plan) ([]figure, error) {
	dir, err := os.MkdirTemp("", "sigalert-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, s := range webSystems() {
		if err := s.build(ctx, filepath.Join(dir, s.name)); err != nil {
			return nil, fmt.Errorf("build %s: %w", s.name, err)
		}
	}
	conns := []int{1, 16, 64}
	ours, gotify, err := inTurn(p.rounds, webSystems(), func(s webSystem) ([]float64, error) {
		return webRound(ctx, s, filepath.Join(dir, s.name), conns, p)
	})
	if err != nil {
		return nil, err
	}
	var all []figure
	for i, n := range conns {
		all = append(all, figure{what: "HTTP, " + count(n, "connection"), unit: "publishes/s", ours: &ours[i], theirs: &gotify[i], more: true})
	}
	n := len(conns)
	return append(all,
		figure{what: "from POST to the listener, p50", unit: "µs", ours: &ours[n], theirs: &gotify[n]},
		figure{what: "from POST to the listener, p99", unit: "µs", ours: &ours[n+1], theirs: &gotify[n+1]}), nil
}

// webRound returns the publishes in a second for each number of connections, and
// p50 and p99 of the latency in microseconds.
func webRound(ctx context.Context, s webSystem, program string, conns []int, p plan) ([]float64, error) {
	addr, stop, err := runWeb(ctx, s, program)
	if err != nil {
		return nil, err
	}
	defer stop()
	c, err := s.client(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var all []float64
	for _, n := range conns {
		rate, err := webRate(addr, c.request(), n, p.fanout)
		if err != nil {
			return nil, err
		}
		all = append(all, rate)
	}
	latency, err := webLatency(ctx, addr, c, p)
	return append(all, latency...), err
}

// runWeb starts a server, in an empty directory, and waits until it answers.
func runWeb(ctx context.Context, s webSystem, program string) (addr string, stop func(), err error) {
	dir, err := os.MkdirTemp(filepath.Dir(program), "run-")
	if err != nil {
		return "", nil, err
	}
	free, err := net.Listen("tcp", loopback)
	if err != nil {
		return "", nil, err
	}
	addr = free.Addr().String()
	free.Close()
	host, port, _ := net.SplitHostPort(addr)
	arguments, environment := s.command(host, port)
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environment...)
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		cmd.Process.Kill()
		cmd.Wait() // it was killed, which is no success
	}
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return addr, stop, nil
		}
		if time.Since(start) > patience || ctx.Err() != nil {
			stop()
			return "", nil, err
		}
	}
}

// webRate publishes over several connections at once, each of which waits for its
// answers.
func webRate(addr string, request []byte, conns int, long time.Duration) (float64, error) {
	var tasks sync.WaitGroup
	published, failures := make([]int, conns), make([]error, conns)
	start := time.Now()
	for i := range conns {
		tasks.Go(func() {
			c, err := dialWeb(addr)
			if err != nil {
				failures[i] = err
				return
			}
			defer c.Close()
			for ; time.Since(start) < long && failures[i] == nil; published[i]++ {
				failures[i] = c.post(request)
			}
		})
	}
	tasks.Wait()
	took, all := time.Since(start), 0
	for _, n := range published {
		all += n
	}
	return float64(all) / took.Seconds(), errors.Join(failures...)
}

func webLatency(ctx context.Context, addr string, c webClient, p plan) ([]float64, error) {
	arrived := make(chan time.Time, 1)
	if err := c.listen(ctx, func() {
		select {
		case arrived <- time.Now():
		default: // nobody waits: the benchmark has failed
		}
	}); err != nil {
		return nil, err
	}
	conn, err := dialWeb(addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	request := c.request()
	return sampled(ctx, p, func(patience <-chan time.Time) (time.Duration, error) {
		start := time.Now()
		if err := conn.post(request); err != nil {
			return 0, err
		}
		select {
		case at := <-arrived:
			return at.Sub(start), nil
		case <-patience:
			return 0, errors.New("an event does not arrive")
		}
	})
}

// webConn is a connection that stays open.
type webConn struct {
	net.Conn
	r *bufio.Reader
}

func dialWeb(addr string) (*webConn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &webConn{conn, bufio.NewReader(conn)}, nil
}

func (c *webConn) post(request []byte) error {
	_, err := c.ask(request, http.StatusOK)
	return err
}

// ask returns when the answer has been read; one of another status is an error.
func (c *webConn) ask(request []byte, status int) (body []byte, err error) {
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != status {
		return nil, fmt.Errorf("the server answers %s", answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// postRequest is a request that carries a body.
func postRequest(path, contentType, body string, header ...string) []byte {
	lines := append([]string{"POST " + path + " HTTP/1.1", "Host: localhost", "Content-Type: " + contentType,
		fmt.Sprint("Content-Length: ", len(body))}, header...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n" + body)
}

// goBuild builds the program of a directory's module.
func goBuild(ctx context.Context, dir, program, cgo string, flags ...string) error {
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", program}, flags...), ".")...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED="+cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// ourWeb publishes by HTTP what a client of the router hears.
type ourWeb struct{ *ourClients }

func newOurWeb(_ context.Context, addr string) (webClient, error) {
	return ourWeb{newOurs(addr).(*ourClients)}, nil
}

func buildOurs(ctx context.Context, program string) error {
	return goBuild(ctx, "..", program, "0")
}

func serveCommand(host, port string) (arguments, environment []string) {
	return []string{"serve", "--log-level", "error", "--store", "store", "--listen", net.JoinHostPort(host, port)}, nil
}

func (c ourWeb) request() []byte {
	return postRequest(fmt.Sprintf("/%s/%s", senderName, eventName), "application/json", string(payload(0)))
}

func (c ourWeb) listen(ctx context.Context, heard func()) error {
	_, err := c.subscribe(ctx, func([]byte) { heard() })
	return err
}
