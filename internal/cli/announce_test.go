package cli

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// The line with the first token is not for systemd's journal: that is a socket, where a
// terminal, a pipe and a file are none.
func TestKeptInLog(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	journal, err := conn.(*net.UnixConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Setenv("JOURNAL_STREAM", "9:9")
	if !keptInLog(journal) || keptInLog(file) {
		t.Errorf("%v, %v", keptInLog(journal), keptInLog(file))
	}
	t.Setenv("JOURNAL_STREAM", "")
	if keptInLog(journal) {
		t.Error("without systemd, too")
	}
}
