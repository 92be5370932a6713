package eventlog_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"sigalert/eventlog"
)

// What is readable means the same.
func FuzzReadable(f *testing.F) {
	for _, text := range []string{
		`{"\u00e9": ["\ud83d\ude00", 1, "\ud800\ud83d\ude00", "\ude00"]}`,
		`"\\u00e9 \"\u0022\u005c\u2028\u001f\/\n"`,
		`"\u12`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		readable := eventlog.Readable(text)
		var want, got any
		if json.Unmarshal(text, &want) != nil {
			return
		}
		if err := json.Unmarshal(readable, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %q (%v)", text, readable, err)
		}
	})
}
