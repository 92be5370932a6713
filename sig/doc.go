// Package sig brings events from senders to listeners: within a process, and
// over a network of routers. It is the Go form of Python's pysig, and speaks
// its wire protocol.
//
// # Usage
//
// A [Router] serves one process:
//
//	router := sig.NewRouter()
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
// # Ordering
//
// Signal.Trigger calls the listeners of a Router in a fixed order, before it
// returns. Events that one goroutine triggers at one sender reach each
// listener in that order, remote ones too.
//
// # Blocking and overflow
//
// A Router's listeners run within Trigger and must return soon. A ServerRouter
// never waits for a client: [ServerOptions.Queue] signals wait for each, and
// when there are more, the oldest is dropped and counted. A ClientRouter's
// remote listeners run one after the other, off the goroutine that reads;
// [ClientOptions.Queue] events wait for them, and when there are more, the
// oldest is dropped and counted.
//
// # Concurrency
//
// Everything exported may be used by any number of goroutines, listeners'
// callbacks included. Constructors start nothing; [ServerRouter.Serve] and
// [ClientRouter.Run] block, and have ended all that they started when they
// return.
//
// # Errors
//
// A peer's refusal is a [*RemoteError]. The sentinels are what callers branch
// on; all are to be tested with [errors.Is].
//
// # Testing
//
// Package sigalert/sig/sigtest has a carrier in memory, a recorder of events,
// and a peer that behaves as pysig does on the wire.
package sig
