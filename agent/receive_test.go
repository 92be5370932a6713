package agent

import (
	"context"
	"testing"
)

// What comes while the receiver ends is taken up to some event, and nothing after it.
func TestEndLeavesNoEventOut(t *testing.T) {
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		loop := make(chan func(), 64)
		r := &receiver{ctx: ctx, sink: sink{loop: loop}}
		last := -1
		for i := range 40 {
			if i == 20 {
				cancel()
			}
			r.pass(func() {
				if i != last+1 {
					t.Fatalf("%d follows %d", i, last)
				}
				last = i
			})
		}
		for len(loop) > 0 {
			(<-loop)()
		}
	}
}
