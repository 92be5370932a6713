package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// plan is how much is measured.
type plan struct {
	rounds  int           // of each measure; medians are reported
	fanout  time.Duration // of one round
	samples int           // of latency, in one round
	most    time.Duration // for the samples, however few they are
	idle    int           // clients
	back    int           // clients that reconnect
	away    time.Duration // the server's longer absence
	signals int           // to pysig
}

func fullPlan() plan {
	return plan{rounds: 3, fanout: 2 * time.Second, samples: 4000, most: 15 * time.Second,
		idle: 10_000, back: 1000, away: 5 * time.Second, signals: 2000}
}

func quickPlan() plan {
	return plan{rounds: 1, fanout: 500 * time.Millisecond, samples: 1000, most: 3 * time.Second,
		idle: 500, back: 100, away: time.Second, signals: 200}
}

// measure is one of the letters; it returns its figures.
type measure struct {
	letter, title, peer string
	run                 func(context.Context, plan) ([]figure, error)
}

func measures() []measure {
	return []measure{
		{"a", "in process", "NATS", trigger},
		{"b", "fan-out over TCP", "NATS", fanouts},
		{"c", "latency of a single event", "NATS", latencies},
		{"d", "request round trip", "NATS", requests},
		{"e", "idle clients", "NATS", idle},
		{"f", "reconnecting", "NATS", reconnects},
		{"g", "a pysig client", "NATS", pysig},
		{"h", "HTTP", "gotify", web},
		{"i", "kept in files", "NATS", kept},
	}
}

// longest is how long a measure may take: one that hangs must not hang all.
const longest = 15 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := bench
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		run = child
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context) error {
	quick := flag.Bool("quick", false, "a short run that shows that it works; its figures mean little")
	only := flag.String("only", "", "only these `measures`, such as b,c")
	save := flag.String("save", "", "save the page as this `file`.md, and its plot beside it")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if *save != "" && !strings.HasSuffix(*save, ".md") {
		return fmt.Errorf("-save %s: the name must end with .md", *save)
	}
	if _, err := os.Stat(filepath.Dir(*save)); err != nil {
		return fmt.Errorf("-save %s: %w", *save, err)
	}
	p := fullPlan()
	if *quick {
		p = quickPlan()
	}
	var all []figure
	var failed error
	for _, m := range measures() {
		if *only != "" && !strings.Contains(","+*only+",", ","+m.letter+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "(%s) %s …\n", m.letter, m.title)
		start := time.Now()
		limited, cancel := context.WithTimeout(ctx, longest)
		figures, err := m.run(limited, p)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			err = fmt.Errorf("(%s) %s: %w", m.letter, m.title, err)
			fmt.Fprintln(os.Stderr, err)
			failed = errors.Join(failed, err)
		}
		fmt.Fprintf(os.Stderr, "    %.0f s\n", time.Since(start).Seconds())
		for i := range figures {
			figures[i].letter, figures[i].peer = m.letter, m.peer
		}
		all = append(all, figures...)
	}
	fmt.Print(table(all), "\n", webTable(all))
	if failed != nil || *save == "" {
		return failed // what is saved is whole
	}
	return savePage(*save, p, all)
}
