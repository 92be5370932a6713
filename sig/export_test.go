package sig

var Backoff = backoff
