package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"sigalert/internal/address"
	"sigalert/internal/reach"
	"sigalert/internal/wait"
	"sigalert/internal/words"
	"sigalert/sig"
)

// place is what was found at the server's address.
type place struct {
	err      error // why it is not known to be an event server
	reached  bool  // something there has taken a connection
	took     time.Duration
	name     string // of a router of sigalert, with its version; "": pysig's
	features []string
	web      web
}

// answers reports whether a router is there, whether or not it admits us.
func (p place) answers() bool { return p.err == nil || errors.Is(p.err, sig.ErrNotAdmitted) }

// web is how a router answers HTTP.
type web struct {
	err      error
	read     bool // it said what time it is there
	degraded bool // its store cannot be written

	// Its clock is ahead of ours by a time between these.
	least, most time.Duration
}

const (
	greetTime = 4 * time.Second // to connect, and to be greeted
	webTime   = 1500 * time.Millisecond
)

func visit(ctx context.Context, addr string, proof reach.Proof) (p place) {
	greeting, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	began := time.Now()
	carrier := &noted{ClientCarrier: proof.To(addr)}
	client := sig.NewClientRouter(carrier, &sig.ClientOptions{NoReconnect: true, Token: proof.Secret})
	failed, fail := context.WithCancelCause(greeting)
	defer wait.Start(failed, func(ctx context.Context) {
		client.Run(ctx)
		fail(client.Link().Err) // it ends when it cannot connect
	})()
	err := client.Connect(failed)
	p.took, p.reached = time.Since(began), carrier.reached.Load()
	if err != nil {
		p.err = err
		switch cause := context.Cause(failed); {
		case errors.Is(cause, context.DeadlineExceeded):
			p.err = fmt.Errorf("no answer within %s", words.Span(greetTime))
		case cause != nil:
			p.err = cause // without what the client says of itself
		}
		if inner := errors.Unwrap(p.err); inner != nil && !p.reached {
			p.err = inner // the carrier's names the address
		}
		return p
	}
	link := client.Link()
	p.name, p.features = link.Server, link.Features
	if p.name != "" {
		p.web = browse(ctx, addr, proof)
	}
	return p
}

// noted notes whether anything took a connection.
type noted struct {
	sig.ClientCarrier
	reached atomic.Bool
}

func (n *noted) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := n.ClientCarrier.Dial(ctx)
	if err == nil {
		n.reached.Store(true)
	}
	return conn, err
}

// browse asks a router over HTTP whether it is well, and reads its clock from the
// answer's Date, which has whole seconds.
func browse(ctx context.Context, addr string, proof reach.Proof) (w web) {
	ctx, cancel := context.WithTimeout(ctx, webTime)
	defer cancel()
	direct, base, err := proof.Web(addr)
	if err != nil {
		return web{err: err}
	}
	var asked, answered time.Time
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { asked = time.Now() },
		GotFirstResponseByte: func() { answered = time.Now() },
	})
	request, err := nethttp.NewRequestWithContext(ctx, "GET", base+"/healthz", nil)
	if err != nil {
		return web{err: err}
	}
	response, err := direct.RoundTrip(request)
	if err != nil {
		return web{err: err}
	}
	defer response.Body.Close()
	health, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
	w.degraded = strings.HasPrefix(string(health), "degraded")
	if response.StatusCode != nethttp.StatusOK {
		return web{err: fmt.Errorf("it answers %s", response.Status)}
	}
	if date, err := nethttp.ParseTime(response.Header.Get("Date")); err == nil {
		w.read, w.least, w.most = true, date.Sub(answered), date.Add(time.Second).Sub(asked)
	}
	return w
}

func (o Options) server(f file, p place, a running) Result {
	r := Result{Name: "server", Status: Wrong}
	answers := o.Server + " answers"
	if p.took >= 100*time.Millisecond {
		answers += " after " + words.Took(p.took)
	}
	switch {
	case p.err == nil && p.name != "":
		r.Status = OK
		r.Text = fmt.Sprintf("%s: %s, with %s", answers, p.name, listed(p.features))
	case p.err == nil:
		r.Status = OK
		r.Text = answers + ": a pysig server, which does not remember events: what happens while the agent is away is lost"
	case errors.Is(p.err, sig.ErrNotAdmitted):
		r.Text = p.err.Error()
		r.Advice = `make a token at the router with "sigalert token new", and put it into the configuration, beside the server's url`
	case errors.Is(p.err, sig.ErrNotPrivate):
		r.Text = fmt.Sprintf("%s has no TLS: a token is not sent there, as others could read it", o.Server)
		r.Advice = "begin its url with tls://, if the router has a certificate"
	case p.reached:
		r.Text = fmt.Sprintf("what listens at %s does not answer as an event server: it hangs, or is another program (%v)", o.Server, p.err)
		r.Advice = "end it, or use another address; a router that hangs can be started again"
	case nobodyListens(p.err) && f.runsRouter && errors.Is(a.err, ErrNoAgent):
		r.Status = Note
		r.Text = fmt.Sprintf("nothing listens at %s: its router runs in the agent, which is not running", o.Server)
	case nobodyListens(p.err) && f.runsRouter:
		r.Text = fmt.Sprintf("nothing listens at %s, where the agent is to run a router", o.Server)
		r.Advice = "the agent's log says why it cannot; if it has another configuration, name that with --config"
	case nobodyListens(p.err) && address.IsLoopback(o.Server):
		r.Text = fmt.Sprintf("nothing listens at %s", o.Server)
		r.Advice = fmt.Sprintf(`start a router there with "%s serve", or let the agent run one with router: in place of server: in the configuration`, o.Call)
	case nobodyListens(p.err):
		r.Text = fmt.Sprintf("%s refuses connections: no program listens at that port there", o.Server)
		r.Advice = fmt.Sprintf(`start a router on that machine with "sigalert serve --listen 0.0.0.0:%s", and run the line here that it prints, or correct the address`, port(o.Server))
	default:
		r.Text = fmt.Sprintf("%s cannot be reached: %v", o.Server, p.err)
		r.Advice = "see whether the name is right, the machine is on, and no firewall is between"
	}
	return r
}

