package cli

import (
	"encoding/json"
	"fmt"

	"sigalert/internal/plain"
)

// printJSON prints v as a line of JSON.
func (p *program) printJSON(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return p.printJSONText(text)
}

// printJSONText prints JSON that is one line already.
func (p *program) printJSONText(text json.RawMessage) error {
	_, err := fmt.Fprintln(p.out, plain.EscapeUnseen(string(text)))
	return err
}
