// Package gateway answers HTTP at a router's own port: whatever can make a request
// can publish events, and follow them. docs/http.md says how.
//
// # Usage
//
// [Serve] takes the place of [sig.ServerRouter.Serve]:
//
//	carrier, err := tcp.Listen("127.0.0.1:3000")
//	…
//	err = gateway.Serve(ctx, server, carrier, nil)
//
// The first byte of a connection tells what it speaks: an upper-case letter is HTTP,
// the byte 0x16 is TLS, if the carrier has a certificate, and anything else is the router's
// own protocol.
//
// # Requests
//
// POST or PUT /SENDER/EVENT publishes an event: see [sig.Router.Publish]. Its body is
// data if its Content-Type is JSON, and otherwise text. ntfy's requests (/TOPIC, and JSON
// at /) and gotify's (/message) are understood, too. GET /events is a stream of events,
// GET / a page for people. GET /healthz always answers, GET /metrics is for Prometheus, and
// GET /status, GET /clients and DELETE /clients/ID are for administrators.
//
// # Limits
//
// A request's head may have 32 KiB and take 10 s, its body 1 MiB and 30 s. Each part of
// 64 KiB of an answer may take a client 10 s, and a connection may be idle for a minute.
// Connections count as clients of the router, some of which may be streams (see
// [sig.Limits]). What is refused is not published, not even in part.
//
// Nothing waits for a stream's reader. A stream is a client of the router, which
// keeps events for a slow reader as it does for any client: see package sig about what
// happens to those that are too many. A reader that takes nothing for 10 s is cut off,
// and may come back with the position that it had.
//
// # Security
//
// If the server has a [sig.Access], a request has a token, whose rights are those of the
// router's own protocol. Otherwise whoever can connect may publish and listen, and only a
// program of this machine may administer. Pages of other sites may do nothing: what a
// browser sends for them is refused, and so is a Host that is not this machine's, which a
// page may have made a name of this machine (DNS rebinding).
package gateway
