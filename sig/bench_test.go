package sig_test

import (
	"fmt"
	"testing"

	"sigalert/sig"
)

func BenchmarkTrigger(b *testing.B) {
	for _, listeners := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("listeners=%d", listeners), func(b *testing.B) {
			r := sig.NewRouter()
			s, err := r.AddSender("s", "e")
			if err != nil {
				b.Fatal(err)
			}
			calls := 0
			for range listeners {
				if _, err := r.AddListener("s", "e", func(sig.Event) { calls++ }); err != nil {
					b.Fatal(err)
				}
			}
			sg, err := s.Signal("e")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := sg.Trigger(1); err != nil {
					b.Fatal(err)
				}
			}
			if calls == 0 {
				b.Fatal("nobody was called")
			}
		})
	}
}
