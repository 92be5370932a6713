package cli

import (
	"encoding/json"
	"unicode/utf8"

	"sigalert/sig"
)

// parseData is a DATA argument: JSON, or, where it is none, a string; nothing
// is null.
func parseData(text string) sig.Data {
	switch {
	case text == "":
		return sig.Data{}
	case json.Valid([]byte(text)) && utf8.ValidString(text):
		return sig.JSONData([]byte(text))
	}
	quoted, _ := json.Marshal(text) // a string always has JSON
	return sig.JSONData(quoted)
}
