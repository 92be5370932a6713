package tray

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"sigalert/internal/plain"
)

const (
	// maxLine is in UTF-16 units: Windows cuts tooltips at 127, and loses the
	// end of the text when it does.
	maxLine = 100

	// maxWidth is in characters. No desktop breaks a label: its menu would become
	// wider than a small screen, and lose the end of it.
	maxWidth = 60
)

// wrap breaks a line of at most maxLine in two of at most maxWidth, after a comma if
// possible, or else after a word.
func wrap(line string) (first, rest string) {
	all := []rune(line)
	if len(all) <= maxWidth {
		return line, ""
	}
	head := string(all[:maxWidth+1]) // its end may be the blank
	for _, end := range []string{", ", " "} {
		blank := strings.LastIndex(head, end) + len(end) - 1
		if blank >= len(end) && utf8.RuneCountInString(line[blank+1:]) <= maxWidth {
			return line[:blank], line[blank+1:]
		}
	}
	return string(all[:maxWidth]), string(all[maxWidth:])
}

// fit returns a label of at most maxWidth that ends with all of ending, or with its
// first half line.
func fit(text, ending string) string {
	ending = plain.Line(ending, maxWidth/2)
	return plain.Line(text, maxWidth-utf8.RuneCountInString(ending)) + ending
}

// fitPath returns a label of at most maxWidth that ends with the end of a path.
func fitPath(what, path string) string {
	path = plain.Line(path, len(path)+1)
	if all, room := []rune(path), maxWidth-len(what); len(all) > room {
		path = "…" + string(all[len(all)-room+1:])
	}
	return what + path
}

// clean makes text fit for one line on any desktop: valid UTF-8 without control
// characters, which D-Bus and C strings do not take, and fewer than limit UTF-16 units.
func clean(text string, limit int) string {
	var b strings.Builder
	units := 0
	for _, r := range strings.ToValidUTF8(text, string(utf8.RuneError)) {
		if unicode.IsControl(r) {
			r = ' '
		}
		if units += utf16.RuneLen(r); units >= limit {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
