package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sigalert/internal/topic"
	"sigalert/sig"
)

func (p *program) numberFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.number, "number", false, "names that spell numbers are those numbers, and never text")
}

// meanings are the names that a word of the command line may mean.
func (p *program) meanings(word string) []sig.Name {
	names := topic.Meanings(word)
	if p.number {
		return names[len(names)-1:]
	}
	return names
}

// meant are the topics that these words may mean to somebody who listens. It warns
// of a pattern, which nobody is called.
func (p *program) meant(sender, event string) []topic.Topic {
	for _, word := range []string{sender, event} {
		if strings.ContainsAny(word, "*?") {
			p.log.Warn("this name is taken literally: leave it out for every one", "name", word)
		}
	}
	if p.number {
		return []topic.Topic{{Sender: p.meanings(sender)[0], Event: p.meanings(event)[0]}}
	}
	return topic.Meant(sender, event)
}

// pick decides which sender and event are meant by somebody who sends: of a word
// that spells a number the one that is connected or, failing that, waited for;
// otherwise the text. A server that cannot list its senders does not matter.
func (p *program) pick(ctx context.Context, c *client, sender, event string) (s, e sig.Name, err error) {
	senders, events := p.meanings(sender), p.meanings(event)
	if len(senders) == 1 && len(events) == 1 {
		return senders[0], events[0], nil
	}
	all, err := c.Senders(ctx, true)
	if err != nil && !errors.As(err, new(*sig.RemoteError)) {
		return "", "", err
	}
	s, e = senders[0], events[0]
	if i := known(all, senders); i >= 0 {
		s = all[i].Sender
	}
	for _, status := range all {
		if status.Sender.Equal(s) && !slices.ContainsFunc(status.Events, e.Equal) && slices.ContainsFunc(status.Events, events[len(events)-1].Equal) {
			e = events[len(events)-1]
		}
	}
	return s, e, nil
}

// known is the index of the sender among these names that is connected or, failing
// that, waited for; -1 if there is neither. The first name comes first.
func known(all []sig.SenderStatus, names []sig.Name) int {
	for _, connected := range []bool{true, false} {
		for _, name := range names {
			i := slices.IndexFunc(all, func(s sig.SenderStatus) bool { return s.Connected == connected && s.Sender.Equal(name) })
			if i >= 0 {
				return i
			}
		}
	}
	return -1
}

// noticeChannel warns where a channel stands in the place of a sender.
func (p *program) noticeChannel(sender, instead string) {
	if sig.Name(sender).IsChannel() {
		p.log.Warn("a name that begins with # is a channel's, and a channel is an event, not a sender", "sender", sender, "instead", instead)
	}
}
