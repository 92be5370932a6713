// Package rule is the one language of the configuration: expressions over an event,
// and texts that hold expressions in {{ }}. docs/expressions.md describes it.
//
// # Usage
//
// [Compile] and [CompileText] check an expression or a text; their error is [Faults],
// each with its line and column. What they return is safe for use by several
// goroutines. An [Event] is made once for each event and belongs to one goroutine: it
// decodes the event's data when an expression first needs it, and it bounds the work
// that all expressions together do for this event.
//
// # How it uses expr
//
// The syntax is expr's. Its operators, member access and functions are replaced by
// those of this package: they take what the data lacks as nil, know numbers that
// neither an int nor a float holds, count their work, and fail in plain English.
package rule
