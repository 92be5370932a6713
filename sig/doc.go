// Package sig brings events from senders to listeners: within a process, and
// over a network of routers. It is the Go form of Python's pysig, and speaks
// its wire protocol; with peers of its own kind it speaks a faster one that
// loses nothing.
//
// # Usage
//
// A [Router] serves one process:
//
//	var router sig.Router
//	sender, err := router.AddSender("my_sender", "my_event_1", "my_event_2")
//	…
//	router.AddListener("my_sender", "my_event_1", func(ev sig.Event) {
//		fmt.Println(ev.Sender, ev.Event, ev.Data.Value())
//	})
//	sender.Trigger("my_event_1", map[string]any{"info1": "something"})
//
// A [ServerRouter] is a Router that clients share over a carrier, such as
// that of package sigalert/sig/tcp. A [ClientRouter] is a Router that also has
// remote senders and remote listeners, which its server knows of.
//
// A sender or an event that is left out, the zero [Name], means every one. An
// event whose name begins with '#' is a channel in pysig's sense: it is
// listened to across senders. Here every event can be.
//
// A sender may also answer requests, with a [RequestFunc]: see
// [Router.AddSenderWith], [Router.Request] and [ClientRouter.RemoteRequest].
//
// # Ordering
//
// [Signal.Trigger] calls the listeners of a Router in a fixed order before it
// returns: those of everything, of the sender, of the channel, of the event;
// within each, as they were added. Events that one goroutine triggers at one
// sender reach each listener in that order, remote ones too. A server gives
// all events one order, their numbers ([Event.Seq]); each remote listener gets
// them in it, those from before a reconnect first and marked [Event.Replayed].
//
// # Delivery
//
// Between a client and a server of this package, a remote listener gets each
// event once, also where the connection was lost between: the server remembers
// the last 10,000 events ([ServerOptions].Memory). Of what it has forgotten, the
// client learns how much it was, in [ClientOptions].Missed. A later client can go on
// where an earlier one has ended: see [ClientRouter.ResumeRemoteListener]. With a pysig peer,
// events of the time without a connection are lost, and Missed is told -1.
//
// [RemoteSender.Trigger] returns once the server has the event;
// [RemoteSender.Post] does not wait, and does not tell.
//
// # Blocking and overflow
//
// A Router's listeners run within Trigger and must return soon. A remote
// listener may wait, but the client's others wait with it.
//
// A ServerRouter waits for no client. [ServerOptions].Queue events and 8 MiB
// wait for each. When there are more, a client of this package gets the rest
// from the server's memory once it reads; for a pysig client the oldest are
// dropped and counted. [ServerRouter.Dropped] counts what no client got in the
// end.
//
// In a ClientRouter, [ClientOptions].Queue events and 8 MiB wait for the
// listeners. When there are more, the client stops reading, and the server
// keeps what follows; with a pysig server, which cannot, the oldest are dropped
// and counted in [ClientRouter.Dropped].
//
// # Concurrency
//
// Everything exported may be used by any number of goroutines, listeners'
// callbacks included. A Router's listener may be called by several goroutines
// at once, a ClientRouter's remote listeners are called one after the other.
// Constructors start nothing; [ServerRouter.Serve] and [ClientRouter.Run]
// block, and have ended all that they started when they return.
//
// # Errors
//
// A peer's refusal is a [*RemoteError]. The sentinels are what callers branch
// on; all are to be tested with [errors.Is], refusals included. A connection
// that ends is not an error of the methods but a state, see
// [ClientRouter.Link]: registrations outlive it, and what cannot wait fails
// with [ErrNotConnected].
//
// # Limits
//
// Data are JSON of at most [MaxData] bytes, nested at most 9,990 deep, and
// names at most 4,096 bytes. A message to or from a pysig peer has at most
// 4,096 bytes: what is longer is refused with [ErrTooLarge] where it is sent.
// See [ServerOptions] for the limits on clients.
//
// # Testing
//
// Package sigalert/sig/sigtest has a carrier in memory, a recorder of events,
// and a peer that behaves as pysig does on the wire.
package sig
