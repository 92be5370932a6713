package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"sigalert/sig"
)

// parseData reads a DATA argument: JSON, or text if it is not JSON; an empty
// one is null. It warns of what was probably meant as JSON.
func (p *program) parseData(text string) sig.Data {
	if text == "" {
		return sig.Data{}
	}
	err := json.Unmarshal([]byte(text), new(json.RawMessage))
	if !utf8.ValidString(text) {
		err = errors.New("it is not UTF-8")
	}
	if err == nil {
		return sig.JSONData([]byte(text))
	}
	if start := strings.TrimLeft(text, " \t\r\n"); strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") {
		p.log.Warn("the data is not JSON, though it begins so: it is sent as text", "err", err)
	}
	quoted, _ := json.Marshal(text) // every string has JSON
	return sig.JSONData(quoted)
}
