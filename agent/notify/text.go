package notify

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxTitle = 200   // characters
	maxBody  = 2_000 // characters
	maxKey   = 200   // bytes
)

// breaker is a zero-width space. It parts characters that together mean something
// to a program on the way, and is not seen.
const breaker = "\u200b"

// cleanTitle makes s a line that every backend takes, or fallback if nothing is left.
func cleanTitle(s, fallback string) string {
	s = strings.TrimSpace(clean(strings.TrimSpace(s), maxTitle, false))
	if s == "" {
		return fallback
	}
	return s
}

// cleanBody makes s a text that every backend takes.
func cleanBody(s string) string {
	return clean(s, maxBody, true)
}

// Line is text from elsewhere as one line of at most limit characters, without
// what could play tricks on a terminal or on the text beside it.
func Line(text string, limit int) string { return clean(text, limit, false) }

// cleanKey keeps a short plain key and replaces any other by its digest, so that
// different keys stay different and each takes little memory.
func cleanKey(s string) string {
	if len(s) <= maxKey && s == clean(s, maxKey, false) {
		return s
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(s)))
}

// clean returns at most limit characters of s, the last one "…" if there were
// more: bad UTF-8 as U+FFFD (one for a run), line breaks as "\n", without
// whatever [dropped] names. If not multiline, line breaks and tabs become spaces.
// It allocates for the result only, however long s is.
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

// dropped reports whether r never reaches a desktop: control characters, the two
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

var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escapeMarkup is for the body where the server reads it as markup.
func escapeMarkup(s string) string { return markup.Replace(s) }

// guardArgument keeps text that is passed as a command's argument from being
// taken for an option (notify-send), or for a property list (terminal-notifier).
func guardArgument(s string) string {
	if s != "" && strings.ContainsRune(`-[{(<"\`, rune(s[0])) {
		return " " + s
	}
	return s
}

// guardNotifySend is guardArgument for a body: notify-send also expands
// backslash escapes in it, up to a NUL.
func guardNotifySend(s string) string {
	return guardArgument(strings.ReplaceAll(s, `\`, `\`+breaker))
}

// guardAppleScript is guardArgument for text that beeep also writes into an
// AppleScript with Go's %q, whose \u escapes AppleScript does not know.
func guardAppleScript(s string) string {
	return guardArgument(strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', strconv.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, s))
}

// The double quotes that PowerShell takes for one another.
var powerShell = strings.NewReplacer(
	"$", "$"+breaker,
	"`", "`"+breaker,
	`"@`, `"`+breaker+"@",
	"“@", "“"+breaker+"@",
	"”@", "”"+breaker+"@",
	"„@", "„"+breaker+"@",
	"]]>", "]]"+breaker+">",
)

// guardPowerShell is for Windows, where beeep puts text into CDATA and that, if
// the COM call fails, into a PowerShell here-string.
func guardPowerShell(s string) string { return powerShell.Replace(s) }
