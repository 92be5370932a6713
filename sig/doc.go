// Package sig delivers events from senders to listeners, within a process and
// across a network of routers. It is a Go port of Python's pysig and speaks its
// wire protocol; with peers of its own kind it speaks a faster one that loses
// nothing.
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
// A [ServerRouter] is a Router that clients share over a carrier, such as the
// one in package sigalert/sig/tcp. A [ClientRouter] is a Router that also has
// remote senders and remote listeners, which are registered with its server.
//
// A sender or an event that is left out, the zero [Name], means every one. An
// event whose name begins with '#' is a channel in pysig's sense: it can be
// listened to across senders. Here, every event can be.
//
// A sender may also answer requests, with a [RequestFunc]: see
// [Router.AddSenderWith], [Router.Request] and [ClientRouter.RemoteRequest].
//
// [Router.Publish] and [ClientRouter.Publish] deliver events under names that
// nobody needs to own: for scripts that come and go, and for gateways.
//
// # Ordering
//
// [Signal.Trigger] calls the listeners of a Router in a fixed order before it
// returns: those for everything, then those for the sender, the channel and the
// event; within each group, in the order they were added. Events that one
// goroutine triggers on one sender reach each listener in that order, remote
// listeners included. A server puts all events in one order by numbering them
// ([Event.Seq]); each remote listener gets them in that order, with those from
// before a reconnect first, marked [Event.Replayed].
//
// # Delivery
//
// Between a client and a server of this package, a remote listener gets each
// event once, even if the connection was lost in between: the server remembers
// the last 10,000 events ([ServerOptions].Memory), and with a [Store] it still
// does after it was started again. If it has forgotten some, the client learns
// how many through [ClientOptions].Missed. A later client can go on where an
// earlier one ended: see [ClientRouter.ResumeRemoteListener]. With a pysig peer,
// events that happen while there is no connection are lost, and Missed is called
// with -1.
//
// [RemoteSender.Trigger] returns once the server has the event, as safe as its
// store promises; [RemoteSender.Post] does not wait, and does not report whether
// the event arrived. [ClientRouter.Publish] repeats what may have been lost with
// a connection, and the server delivers it once.
//
// # Blocking and overflow
//
// A Router's listeners run inside Trigger and must return soon. A remote
// listener may block, but it holds up the client's other listeners.
//
// A ServerRouter waits for no client, and with events for clients a quarter of a
// second at most for its store. Up to [ServerOptions].Queue events and 8
// MiB wait for each. When there are more, a client gets the rest from the
// server's memory once it reads. A pysig sender is made to wait for its answer,
// up to 8 s, while a pysig listener's queue is more than half full.
// [ServerRouter.Dropped] counts the events that never reached their client.
//
// In a ClientRouter, up to [ClientOptions].Queue events and 8 MiB wait for the
// listeners. When there are more, the client stops reading, and the server
// keeps what follows; a pysig server cannot, so there the oldest are dropped
// and counted in [ClientRouter.Dropped].
//
// # Concurrency
//
// Everything exported may be used by any number of goroutines, including from
// listeners' callbacks. A Router's listener may be called by several goroutines
// at once; a ClientRouter's remote listeners are called one at a time.
// Constructors start nothing; [ServerRouter.Serve] and [ClientRouter.Run]
// block, and everything they started has ended by the time they return.
//
// # Errors
//
// A peer's refusal is a [*RemoteError]. The sentinels are what callers branch
// on; test for them with [errors.Is], for refusals too. A lost connection is
// not an error of the methods but a state, see [ClientRouter.Link]:
// registrations outlive it, and calls that cannot wait fail with
// [ErrNotConnected].
//
// # Limits
//
// Data are JSON of at most [MaxData] bytes, nested at most 9,990 deep, and
// names are at most 1,024 bytes long. A message to or from a pysig peer has at
// most 4,096 bytes: a longer one is refused with [ErrTooLarge] where it is
// sent. See [Limits] for the limits on clients.
//
// # Testing
//
// Package sigalert/sig/sigtest has an in-memory carrier, a recorder of events,
// and a peer that behaves as pysig does on the wire.
package sig