// router judges what has the address at which the agent is to run its router.
func (o Options) router(p place, a running) Result {
	r := Result{Name: "router", Status: OK}
	switch {
	case errors.Is(a.err, ErrNoAgent) && nobodyListens(p.err):
		r.Status = Note
		r.Text = fmt.Sprintf("%s is free: the agent's router comes with the agent", o.Server)
	case errors.Is(a.err, ErrNoAgent) && p.answers():
		r.Status = Note
		r.Text = fmt.Sprintf("another router has %s: the agent will use that one", o.Server)
	case a.err == nil && a.Router && a.Server == o.Server:
		r.Text = fmt.Sprintf("the agent runs it at %s", o.Server)
	case a.err == nil && p.answers():
		r.Status = Note
		r.Text = fmt.Sprintf("another router has %s: the agent uses that one, and takes over when it ends", o.Server)
	case nobodyListens(p.err):
		r.Status = Wrong
		r.Text = fmt.Sprintf("nothing listens at %s, though the agent runs", o.Server)
		r.Advice = "the agent's log says why it cannot listen there"
	case p.reached:
		r.Status = Wrong
		r.Text = fmt.Sprintf("another program has %s, which does not answer as a router", o.Server)
		r.Advice = "end that program, or give the router another address with listen: in the configuration"
	default:
		r.Status = Note
		r.Text = fmt.Sprintf("it is not known which program has %s", o.Server)
	}
	return r
}

func http(p place) Result {
	r := Result{Name: "http", Status: Note}
	switch {
	case p.err != nil:
		r.Text = "not known, as the server does not answer"
	case p.name == "":
		r.Text = "a pysig server has none: curl and webhooks cannot send to it"
	case p.web.err != nil:
		r.Text = fmt.Sprintf("does not answer at the server's port: curl and webhooks cannot send to it (%v)", p.web.err)
		r.Advice = "an older router has no HTTP, and something between may let none through"
	case p.web.degraded:
		r.Status = Wrong
		r.Text = "answers at the server's port, and says that its store cannot be written: events are kept in the router's memory only"
		r.Advice = "the router's log, and \"sigalert admin status\", say why; do not end the router before that is corrected"
	default:
		r.Status, r.Text = OK, "answers at the server's port: curl and webhooks can send to it"
	}
	return r
}

// mayDiffer is how far clocks may be apart: people do not notice that in the times of
// alerts.
const mayDiffer = 5 * time.Second

func clock(p place) Result {
	r := Result{Name: "clock", Status: Note}
	w := p.web
	middle, within := (w.least+w.most)/2, (w.most-w.least)/2
	switch {
	case p.err != nil:
		r.Text = "not compared, as the server does not answer"
	case p.name == "":
		r.Text = "not compared: a pysig server does not say what time it has"
	case !w.read:
		r.Text = "not compared: only HTTP says what time the server has"
	case w.least <= mayDiffer && w.most >= -mayDiffer:
		r.Status = OK
		r.Text = fmt.Sprintf("that of the server's machine agrees with this one's, as far as its whole seconds tell (%+.1f s ± %.1f s)", middle.Seconds(), within.Seconds())
	default:
		side := "ahead of"
		if middle < 0 {
			side, middle = "behind", -middle
		}
		r.Text = fmt.Sprintf("that of the server's machine is %s %s this one's (± %.1f s): the times of alerts, and ago() in rules, are wrong by as much", words.Took(middle), side, within.Seconds())
		r.Advice = `set both clocks by the network, as "timedatectl set-ntp true" does on Linux`
	}
	return r
}

// nobodyListens reports whether no program listens at an address.
func nobodyListens(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, wsaRefused)
}

// wsaRefused is ECONNREFUSED on Windows.
const wsaRefused = syscall.Errno(10061)

func listed(features []string) string {
	if len(features) == 0 {
		return "no features"
	}
	return strings.Join(features, ", ")
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
