// Package control lets a user's programs speak to one that is running, over a socket:
// one JSON request a line, one JSON answer a line, in the same order.
//
//	> {"method": "pause", "params": {"duration": "30m"}}
//	< {"result": {"until": "2026-01-31T12:30:00Z"}}
//	> {"method": "puase"}
//	< {"error": "unknown method \"puase\": the methods are pause and resume"}
//
// Only the user who runs the server can speak to it, and root. A client that is slow,
// silent or sends garbage costs the server a connection for 10 seconds: there are at
// most 64, and where all are taken, the one that has owed its request for longest
// makes way. A request has at most 64 KiB, an answer at most 4 MiB; see [Server] for
// those that are so large.
//
// A socket is a Unix socket of mode 0600 in a folder that only its owner can change; on
// Windows a named pipe that only its owner can open.
package control
