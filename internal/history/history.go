package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/eventlog"
	"sigalert/internal/wait"
	"sigalert/sig"
)

const (
	retryDelay = 10 * time.Second // between two attempts to show the page or set the limits
	// An agent that makes way for this one may have the log open until then.
	handoverGrace = 10 * time.Second
	never         = 1000 * time.Hour // long enough for a sleep that only a token is to end
)

// Agent is what a history needs of its agent.
type Agent interface {
	Tell(notify.Notification)
	Status() agent.Status
	Unread() map[int]sig.Event
	MarkRead()
	Respond(notify.Response)
}

// Options are a history's settings; all must be given.
type Options struct {
	Path   string // of the log
	Config string // the path of the configuration
	// Changed is called after [History.Shown] may have changed.
	Changed func()
	Logger  *slog.Logger
}

// History keeps alerts, and shows them, while the configuration asks for that.
//
// The log lasts for as long as the configuration asks for any history; only its
// page ends and begins again when another is configured. What cannot be done is
// tried again, and reported once.
//
// Alerted, Configured and Touch are for the agent, and do not wait.
type History struct {
	opts  Options
	delay time.Duration // retryDelay
	wake  wait.Token    // raised when Run may have something to do
	agent Agent         // Run's
	said  atomic.Bool   // a notification said that alerts are not being kept

	mu         sync.Mutex      // guards the fields below
	config     *config.History // in force; nil: no history
	configured bool            // there is a configuration
	log        *eventlog.Log   // for the alerts; nil if config is
	unrun      []*eventlog.Log // that Run has not got to yet, though alerts may wait in them
	page       *page           // nil: none is shown
}

// New returns a history that shows nothing until Run; alerts wait.
func New(o Options) *History {
	return &History{opts: o, delay: retryDelay, wake: wait.NewToken()}
}

// Configured takes over a configuration.
func (h *History) Configured(c *config.Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.config, h.configured = c.History, true
	switch {
	case c.History == nil:
		h.log = nil
	case h.log == nil:
		h.log = h.newLog(c.History)
		h.unrun = append(h.unrun, h.log)
	}
	h.wake.Raise()
}

func (h *History) newLog(c *config.History) *eventlog.Log {
	lost := uint64(0) // that were reported
	return eventlog.New(&eventlog.Options{
		Path:   h.opts.Path,
		Limit:  c.MaxEntries,
		Age:    &c.Retention,
		Once:   true, // after a kill, the last ones come again
		Logger: h.opts.Logger,
		Trouble: func(st eventlog.State) {
			switch {
			case errors.Is(st.Err, eventlog.ErrInUse): // awaitOpen says so, if that lasts
				return
			case st.Err != nil:
				h.trouble(st.Err)
				return
			case !h.said.Swap(false):
				return
			}
			missing := ""
			if n := st.Dropped - lost; n > 0 {
				h.opts.Logger.Error("alerts were lost: too many were waiting for the log", "count", n)
				missing = fmt.Sprintf("%d were lost, because too many were waiting.", n)
			}
			lost = st.Dropped
			h.tell("Alerts are being kept now", missing)
		},
	})
}

// trouble says why alerts are not being kept.
func (h *History) trouble(err error) {
	h.said.Store(true)
	again := "Trying again every few seconds; until"
	if errors.Is(err, eventlog.ErrStale) {
		again = "Until"
	}
	h.tell("Alerts are not being kept yet", fmt.Sprintf("%v\n%s then up to %d alerts wait.", err, again, eventlog.MaxWaiting))
}

// Alerted keeps an alert.
func (h *History) Alerted(a agent.Alert) {
	e, err := eventlog.EntryOf(a.Event)
	if err != nil { // what came over a network is JSON
		return
	}
	e.Outcome, e.Why = a.Outcome, a.Why
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.log != nil {
		h.log.Offer(e)
	}
}

// Flush returns once the alerts so far are kept or, if that fails or takes longer than
// ctx, are known not to be.
func (h *History) Flush(ctx context.Context) {
	h.mu.Lock()
	log := h.log
	h.mu.Unlock()
	if log != nil {
		_ = log.Flush(ctx) // it has reported that itself
	}
}

