// Package store keeps the events of a router server in files, so that they outlive
// it: a [Store] is a [sig.Store].
//
// # Usage
//
//	kept, err := store.Open("/var/lib/router", nil)
//	…
//	defer kept.Close()
//	server := sig.NewServerRouter(&sig.ServerOptions{Store: kept})
//	go kept.Run(ctx) // ends after server.Serve has returned
//
// # What is promised
//
// An event whose publisher was answered is there after the next start: with
// [SyncGroup] if the process ended, however it did, and unless the system itself
// ended within 5 ms; with [SyncEach] if the system ended, too. The server's epoch
// stays the same, so that clients go on where they were, and no number is given
// twice. Listeners get an event once it outlives the process, but do not wait for
// longer than a quarter of a second.
//
// A disk that is full, slow or cannot be written holds up no event: [Store] says so
// once, keeps up to 50,000 events or 32 MiB for when it can be written again, and of
// 100,000 more what they were. Events that are not in the files then count as missed,
// as exactly as that allows.
//
// Damage costs the records that it hits. docs/store.md describes the format.
//
// # Concurrency
//
// All methods may be called by any goroutine. [Open] starts nothing; [Store.Run] writes,
// and has a second goroutine that syncs. Until then, publishers and listeners wait for
// it, and once it has ended, nobody waits for anything.
package store
