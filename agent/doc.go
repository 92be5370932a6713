// Package agent turns servers' events into desktop notifications.
//
// An event passes through stages, each in a file of its own: receive, match, when (and
// resolve), changes, for (wait.go), unless (inhibit.go), quiet, catch_up, limit (and
// storm, which is the limit of all alerts), render, fold, deliver; pipeline.go has their
// order. Each leaves a verdict: what it decided, and why. Whatever is said about an
// event later, in the counters, the history, explain and the recent alerts, is made of
// its verdicts alone. Three of the stages, for, unless and catch_up, keep an alert that
// may turn out to be none; two, repeat and escalate, keep one that nobody has answered.
// Three more, link, presence and expect, watch the connection, the senders and what
// should come. Of these, receive and deliver have goroutines; the others are values
// without a clock, a channel or a logger. What somebody does with an alert comes back
// through respond.go; what nobody has asked for just now, such as an alert shown again,
// goes out through unasked.go. What the agent knows of each server is in server.go, and the
// router that it may run in router.go. What of all this outlives the process is in
// remember.go and package memory.
//
// [Agent.Run] has one goroutine, the loop in agent.go, which owns the stages and
// gives them the time; joints.go has everything that passes from one stage to another.
// Around the loop are goroutines that only pass something on to it (the
// connection's events, the file's changes, the wake from suspend) or take from it
// (the delivery, which may hang without holding up the loop).
package agent
