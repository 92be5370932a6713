package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sigalert/agent"
	"sigalert/agent/notify"
	"sigalert/internal/plain"
	"sigalert/internal/topic"
	"sigalert/internal/words"
	"sigalert/internal/zone"
	"sigalert/sig"
)

// explainCount is how many events are listed by default.
const explainCount = 20

func (p *program) explain() *cobra.Command {
	var asked explainParams
	var event string
	asJSON := false
	cmd := &cobra.Command{
		Use:   "explain [NUMBER]",
		Short: "Say why an alert was shown, or was not",
		Long: `Without arguments, lists the last events that a subscription of the running agent is
for, the newest last: number, time, sender and event, and what became of it. With a
NUMBER, says what each stage decided about that event, with the lines of the
configuration, and what was sent to the desktop. With --event, the same for an event
that never happened, as if it came now; nothing is shown, and nothing changes.`,
		Example: `  sigalert explain
  sigalert explain 17
  sigalert explain --event '{"sender": "attic", "event": "reading", "data": {"temp": 21.5}}'`,
		Args: func(cmd *cobra.Command, args []string) error {
			given := cmd.Flags().Changed
			switch {
			case len(args) > 1:
				return usage(fmt.Errorf("explain takes one NUMBER, got %s", words.Count(len(args), "argument")))
			case len(args) == 1 && given("event"):
				return usage(errors.New("explain takes either NUMBER or --event"))
			case (len(args) == 1 || given("event")) && (given("count") || given("alerts")):
				return usage(errors.New("--count and --alerts are for the list, without NUMBER and --event"))
			case asked.Count < 1:
				return usage(fmt.Errorf("--count must be at least 1, got %d", asked.Count))
			}
			if len(args) == 1 {
				n, err := eventNumber(args[0])
				if err != nil {
					return err
				}
				asked = explainParams{Number: n}
			}
			if given("event") {
				ev, err := parseEvent(event)
				if err != nil {
					return usage(fmt.Errorf("--event: %w", err))
				}
				asked = explainParams{Event: ev}
			}
			return nil
		},
		ValidArgsFunction: completeNumbers,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer json.RawMessage
			if _, err := askAgent(cmd.Context(), "explain", asked, &answer); err != nil {
				return err
			}
			if asJSON {
				return p.printJSONText(answer)
			}
			return p.printExplained(answer, asked.Count > 0)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&asked.Count, "count", "n", explainCount, "list the last `N` events")
	flags.BoolVar(&asked.Alerts, "alerts", false, "list only those that became alerts")
	flags.StringVar(&event, "event", "", "explain this event: `JSON` such as {\"sender\": \"timer\", \"event\": \"tick\", \"data\": 1}")
	flags.BoolVar(&asJSON, "json", false, "print one line of JSON")
	return cmd
}

// eventNumber reads the number of an event in the list.
func eventNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, usage(fmt.Errorf("%q is not a number of the list: use one such as 17", text))
	}
	return n, nil
}

// explainParams ask for the list, or, with Number or Event, for one event.
type explainParams struct {
	Count  int         `json:"count,omitempty"` // default: 20
	Alerts bool        `json:"alerts,omitempty"`
	Number int         `json:"number,omitempty"`
	Event  *askedEvent `json:"event,omitempty"`
}

type askedEvent struct {
	Sender sig.Name        `json:"sender"`
	Event  sig.Name        `json:"event"`
	Data   json.RawMessage `json:"data,omitempty"` // none: null
}

func (e *askedEvent) check() error {
	if e.Sender.IsEvery() || e.Event.IsEvery() {
		return errors.New("both sender and event must be given")
	}
	return nil
}

func parseEvent(text string) (*askedEvent, error) {
	var ev askedEvent
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	err := dec.Decode(&ev)
	switch {
	case errors.Is(err, io.EOF):
		err = errors.New("it is empty")
	case errors.As(err, new(*json.UnmarshalTypeError)):
		err = errors.New("a part of it has the wrong type")
	case err == nil:
		if _, more := dec.Token(); more != io.EOF {
			err = errors.New("there is something after the JSON object")
		}
	}
	if err != nil {
		return nil, fmt.Errorf(`it must be JSON such as {"sender": "timer", "event": "tick", "data": 1}: %w`, err)
	}
	return &ev, ev.check()
}

// listedEvent is a line of the list.
type listedEvent struct {
	Number   int       `json:"number"`
	Time     time.Time `json:"time"`
	Server   string    `json:"server,omitempty"`
	Sender   sig.Name  `json:"sender"`
	Event    sig.Name  `json:"event"`
	Decision string    `json:"decision"`
	Reason   string    `json:"reason,omitempty"`
	Line     int       `json:"line,omitempty"` // of the subscription that decided it
}

