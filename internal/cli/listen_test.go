package cli

import (
	"strings"
	"testing"

	"sigalert/sig"
)

// What pysig's senders send is printed as people read it.
func TestPrintPlain(t *testing.T) {
	for text, want := range map[string]string{
		`null`:                     "s: e\n",
		`""`:                       "s: e\n",
		`"\u00fc"`:                 "s: e \"ü\"\n",
		`{"a": [1, NaN], "b": -1}`: "s: e {\"a\": [1, NaN], \"b\": -1}\n",
		`{"a": [1, 2]}`:            "s: e {\"a\":[1,2]}\n",
		`1e400`:                    "s: e 1e400\n",
	} {
		var out strings.Builder
		p := &program{out: &output{w: &out}}
		if err := p.printPlain(sig.Event{Sender: "s", Event: "e", Data: sig.JSONData([]byte(text))}); err != nil || out.String() != want {
			t.Errorf("%s is printed as %q, not %q: %v", text, out.String(), want, err)
		}
	}
}
