package cli

import (
	"encoding/json"
	"unicode/utf8"

	"sigalert/sig"
)

// parseData reads a DATA argument: JSON, or text if it is not JSON; an empty
// one is null.
func parseData(text string) sig.Data {
	switch {
	case text == "":
		return sig.Data{}
	case json.Valid([]byte(text)) && utf8.ValidString(text):
		return sig.JSONData([]byte(text))
	}
	quoted, _ := json.Marshal(text) // every string has JSON
	return sig.JSONData(quoted)
}
