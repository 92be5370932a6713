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
	_, err = fmt.Fprintln(p.out, plain.EscapeUnseen(string(text)))
	return err
}
