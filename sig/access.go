package sig

// An Access decides who may use a server, and for what. A nil Access lets everybody
// do everything.
type Access interface {
	// Admit returns the rights of a caller. The error, [ErrNotAdmitted] or one that
	// wraps it, is for the log: the caller learns only that it is not admitted.
	Admit(Caller) (Rights, error)
}

// Caller is somebody who asks for rights.
type Caller struct {
	Token string // "": none was given
	Peer  string // the address that it calls from
}

// Rights are what one caller may do. They never change: when they are to, they end,
// and the caller's connections end with them.
type Rights interface {
	// Holder is who has the rights, for logs. Only the same holder can take over from
	// an earlier connection.
	Holder() string
	// May reports whether its holder may do something. It must not depend on who is
	// connected to the server: a refusal would otherwise say so.
	May(do Action, sender, event Name) bool
	// Ended is closed once the rights have ended.
	Ended() <-chan struct{}
}

// Action is something that requires a right.
type Action int

const (
	// ToHear is to get an event of a sender; the zero event is the sender's broadcast.
	ToHear Action = iota
	// ToListen is to register a listener, where the zero Name stands for every one. It
	// is allowed if the listener can hear anything at all, and what it may not hear
	// does not reach it.
	ToListen
	// ToPublish is to publish an event under the sender's name; the zero event is the
	// sender's broadcast.
	ToPublish
	// ToConnect is to be connected as the sender: to have its name, to send all of its
	// events and to answer its requests. There is no event.
	ToConnect
	// ToAsk is to send requests to the sender. There is no event.
	ToAsk
	// ToSee is to learn that the sender or the event is there, where the zero Name
	// stands for any.
	ToSee
)
