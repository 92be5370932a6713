package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/internal/address"
	"sigalert/internal/age"
	"sigalert/internal/network"
	"sigalert/internal/topic"
	"sigalert/internal/trim"
	"sigalert/internal/wait"
	"sigalert/sig"
)

type logOptions struct {
	listen, store, age string
	token, tokenFile   string
	limit              int
	presence           bool
	subscribe, hosts   []string

	// What these and the answers to --ask mean:
	addr   string // to listen on
	log    eventlog.Options
	page   web.Options
	topics []eventlog.Topic
}

func (p *program) eventLog() *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Keep a log of events, and show it in a browser",
		Long: `Keeps the events of a server in a file, and shows them as a page that follows
them. Its addresses are those of pysig's web_events_logger, and more. A sender or
an event that is left out of SENDER:EVENT means every one, except that senders come
and go: that is logged with --presence, or where an event is #connect or
#disconnect. A name that spells a number means the number and the text alike, unless
--number is given. The subscriptions and the limits are kept in the file, and can be
changed on the page; at the first start, without --subscribe, every event is logged.`,
		Example: `  sigalert log                                  then open http://127.0.0.1:8080/
  sigalert log --limit 100000 --subscribe timer:tick --subscribe door: --subscribe ':#notify'
  sigalert log --listen 0.0.0.0:8080 --token-file /etc/sigalert/token`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.read(cmd.Context(), cmd.Flags().Changed); err != nil {
				return err
			}
			for _, text := range o.subscribe {
				o.topics = append(o.topics, p.parseTopics(text)...)
			}
			addr, err := p.serverAddr(cmd)
			if err != nil {
				return err
			}
			if p.ask {
				if err := p.askLog(cmd, &o); err != nil {
					return err
				}
			}
			return p.runLog(cmd.Context(), addr, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`ADDRESS` at which to show the log")
	flags.IntVar(&o.limit, "limit", eventlog.DefaultLimit, "keep the newest `N` events")
	flags.StringVar(&o.age, "age", "", "keep events for a `TIME` such as 12h or 30d; 0: for ever (default 0)")
	flags.StringArrayVar(&o.subscribe, "subscribe", nil, "log `SENDER:EVENT`; may be repeated")
	flags.BoolVar(&o.presence, "presence", false, "also log when senders come and go (#connect and #disconnect)")
	flags.StringVar(&o.store, "store", "", "the log's `FILE`, or none to keep it in memory (default: sigalert/log.db in the user's state folder)")
	flags.StringVar(&o.token, "token", "", "`TOKEN` required to see the log")
	flags.StringVar(&o.tokenFile, "token-file", "", "`FILE` that contains the token")
	flags.StringArrayVar(&o.hosts, "host", nil, "another `NAME` of this machine in a browser's address; may be repeated")
	p.numberFlag(cmd)
	p.serverFlags(cmd)
	return cmd
}

// parseTopics reads SENDER:EVENT; without a colon it is a sender.
func (p *program) parseTopics(text string) []eventlog.Topic {
	sender, event := text, ""
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		sender, event = text[:i], text[i+1:]
	}
	p.noticeChannel(sender, "--subscribe ':"+sender+"'")
	return p.meant(sender, event)
}

// pysigLimit is how many events pysig's example keeps, whose prompts --ask has.
const pysigLimit = 20

// askLog asks for the limit and the subscriptions. An empty answer gives none:
// then those in the log's file stay as they are.
func (p *program) askLog(cmd *cobra.Command, o *logOptions) error {
	ctx := cmd.Context()
	o.log.NewLimit = pysigLimit
	if !cmd.Flags().Changed("limit") {
		text, err := p.in.prompt(ctx, fmt.Sprintf("Queue limit (default: %d):", pysigLimit))
		if err != nil {
			return err
		}
		if text != "" {
			limit, err := strconv.Atoi(text)
			if err != nil || limit < 1 || limit > eventlog.MaxLimit {
				return usage(fmt.Errorf("%q is not a valid limit: use a number from 1 to %d", text, eventlog.MaxLimit))
			}
			o.log.Limit = limit
		}
	}
	if cmd.Flags().Changed("subscribe") {
		return nil
	}
	topics, err := p.askTopics(ctx)
	o.topics = topics
	return err
}

// askTopics asks for senders, and for the events of each. An empty answer ends
// a list, and None means every one. A sender without events means every event of
// that sender; an empty first sender, with events, means every sender. If there is
// neither, nothing was given.
func (p *program) askTopics(ctx context.Context) (topics []eventlog.Topic, err error) {
	name := func(answer string) string {
		if answer == none {
			return ""
		}
		return answer
	}
	for s := 1; ; s++ {
		sender, err := p.in.prompt(ctx, fmt.Sprintf("Sender %d:", s))
		if err != nil || sender == "" && s > 1 {
			return topics, err
		}
		for e := 1; ; e++ {
			event, err := p.in.prompt(ctx, fmt.Sprintf("Event %d:", e))
			if err != nil {
				return nil, err
			}
			if event == "" && e == 1 && sender == "" {
				return nil, nil
			}
			if event != "" || e == 1 {
				topics = append(topics, p.meant(name(sender), name(event))...)
			}
			if event == "" {
				break
			}
		}
	}
}

