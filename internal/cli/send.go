package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/internal/wait"
	"sigalert/internal/words"
	"sigalert/sig"
)

type sendOptions struct {
	sender, event, data string
	hints               hints
	lines, verbose      bool
	every, wait         time.Duration
	count               int
}

func (p *program) send() *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:     "send SENDER EVENT [DATA]",
		Aliases: []string{"pub"},
		Short:   "Send an event, once or repeatedly",
		Long: `Sends the event EVENT as SENDER. DATA is JSON, or text; "-" reads it from standard
input, and --lines sends each line of standard input as an event, as soon as it is
there. --title, --urgency, --tag and --url say how it is to be shown: they make an
object of DATA, with text as its message.

It prints nothing if it worked, unless -v is given. If the connection is lost, it
sends again what was not answered; the server takes it once. It gives up after 10 s,
or what --wait says; with --lines and --every it does not.

A name that spells a number is the number if that is connected or waited for, and the
text is not; otherwise it is text. The exit code is 3 if the event was sent and nobody
answered: it may have arrived.`,
		Example: `  sigalert send backup done
  sigalert send backup done "18,342 files" --title "Backup of home"
  sigalert send timer tick '{"n": 1}' --every 5s --count 10
  df -h / | sigalert send disk free -
  tail -f app.log | sigalert send app log --lines
  sigalert send --number 20 tick`,
		Args: p.takeArgs("SENDER, EVENT and optionally DATA", &o.sender, &o.event, &o.data),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.quietly(cmd)
			addr, err := p.serverAddr(cmd)
			if err != nil {
				return err
			}
			if p.ask {
				q := p.questions(cmd)
				q.text(len(args) > 0, &o.sender, "Sender", "timer_client")
				q.text(len(args) > 1, &o.event, "Event", "tick")
				q.text(len(args) > 2 || o.lines, &o.data, "Event data", "")
				q.seconds(cmd.Flags().Changed("every") || o.lines, &o.every, "Timer delay", "5")
				if q.err != nil {
					return q.err
				}
			}
			return p.runSend(cmd.Context(), addr, o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.lines, "lines", false, "send each line of standard input as an event: JSON, or text")
	flags.DurationVar(&o.every, "every", 0, "send repeatedly, at this interval")
	flags.IntVar(&o.count, "count", 0, "end after `N` events (default: 1; with --every, never)")
	flags.StringVar(&o.hints.title, "title", "", "the `TEXT` above the message")
	flags.StringVar(&o.hints.urgency, "urgency", "", "`LEVEL`: low, normal or critical, or a priority: 1 to 5, min, default, high, max or urgent")
	flags.StringVar(&o.hints.tag, "tag", "", "a `NAME`: a later event with the same tag replaces what is shown")
	flags.StringVar(&o.hints.url, "url", "", "the `ADDRESS` that a click opens: https, http or mailto")
	flags.DurationVar(&o.wait, "wait", 0, "wait so long for a server that is not there yet")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "say to how many listeners it went")
	p.numberFlag(cmd)
	p.serverFlags(cmd)
	cmd.ValidArgsFunction = p.completeNames(func(all []listed, args []string) []cobra.Completion {
		switch len(args) {
		case 0:
			return senderNames(all)
		case 1:
			return eventNames(all, args[0])
		}
		return nil
	})
	_ = cmd.RegisterFlagCompletionFunc("urgency", cobra.FixedCompletions([]cobra.Completion{"low", "normal", "critical"}, cobra.ShellCompDirectiveNoFileComp)) // it fails only for flags that do not exist
	return cmd
}

func (o *sendOptions) check() error {
	switch {
	case o.sender == "" || o.event == "":
		return errors.New("send needs the names of a sender and an event")
	case o.every < 0 || o.count < 0 || o.wait < 0:
		return errors.New("--every, --count and --wait must not be negative")
	case o.lines && (o.every > 0 || o.count > 0):
		return errors.New("--lines sends each line once: leave out --every and --count")
	case o.lines && o.data != "" && o.data != "-":
		return errors.New("--lines reads the data from standard input: leave out DATA")
	case o.every == 0 && o.count == 0:
		o.count = 1
	}
	return o.hints.check()
}

