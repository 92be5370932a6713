package sig

import (
	"errors"
	"fmt"
	"strings"

	"sigalert/sig/internal/wire"
)

var (
	// ErrNotOffered: the sender is connected and does not offer the event.
	ErrNotOffered = errors.New("the sender does not offer this event")
	// ErrNotConnected: there is no connection to the server, or the sender is
	// not connected to the router.
	ErrNotConnected = errors.New("not connected")
	// ErrAlreadyConnected: another has a sender of this name.
	ErrAlreadyConnected = errors.New("already connected")
	// ErrNoRequests: the sender takes no requests.
	ErrNoRequests = errors.New("the sender takes no requests")
	// ErrTooLarge: a message is longer than the peer can read.
	ErrTooLarge = wire.ErrTooLarge
	// ErrNoAnswer: the peer did not answer a request in time.
	ErrNoAnswer = errors.New("no answer")
)

// isRefusal tells a request that failed from a connection that did.
func isRefusal(err error) bool {
	return errors.As(err, new(*RemoteError)) || errors.Is(err, ErrTooLarge)
}

// The statuses of a reply.
const (
	statusOK        = 0
	statusUnknown   = -1 // no such method
	statusException = -2 // the handler failed; "exception" says why
	statusNoMethod  = -3
)

// A RemoteError is a peer's refusal of a request.
type RemoteError struct {
	Status int    // -1: unknown method, -2: see Text, -3: no method
	Text   string // the peer's own words
}

func (e *RemoteError) Error() string {
	switch e.Status {
	case statusUnknown:
		return "the peer does not know this method"
	case statusNoMethod:
		return "the peer saw no method"
	}
	return e.Text
}

// Texts that pysig's programs know, and may compare with.
const (
	textInvalid       = "Invalid arguments"
	textNotAdded      = "Failed to add to router"
	textNotRemoved    = "Failed to remove from router"
	textNoListener    = "Listener not found"
	textNoInfo        = "invalid arguments, missing info"
	textNoSender      = "invalid arguments, missing sender"
	textNoRequestName = "invalid arguments, missing sender or method"
	textNoRequests    = "requests not supported"
	textProviderGone  = "the sender's connection ended before it answered"
	textProviderLate  = "the sender did not answer"
)

func textConnected(sender Name) string { return fmt.Sprintf("sender %s is already connected", sender) }

// Is makes a refusal comparable with the sentinels, by its text: there is
// nothing else to go by.
func (e *RemoteError) Is(target error) bool {
	ends := func(suffix string) bool { return strings.HasSuffix(e.Text, suffix) }
	switch target {
	case ErrNotOffered:
		return e.Text == textNotAdded || strings.Contains(e.Text, " does not offer ")
	case ErrAlreadyConnected:
		return ends(" is already connected")
	case ErrNotConnected:
		return strings.HasPrefix(strings.ToLower(e.Text), "sender ") &&
			(ends(" not found") || ends(" not connected")) || e.Text == textProviderGone
	case ErrNoRequests:
		return e.Text == textNoRequests
	case ErrNoAnswer:
		return strings.HasPrefix(e.Text, textProviderLate)
	}
	return false
}

// exception is a handler's refusal, with the text that goes to the peer.
func exception(format string, args ...any) error {
	return &RemoteError{Status: statusException, Text: fmt.Sprintf(format, args...)}
}
