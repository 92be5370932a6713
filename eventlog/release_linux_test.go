package eventlog_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"sigalert/eventlog"
)

// mapped is how much of files this process has mapped, in MiB.
func mapped(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatal("no RssFile: Linux tells it from 4.5 on")
	}
	kb, _ := strconv.Atoi(string(m[1]))
	return kb >> 10
}

// Looking through all of a log does not leave all of it mapped, though nothing
// is written afterwards.
func TestFileIsUnmapped(t *testing.T) {
	const entries, each = 6000, 4000
	log, stop := open(t, eventlog.Options{Path: filepath.Join(t.TempDir(), "log.db"), Limit: entries})
	defer stop()
	before := mapped(t)
	for n := range entries {
		e := tick(n)
		e.Data = fmt.Appendf(nil, `"%s"`, bytes.Repeat([]byte("a"), each))
		if err := log.Add(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	await(t, log, func(st eventlog.State) bool { return st.Logged == entries })
	for range 3 {
		if found, err := log.Events(t.Context(), eventlog.Query{Text: "b"}); err != nil || len(found.Entries) > 0 {
			t.Fatalf("%d entries, %v", len(found.Entries), err)
		}
	}
	size := int(log.Size() >> 20)
	if more := mapped(t) - before; more > size/2 {
		t.Errorf("of a file of %d MiB %d MiB are mapped", size, more)
	}
}
