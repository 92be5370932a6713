// Package tcp is the built-in carrier: it takes a router's messages over TCP,
// in the way that a pysig peer can read.
//
// pysig has no framing: each side takes what one recv(4096) returned for one
// message. So messages go out one a write, at least 10 ms apart, and at most
// 4,096 bytes long. What comes in may be split, joined and long.
package tcp
