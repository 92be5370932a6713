package cli

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/sig"
)

// historyPage shows an agent's history, one page at a time.
type historyPage struct {
	config  string // the path of the configuration
	agent   historyAgent
	notice  func()
	again   time.Duration
	logger  *slog.Logger
	now     chan struct{} // holds a token: the next attempt is due
	trouble trouble       // the running page's own

	mu      sync.Mutex // guards the fields below
	handler *web.Handler
	url     string
}

func newHistoryPage(o historyOptions) *historyPage {
	return &historyPage{
		config: o.config,
		agent:  o.agent,
		notice: o.notice,
		again:  o.again,
		logger: o.logger,
		now:    make(chan struct{}, 1),
		trouble: trouble{
			agent: o.agent, logger: o.logger,
			title: "The history's page cannot be shown yet", over: "The history's page can be shown",
		},
	}
}

// start shows log until stop is called, as soon as that can be done. It is to be
// stopped before the next start.
func (p *historyPage) start(ctx context.Context, log *eventlog.Log, c *config.History) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.run(ctx, log, c)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// retry ends the wait for the next attempt.
func (p *historyPage) retry() {
	select {
	case p.now <- struct{}{}:
	default:
	}
}

func (p *historyPage) run(ctx context.Context, log *eventlog.Log, c *config.History) {
	for {
		err := p.serve(ctx, log, c)
		if ctx.Err() != nil {
			return
		}
		p.trouble.tell(err, "The alerts are kept, and the page comes as soon as it can.")
		select {
		case <-ctx.Done():
			return
		case <-p.now:
		case <-time.After(p.again):
		}
	}
}

// serve serves the page until ctx ends.
func (p *historyPage) serve(ctx context.Context, log *eventlog.Log, c *config.History) error {
	handler, err := web.New(log, web.Options{
		Title:      "sigalert history",
		Source:     agentSource{p.agent},
		Fixed:      "The subscriptions and the limits are those of " + p.config + ": edit it, and they are in force within a second.",
		Token:      c.Token,
		Private:    true,
		Hosts:      c.Hosts,
		HostAdvice: "use the machine's address, or add it to history.hosts in the agent's configuration", // not where that is: anybody may ask
		Logger:     p.logger,
	})
	if err != nil {
		return err
	}
	listener, err := listenPage(c.Listen)
	if err != nil {
		return fmt.Errorf("%w: choose another history.listen in %s", err, p.config)
	}
	url := pageURL(listener.Addr())
	p.logger.Info("history", "url", url)
	p.trouble.end("It is at " + url + `, and "Open history" in the tray's menu opens it.`)
	p.use(handler, url)
	defer p.use(nil, "")
	return handler.Serve(ctx, listener)
}

func (p *historyPage) use(handler *web.Handler, url string) {
	p.mu.Lock()
	p.handler, p.url = handler, url
	p.mu.Unlock()
	p.notice()
}

// there reports whether open has something to open.
func (p *historyPage) there() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handler != nil
}

// open opens the page in a browser, with a key that works once.
func (p *historyPage) open() {
	p.mu.Lock()
	handler, url := p.handler, p.url
	p.mu.Unlock()
	if handler == nil {
		return
	}
	url += "?key=" + handler.Key()
	startAside(browser(url), func(err error) {
		p.logger.Error("cannot open a browser", "err", err)
		p.agent.Tell(notify.Notification{Title: "Cannot open a browser", Body: "For a minute the history is at " + url, Key: "history"})
	})
}

// agentSource shows an agent as the source of its history.
type agentSource struct{ agent historyAgent }

func (s agentSource) Server() string { return s.agent.Status().Server }

func (s agentSource) Link() sig.LinkStatus {
	st := s.agent.Status()
	link := sig.LinkStatus{Connected: st.Connected, Since: st.Since}
	if !st.Connected {
		link.Err = st.LinkError
	}
	return link
}

func (s agentSource) Subscriptions() []eventlog.Subscription {
	all := s.agent.Status().Subscriptions
	subs := make([]eventlog.Subscription, len(all))
	for i, sub := range all {
		subs[i] = eventlog.Subscription{Topic: sub.Topic, Status: sub.Status, Err: sub.Err}
	}
	return subs
}