// Touch makes the page show how the agent stands now.
func (h *History) Touch() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.log != nil {
		h.log.Touch()
	}
}

// Run keeps and shows the alerts of a, until ctx ends; that must not be before
// the last alert.
func (h *History) Run(ctx context.Context, a Agent) {
	h.agent = a
	for {
		ended := ctx.Err() != nil // nothing comes afterwards
		switch log := h.next(); {
		case log != nil:
			h.keep(ctx, log)
		case ended:
			return
		default:
			wait.Sleep(ctx, never, h.wake)
		}
	}
}

// next takes the first log that has not been run; nil: there is none.
func (h *History) next() *eventlog.Log {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.unrun) == 0 {
		return nil
	}
	log := h.unrun[0]
	h.unrun = h.unrun[1:]
	return log
}

func (h *History) wanted() (*eventlog.Log, *config.History) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log, h.config
}

// keep runs and shows log until another log or none is configured, or ctx ends. It
// writes the alerts that wait in log in any case.
func (h *History) keep(ctx context.Context, log *eventlog.Log) {
	c, _ := h.limit(log) // before it is opened, which removes what is beyond its limits
	end := wait.Start(context.WithoutCancel(ctx), log.Run)
	defer func() {
		h.hide()
		end()
		if err := log.Close(); err != nil {
			h.opts.Logger.Error("cannot close the history", "err", err)
		}
	}()
	if c == nil || !h.awaitOpen(ctx, log) {
		return
	}
	limits := trouble{history: h, title: "The history's limits are not in force yet", over: "The history's limits are in force"}
	page := trouble{history: h, title: "The history's page cannot be shown yet", over: "The history's page can be shown now"}
	for {
		c, err := h.limit(log)
		if c == nil {
			return
		}
		limited := limits.report(err, "Alerts are being kept.", "")
		url, err := h.show(ctx, log, c)
		shown := page.report(err, "Alerts are being kept, and the page will come as soon as it can.",
			"It is at "+url+`, and "Open history" in the tray's menu opens it.`)
		delay := h.delay
		if limited && shown {
			delay = never
		}
		if !wait.Sleep(ctx, delay, h.wake) {
			return
		}
	}
}

// awaitOpen reports whether log is open; otherwise another is configured, or ctx
// has ended.
func (h *History) awaitOpen(ctx context.Context, log *eventlog.Log) bool {
	handover := time.NewTimer(handoverGrace)
	defer handover.Stop()
	for {
		select {
		case <-handover.C:
			if err := log.State().Err; errors.Is(err, eventlog.ErrInUse) {
				h.trouble(err)
			}
		case <-log.Opened():
			return ctx.Err() == nil
		case <-h.wake:
			if c, _ := h.limit(log); c == nil { // an error is met again once log is open
				return false
			}
		case <-ctx.Done():
			return false
		}
	}
}

// limit gives log the configured limits, whether it is open or not, and returns
// their configuration; nil: another log is wanted, in the same file, or none.
func (h *History) limit(log *eventlog.Log) (c *config.History, err error) {
	wanted, c := h.wanted()
	if c == nil {
		return nil, nil
	}
	if limits := (eventlog.Limits{Count: c.MaxEntries, Age: c.Retention}); limits != log.Limits() {
		err = log.SetLimits(limits)
	}
	if wanted != log {
		return nil, err
	}
	return c, err
}

// trouble is reported once, however often it is met, and once when it is over.
type trouble struct {
	history     *History
	title, over string
	met         string // the error's text; empty: it was not met
}

// report reports whether err is nil.
func (t *trouble) report(err error, advice, after string) (ok bool) {
	logger := t.history.opts.Logger
	switch {
	case err == nil && t.met != "":
		t.met = ""
		logger.Info(t.over)
		t.history.tell(t.over, after)
	case err != nil && err.Error() == t.met:
		logger.Debug(t.title, "err", err)
	case err != nil:
		t.met = err.Error()
		logger.Error(t.title, "err", err)
		t.history.tell(t.title, t.met+"\n"+advice)
	}
	return err == nil
}

func (h *History) tell(title, body string) {
	h.agent.Tell(notify.Notification{Title: title, Body: body, Key: "history"})
}
