//go:build linux

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// Publishers are killed, again and again: of one that repeats what was not answered, with
// the same id, everything comes once; of what "sigalert send --lines" was given, the first
// lines come, once each, however many. SIGALERT_KILLS says how often.
func TestKilledPublisherLosesNothing(t *testing.T) {
	t.Run("plain", func(t *testing.T) { killPublishers(t) })
	t.Run("secured", func(t *testing.T) { killPublishers(t, secured...) })
}

func killPublishers(t *testing.T, flags ...string) {
	h, bin := newHome(t), program(t)
	s := h.serveKeeping(t, bin, free(t), filepath.Join(h.dir, "store"), flags...)
	to := s.way(t)
	c := newCrowd(t, to, 0, 2)
	next, fed := 0, []int{}
	kills := often("SIGALERT_KILLS", 10)
	for i := range kills + 1 {
		numbers := startNumbers(t, to, next)
		lines, feed := startLines(t, h, bin, to)
		fed = append(fed, 0)
		feeding := wait.Start(t.Context(), func(ctx context.Context) {
			for err := error(nil); err == nil && ctx.Err() == nil; time.Sleep(time.Millisecond) {
				if _, err = fmt.Fprintf(feed, "line %d of %d\n", fed[i], i); err == nil {
					fed[i]++
				}
			}
			feed.Close()
		})
		time.Sleep(100*time.Millisecond + rand.N(200*time.Millisecond))
		if i < kills {
			numbers.kill()
			lines.kill()
			feeding()
		} else { // the last ones end by themselves
			feeding()
			if code := lines.wait(t); code != 0 {
				t.Errorf("send ends with %d", code)
			}
			if code := numbers.terminate(t); code != 0 {
				t.Errorf("the publisher ends with %d", code)
			}
		}
		c.mu.Lock()
		for _, text := range numbers.stdout() {
			n, err := strconv.Atoi(text)
			if err != nil || n != next {
				t.Fatalf("number %d is followed by %s", next-1, text)
			}
			c.sent[text] = true
			next++
		}
		c.mu.Unlock()
	}
	if next < kills {
		t.Errorf("only %d numbers were answered", next)
	}
	c.mu.Lock()
	for n := range fed[kills] {
		c.sent[fmt.Sprintf("line %d of %d", n, kills)] = true
	}
	c.mu.Unlock()
	c.end()
	for i, n := range fed {
		for _, heard := range c.heard {
			last := true
			for k := range n {
				is := heard[fmt.Sprintf("line %d of %d", k, i)] > 0
				if is && !last {
					t.Fatalf("line %d of %d has come, and the one before it has not", k, i)
				}
				last = is
			}
		}
	}
}

// startNumbers starts a publisher of numbers, which prints each that is answered.
func startNumbers(t *testing.T, to way, first int) *process {
	return start(t, []string{"SIGALERT_PUBLISHER=" + strings.Join([]string{to.addr, to.fingerprint, to.token, strconv.Itoa(first)}, " ")}, os.Args[0])
}

// publishNumbers is that process.
func publishNumbers(told string) (code int) {
	words := strings.Split(told, " ")
	first, err := strconv.Atoi(words[3])
	if err != nil {
		return 2
	}
	ending, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	client := way{words[0], words[1], words[2]}.client(sig.ClientOptions{})
	defer wait.Start(context.Background(), client.Run)()
	for n := first; ending.Err() == nil; n++ {
		text := strconv.Itoa(n)
		if _, err := client.Publish(context.Background(), sig.Publication{Sender: "n", Event: "e", Data: text, ID: "number " + text}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(text)
	}
	return 0
}

// startLines starts a "sigalert send --lines", and returns what feeds it.
func startLines(t *testing.T, h *home, bin string, to way) (*process, *os.File) {
	r, w, err := os.Pipe()
	check(t, err)
	defer r.Close()
	t.Cleanup(func() { w.Close() })
	env, server := h.env, fmt.Sprintf("server: %s\n", to.addr)
	if to.fingerprint != "" {
		env = append(env, "SIGALERT_TOKEN="+to.token)
		server = fmt.Sprintf("servers: {r: {url: 'tls://%s', fingerprint: '%s'}}\n", to.addr, to.fingerprint)
	}
	config := h.write(t, "config/sigalert/config.yaml", server+"subscriptions: []\n")
	return startWith(t, env, r, "/bin/sh", "-c", `exec "$0" --config "$1" send --lines n e - <&3 3<&-`, bin, config), w
}
