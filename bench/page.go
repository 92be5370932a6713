package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// savePage writes the page, and its plot beside it.
func savePage(path string, p plan, all []figure) error {
	plotPath := strings.TrimSuffix(path, ".md") + ".svg"
	if err := os.WriteFile(plotPath, []byte(plot(all)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(page(p, all, filepath.Base(plotPath))), 0o644)
}

func page(p plan, all []figure, plotFile string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Benchmarks

The library %[1]ssig%[1]s beside NATS: an embedded %[1]snats-server%[1]s with %[1]snats.go%[1]s clients does the same as ours, in the same run, on the same machine.

![ours ÷ NATS, for each measure](%[2]s)

%[3]s
The column “ours ÷ NATS” is the plain ratio: where more is better, above 1 is a lead; where less is better, below 1 is one. NATS has no counterpart to (a) and (g). pysig's figures are quoted: they come from an earlier measurement of pysig, not from this run.

This page is written by %[1]smake bench%[1]s, from the run that it describes.

`, "`", plotFile, table(all))
	fmt.Fprintf(&b, `## How it is measured

Server and clients speak over TCP on the loopback interface. Unless it says otherwise, they share one process, each client has connections of its own, and all settings are the defaults, NATS' too. The data is a JSON string of %d bytes, the same for both. %s

- **(a) In process.** %s calls empty listeners in a Go benchmark of one second.
- **(b) Fan-out.** One client publishes for %g s; each listener is a client of its own. The publisher is never more than %s events ahead of the slowest listener, on both sides, so that nothing is dropped. Each event has a number: the run counts only if every listener gets every event exactly once, in order. The time ends with the last arrival.
- **(c) Latency.** One event is under way at a time, from the call that publishes it to the listener's callback; at most %s events. For NATS that is a plain %s.
- **(d) Requests.** A client asks, the server passes it on, another client answers with the same data, and back; one request at a time.
- **(e) Idle clients.** Server and clients are a process each. The memory is what the process holds in RAM (VmRSS), after a garbage collection that returns what is free to the system; the difference between one client and all of them, divided by their number. What the kernel holds for each connection is in no figure.
- **(f) Reconnecting.** Server and clients are a process each. The server is killed; once all clients know it, a new one starts on the same port, at once or after a pause. The time runs from when it listens until it has confirmed every subscription; after that an event has to reach each client. The clients wait as their defaults say: nats.go %g s and up to %g s more before every attempt; ours at most a quarter of a second before the first, then a random time, growing to 30 s, so that the clients of a server that returns do not come all at once.
- **(g) A pysig client.** %d of our clients trigger at once, each waiting for the server's answers; the listener behaves on the wire as pysig does, which takes what one read returns for one message. The server's queue for a client is as long as the run.

`, payloadSize, rounds(p), "`Signal.Trigger`", p.fanout.Seconds(), whole(window), whole(p.samples), "`Publish`",
		nats.DefaultReconnectWait.Seconds(), nats.DefaultReconnectJitter.Seconds(), pysigSenders)
	fmt.Fprintf(&b, `## The machine

%s
## Running it

%smake bench%s runs it and writes this page; the program itself is in %sbench/%s, a Go module of its own, so that NATS is no dependency of sigalert. It needs Linux and takes a few minutes.

    cd bench
    go run . -quick            # a smoke run
    go run . -only b,c         # two of the measures
    go run . -save ../docs/benchmarks.md
`, machine(), "`", "`", "`", "`")
	return b.String()
}

func rounds(p plan) string {
	if p.rounds == 1 {
		return "**This was a quick run: one round, few events, figures that mean little.**"
	}
	return fmt.Sprintf("Each measure but (e) runs %d times, ours and NATS in turn; the figures are the medians.", p.rounds)
}

func machine() string {
	var b strings.Builder
	line := func(what, is string) { fmt.Fprintf(&b, "- %s: %s\n", what, is) }
	line("processor", fmt.Sprintf("%s, %s", processor(), count(runtime.NumCPU(), "core")))
	line("system", strings.TrimSpace(runtime.GOOS+"/"+runtime.GOARCH+", kernel "+firstLine("/proc/sys/kernel/osrelease")))
	line("Go", strings.TrimPrefix(runtime.Version(), "go"))
	line("date", time.Now().UTC().Format("2006-01-02 15:04 UTC"))
	line("sigalert", sourceVersion())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if strings.HasPrefix(m.Path, "github.com/nats-io/nats-server") || m.Path == "github.com/nats-io/nats.go" {
				line(strings.TrimPrefix(m.Path, "github.com/nats-io/"), m.Version)
			}
		}
	}
	return b.String()
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if what, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(what) == "model name" {
				return strings.TrimSpace(model)
			}
		}
	}
	return "unknown"
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

func sourceVersion() string {
	text, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
