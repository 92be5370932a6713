package gateway_test

import (
	"fmt"
	"sync"
	"testing"
)

// Many streams that are opened at once, from one address, all get what happens.
func TestManyStreams(t *testing.T) {
	s := newSite(t, nil)
	const n = 200 // an address may have 256 connections that have said nothing yet
	var tasks sync.WaitGroup
	defer tasks.Wait()
	for range n {
		tasks.Go(func() {
			next, end := s.follow(t, "?format=json&since=all")
			defer end()
			for i := range 3 {
				if data, _ := dataOf(t, next()); fmt.Sprint(data) != fmt.Sprint(i) {
					t.Errorf("%v, not %d", data, i)
				}
			}
		})
	}
	for i := range 3 {
		s.publish(t, "me", "hello", i)
	}
}
