// Package sigtest helps to test programs that use package sig. It has an
// in-memory carrier, a recorder of events, and a peer that behaves on the wire
// as pysig does.
//
// The in-memory carrier has no timing of its own, so a test may run in a
// testing/synctest bubble. The peer is for real TCP.
package sigtest
