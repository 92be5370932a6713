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
	if err := os.WriteFile(plotPath, []byte(plot(against(all, "NATS"))), 0o644); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(page(p, all, filepath.Base(plotPath))), 0o644)
}

func page(p plan, all []figure, plotFile string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Benchmarks

The library %[1]ssig%[1]s compared with NATS: an embedded %[1]snats-server%[1]s with %[1]snats.go%[1]s clients does the same work as ours, in the same run, on the same machine.

![ours ÷ NATS, for each measure](%[2]s)

%[3]s
The column “ours ÷ NATS” is the plain ratio: if higher is better, we lead when it is above 1; if lower is better, when it is below 1. NATS has no counterpart to (a) and (g). pysig's figures come from an earlier measurement of pysig, not from this run.

Publishing by HTTP compared with gotify's server, which keeps every message in a database; ours keeps the latest events in memory and in files.

%[4]s
%[1]smake bench%[1]s writes this page, from the run that it describes.

`, "`", plotFile, table(all), webTable(all))
	fmt.Fprintf(&b, `## How it is measured

Server and clients talk over TCP on the loopback interface. Unless stated otherwise, they share one process, each client has its own connections, and all settings are the defaults, for NATS too. The data is a JSON string of %d bytes, the same for both. %s

- **(a) In process.** %s calls empty listeners in a Go benchmark of one second.
- **(b) Fan-out.** One client publishes for %g s, and every listener is a separate client. With both systems the publisher is never more than %s events ahead of the slowest listener, so that nothing is dropped. Each event has a number: the run counts only if every listener gets every event exactly once, in order. The clock stops when the last event arrives.
- **(c) Latency.** One event at a time, from the call that publishes it to the listener's callback; at most %s events. For NATS the call is a plain %s.
- **(d) Requests.** A client asks, the server passes the request on, another client answers with the same data, and the answer comes back; one request at a time.
- **(e) Idle clients.** The server and the clients are separate processes. Their memory is what the process holds in RAM (VmRSS), after a garbage collection that returns free memory to the system. The figure is the difference between one client and all of them, divided by their number. What the kernel holds for each connection is not included.
- **(f) Reconnecting.** The server and the clients are separate processes. The server is killed; once all clients have noticed, a new one starts on the same port, at once or after a pause. The clock runs from when it listens until it has confirmed every subscription; after that an event has to reach each client. The clients wait as long as their defaults say. nats.go waits %g s and up to %g s more before every attempt. Ours waits at most a quarter of a second before the first attempt, and then a random time of at most a fifth of the absence (at least 0.5 s, and in the first minute 2 s at most), so that clients do not all return to a server at once.
- **(g) A pysig client.** %d of our clients trigger events at the same time, each waiting for the server's answers. The listener behaves on the wire like pysig, which takes whatever one read returns to be one message. The server's queue for the client is long enough for the whole run.
- **(h) HTTP.** The servers, %s and gotify's, are separate processes with their default settings, and begin each round empty. Each connection stays open and sends its next POST once the answer to the one before has arrived, for %g s; nobody listens. Ours answers when the event is in the router's memory, in its listeners' queues and written to its store, which is synced within 5 ms. gotify's checks the application's token, and answers when the message is in its SQLite database and in its listeners' queues; how fast it is depends on the disk. Latency is measured one event at a time, from the start of the POST to the listener's callback: our listener is a client over TCP, gotify's reads its WebSocket.
- **(i) Kept in files.** NATS is JetStream with a stream in files. One client with one connection publishes, from one goroutine or %d, each waiting for its answer before the next. “Kept in files” is the default of both: ours answers when the system has the event, and syncs within 5 ms; JetStream answers likewise, and syncs every %s. “Each synced to the disk” is %s, and JetStream's %s: an answer means that the disk has the event. How fast that is depends on the disk. The latency is that of one event at a time, from the call to its return.

`, payloadSize, rounds(p), "`Signal.Trigger`", p.fanout.Seconds(), whole(window), whole(p.samples), "`Publish`",
		nats.DefaultReconnectWait.Seconds(), nats.DefaultReconnectJitter.Seconds(), pysigSenders, "`sigalert serve`", p.fanout.Seconds(),
		keptPublishers, "2 minutes", "`--sync each`", "`SyncAlways`")
	fmt.Fprintf(&b, `## The machine

%s
## Running it

%smake bench%s runs the benchmarks and writes this page. The program is in %sbench/%s, a Go module of its own, so that sigalert does not depend on NATS. It needs Linux and a C compiler, with which gotify's server is built, and takes a few minutes.

    cd bench
    go run . -quick            # a short run, to see that it works
    go run . -only b,c         # only two of the measures
    TMPDIR=/dev/shm go run . -only h    # gotify's database in memory, not on disk
    go run . -save ../docs/benchmarks.md
`, machine(), "`", "`", "`", "`")
	return b.String()
}

func rounds(p plan) string {
	if p.rounds == 1 {
		return "**This was a quick run, of one round and few events: its figures mean little.**"
	}
	return fmt.Sprintf("Each measure except (e) runs %d times, alternating between ours and the other; the figures are medians.", p.rounds)
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
	line("gotify/server/v2", gotifyVersion)
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