func (p *program) runSend(ctx context.Context, addr target, o sendOptions) (err error) {
	if err = o.check(); err != nil {
		return usage(err)
	}
	p.noticeChannel(o.sender, "sigalert send SENDER '#CHANNEL' DATA")
	switch {
	case o.lines:
	case o.data == "-":
		if o.data, err = p.readData(ctx); err != nil {
			return err
		}
	default:
		p.noticeJSON(o.data)
	}
	linked := ctx
	if o.lines { // what has been read when a signal comes is still sent
		late, end := lingering(ctx, 5*time.Second)
		defer end()
		linked = late
	}
	s := &sending{p: p, o: o, pub: publisher{client: p.connect(linked, addr, o.every > 0), lasts: o.every > 0 || o.lines}}
	defer s.pub.stop()
	return s.run(ctx, linked)
}

// sending is a run of send.
type sending struct {
	p     *program
	o     sendOptions
	pub   publisher
	event sig.Name

	sent, lost, unanswered int
	listeners              string // of the last event: " to 3 listeners"
}

// run sends until ctx ends; linked ends with the connection.
func (s *sending) run(ctx, linked context.Context) (err error) {
	if err = s.begin(ctx); err != nil {
		if ctx.Err() != nil && s.o.every > 0 {
			return nil
		}
		return err
	}
	if s.o.lines {
		return s.lines(ctx, linked)
	}
	return s.repeat(ctx)
}

// begin connects, and decides which names are meant. Without --wait and --every it
// fails at once if there is no server.
func (s *sending) begin(ctx context.Context) error {
	connect := func(ctx context.Context) (err error) {
		if err = s.pub.Connect(ctx); err == nil {
			s.pub.sender, s.event, err = s.p.pick(ctx, s.pub.client, s.o.sender, s.o.event)
			s.pub.events = []sig.Name{s.event}
		}
		return err
	}
	if s.o.wait == 0 && s.o.every == 0 {
		return s.pub.atOnce(ctx, connect)
	}
	return s.pub.within(ctx, s.o.wait, connect)
}

// repeat sends DATA as often as it is to be sent.
func (s *sending) repeat(ctx context.Context) error {
	data := s.o.hints.data(s.o.data)
	errDone := errors.New("done")
	limit := cmp.Or(s.o.wait, answerTime)
	if s.o.every > 0 {
		limit = 0
	}
	err := every(ctx, max(s.o.every, time.Microsecond), func() error {
		err := s.pub.within(ctx, limit, func(ctx context.Context) error {
			err := s.send(ctx, data)
			if errors.Is(err, sig.ErrNoAnswer) {
				err = errUnanswered(ctx, err)
			}
			return err
		})
		switch {
		case ctx.Err() != nil && s.o.every > 0:
			return nil
		case err != nil:
			return err
		}
		if s.o.count > 0 && s.sent+s.lost+s.unanswered >= s.o.count {
			return errDone
		}
		return nil
	})
	if err != errDone {
		return err
	}
	return s.result()
}

// result says what did not arrive of all that was to be sent.
func (s *sending) result() error {
	all := s.sent + s.lost + s.unanswered
	switch {
	case s.lost > 0 && s.unanswered > 0:
		return fmt.Errorf("%d of %d events were not sent, and %d got no answer: they may have arrived", s.lost, all, s.unanswered)
	case s.lost > 0:
		return fmt.Errorf("%d of %d events were not sent", s.lost, all)
	case s.unanswered > 0:
		return &exitError{code: exitUnanswered, err: fmt.Errorf("%d of %d events got no answer: they may have arrived", s.unanswered, all)}
	}
	return nil
}

