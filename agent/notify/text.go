package notify

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"sigalert/internal/plain"
)

const (
	maxTitle = 200   // characters
	maxBody  = 2_000 // characters
	maxLabel = 60    // characters
	maxKey   = 200   // bytes
	maxLink  = 4_096 // bytes, of a path too
)

// breaker is a zero-width space, which is not seen. It separates characters that
// together mean something to a program on the way.
const breaker = "\u200b"

// cleanTitle makes s a line that every backend accepts, or fallback if nothing is
// left.
func cleanTitle(s, fallback string) string {
	return cutLine(s, maxTitle, fallback)
}

func cutLine(s string, limit int, fallback string) string {
	return cmp.Or(strings.TrimSpace(plain.Line(strings.TrimSpace(s), limit)), fallback)
}

// cleanBody makes s a text that every backend accepts.
func cleanBody(s string) string {
	return plain.Text(s, maxBody)
}

// ShortKey keeps a short plain key and replaces any other by its digest, so that
// different keys stay different and each takes little memory.
func ShortKey(s string) string {
	if len(s) <= maxKey && s == plain.Line(s, maxKey) {
		return s
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(s)))
}

var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escapeMarkup is for a body that the server reads as markup.
func escapeMarkup(s string) string { return markup.Replace(s) }

// guardArgument keeps text that is passed as a command's argument from being taken
// for an option (notify-send) or a property list (terminal-notifier).
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

// powerShell breaks up what PowerShell would take for the end of a text or for
// something to expand; it treats the other double quotes like the plain one.
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

// putWide writes a text into a field of a fixed length that ends in a zero, as Windows has
// them; what does not fit is cut off.
func putWide(field []uint16, text string) {
	units := append(utf16.Encode([]rune(text)), 0)
	if len(units) > len(field) {
		end := len(field) - 2
		if utf16.DecodeRune(rune(units[end-1]), rune(units[end])) != unicode.ReplacementChar {
			end-- // it would be half a character
		}
		units = append(units[:end], '…', 0)
	}
	copy(field, units)
}