// explained is an [agent.Explanation] for scripts. Its names are promised.
type explained struct {
	Number   int             `json:"number,omitempty"` // 0: it never happened
	Time     time.Time       `json:"time"`
	Server   string          `json:"server,omitempty"`
	Sender   sig.Name        `json:"sender"`
	Event    sig.Name        `json:"event"`
	Data     json.RawMessage `json:"data"`
	Decision string          `json:"decision"`
	Verdicts []verdictReport `json:"verdicts"`
	Sent     *notifiedReport `json:"sent,omitempty"`
}

type verdictReport struct {
	Stage    string `json:"stage"`
	Line     int    `json:"line,omitempty"`
	Decision string `json:"decision"`
	Reason   string `json:"reason,omitempty"`
}

type notifiedReport struct {
	Title    string   `json:"title"`
	Body     string   `json:"body"`
	Urgency  string   `json:"urgency"`
	URL      string   `json:"url,omitempty"`
	Icon     string   `json:"icon,omitempty"`
	Sound    string   `json:"sound,omitempty"`
	Timeout  float64  `json:"timeout,omitempty"` // in seconds; below 0: until it is closed
	Actions  []string `json:"actions,omitempty"`
	Resolved bool     `json:"resolved,omitempty"` // it closes what is shown under its tag
}

// explain is the method of the socket.
func (c controls) explain(ctx context.Context, asked explainParams) (any, error) {
	switch {
	case asked.Event != nil && asked.Number != 0:
		return nil, errors.New("params: either number or event, not both")
	case asked.Event != nil:
		if err := asked.Event.check(); err != nil {
			return nil, fmt.Errorf("params: event: %w", err)
		}
		x, err := c.agent.ExplainEvent(ctx, sig.Event{Sender: asked.Event.Sender, Event: asked.Event.Event, Data: sig.JSONData(orNull(asked.Event.Data))})
		return newExplained(x), err
	case asked.Number != 0:
		x, ok := c.agent.Explain(asked.Number)
		if !ok {
			return nil, notKnown(asked.Number)
		}
		return newExplained(x), nil
	}
	if asked.Count <= 0 {
		asked.Count = explainCount
	}
	list := []listedEvent{}
	for _, x := range c.agent.Recent(asked.Count, !asked.Alerts) {
		l := listedEvent{Number: x.Number, Time: x.Time, Server: x.Server, Sender: x.Sender, Event: x.Event, Decision: x.Decision.String()}
		if n := len(x.Verdicts); n > 0 {
			l.Reason, l.Line = x.Verdicts[n-1].Reason, x.Verdicts[n-1].Line
		}
		list = append(list, l)
	}
	slices.Reverse(list)
	return list, nil
}

func orNull(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return json.RawMessage("null")
	}
	return text
}

func newExplained(x agent.Explanation) explained {
	data, err := x.Data.JSON()
	if err != nil {
		data = nil
	}
	e := explained{
		Number: x.Number, Time: x.Time, Server: x.Server, Sender: x.Sender, Event: x.Event, Data: orNull(data),
		Decision: x.Decision.String(), Verdicts: []verdictReport{},
	}
	for _, v := range x.Verdicts {
		e.Verdicts = append(e.Verdicts, verdictReport{Stage: v.Stage, Line: v.Line, Decision: v.Decision.String(), Reason: v.Reason})
	}
	if x.Sent != nil {
		e.Sent = newNotifiedReport(*x.Sent)
	}
	return e
}

func newNotifiedReport(n notify.Notification) *notifiedReport {
	r := &notifiedReport{
		Title: n.Title, Body: n.Body, Urgency: n.Urgency.String(), URL: n.URL, Icon: n.Icon, Sound: n.Sound,
		Timeout: n.Timeout.Seconds(), Resolved: n.Resolved,
	}
	for _, a := range n.Actions {
		r.Actions = append(r.Actions, a.Label)
	}
	return r
}

func (p *program) printExplained(answer json.RawMessage, list bool) error {
	var lines []string
	if list {
		var events []listedEvent
		if err := json.Unmarshal(answer, &events); err != nil {
			return err
		}
		if len(events) == 0 {
			lines = append(lines, "No event has come yet that a subscription is for.")
		}
		for _, e := range events {
			lines = append(lines, e.line())
		}
	} else {
		var x explained
		if err := json.Unmarshal(answer, &x); err != nil {
			return err
		}
		lines = x.lines()
	}
	for _, line := range lines {
		fmt.Fprintln(p.out, plain.Line(line, len(line))) // it may have text from a peer
	}
	return nil
}

