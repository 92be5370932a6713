// Package wire handles the text of pysig's messages: it cuts JSON values out of
// a stream of bytes, looks into them, and writes them.
//
// encoding/json alone is not enough: Python writes NaN and Infinity unquoted,
// values follow each other without a delimiter, and a peer must not be able to
// make us hold more than a limit.
package wire
