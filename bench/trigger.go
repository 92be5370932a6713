package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sigalert/sig"
)

// trigger measures Signal.Trigger within a process; NATS has nothing like it.
func trigger(_ context.Context, p plan) ([]figure, error) {
	var all []figure
	for _, n := range []int{1, 10, 100} {
		var times, allocs []float64
		for range p.rounds {
			r, err := triggers(n)
			if err != nil {
				return nil, err
			}
			times = append(times, float64(r.T.Nanoseconds())/float64(r.N))
			allocs = append(allocs, float64(r.AllocsPerOp()))
		}
		ns := percentile(times, 0.5)
		f := figure{what: "Trigger in process, " + count(n, "listener"), unit: "ns", ours: value(ns)}
		if n == 1 {
			f.pysig = pysigTrigger
		}
		all = append(all, f)
		if n > 1 {
			all = append(all, figure{what: fmt.Sprintf("the same per listener, with %d listeners", n), unit: "ns", ours: value(ns / float64(n))})
		}
		all = append(all, figure{what: "allocations per Trigger, " + count(n, "listener"), ours: value(percentile(allocs, 0.5))})
	}
	return all, nil
}

func triggers(listeners int) (testing.BenchmarkResult, error) {
	var failed error
	r := testing.Benchmark(func(b *testing.B) {
		router := new(sig.Router)
		s, err := router.AddSender("s", "e")
		if err != nil {
			b.Fatal(err)
		}
		calls := 0
		for range listeners {
			if _, err := router.AddListener("s", "e", func(sig.Event) { calls++ }); err != nil {
				b.Fatal(err)
			}
		}
		signal, err := s.Signal("e")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := signal.Trigger(1); err != nil {
				b.Fatal(err)
			}
		}
		if calls != b.N*listeners {
			failed = fmt.Errorf("%d calls of %d listeners in %d triggers", calls, listeners, b.N)
		}
	})
	if failed == nil && r.N == 0 {
		failed = errors.New("the benchmark failed")
	}
	return r, failed
}
