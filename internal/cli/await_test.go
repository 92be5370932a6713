package cli

import (
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// awaitFile looks at a file until it has the text: what writes it is another
// process, which tells nobody.
func awaitFile(ts *testscript.TestScript, path, text string) {
	deadline := time.Now().Add(20 * time.Second)
	for {
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), text) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never had %q: %v\n%s", path, text, err, b)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
