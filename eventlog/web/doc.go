// Package web shows a log of events over HTTP: as a page that follows it, as
// text, and as JSON.
//
// # Addresses
//
// Those of pysig's web_events_logger are here with their parameters: /, /regs
// and /registrations, /clear and /flush, /config and /cfg, /add, /remove and
// /rem. They take GET, as there, and those that change something also POST.
// Beside them are /api/events, /api/events/ID, /api/stream, /metrics and
// /healthz. docs/log.md in the repository describes each.
//
// # Safety
//
// What an event carries is hostile: all of it is escaped, and the page's
// Content-Security-Policy lets nothing run that is not the page's own. A Host
// that is a name must be one that the handler knows, against DNS rebinding. A
// request that changes something, whatever its method, must not come from
// another site's page; a GET whose origin browsers do not reveal requires the token.
// With a token, or with one-time keys, every address but /healthz
// requires a session, the token, or a key.
//
// # Limits
//
// A request has 10 s to arrive, and at most 64 KiB. A client has 10 s for each
// 64 KiB of an answer, and is disconnected if it does not take them. 100 streams
// are served at a time. Where 1,000 connections are open, or 250 of one address,
// the one that has been waiting longest for its client makes room for the next.
package web
