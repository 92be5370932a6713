package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/adrg/xdg"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/sig"
)

// listenAgain is how long the history waits for its address to be free.
const listenAgain = 10 * time.Second

// history keeps what was alerted, and shows it, where the configuration wants
// that. It is the agent's Alerted and Configured, and the tray's "Open history".
type history struct {
	path   string // of the log
	config string // the path of the configuration
	agent  *agent.Agent
	logger *slog.Logger
	notice func() // that open may work now, or not any more

	wanted chan *config.History // holds what the configuration said last

	mu      sync.Mutex // guards the fields below
	log     *eventlog.Log
	handler *web.Handler // nil: there is no page
	address string
}

func newHistory(configPath string, logger *slog.Logger) *history {
	return &history{
		path:   filepath.Join(xdg.StateHome, "sigalert", "history.db"),
		config: configPath,
		logger: logger,
		wanted: make(chan *config.History, 1),
	}
}

// configured takes over what a configuration says. It does not wait.
func (h *history) configured(c *config.Config) {
	for {
		select {
		case h.wanted <- c.History:
			return
		default:
		}
		select {
		case <-h.wanted: // an older one, which is in force no more
		default:
		}
	}
}

// alerted keeps an alert. It does not wait.
func (h *history) alerted(a agent.Alert) {
	h.mu.Lock()
	log := h.log
	h.mu.Unlock()
	if log == nil {
		return
	}
	e, err := eventlog.EntryOf(a.Event)
	if err != nil { // what came over a network is JSON
		return
	}
	switch a.Outcome {
	case agent.Shown:
		e.Outcome = eventlog.Shown
	case agent.Held:
		e.Outcome = eventlog.Held
	case agent.Failed:
		e.Outcome = eventlog.Failed
	}
	e.Why = a.Why
	log.Offer(e)
}

// changed has the page show how the agent stands.
func (h *history) changed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.log != nil {
		h.log.Touch()
	}
}

// run keeps a history while the configuration wants one, until ctx ends.
func (h *history) run(ctx context.Context) {
	var now *config.History
	var stop func()
	for {
		select {
		case <-ctx.Done():
			if stop != nil {
				stop()
			}
			return
		case wanted := <-h.wanted:
			if wanted.Equal(now) {
				continue
			}
			now = wanted
		}
		if stop != nil {
			stop()
			stop = nil
		}
		if now != nil {
			stop = h.start(ctx, *now)
		}
	}
}

// start keeps a history until stop is called.
func (h *history) start(ctx context.Context, c config.History) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := h.keep(ctx, c); err != nil {
			h.fail(err)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func (h *history) fail(err error) {
	h.logger.Error("there is no history", "err", err)
	h.agent.Tell(notify.Notification{Title: "There is no history", Body: err.Error(), Key: "history"})
}

// keep opens the log, fills it, and shows it as soon as its address is free.
func (h *history) keep(ctx context.Context, c config.History) (err error) {
	opts := eventlog.Options{Path: h.path, Limit: c.Limit, Age: c.Age, Logger: h.logger}
	if c.Age == 0 {
		opts.Age = -1
	}
	log, err := eventlog.Open(&opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan struct{})
	go func() {
		defer close(written)
		log.Run(running)
	}()
	defer func() {
		h.use(nil, nil, "") // nobody offers it anything more
		end()
		<-written
	}()
	h.use(log, nil, "")
	handler, err := web.New(log, web.Options{
		Title:   "sigalert history",
		Source:  agentSource{h.agent},
		Fixed:   "The subscriptions and the limits are those of " + h.config + ": edit it, and they are in force within a second.",
		Token:   c.Token,
		Private: true,
		Logger:  h.logger,
	})
	if err != nil {
		return err
	}
	listener, err := h.listen(ctx, c.Listen)
	if listener == nil {
		return err
	}
	h.logger.Info("history", "url", "http://"+listener.Addr().String()+"/")
	h.use(log, handler, listener.Addr().String())
	return handler.Serve(ctx, listener)
}

// listen waits for the address to be free; nil: ctx ended before.
func (h *history) listen(ctx context.Context, address string) (net.Listener, error) {
	for told := false; ; told = true {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return listener, nil
		}
		if !told {
			h.fail(err)
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(listenAgain):
		}
	}
}

func (h *history) use(log *eventlog.Log, handler *web.Handler, address string) {
	h.mu.Lock()
	h.log, h.handler, h.address = log, handler, address
	h.mu.Unlock()
	h.notice()
}

// there reports whether open has something to open.
func (h *history) there() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.handler != nil
}

// open opens the page in a browser, with a key that works once.
func (h *history) open() {
	h.mu.Lock()
	handler, address := h.handler, h.address
	h.mu.Unlock()
	if handler == nil {
		return
	}
	if host, port, err := net.SplitHostPort(address); err == nil && net.ParseIP(host).IsUnspecified() {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	url := "http://" + address + "/?key=" + handler.Key()
	startAside(browser(url), func(err error) {
		h.logger.Error("cannot open a browser", "err", err)
		h.agent.Tell(notify.Notification{Title: "Cannot open a browser", Body: "For a minute the history is at " + url, Key: "history"})
	})
}

// agentSource shows an agent as the source of its history.
type agentSource struct{ agent *agent.Agent }

func (s agentSource) Server() string { return s.agent.Status().Server }

func (s agentSource) Link() sig.LinkStatus {
	st := s.agent.Status()
	link := sig.LinkStatus{Connected: st.Connected, Since: st.Since}
	if st.LinkError != "" && !st.Connected {
		link.Err = errors.New(st.LinkError)
	}
	return link
}

func (s agentSource) Subscriptions() []eventlog.Subscription {
	all := s.agent.Status().Subscriptions
	subs := make([]eventlog.Subscription, len(all))
	for i, sub := range all {
		subs[i] = eventlog.Subscription{Topic: eventlog.Topic{Sender: sub.Sender, Event: sub.Event}, Status: sub.Status}
		if sub.Err != "" {
			subs[i].Err = errors.New(sub.Err)
		}
	}
	return subs
}
