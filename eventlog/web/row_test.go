package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
)

// However deep data are nested, a row is not much longer than they are.
func TestDeepData(t *testing.T) {
	for depth, folded := range map[int]bool{10: true, 4095: false} {
		deep := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		r := newRow(time.Now(), nil, nil, eventlog.Entry{Data: []byte(deep)})
		if size := len(r.Pretty) + len(r.Excerpt); size > 40<<10 || (r.Pretty != "") != folded || (r.Size == "") != folded {
			t.Errorf("%d deep: %d bytes, size %q", depth, size, r.Size)
		}
	}
	for _, text := range []string{`{"a":[1,2,{"b\\\"[":"]"}],"c":{}}`, `[]`, `"[[["`} {
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(text), "", "  "); err != nil || indented([]byte(text)) < b.Len() {
			t.Errorf("%s: %d, want at least %d, %v", text, indented([]byte(text)), b.Len(), err)
		}
	}
}