// send sends events, and counts what became of them. Only at a pysig server may
// events be lost, or get no answer, without an error.
func (s *sending) send(ctx context.Context, data ...sig.Data) error {
	if s.pub.owned == nil {
		done, err := s.pub.publish(ctx, s.event, data...)
		if err == nil {
			s.sent += len(data)
			s.listeners = " to " + words.Count(done.Listeners, "listener")
			s.said()
		}
		if !errors.Is(err, sig.ErrNoPublish) {
			return err
		}
		if err = s.pub.own(ctx); err != nil {
			return err
		}
	}
	for _, d := range data {
		if err := s.trigger(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (s *sending) trigger(ctx context.Context, data sig.Data) error {
	what, err := s.pub.trigger(ctx, s.event, data)
	for what == lost && s.o.lines { // lines can wait
		if !wait.Sleep(ctx, 100*time.Millisecond, nil) {
			return err
		}
		what, err = s.pub.trigger(ctx, s.event, data)
	}
	switch {
	case what == refused:
		return err
	case what == unanswered && ctx.Err() != nil:
		return fmt.Errorf("%w: %w", sig.ErrNoAnswer, err)
	case what == unanswered && s.o.every == 0 && !s.o.lines:
		return errUnanswered(ctx, err)
	case what == lost:
		s.lost++
		s.p.log.Warn("not sent", "err", err, "lost", s.lost)
	case what == unanswered:
		s.unanswered++
		s.p.log.Warn("no answer: it may have arrived", "err", err, "unanswered", s.unanswered)
	default:
		s.sent++
		s.said()
	}
	return nil
}

// said says that an event was sent; of lines it is said at the end.
func (s *sending) said() {
	if s.o.lines {
		return
	}
	s.p.log.Info("sent", "sender", s.o.sender, "event", s.o.event, "data", plain.Line(s.o.data, 200))
	if s.o.verbose {
		fmt.Fprintln(s.p.out, "sent"+s.listeners)
	}
}

// lines sends the lines of standard input until ctx ends, and what has been read by
// then until linked ends.
func (s *sending) lines(ctx, linked context.Context) error {
	in := newLineReader(s.p.in.in, s.o.hints, len(s.pub.sender.JSON())+len(s.event.JSON()))
	for {
		batch, err := in.next(ctx)
		if len(batch) > 0 {
			if failed := s.batch(linked, batch); failed != nil {
				return failed
			}
		}
		switch {
		case err == io.EOF:
			if s.o.verbose {
				fmt.Fprintf(s.p.out, "sent %s%s\n", words.Count(s.sent, "event"), s.last())
			}
			return s.result()
		case err != nil:
			return fmt.Errorf("%w: %s", err, s.soFar())
		}
	}
}

func (s *sending) last() string {
	if s.listeners == "" || s.sent < 2 {
		return s.listeners
	}
	return ", the last one" + s.listeners
}

func (s *sending) soFar() string {
	were := "were"
	if s.sent == 1 {
		were = "was"
	}
	return words.Count(s.sent, "line") + " " + were + " sent"
}

// batch sends lines. If they are refused, it sends those before the one that is.
func (s *sending) batch(ctx context.Context, lines []sig.Data) error {
	before := s.sent
	slow := time.AfterFunc(answerTime, func() {
		s.p.log.Warn("no answer from the server, trying again", "sent", before, "err", s.pub.Link().Err)
	})
	defer slow.Stop()
	err := s.send(ctx, lines...)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, sig.ErrNoAnswer):
		err = fmt.Errorf("%w: %s, and %s may have arrived", context.Cause(ctx), s.soFar(), words.Count(len(lines), "line"))
		return &exitError{code: exitUnanswered, err: err}
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %s", context.Cause(ctx), s.soFar())
	case len(lines) == 1 || s.sent > before:
		return fmt.Errorf("line %d: %w: %s", s.sent+s.unanswered+1, err, s.soFar())
	}
	for _, line := range lines {
		if err = s.batch(ctx, []sig.Data{line}); err != nil {
			return err
		}
	}
	return nil
}
