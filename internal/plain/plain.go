// Package plain makes text from others safe to show.
package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is text as one line of at most limit characters, without what could play
// tricks on a terminal or on the text beside it. Line breaks and tabs become
// spaces; otherwise it is [Text].
func Line(text string, limit int) string { return clean(text, limit, false) }

// Text is at most limit characters of text, the last one "…" if there were more:
// with each run of bad UTF-8 as U+FFFD and line breaks as "\n", without control
// characters except the tab, and without those that reorder what stands beside
// them. The limit is 1 or more. It allocates only for the result, however long the
// text is.
func Text(text string, limit int) string { return clean(text, limit, true) }

func clean(s string, limit int, multiline bool) string {
	var b strings.Builder
	b.Grow(min(len(s), limit))
	last, count := 0, 0 // where the last character starts, and how many there are
	var prev rune
	for _, r := range s {
		if dropped(r) {
			continue
		}
		was := prev
		prev = r
		switch {
		case r == utf8.RuneError && was == utf8.RuneError, r == '\n' && was == '\r':
			continue
		case r == '\r', r == '\u0085', r == '\u2028', r == '\u2029':
			r = '\n'
		}
		if !multiline && (r == '\n' || r == '\t') {
			r = ' '
		}
		if count == limit {
			return b.String()[:last] + "…"
		}
		last = b.Len()
		b.WriteRune(r)
		count++
	}
	return b.String()
}

// dropped reports whether r is never shown: control characters, the two
// noncharacters that XML forbids, and the explicit bidirectional controls. Those
// are dropped because one sender's text could otherwise reorder what stands
// beside it on the line, such as the name of the sender or a file's extension.
// Right-to-left letters still run right to left, and the marks that only place
// punctuation (LRM, RLM, ALM) stay.
func dropped(r rune) bool {
	switch {
	case r == '\n', r == '\r', r == '\t', r == '\u0085': // line breaks, and the tab
		return false
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	case r == '\ufffe', r == '\uffff':
		return true
	}
	return unicode.IsControl(r)
}

// Escape writes as JSON does, \u202e, what JSON text may hold that could play
// tricks on a terminal or change the order in which it is read. Line breaks stay.
func Escape(text string) string { return escape(text, tricky) }

// EscapeUnseen is Escape, and writes so as well what looks like a blank or like
// nothing, such as a soft hyphen: names that have it look like others. The joiners of
// emoji and of Persian stay.
func EscapeUnseen(text string) string {
	return escape(text, func(r rune) bool { return tricky(r) || unseen(r) })
}

func tricky(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && r != '\n' || r == utf8.RuneError
}

func unseen(r rune) bool {
	switch r {
	case '\u00ad', '\u180e', '\u200b', '\u2028', '\u2029', '\u2060', '\ufeff':
		return true
	}
	return r != ' ' && unicode.Is(unicode.Zs, r)
}

func escape(text string, escaped func(rune) bool) string {
	var b strings.Builder
	for _, r := range text {
		if escaped(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
