package web

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever has many addresses makes none of those forgotten from which too much was
// tried, as long as there are others.
func TestAttemptsOfManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a attempts
		guess := func(n int) verdict {
			r := &http.Request{RemoteAddr: fmt.Sprintf("[2001:db8:%x:%x::1]:5", n>>16, n&0xffff)}
			return a.try(r, func() bool { return false })
		}
		tooMuch := func(n int) {
			t.Helper()
			for range burst {
				guess(n)
			}
			if guess(n) != unchecked {
				t.Error("too many attempts are checked")
			}
		}
		for n := range maxAddresses - 1 {
			guess(n)
		}
		time.Sleep(time.Second) // all but one have made no attempt for so long
		tooMuch(maxAddresses)
		guess(maxAddresses + 1)
		if guess(maxAddresses) != unchecked || len(a.by) != 2 {
			t.Errorf("%d addresses are known; what was tried too much is forgotten", len(a.by))
		}
		tooMuch(maxAddresses + 2)
		for n := range 3 * maxAddresses { // faster than they can be forgotten for having made none
			guess(n)
		}
		if guess(maxAddresses+2) != unchecked || len(a.by) > maxAddresses {
			t.Errorf("%d addresses are known; what was tried too much is forgotten", len(a.by))
		}
	})
}