// read works out what the options mean, and what is wrong with them.
func (o *logOptions) read(ctx context.Context, given func(flag string) bool) (err error) {
	if given("limit") {
		if o.limit < 1 || o.limit > eventlog.MaxLimit {
			return usage(fmt.Errorf("--limit must be from 1 to %d, got %d", eventlog.MaxLimit, o.limit))
		}
		o.log.Limit = o.limit
	}
	if o.age != "" {
		d, err := age.Parse(o.age)
		if err != nil {
			return usage(fmt.Errorf("--age: %w", err))
		}
		o.log.Age = &d
	}
	switch o.store {
	case "none":
	case "":
		o.log.Path = filepath.Join(xdg.StateHome, "sigalert", "log.db")
	default:
		o.log.Path = o.store
	}
	for _, host := range o.hosts {
		if err := address.CheckHost(host); err != nil {
			return usage(fmt.Errorf("--host: %w", err))
		}
	}
	o.page.Hosts, o.page.HostAdvice = o.hosts, "use the machine's address, or name it with --host"
	if o.page.Token, err = o.readToken(ctx, given); err != nil {
		return err
	}
	if o.addr, err = address.ParsePage(o.listen); err != nil {
		return usage(fmt.Errorf("--listen: %w", err))
	}
	if o.page.Token == "" && !address.IsLoopback(o.addr) {
		return usage(fmt.Errorf("--listen: anyone who can reach %s could read and clear the log: add --token or --token-file", o.addr))
	}
	return nil
}

// readToken is the token that the options name; "" if they name none. One
// that is given but empty, such as by a script whose variable is not set, is refused.
func (o *logOptions) readToken(ctx context.Context, given func(flag string) bool) (string, error) {
	token, where := o.token, "--token"
	switch {
	case given("token") && given("token-file"):
		return "", usage(errors.New("--token and --token-file cannot be given together"))
	case given("token-file"):
		text, err := interruptible(ctx, func() ([]byte, error) { return os.ReadFile(o.tokenFile) })
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		token, where = strings.TrimSpace(string(text)), o.tokenFile
	case !given("token"):
		return "", nil
	}
	if err := address.CheckToken(token); err != nil {
		return "", usage(fmt.Errorf("%s: %w", where, err))
	}
	return token, nil
}

func (p *program) runLog(ctx context.Context, addr target, o logOptions) error {
	defer outliveLog()() // which the flush of the output may need
	defer p.queueOutput()()
	ctx, stop := untilHangup(ctx)
	defer stop()
	defer wait.Start(ctx, trim.Run)()
	listener, err := web.Listen(o.addr)
	if err != nil {
		return fmt.Errorf("%w: choose another address with --listen", err)
	}
	defer listener.Close()
	o.log.Logger, o.page.Logger = p.log, p.log
	log, err := eventlog.Open(&o.log)
	if err != nil {
		return err
	}
	return errors.Join(p.keepLog(ctx, log, addr, o, listener), log.Close())
}

// keepLog fills and shows a log until ctx ends.
func (p *program) keepLog(ctx context.Context, log *eventlog.Log, addr target, o logOptions, listener net.Listener) error {
	defer wait.Start(ctx, log.Run)()
	subscriber, err := eventlog.NewSubscriber(log, addr.carrier(), &eventlog.SubscriberOptions{
		Token:    addr.secret,
		Topics:   o.topics,
		Presence: o.presence,
		Linked:   p.logLink(ctx, addr, true),
		Missed:   p.logMissed(addr),
		Logger:   p.log,
	})
	if err != nil {
		return err
	}
	defer wait.Start(ctx, subscriber.Run)()
	defer wait.Start(ctx, func(ctx context.Context) { network.Watch(ctx, subscriber.Reconnect) })()
	defer wait.Start(ctx, func(ctx context.Context) { p.logRegistering(ctx, subscriber) })()
	o.page.Source, o.page.Editor = logSource{subscriber, addr.String()}, subscriber
	handler, err := web.New(log, o.page)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.out, web.URL(listener.Addr()))
	return handler.Serve(ctx, listener)
}

// logRegistering says how the subscriptions of the start come into force, as
// web_events_logger does: one after the other.
func (p *program) logRegistering(ctx context.Context, subscriber *eventlog.Subscriber) {
	for _, s := range subscriber.Subscriptions() {
		p.log.Info("Registering to " + orNone(s.Sender) + ":" + orNone(s.Event))
		switch s = subscriber.Answered(ctx, s.Topic); s.Status {
		case sig.Active:
			p.log.Info("done")
		case sig.Refused:
			p.log.Warn("waiting for the sender to offer the event", "subscription", s.Topic, "err", s.Err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// orNone is a name as pysig shows it.
func orNone(n sig.Name) string {
	if n.IsEvery() {
		return none
	}
	return topic.Name(n)
}

// logSource is a subscriber with its server's name.
type logSource struct {
	*eventlog.Subscriber
	server string
}

func (s logSource) Server() string { return s.server }
