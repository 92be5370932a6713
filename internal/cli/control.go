package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/eventlog"
	"sigalert/internal/age"
	"sigalert/internal/control"
	"sigalert/internal/history"
	"sigalert/sig"
)

// controlled is what the control socket needs of an agent.
type controlled interface {
	Status() agent.Status
	PauseUntil(time.Time)
	Resume()
	Mute(line int, until time.Time)
	Unmute(line int)
	Reconnect()
	ShowAgain(number int)
	Respond(notify.Response)
	ReloadNow(context.Context) (subscriptions int, err error)
	Settle(context.Context) error
	MarkRead()
	Recent(n int, all bool) []agent.Explanation
	Explain(number int) (agent.Explanation, bool)
	ExplainEvent(context.Context, sig.Event) (agent.Explanation, error)
}

// keeper is what it needs of a history.
type keeper interface {
	firstPage
	Entries(context.Context, eventlog.Query) (eventlog.Result, error)
}

// controls are what the commands can ask of an agent.
type controls struct {
	agent   controlled
	history keeper
	config  string // the configuration's path
	quit    func()
}

// methods are those of the control socket; docs/control.md lists them.
func (c controls) methods() map[string]control.Method {
	return map[string]control.Method{
		"status": control.Handler(func(context.Context, struct{}) (any, error) {
			return newStatusReport(c.agent.Status(), c.config), nil
		}),
		"pause":     control.Handler(c.pause),
		"resume":    control.Handler(c.resume),
		"reload":    control.Handler(c.reload),
		"reconnect": control.Handler(c.reconnect),
		"history":   control.Handler(c.link),
		"entries":   control.Handler(c.entries),
		"explain":   control.Handler(c.explain),
		"show":      control.Handler(c.show),
		"mark-read": control.Handler(c.markRead),
		"quit": control.Handler(func(context.Context, struct{}) (any, error) {
			c.quit()
			return nil, nil
		}),
	}
}

type pauseParams struct {
	Duration string    `json:"duration,omitempty"` // as [age.Span] reads it
	Until    time.Time `json:"until,omitzero"`
	Line     int       `json:"line,omitempty"` // of the subscriptions that it is for; 0: all alerts
}

type pauseAnswer struct {
	Until time.Time `json:"until,omitzero"` // zero: until resumed
}

func (c controls) pause(ctx context.Context, asked pauseParams) (any, error) {
	until, now := asked.Until, time.Now()
	switch {
	case asked.Duration != "" && !until.IsZero():
		return nil, errors.New("params: either duration or until, not both")
	case asked.Duration != "":
		d, err := pauseTime(asked.Duration)
		if err != nil {
			return nil, fmt.Errorf("params: %w", err)
		}
		until = now.Add(d)
	case !until.IsZero() && !until.After(now):
		return nil, fmt.Errorf("params: %s is over", until.Format(time.RFC3339))
	}
	if asked.Line == 0 {
		c.agent.PauseUntil(until)
	} else if _, err := c.onLine(asked.Line); err != nil {
		return nil, err
	} else {
		c.agent.Mute(asked.Line, until)
	}
	return pauseAnswer{until}, c.agent.Settle(ctx)
}

