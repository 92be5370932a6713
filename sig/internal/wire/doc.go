// Package wire is pysig's message text: cutting JSON values out of a stream
// of bytes, looking into them, and writing them.
//
// encoding/json does not serve for this alone: Python writes NaN and Infinity
// unquoted, values follow each other without a delimiter, and a peer must not
// be able to make us hold more than a limit.
package wire
