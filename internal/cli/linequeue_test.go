package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// gate is a reader that reads nothing until it is open.
type gate struct {
	open chan struct{}
	text bytes.Buffer
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.open
	return g.text.Write(b)
}

func TestLineQueue(t *testing.T) {
	numbered := func(from, to int) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "line %d\n", i)
		}
		return b.String()
	}
	long := strings.Repeat("x", queuedBytes/4-1) + "\n"
	for name, tc := range map[string]struct {
		lines []string // written while nobody reads; the first is under way
		later string   // written once somebody has read all that
		want  string
	}{
		"a few":            {[]string{"a\n", "b\n", "c\n"}, "d\n", "a\nb\nc\nd\n"},
		"as many as fit":   {strings.SplitAfter(numbered(0, 1001), "\n")[:1001], "later\n", numbered(0, 1001) + "later\n"},
		"one too many":     {strings.SplitAfter(numbered(0, 1002), "\n")[:1002], "", numbered(0, 1001) + "1 line was dropped: nobody read the log\n"},
		"many too many":    {strings.SplitAfter(numbered(0, 3001), "\n")[:3001], "later\n", numbered(0, 1001) + "2000 lines were dropped: nobody read the log\nlater\n"},
		"too much":         {[]string{"a\n", long, long, long, long, "b\n"}, "later\n", "a\n" + long + long + long + long + "1 line was dropped: nobody read the log\nlater\n"},
		"one huge line":    {[]string{"a\n", long + long + long + long + long}, "", "a\n" + long + long + long + long + long},
		"nothing at all":   {nil, "", ""},
		"a line is a copy": {[]string{"a\n", "b\n"}, "", "a\nb\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gate{open: make(chan struct{})}
				q := newLineQueue(g, droppedLine)
				var buffer []byte
				for i, line := range tc.lines {
					buffer = append(buffer[:0], line...)
					if n, err := q.Write(buffer); n != len(line) || err != nil {
						t.Fatal(n, err)
					}
					if i == 0 {
						synctest.Wait() // the goroutine takes it
					}
				}
				close(g.open)
				synctest.Wait()
				_, _ = io.WriteString(q, tc.later)
				q.close(t.Context())
				if got := g.text.String(); got != tc.want {
					t.Errorf("got %.200q, want %.200q", got, tc.want)
				}
			})
		})
	}
}

// A log and an output that nobody reads hold up neither the demo nor its end.
func TestDemoWhoseOutputNobodyReads(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	g := &gate{open: make(chan struct{})}
	p := &program{in: newPrompter(strings.NewReader(""), io.Discard), out: &output{w: g}, err: g}
	root := p.root()
	root.SetArgs([]string{"demo", "--log-level", "trace"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	select {
	case err := <-done:
		if err != nil || ctx.Err() == nil {
			t.Errorf("ended with %v, %v", err, ctx.Err())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
}
