package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// tally is what was said, by anyone.
type tally struct {
	mu    sync.Mutex // guards the field below
	count map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = make(map[string]int)
	}
	c.count[what]++
}

func (c *tally) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.count)
}

// The router ends while clients of all kinds publish and listen, and it has no store:
// whatever was answered has come to everyone who reads, once, and the streams end
// properly.
func TestEndLosesNothingThatWasAnswered(t *testing.T) {
	s := newSite(t, &sig.ServerOptions{Memory: -1})
	var ended, publishers sync.WaitGroup
	var answered tally
	heard := map[string]*tally{"wire": {}, "pysig": {}, "stream": {}}
	linked := func(o sig.ClientOptions) *sig.ClientRouter {
		c := sig.NewClientRouter(tcp.NewClient(s.addr), &o)
		t.Cleanup(wait.Start(t.Context(), c.Run))
		return c
	}
	listener := linked(sig.ClientOptions{})
	l := listener.AddRemoteListener("n", "e", func(ev sig.Event) {
		time.Sleep(time.Millisecond) // much waits for it
		heard["wire"].add(fmt.Sprint(ev.Data.Value()))
	})
	for st, _ := listener.Status(l); st != sig.Active; st, _ = listener.Status(l) {
		time.Sleep(time.Millisecond)
	}
	pysig, err := sigtest.DialPeer(s.addr, func(_ string, params json.RawMessage) (any, error) {
		var p struct{ Data string }
		_ = json.Unmarshal(params, &p)
		heard["pysig"].add(p.Data)
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pysig.Close()
	if _, err := pysig.Call("add_listener", map[string]string{"sender": "n", "event": "e"}); err != nil {
		t.Fatal(err)
	}
	stream, err := http.Get(s.url + "/events?sender=n&event=e&format=json")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	time.Sleep(100 * time.Millisecond) // the stream listens
	ended.Go(func() {
		lines := bufio.NewScanner(stream.Body)
		for lines.Scan() {
			var e struct{ Data string }
			if json.Unmarshal(lines.Bytes(), &e) == nil && e.Data != "" {
				heard["stream"].add(e.Data)
			}
		}
		if err := lines.Err(); err != nil {
			t.Errorf("the stream ends with %v", err)
		}
	})

	publishing, stop := context.WithCancel(t.Context())
	defer stop()
	publish := func(kind string, once func(data string) error) {
		publishers.Go(func() {
			for n := 0; publishing.Err() == nil; n++ {
				data := fmt.Sprint(kind, n)
				if once(data) != nil {
					return
				}
				answered.add(data)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	sender := linked(sig.ClientOptions{NoReconnect: true})
	for i := range 3 {
		publish(fmt.Sprint("wire", i, "."), func(data string) error {
			ctx, cancel := context.WithTimeout(publishing, time.Second)
			defer cancel()
			_, err := sender.Publish(ctx, sig.Publication{Sender: "n", Event: "e", Data: data})
			return err
		})
	}
	publish("http", func(data string) error {
		resp, err := http.Post(s.url+"/n/e", "text/plain", strings.NewReader(data))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
	for answered.len() < 50 {
		time.Sleep(time.Millisecond)
	}
	s.stop()
	stop()
	publishers.Wait()
	ended.Wait()
	time.Sleep(100 * time.Millisecond) // for what the client has read and not passed on
	for kind, h := range heard {
		h.mu.Lock()
		lost, doubled := 0, 0
		for data := range answered.count {
			if h.count[data] == 0 {
				lost++
			}
		}
		for _, n := range h.count {
			if n > 1 {
				doubled++
			}
		}
		if lost+doubled > 0 {
			t.Errorf("%s: of %d events that were answered, %d are lost, and %d came twice", kind, len(answered.count), lost, doubled)
		}
		h.mu.Unlock()
	}
	if strings.Contains(s.log.String(), "in time") {
		t.Error(s.log)
	}
}

// Who does not read holds up the end for the time that is meant for that, and no longer.
func TestEndWaitsForReadersNotForEver(t *testing.T) {
	s := newSite(t, nil)
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprint(conn, `{"id": 1, "method": "get_version", "params": {"features": ["stream"]}}`)
	_, _ = conn.Read(make([]byte, 1000))
	fmt.Fprint(conn, `{"id": 2, "method": "add_listener", "params": {"sender": "n"}}`+"\n")
	_, _ = conn.Read(make([]byte, 1000))
	for range 100 {
		if _, err := s.Publish(sig.Publication{Sender: "n", Event: "e", Data: strings.Repeat("x", 100_000)}); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	s.stop()
	if took := time.Since(began); took < time.Second || took > 20*time.Second {
		t.Errorf("it takes %v", took)
	}
	if !strings.Contains(s.log.String(), "clients have not read everything in time") {
		t.Error(s.log)
	}
}