const explainTime = "2006-01-02 15:04:05"

func (l listedEvent) line() string {
	return fmt.Sprintf("%4d  %s  %-9s  %s", l.Number, l.Time.In(zone.Local()).Format(explainTime), l.Decision, eventText(l.Server, l.Sender, l.Event))
}

// eventText is an event for people: "door: ring", or "door: ring at work".
func eventText(server string, sender, event sig.Name) string {
	text := topic.Name(sender) + ": " + topic.Name(event)
	if server != "" {
		text += " at " + server
	}
	return text
}

func (x explained) lines() []string {
	first := eventText(x.Server, x.Sender, x.Event)
	if x.Number != 0 {
		first = fmt.Sprintf("%d  %s  %s", x.Number, x.Time.In(zone.Local()).Format(explainTime), first)
	}
	lines := []string{first}
	if data := string(x.Data); data != "null" {
		lines = append(lines, "data: "+data)
	}
	for verdicts := x.Verdicts; len(verdicts) > 0; {
		n := 0
		for n < len(verdicts) && verdicts[n].forOthers() {
			n++
		}
		if n > manyOthers {
			lines = append(lines, fmt.Sprintf("lines %d to %d: %s are for other senders or events (--json has each)",
				verdicts[0].Line, verdicts[n-1].Line, words.Count(n, "subscription")))
		} else {
			n = max(n, 1)
			for _, v := range verdicts[:n] {
				if line := v.line(); line != lines[len(lines)-1] { // as after it was shown again
					lines = append(lines, line)
				}
			}
		}
		verdicts = verdicts[n:]
	}
	result := "result: "
	if x.Number == 0 {
		result += "would be "
	}
	lines = append(lines, result+x.Decision)
	if x.Sent != nil {
		head := "the desktop was sent:"
		switch {
		case x.Number == 0:
			head = "the desktop would be sent:"
		case x.Decision == agent.Failed.String():
			head = "what it was to show:"
		}
		lines = append(append(lines, head), x.Sent.lines()...)
	}
	return lines
}

// manyOthers is how many subscriptions in a row that are for other events are listed one
// by one.
const manyOthers = 20

// forOthers reports whether a subscription is for other events.
func (v verdictReport) forOthers() bool {
	return v.Stage == "match" && v.Decision == agent.Skipped.String()
}

// line is such as "line 12: when data.temp > 30 is false: data.temp is 21.5".
func (v verdictReport) line() string {
	text := v.Reason
	switch {
	case text == "":
		text = v.Stage + ": " + v.Decision
	case v.Stage != "match" && text != v.Stage && !strings.HasPrefix(text, v.Stage+" "):
		text = v.Stage + ": " + text
	}
	if v.Line > 0 {
		text = fmt.Sprintf("line %d: %s", v.Line, text)
	}
	return text
}

func (n notifiedReport) lines() (lines []string) {
	add := func(what, text string) {
		for i, line := range strings.Split(text, "\n") {
			switch {
			case text == "":
			case i == 0:
				lines = append(lines, "  "+what+": "+line)
			default:
				lines = append(lines, "    "+line)
			}
		}
	}
	add("title", n.Title)
	add("body", n.Body)
	add("urgency", n.Urgency)
	add("icon", n.Icon)
	add("sound", n.Sound)
	switch {
	case n.Timeout < 0:
		add("timeout", "never")
	case n.Timeout > 0:
		add("timeout", words.Took(time.Duration(n.Timeout*float64(time.Second))))
	}
	add("url", n.URL)
	add("actions", strings.Join(n.Actions, ", "))
	if n.Resolved {
		add("resolved", "what is shown under its tag is closed")
	}
	return lines
}

// completeNumbers completes the number of an event that the running agent remembers.
func completeNumbers(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	if len(args) > 0 {
		return nil, directive
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
	defer cancel()
	var events []listedEvent
	if _, err := askAgent(ctx, "explain", explainParams{}, &events); err != nil {
		return nil, directive
	}
	var numbers []cobra.Completion
	for _, e := range slices.Backward(events) {
		number := strconv.Itoa(e.Number)
		if strings.HasPrefix(number, toComplete) {
			text := topic.Name(e.Sender) + ": " + topic.Name(e.Event) + ", " + e.Decision
			numbers = append(numbers, cobra.CompletionWithDesc(number, plain.Line(text, 100)))
		}
	}
	return numbers, directive
}
