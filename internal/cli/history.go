package cli

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/eventlog"
)

// historyAgain is the time between two attempts at what a history needs.
const historyAgain = 10 * time.Second

// history keeps what was alerted, and shows it, where the configuration wants
// that. It is the agent's Alerted and Configured, and the tray's "Open history".
//
// The log is open for as long as the configuration wants a history at all; only
// its page ends and begins again when that is to be another. What cannot be done
// is tried again, and told of once.
type history struct {
	path   string // of the log
	again  time.Duration
	logger *slog.Logger

	wanted  chan *config.History // holds what the configuration said last
	alerts  alertLog
	page    *historyPage
	trouble trouble // with the file; run's own
}

// historyAgent is what a history needs of its agent.
type historyAgent interface {
	Tell(notify.Notification)
	Status() agent.Status
}

type historyOptions struct {
	path   string // of the log
	config string // the path of the configuration
	agent  historyAgent
	notice func()        // that open may work now, or not any more
	again  time.Duration // historyAgain
	logger *slog.Logger
}

func newHistory(o historyOptions) *history {
	return &history{
		path:    o.path,
		again:   o.again,
		logger:  o.logger,
		wanted:  make(chan *config.History, 1),
		page:    newHistoryPage(o),
		trouble: trouble{agent: o.agent, logger: o.logger, title: "The alerts are not kept yet", over: "The alerts are kept now"},
	}
}

// configured takes over what a configuration says. It does not wait.
func (h *history) configured(c *config.Config) {
	h.alerts.want(c.History != nil)
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
	e, err := eventlog.EntryOf(a.Event)
	if err != nil { // what came over a network is JSON
		return
	}
	e.Outcome, e.Why = a.Outcome, a.Why
	h.alerts.add(e)
}

// changed has the page show how the agent stands.
func (h *history) changed() { h.alerts.touch() }

// there reports whether open has something to open.
func (h *history) there() bool { return h.page.there() }

// open opens the page in a browser.
func (h *history) open() { h.page.open() }

// run keeps a history while the configuration wants one, until ctx ends, which
// must not be before the last alert.
func (h *history) run(ctx context.Context) {
	var c *config.History
	var again <-chan time.Time
	for {
		for c == nil || again != nil {
			select {
			case <-ctx.Done():
				if n := h.alerts.end(); n > 0 {
					h.logger.Error("alerts are lost at the end: there was no log to keep them in", "count", n)
				}
				return
			case c = <-h.wanted:
				again = nil
			case <-again:
				again = nil
			}
		}
		opts := eventlog.Options{Path: h.path, Limit: c.Limit, Age: c.Age, Logger: h.logger}
		if c.Age == 0 {
			opts.Age = -1
		}
		log, err := eventlog.Open(&opts)
		if err != nil {
			h.trouble.tell(err, fmt.Sprintf("It is tried again every %.0f s; until then %d alerts may wait.", historyAgain.Seconds(), mostWaiting))
			again = time.After(h.again)
			continue
		}
		h.keep(ctx, log, c)
		c = nil
	}
}

// keep fills the log and shows it until the configuration wants no history, or
// ctx ends. It closes the log.
func (h *history) keep(ctx context.Context, log *eventlog.Log, c *config.History) {
	defer h.fill(ctx, log)()
	stop := h.page.start(ctx, log, c)
	defer func() { stop() }()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
		case wanted := <-h.wanted:
			switch {
			case wanted == nil:
				return
			case samePage(c, wanted):
				h.page.retry()
			default:
				stop()
				stop = h.page.start(ctx, log, wanted)
			}
			c = wanted
		}
		again = nil
		limits := eventlog.Limits{Count: c.Limit, Age: c.Age}
		if limits == log.Limits() {
			continue
		}
		if err := log.SetLimits(limits); err != nil {
			h.logger.Error("the history's limits are not in force yet", "err", err)
			again = time.After(h.again)
		}
	}
}

// samePage reports whether a page need not begin anew.
func samePage(a, b *config.History) bool {
	page := *a
	page.Limit, page.Age = b.Limit, b.Age
	return page.Equal(b)
}

// fill has the log take the alerts until end is called, which closes it.
func (h *history) fill(ctx context.Context, log *eventlog.Log) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan struct{})
	go func() {
		defer close(written)
		log.Run(ctx)
	}()
	missing := ""
	if lost := h.alerts.use(log); lost > 0 {
		h.logger.Error("alerts are lost: too many waited for the log", "count", lost)
		missing = fmt.Sprintf("%d are lost, as too many waited.", lost)
	}
	h.trouble.end(missing)
	return func() {
		h.alerts.use(nil) // nobody offers it anything more
		cancel()
		<-written
		if err := log.Close(); err != nil {
			h.logger.Error("cannot close the history", "err", err)
		}
	}
}

// trouble is told of once, however often it is met, and once when it is over.
type trouble struct {
	agent       historyAgent
	logger      *slog.Logger
	title, over string
	told        string // the text; empty: it was not met
}

func (t *trouble) tell(err error, advice string) {
	body := err.Error() + "\n" + advice
	if body == t.told {
		t.logger.Debug(t.title, "err", err)
		return
	}
	t.told = body
	t.logger.Error(t.title, "err", err)
	t.agent.Tell(notify.Notification{Title: t.title, Body: body, Key: "history"})
}

func (t *trouble) end(body string) {
	if t.told == "" {
		return
	}
	t.told = ""
	t.logger.Info(t.over)
	t.agent.Tell(notify.Notification{Title: t.over, Body: body, Key: "history"})
}
