package sigtest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main is a TestMain that fails if the tests leave goroutines of this module
// behind.
func Main(m *testing.M) {
	code := m.Run()
	if left := leaked(10 * time.Second); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines are left after the tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// leaked waits until no goroutine except the caller's has anything of this
// module in its stack. It returns the stacks of those that are still there
// after most.
func leaked(most time.Duration) (left []string) {
	for end := time.Now().Add(most); ; time.Sleep(10 * time.Millisecond) {
		left = left[:0]
		for _, stack := range otherStacks() {
			if strings.Contains(stack, "sigalert/") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return left
		}
	}
}

// otherStacks returns the stacks of all goroutines except the caller's, which
// comes first.
func otherStacks() []string {
	for buf := make([]byte, 1<<20); ; buf = make([]byte, 2*len(buf)) {
		if n := runtime.Stack(buf, true); n < len(buf) {
			return strings.Split(strings.TrimSpace(string(buf[:n])), "\n\n")[1:]
		}
	}
}
