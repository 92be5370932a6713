package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// host is an agent whose configuration is a file, with real routers and real time.
type host struct {
	*agent.Agent
	t      *testing.T
	path   string
	screen *screen
	log    *logged
	end    func()
}

func newHost(t *testing.T, yaml string, more ...func(*agent.Options)) *host {
	t.Helper()
	h := &host{t: t, path: filepath.Join(t.TempDir(), "config.yaml"), screen: newScreen(), log: new(logged)}
	h.write(yaml)
	opts := agent.Options{
		ConfigPath: h.path,
		Router: func(r *config.Router) (*agent.BoundRouter, error) {
			carrier, err := tcp.Listen(r.Listen)
			if err != nil {
				return nil, err
			}
			return &agent.BoundRouter{Serve: func(ctx context.Context) error { return sig.NewServerRouter(nil).Serve(ctx, carrier) }}, nil
		},
		Notifier: h.screen,
		Logger:   slog.New(slog.NewTextHandler(h.log, nil)),
	}
	for _, change := range more {
		change(&opts)
	}
	h.Agent = agent.New(opts)
	h.end = wait.Start(t.Context(), h.Run)
	t.Cleanup(h.end)
	return h
}

func (h *host) write(yaml string) {
	h.t.Helper()
	if err := os.WriteFile(h.path+".new", []byte(yaml), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(h.path+".new", h.path); err != nil {
		h.t.Fatal(err)
	}
}

// until waits for a status.
func (h *host) until(what string, ok func(agent.Status) bool) {
	h.t.Helper()
	eventually(h.t, what, func() bool { return ok(h.Status()) })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}

func subscribed(st agent.Status) bool {
	for _, sub := range st.Subscriptions {
		if sub.Status != sig.Active {
			return false
		}
	}
	return st.Connected
}

// anew waits until the agent has subscribed anew after f.
func (h *host) anew(f func()) {
	h.t.Helper()
	const line = "msg=subscribed"
	before := h.log.count(line)
	f()
	eventually(h.t, "subscribed anew", func() bool { return h.log.count(line) > before })
}

// alerts publishes an event at an address, and waits for its alert.
func (h *host) alerts(addr, text string) {
	h.t.Helper()
	h.until("subscribed", subscribed)
	client := sig.NewClientRouter(tcp.NewClient(addr), nil)
	defer wait.Start(h.t.Context(), client.Run)()
	if _, err := client.Publish(h.t.Context(), sig.Publication{Sender: "me", Event: "hello", Data: text}); err != nil {
		h.t.Fatal(err)
	}
	got := ""
	eventually(h.t, text, func() bool {
		got += h.screen.take()
		return got != ""
	})
	if got != "me: hello "+text {
		h.t.Errorf("shown %q, want %q", got, text)
	}
}

// routerAt runs another router until stop is called.
func routerAt(t *testing.T, addr string) (stop func()) {
	t.Helper()
	carrier, err := tcp.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	stop = wait.Start(t.Context(), func(ctx context.Context) { _ = sig.NewServerRouter(nil).Serve(ctx, carrier) })
	t.Cleanup(stop)
	return stop
}

// freeAddress is an address at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

const subMe = "\nsubscriptions: [{sender: me, urgency: critical}]\n"

func here(addr string) string { return fmt.Sprintf("router: {listen: %q}%s", addr, subMe) }

func nobodyAt(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		conn.Close()
	}
	return err != nil
}

func TestRouterOfTheAgent(t *testing.T) {
	addr := freeAddress(t)
	h := newHost(t, here(addr))
	h.alerts(addr, "first")
	if st := h.Status(); st.Server != addr || !strings.HasPrefix(st.Line(), "Connected to "+addr) {
		t.Errorf("status: %s", st.Line())
	}
	h.Reload()
	eventually(t, "reloaded", func() bool { return h.screen.take() != "" })
	h.alerts(addr, "after a reload")
	h.end()
	if !nobodyAt(addr) {
		t.Error("its router outlives the agent")
	}
	if n := h.log.count("running the router"); n != 1 {
		t.Errorf("said %d times that it runs the router", n)
	}
}

