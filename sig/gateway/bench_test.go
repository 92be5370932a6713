package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/sig"
)

// Publishes by as many connections, which stay open.
func BenchmarkPublish(b *testing.B) {
	for _, conns := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(conns), func(b *testing.B) {
			s := newSite(b, nil)
			newListener(b, s, "somebody", "else")
			request := []byte("POST /me/hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
			var tasks sync.WaitGroup
			b.ResetTimer()
			for i := range conns {
				conn := s.dial(b)
				_ = conn.SetDeadline(time.Time{})
				n := b.N/conns + min(1, max(0, b.N%conns-i))
				tasks.Go(func() {
					r := bufio.NewReader(conn)
					for range n {
						if _, err := conn.Write(request); err != nil {
							b.Error(err)
							return
						}
						response, err := http.ReadResponse(r, nil)
						if err != nil || response.StatusCode != 200 {
							b.Error(err)
							return
						}
						_, _ = io.Copy(io.Discard, response.Body)
					}
				})
			}
			tasks.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
		})
	}
}

// From the start of a POST to the callback: of a listener in the router's process,
// and of one at a client.
func BenchmarkToCallback(b *testing.B) {
	for _, where := range []string{"local", "remote"} {
		b.Run(where, func(b *testing.B) {
			s := newSite(b, nil)
			var arrived <-chan sig.Event
			if where == "local" {
				local := make(chan sig.Event, 1)
				if _, err := s.AddListener("me", "hello", func(ev sig.Event) { local <- ev }); err != nil {
					b.Fatal(err)
				}
				arrived = local
			} else {
				arrived = newListener(b, s, "me", "hello")
			}
			var took []time.Duration
			b.ResetTimer()
			for b.Loop() {
				began := time.Now()
				answered := make(chan struct{})
				go func() {
					defer close(answered)
					response, err := client.Post(s.url+"/me/hello", "text/plain", strings.NewReader("hello"))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}()
				<-arrived
				took = append(took, time.Since(began))
				<-answered
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
