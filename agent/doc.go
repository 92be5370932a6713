// Package agent turns events into desktop notifications.
//
// An event passes through stages, each in a file of its own: receive, match,
// limit, render, deliver. A stage is a value without a clock, a channel or a
// logger; [Agent.Run] has one goroutine, the loop, which owns them all, joins
// them and gives them the time. Around the loop are goroutines that only pass
// something on to it (the connection's events, the file's changes, the wake
// from suspend) or take from it (the delivery, which may hang without holding
// the loop up).
package agent