// onLine are the subscriptions on a line of the file.
func (c controls) onLine(line int) (found []agent.SubscriptionStatus, err error) {
	for _, s := range c.agent.Status().Subscriptions {
		if s.Line == line {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		err = fmt.Errorf("no subscription in force begins on line %d: sigalert status lists them", line)
	}
	return found, err
}

// pauseTime reads how long a pause is to be.
func pauseTime(text string) (time.Duration, error) {
	d, err := age.Span(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration: use one such as 30m, 1h30m or 1d", text)
	}
	return d, nil
}

type resumeParams struct {
	Line int `json:"line,omitempty"` // as of pauseParams
}

type resumeAnswer struct {
	Paused bool `json:"was_paused"`
	Held   int  `json:"held_back"` // until now
}

func (c controls) resume(ctx context.Context, asked resumeParams) (any, error) {
	if asked.Line == 0 {
		st := c.agent.Status()
		c.agent.Resume()
		return resumeAnswer{st.Paused, st.Held}, c.agent.Settle(ctx)
	}
	found, err := c.onLine(asked.Line)
	if err != nil {
		return nil, err
	}
	var answer resumeAnswer
	for _, s := range found {
		answer.Paused = answer.Paused || s.Muted
		answer.Held += s.Held
	}
	c.agent.Unmute(asked.Line)
	return answer, c.agent.Settle(ctx)
}

type reconnectAnswer struct {
	Connected bool `json:"was_connected"` // so that nothing is done
}

func (c controls) reconnect(ctx context.Context, _ struct{}) (any, error) {
	st := c.agent.Status()
	c.agent.Reconnect()
	return reconnectAnswer{st.Connected}, c.agent.Settle(ctx)
}

type readAnswer struct {
	Unread int `json:"were_unread"`
}

func (c controls) markRead(ctx context.Context, _ struct{}) (any, error) {
	st := c.agent.Status()
	c.agent.MarkRead()
	return readAnswer{st.Unread}, c.agent.Settle(ctx)
}

type showParams struct {
	Number int    `json:"number"`
	Press  string `json:"press,omitempty"` // the label of a button; "": the alert is shown
}

// show shows an alert again, or does what one of its buttons does.
func (c controls) show(ctx context.Context, asked showParams) (any, error) {
	x, ok := c.agent.Explain(asked.Number)
	if !ok {
		return nil, notKnown(asked.Number)
	}
	if asked.Press == "" {
		c.agent.ShowAgain(asked.Number)
		return nil, c.agent.Settle(ctx)
	}
	var labels []string
	if x.Sent != nil {
		for i, a := range x.Sent.Actions {
			switch {
			case a.Reply: // which the tray leaves out, too
			case a.Label == asked.Press:
				c.agent.Respond(notify.Response{Ref: uint64(asked.Number), Kind: notify.Acted, Action: i})
				return nil, c.agent.Settle(ctx)
			default:
				labels = append(labels, strconv.Quote(a.Label))
			}
		}
	}
	if labels == nil {
		return nil, fmt.Errorf("alert %d has no buttons to press", asked.Number)
	}
	return nil, fmt.Errorf("alert %d has no button %q: its buttons are %s", asked.Number, asked.Press, strings.Join(labels, ", "))
}

func notKnown(number int) error {
	return fmt.Errorf("event %d is not known: sigalert explain lists those that are remembered", number)
}

type reloadAnswer struct {
	Subscriptions int      `json:"subscriptions"` // in force
	Problems      []string `json:"problems"`      // of the file; if there are any, it is not in force
}

func (c controls) reload(ctx context.Context, _ struct{}) (any, error) {
	n, err := c.agent.ReloadNow(ctx)
	answer := reloadAnswer{n, []string{}}
	var problems config.Problems
	var unreadable *os.PathError
	switch {
	case errors.As(err, &problems):
		for _, problem := range problems {
			answer.Problems = append(answer.Problems, problem.Error())
		}
	case errors.As(err, &unreadable):
		answer.Problems = append(answer.Problems, fmt.Sprintf("cannot read %s: %v", unreadable.Path, unreadable.Err))
	case err != nil:
		return nil, err
	}
	return answer, nil
}

type linkAnswer struct {
	URL string `json:"url"` // opens the page once, within a minute
}

func (c controls) link(ctx context.Context, _ struct{}) (any, error) {
	url := c.history.Link()
	if url != "" {
		return linkAnswer{url}, nil
	}
	if _, err := c.history.Entries(ctx, eventlog.Query{Limit: 1}); errors.Is(err, history.ErrOff) {
		return nil, c.noHistory()
	}
	return nil, errors.New("the history's page is not there: the agent's log says why, if it does not come within a few seconds")
}

func (c controls) noHistory() error {
	return fmt.Errorf("no history is kept: remove \"history: false\" from %s", c.config)
}

type entriesParams struct {
	Before uint64 `json:"before,omitempty"` // only those with a lower number; 0: all
}

type entriesAnswer struct {
	Entries []eventlog.Entry `json:"entries"`        // the newest first
	Next    uint64           `json:"next,omitempty"` // before of the next request; 0: there are no more
}

func (c controls) entries(ctx context.Context, asked entriesParams) (any, error) {
	found, err := c.history.Entries(ctx, eventlog.Query{Before: asked.Before, Limit: eventlog.MaxEvents})
	if errors.Is(err, history.ErrOff) {
		err = c.noHistory()
	}
	answer := entriesAnswer{Entries: append([]eventlog.Entry{}, found.Entries...)}
	if found.More {
		answer.Next = found.Last
	}
	return answer, err
}

// statusReport is an agent's status for scripts. Its names are promised.
type statusReport struct {
	Version       string               `json:"version"`
	PID           int                  `json:"pid"`
	Config        string               `json:"config"`
	Summary       string               `json:"summary"` // for people, as in the tray's menu
	Server        string               `json:"server"`
	Router        bool                 `json:"router"` // the agent itself runs it, at server
	Connected     bool                 `json:"connected"`
	Since         time.Time            `json:"since,omitzero"` // it is connected, or not
	LinkError     string               `json:"link_error,omitempty"`
	Servers       []serverReport       `json:"servers,omitempty"` // where they have names
	Paused        bool                 `json:"paused"`
	PausedUntil   time.Time            `json:"paused_until,omitzero"`
	Quiet         string               `json:"quiet,omitempty"` // why alerts are held back
	QuietUntil    time.Time            `json:"quiet_until,omitzero"`
	Held          int                  `json:"held_back"`
	Pending       pendingReport        `json:"pending"`
	Unread        int                  `json:"unread"`
	Subscriptions []subscriptionReport `json:"subscriptions"`
	Unseen        []unseenReport       `json:"unseen"`
	ConfigError   string               `json:"config_error,omitempty"`
	DeliveryError string               `json:"delivery_error,omitempty"`
	Counters      countersReport       `json:"counters"`
}

type serverReport struct {
	Name      string    `json:"name"`
	Server    string    `json:"server"`
	Router    bool      `json:"router"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`
	LinkError string    `json:"link_error,omitempty"`
}

type subscriptionReport struct {
	Line   int      `json:"line"`
	Sender sig.Name `json:"sender,omitempty"`
	Event  sig.Name `json:"event,omitempty"`
	Server string   `json:"server,omitempty"`
	Text   string   `json:"text"`  // for people
	State  string   `json:"state"` // active, pending or refused
	Error  string   `json:"error,omitempty"`

	Muted      bool      `json:"muted"`
	MutedUntil time.Time `json:"muted_until,omitzero"`
	Held       int       `json:"held_back"`
}

type unseenReport struct {
	Sender  sig.Name `json:"sender"`
	Nearest sig.Name `json:"nearest,omitempty"`
	Text    string   `json:"text"` // for people
}

type pendingReport struct {
	Waiting    int `json:"waiting"`
	Inhibited  int `json:"inhibited"`
	Repeating  int `json:"repeating"`
	Escalating int `json:"escalating"`
}

type countersReport struct {
	Received uint64 `json:"received"`
	Shown    uint64 `json:"shown"`
	Logged   uint64 `json:"logged"`
	Limited  uint64 `json:"limited"`
	Filtered uint64 `json:"filtered"`
	Unrun    uint64 `json:"unrun"`
	Dropped  uint64 `json:"dropped"`
	Early    uint64 `json:"early,omitzero"`
}

func newStatusReport(st agent.Status, config string) statusReport {
	r := statusReport{
		Version:       versionText(),
		PID:           os.Getpid(),
		Config:        config,
		Summary:       st.Line(),
		Server:        st.Server,
		Router:        st.Router,
		Connected:     st.Connected,
		Since:         st.Since,
		Paused:        st.Paused,
		PausedUntil:   st.PausedUntil,
		Quiet:         st.Quiet,
		QuietUntil:    st.QuietUntil,
		Held:          st.Held,
		Pending:       pendingReport(st.Pending),
		Unread:        st.Unread,
		Subscriptions: []subscriptionReport{},
		Unseen:        []unseenReport{},
		ConfigError:   errorText(st.ConfigError),
		DeliveryError: errorText(st.DeliveryError),
		Counters:      countersReport(st.Counters),
	}
	if !st.Connected {
		r.LinkError = errorText(st.LinkError)
	}
	for _, s := range st.Servers {
		if s.Name == "" {
			continue
		}
		one := serverReport{Name: s.Name, Server: s.Address, Router: s.Router, Connected: s.Connected, Since: s.Since}
		if !s.Connected {
			one.LinkError = errorText(s.Err)
		}
		r.Servers = append(r.Servers, one)
	}
	for _, s := range st.Subscriptions {
		r.Subscriptions = append(r.Subscriptions, subscriptionReport{
			Line: s.Line, Sender: s.Sender, Event: s.Event, Server: s.Server, Text: s.String(), State: s.Status.String(), Error: errorText(s.Err),
			Muted: s.Muted, MutedUntil: s.MutedUntil, Held: s.Held,
		})
	}
	for _, u := range st.Unseen {
		r.Unseen = append(r.Unseen, unseenReport{u.Sender, u.Nearest, u.String()})
	}
	return r
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