// Whoever has the address is the router. When it ends, the agent takes over, and
// other clients find it there.
func TestRouterTakesOver(t *testing.T) {
	addr := freeAddress(t)
	stop := routerAt(t, addr)
	h := newHost(t, here(addr))
	h.alerts(addr, "through the other one")

	heard := make(chan any, 1000)
	other := sig.NewClientRouter(tcp.NewClient(addr), nil)
	other.AddRemoteListener("probe", "n", func(ev sig.Event) { heard <- ev.Data.Value() })
	defer wait.Start(t.Context(), other.Run)()
	for i := range 5 {
		h.anew(stop)
		if n := h.log.count("running the router"); n != i+1 {
			t.Fatalf("ran the router %d times, want %d", n, i+1)
		}
		h.alerts(addr, fmt.Sprint("own ", i))
		eventually(t, "the listener is back", func() bool {
			if _, err := other.Publish(t.Context(), sig.Publication{Sender: "probe", Event: "n", Data: i}); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-heard:
				return fmt.Sprint(got) == fmt.Sprint(i)
			default:
				return false
			}
		})

		// And back: the address is somebody else's while the agent is elsewhere.
		h.write("server: " + freeAddress(t) + subMe)
		eventually(t, "the address is free", func() bool { return nobodyAt(addr) })
		stop = routerAt(t, addr)
		h.anew(func() { h.write(here(addr)) })
		h.alerts(addr, fmt.Sprint("through another ", i))
	}
	if got := h.screen.take(); got != "" {
		t.Errorf("shown: %q", got)
	}
	if n := h.log.count("another program listens"); n != 6 {
		t.Errorf("said %d times that another has the address, want 6", n)
	}
}

// Two agents with one address: one of them is the router, whoever ends.
func TestRouterOfTwoAgents(t *testing.T) {
	addr := freeAddress(t)
	a := newHost(t, here(addr))
	a.until("the first", subscribed)
	b := newHost(t, here(addr))
	b.until("the second", subscribed)
	b.anew(a.end)
	if b.log.count("running the router") != 1 {
		t.Error("the second has not taken over")
	}
	b.alerts(addr, "second")
	if got := b.screen.take(); got != "" {
		t.Errorf("shown: %q", got)
	}
}

// A change of the file from router to server and back needs no restart, even at the
// same address.
func TestRouterOrServer(t *testing.T) {
	addr, elsewhere := freeAddress(t), freeAddress(t)
	routerAt(t, elsewhere)
	h := newHost(t, here(addr))
	h.alerts(addr, "own")
	h.anew(func() { h.write("server: " + elsewhere + subMe) })
	h.alerts(elsewhere, "elsewhere")
	eventually(t, "the router has ended", func() bool { return nobodyAt(addr) })
	h.anew(func() { h.write(here(addr)) })
	h.alerts(addr, "own again")
	h.write("server: " + addr + subMe)
	eventually(t, "the router has ended again", func() bool { return nobodyAt(addr) })
	h.anew(func() { routerAt(t, addr) })
	h.alerts(addr, "somebody else's")
	if n := h.log.count("running the router"); n != 2 {
		t.Errorf("ran its router %d times, want 2", n)
	}
}

// Whether the router at an address is to be ours makes no difference to a connection
// that leads to another's: an edit of the file loses nothing.
func TestRouterOrServerAtOneAddress(t *testing.T) {
	addr := freeAddress(t)
	routerAt(t, addr)
	h := newHost(t, here(addr))
	h.until("subscribed", subscribed)
	client := sig.NewClientRouter(tcp.NewClient(addr), nil)
	defer wait.Start(t.Context(), client.Run)()
	const edits, each = 4, 400
	for i := range edits * each {
		switch i % (2 * each) {
		case 0:
			h.write("server: " + addr + subMe)
		case each:
			h.write(here(addr))
		}
		if _, err := client.Publish(t.Context(), sig.Publication{Sender: "me", Event: "hello", Data: i}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	shown := 0
	eventually(t, "all are shown", func() bool {
		shown += strings.Count(h.screen.take(), "me: hello")
		return shown >= edits*each
	})
}

// An address that a foreign program has is said, and taken once that has ended.
func TestRouterWhoseAddressIsForeign(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"web server": func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"closes":     func(net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			addr := l.Addr().String()
			ended := wait.Start(t.Context(), func(context.Context) {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					serve(c)
					c.Close()
				}
			})
			h := newHost(t, here(addr))
			want := addr + " is taken by a program that does not answer as a router"
			h.until("said in the status", func(st agent.Status) bool { return st.Line() == want })
			if err := h.Status().LinkError; !errors.Is(err, sig.ErrNotServer) || !strings.HasSuffix(err.Error(), ": end it, or give the router another address") {
				t.Errorf("the reason: %v", err)
			}
			l.Close()
			ended()
			h.alerts(addr, "free again")
		})
	}
}

// A program may have the address on one of this machine's networks only.
func TestRouterWhoseAddressIsForeignInPart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	every := "0.0.0.0:" + port
	h := newHost(t, here(every))
	h.until("said in the status", func(st agent.Status) bool {
		return st.Line() == every+" is taken by a program that does not answer as a router"
	})
	l.Close()
	h.alerts("127.0.0.1:"+port, "free again")
}

