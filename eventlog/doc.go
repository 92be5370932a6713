// Package eventlog keeps a log of events, in a file or in memory.
//
// # Usage
//
//	log, err := eventlog.Open(&eventlog.Options{Path: "events.db", Limit: 100_000})
//	…
//	defer log.Close()
//	go log.Run(ctx)
//	log.Add(ctx, eventlog.Entry{Time: ev.Time, Sender: ev.Sender, Event: ev.Event, Data: text})
//
// [New] and Run also open a log that cannot be opened yet. A [Subscriber] fills a
// log with the events of a network, over a client of its own. Package
// sigalert/eventlog/web shows a log.
//
// # Ordering
//
// Entries are numbered from 1 in the order in which they were added, without a
// gap; the numbers go on after [Log.Clear] and after a restart. A log in memory
// begins at a number that is higher than that of any before it.
//
// # Durability
//
// What [Log.Events] returns is kept: an entry is written to the file and synced
// before it is seen. Entries that wait together are written together, at
// most twenty times a second. A process that is killed loses what waited.
//
// # Overflow
//
// Up to 4,096 entries and 2 MiB of their data wait for the file. When there are
// more, [Log.Add] waits, and [Log.Offer] drops and counts. While the file cannot
// be written, [Log.Run] tries again each second; while it cannot be opened, after
// a second at first, and later every ten. [Log.State] says why.
//
// The oldest entries are removed when there are more than [Limits].Count, when they are
// older than [Limits].Age, and when the data of all come to more than 1 GiB, or
// 64 MiB in memory.
//
// # Concurrency
//
// All methods of a Log and of a Subscriber may be called by any number of
// goroutines. Constructors start nothing; Run blocks.
package eventlog
