package topic

import "sigalert/sig"

// Glob is a pattern for names that are text. * stands for any text, ? for any
// character, and [a-z] for one of those; after a backslash each stands for itself.
// The zero Glob matches every name.
type Glob struct{ pattern string }

// Matches reports whether the pattern matches the whole name.
func (g Glob) Matches(name sig.Name) bool { return g.pattern == "" }

// String is the pattern; "" for the zero Glob.
func (g Glob) String() string { return g.pattern }
