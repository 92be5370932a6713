package cli

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"sigalert/internal/topic"
	"sigalert/sig"
)

// completeTimeout is the longest that the user of a shell has to wait for names.
const completeTimeout = 500 * time.Millisecond

// completeFunc completes an argument, or a flag's value.
type completeFunc = func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective)

// completeNames asks the server for its senders, of which pick chooses the names
// to offer. If the server cannot be asked, there is nothing to complete, and
// nobody to show an error to.
func (p *program) completeNames(pick func(all []listed, args []string) []cobra.Completion) completeFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		p.log = slog.New(slog.DiscardHandler)
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		addr, err := p.findServer()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all, err := p.listSenders(ctx, addr)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		fits := slices.DeleteFunc(pick(all, args), func(c cobra.Completion) bool { return !strings.HasPrefix(c, toComplete) })
		return fits, cobra.ShellCompDirectiveNoFileComp
	}
}

func senderNames(all []listed) []cobra.Completion {
	var names []cobra.Completion
	for _, s := range all {
		if typable(s.Sender) {
			names = append(names, cobra.CompletionWithDesc(string(s.Sender), s.state()))
		}
	}
	return names
}

// eventNames are the events of the sender that a word means; "" means every one.
func eventNames(all []listed, sender string) []cobra.Completion {
	var names []cobra.Completion
	for _, s := range all {
		if sender != "" && !slices.ContainsFunc(topic.Meanings(sender), s.Sender.Equal) {
			continue
		}
		for _, e := range s.Events {
			if typable(e) {
				names = append(names, string(e))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// typable reports whether a name can be typed as an argument, and is safe to put
// on somebody's command line: names come from others, and shells insert what
// several have in common without quotes, and evaluate it at the next completion.
func typable(n sig.Name) bool {
	return n != "" && n[0] != '-' && !strings.ContainsFunc(string(n), func(r rune) bool {
		return !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Number) && !strings.ContainsRune(" #%+,-./:=@_", r)
	})
}
