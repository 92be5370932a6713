// Package redact leaves tokens out of text, wherever they have got into it.
package redact

import (
	"bytes"
	"io"
	"regexp"
	"strings"
)

// Tokens have 43 characters after the prefix; of one that was cut, what is left here is
// of no use.
const prefix = "sigalert_"

var token = regexp.MustCompile(prefix + `[A-Za-z0-9_-]{24,}`)

// Text is text without tokens.
func Text(text string) string {
	if !strings.Contains(text, prefix) {
		return text
	}
	return token.ReplaceAllLiteralString(text, prefix+"…")
}

// Writer writes what it gets to w, but for tokens that are whole in one write.
func Writer(w io.Writer) io.Writer { return writer{w} }

type writer struct{ w io.Writer }

func (w writer) Write(p []byte) (int, error) {
	if !bytes.Contains(p, []byte(prefix)) {
		return w.w.Write(p)
	}
	if _, err := w.w.Write([]byte(Text(string(p)))); err != nil {
		return 0, err
	}
	return len(p), nil
}
