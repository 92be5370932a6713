package sig

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sigalert/sig/internal/wire"
)

var (
	// ErrNotOffered: the sender is connected but does not offer the event.
	ErrNotOffered = errors.New("the sender does not offer this event")
	// ErrNotConnected: there is no connection to the server, or the sender is
	// not connected to the router.
	ErrNotConnected = errors.New("not connected")
	// ErrAlreadyConnected: a sender of this name is already connected.
	ErrAlreadyConnected = errors.New("already connected")
	// ErrNoRequests: the sender takes no requests.
	ErrNoRequests = errors.New("the sender takes no requests")
	// ErrTooLarge: a message is longer than the peer can read.
	ErrTooLarge = wire.ErrTooLarge
	// ErrNoPublish: the server takes events only of senders that are connected, as
	// pysig's does.
	ErrNoPublish = errors.New("the server takes events only of senders that are connected")
	// ErrNotServer: what accepted a client's connection did not answer as a server
	// does. It may be another program, or a server that was just ending.
	ErrNotServer = errors.New("not an event server")
	// ErrNotAdmitted: the server admits nobody without a token, or not with this one.
	ErrNotAdmitted = errors.New("not admitted")
	// ErrNotAllowed: the server does not allow this to the holder of the token, whether
	// or not there is a sender of this name.
	ErrNotAllowed = errors.New("not allowed")
	// ErrTooFast: the server takes less from one client, or from one address. A
	// [RemoteError] has the time after which to try again.
	ErrTooFast = errors.New("too fast")
	// ErrNotPrivate: others could read the token on its way to the server.
	ErrNotPrivate = errors.New("a token is not sent where others could read it")
	// ErrNoAnswer: the peer did not answer a request in time.
	ErrNoAnswer = errors.New("no answer")
)

// isRefusal distinguishes a request that failed from a connection that did.
func isRefusal(err error) bool {
	return errors.As(err, new(*RemoteError)) || errors.Is(err, ErrTooLarge)
}

// notServer is an error of a connection on which nobody greeted.
type notServer struct{ error }

func (n notServer) Unwrap() error { return n.error }

func (notServer) Is(target error) bool { return target == ErrNotServer }

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
	// Code says for programs what Text says for people; see docs/protocol.md.
	// It is empty if no code fits, and from a pysig peer.
	Code string
	// RetryAfter is how long to wait before trying again; 0: that would not help.
	RetryAfter time.Duration
}

func (e *RemoteError) Error() string {
	switch e.Status {
	case statusUnknown:
		return "the peer does not know this method"
	case statusNoMethod:
		return "the peer found no method in the request"
	}
	return e.Text
}

// The codes of refusals that callers branch on.
const (
	codeNotOffered  = "not_offered"
	codeConnected   = "already_connected"
	codeNone        = "not_connected"
	codeNoRequests  = "no_requests"
	codeNoAnswer    = "no_answer"
	codeNotAdmitted = "not_admitted"
	codeNotAllowed  = "not_allowed"
	codeTooFast     = "too_fast"
)

var sentinels = map[string]error{
	codeNotOffered:  ErrNotOffered,
	codeConnected:   ErrAlreadyConnected,
	codeNone:        ErrNotConnected,
	codeNoRequests:  ErrNoRequests,
	codeNoAnswer:    ErrNoAnswer,
	codeNotAdmitted: ErrNotAdmitted,
	codeNotAllowed:  ErrNotAllowed,
	codeTooFast:     ErrTooFast,
}

// textTryAgain is before a time, in a refusal of what comes too fast.
const textTryAgain = ": try again in "

// textNotAdmitted says the same of a token that is wrong, has expired or is missing.
const textNotAdmitted = "not admitted: this server requires a valid token"

var errNotAdmitted = &RemoteError{Status: statusException, Text: textNotAdmitted, Code: codeNotAdmitted}

// errNotAllowed is the same for every name.
var errNotAllowed = &RemoteError{Status: statusException, Text: "not allowed: the client's rights do not include this", Code: codeNotAllowed}

// Texts that pysig's programs know and may compare against.
const (
	textInvalid       = "Invalid arguments"
	textNotAdded      = "Failed to add to router"
	textNotRemoved    = "Failed to remove from router"
	textNoListener    = "Listener not found"
	textNoInfo        = "invalid arguments, missing info"
	textNoSender      = "invalid arguments, missing sender"
	textNoRequestName = "invalid arguments, missing sender or method"
	textNoRequests    = "requests not supported"
	// After "sender X".
	textConnected    = " is already connected"
	textNotFound     = " not found"
	textNotConnected = " not connected"
)

// Is matches a refusal against the sentinels: by its code or, as a pysig peer
// sends none, by its text.
func (e *RemoteError) Is(target error) bool {
	if e.Code != "" {
		return sentinels[e.Code] == target
	}
	ends := func(suffix string) bool { return strings.HasSuffix(e.Text, suffix) }
	switch target {
	case ErrNotOffered:
		return e.Text == textNotAdded
	case ErrAlreadyConnected:
		return ends(textConnected)
	case ErrNotConnected:
		return strings.HasPrefix(strings.ToLower(e.Text), "sender ") && (ends(textNotFound) || ends(textNotConnected))
	case ErrNotAdmitted:
		return e.Text == textNotAdmitted
	case ErrNoRequests:
		return e.Text == textNoRequests
	case ErrTooFast:
		return strings.Contains(e.Text, textTryAgain)
	}
	return false
}

// exception is a handler's refusal, with the text that goes to the peer.
func exception(format string, args ...any) error { return coded("", format, args...) }

// coded is an exception with a code.
func coded(code, format string, args ...any) error {
	return &RemoteError{Status: statusException, Text: fmt.Sprintf(format, args...), Code: code}
}

func errConnected(sender Name) error { return coded(codeConnected, "sender %s"+textConnected, sender) }

func errNotFound(sender Name) error { return coded(codeNone, "sender %s"+textNotFound, sender) }

// plainly returns what a pysig server's refusal means, if it is one of Python's
// own errors that escaped from it.
func plainly(err error, sender, what Name) error {
	var refusal *RemoteError
	switch {
	case !errors.As(err, &refusal):
	case refusal.Text == "'NoneType' object has no attribute 'getName'":
		return coded(codeNone, "sender %s is not there", sender)
	case refusal.Text == "'NoneType' object has no attribute 'trigger'":
		return coded(codeNotOffered, "sender %s does not offer %s", sender, what)
	case strings.HasPrefix(refusal.Text, "exceptions must be old-style classes"):
		return coded(codeNoAnswer, "sender %s did not answer within %s", sender, answerTimeout)
	}
	return err
}
