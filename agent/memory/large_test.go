package memory

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// As much as may wait is read again, however its data is written: neither indenting nor
// escaping may make it larger than what Load reads.
func TestLargeState(t *testing.T) {
	for name, data := range map[string]string{
		"small elements": "[" + strings.Repeat("[1],", 1<<18) + "1]",
		"angle brackets": `"` + strings.Repeat("<", 1<<20) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			var s State
			for range (16 << 20) / len(data) {
				s.Waiting = append(s.Waiting, Waiting{Sub: "s", Sender: "a", Event: "b", Data: json.RawMessage(data)})
			}
			path := filepath.Join(t.TempDir(), "agent.json")
			k := NewKeeper(path, func(context.Context) {}, func(err error) { t.Error(err) })
			k.Keep(s)
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if !k.Run(ended) {
				t.Fatal("not written")
			}
			got, err := Load(path)
			if err != nil || !reflect.DeepEqual(got, s) {
				t.Errorf("%d waiting of %d: %v", len(got.Waiting), len(s.Waiting), err)
			}
			if info, err := os.Stat(path); err != nil || info.Size() > 20<<20 {
				t.Errorf("%d bytes, %v", info.Size(), err)
			}
		})
	}
}