// An address that is none of this machine's is said, and tried again.
func TestRouterThatCannotListen(t *testing.T) {
	h := newHost(t, here("192.0.2.1:3000"))
	h.until("said in the status", func(st agent.Status) bool {
		return strings.HasPrefix(st.Line(), "cannot listen on 192.0.2.1:3000: ")
	})
}

// A server that is named on the command line replaces the router.
func TestRouterReplaced(t *testing.T) {
	addr, elsewhere := freeAddress(t), freeAddress(t)
	routerAt(t, elsewhere)
	h := newHost(t, here(addr), func(o *agent.Options) { o.Server = elsewhere })
	h.alerts(elsewhere, "elsewhere")
	if h.log.count("running the router") > 0 || !nobodyAt(addr) {
		t.Error("it runs the router, too")
	}
}

// The router of this machine goes on beside other servers, whatever becomes of these, and
// with its clients while the file gives them names, or takes them away.
func TestRouterBesideServers(t *testing.T) {
	addr, elsewhere := freeAddress(t), freeAddress(t)
	stop := routerAt(t, elsewhere)
	h := newHost(t, here(addr))
	h.alerts(addr, "alone")
	h.write(fmt.Sprintf("servers: {far: %q}\n", elsewhere) + here(addr))
	h.until("both are there", func(st agent.Status) bool {
		return strings.HasPrefix(st.Line(), "Connected to far, router, 1 subscription")
	})
	h.alerts(addr, "here")
	h.alerts(elsewhere, "there")
	stop()
	h.until("one is gone", func(st agent.Status) bool {
		return strings.HasPrefix(st.Line(), "Connecting to far. Connected to router, 1 subscription")
	})
	if st := h.Status(); st.Server != "far, router" || st.Connected || !st.Router || !st.Servers[1].Router || st.Servers[1].Address != addr {
		t.Errorf("%+v", st)
	}
	h.write(here(addr))
	h.until("alone again", func(st agent.Status) bool { return st.Server == addr && subscribed(st) })
	h.alerts(addr, "alone again")
	if n := h.log.count("running the router"); n != 1 {
		t.Errorf("the router was started %d times", n)
	}
}

// Of a list of addresses the agent is where the first answers, and goes to the next when
// that ends.
func TestAddressesOverTCP(t *testing.T) {
	nobody, one, two := freeAddress(t), freeAddress(t), freeAddress(t)
	stop := routerAt(t, one)
	routerAt(t, two)
	h := newHost(t, fmt.Sprintf("server: [%q, %q, %q]%s", nobody, one, two, subMe))
	h.alerts(one, "first")
	stop()
	h.until("at the next", func(st agent.Status) bool { return st.Server == two && subscribed(st) })
	h.alerts(two, "second")
	routerAt(t, one)
	h.alerts(two, "third: a connection that works stays")
}

// A router that cannot go by the file says so, and stays; all else of the file counts.
func TestRouterKeepsItsSettings(t *testing.T) {
	addr := freeAddress(t)
	file := func(tokens, event string) string {
		return fmt.Sprintf("router: {listen: '%s', tokens: %s}\nsubscriptions: [{sender: me, event: %s}]\n", addr, tokens, event)
	}
	h := newHost(t, file("none", "hello"), func(o *agent.Options) {
		bind := o.Router
		o.Router = func(r *config.Router) (*agent.BoundRouter, error) {
			bound, err := bind(r)
			if err == nil {
				bound.Change = func(r *config.Router) (bool, error) {
					if r.Tokens != config.None {
						return true, fmt.Errorf("%s: no such file", r.Tokens)
					}
					return true, nil
				}
			}
			return bound, err
		}
	})
	h.until("subscribed", subscribed)
	h.write(file("/nowhere", "ring"))
	h.until("a problem", func(st agent.Status) bool { return st.ConfigError != nil && subscribed(st) })
	const problem = "the router's settings stay as they were: /nowhere: no such file"
	if st := h.Status(); st.ConfigError.Error() != problem || !st.Router || st.Subscriptions[0].Event != "ring" || !strings.Contains(st.Line(), ", the file has a problem") {
		t.Errorf("%v, %+v, %s", st.ConfigError, st.Subscriptions, st.Line())
	}
	if got := h.screen.take(); got != "Configuration problem "+problem {
		t.Errorf("shown %q", got)
	}
	h.write(file("none", "ring"))
	h.until("no problem", func(st agent.Status) bool { return st.ConfigError == nil })
	if got := h.screen.take(); got != "Configuration is valid again 1 subscription in force." {
		t.Errorf("shown %q", got)
	}
}
