package cli

import (
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf8"

	"sigalert/internal/plain"
	"sigalert/sig"
)

// printJSON prints v as a line of JSON.
func (p *program) printJSON(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s\n", escaped(text))
	return err
}

// escaped is JSON text in which what a terminal may obey is escaped.
func escaped(text []byte) []byte {
	var out []byte
	for _, r := range string(text) {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			out = fmt.Appendf(out, "\\u%04x", r)
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// plainName is a name that cannot play tricks on a terminal.
func plainName(n sig.Name) string { return plain.Line(n.String(), 500) }
