// Package tcp is the built-in carrier: it carries a router's messages over TCP,
// in a way that a pysig peer can read.
//
// pysig has no framing: each side takes whatever one recv(4096) returns for one
// message. So messages go out one per write, at least 10 ms apart, and are at
// most 4,096 bytes long. What comes in may be split, joined or long.
package tcp
