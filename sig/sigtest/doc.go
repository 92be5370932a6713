// Package sigtest helps to test programs that use package sig: a carrier in
// memory, a recorder of events, and a peer that behaves on the wire as pysig
// does.
//
// The carrier in memory has no timing of its own, so that a test may run in a
// testing/synctest bubble. The peer is for real TCP.
package sigtest
