package agent

import (
	"errors"
	"fmt"
	"testing"

	"sigalert/sig"
)

// The line has those first that are not there, and no more names than it has room for.
func TestLineOfSeveralServers(t *testing.T) {
	here := func(name string) ServerStatus {
		return ServerStatus{Name: name, Address: name + ":3000", Connected: true}
	}
	gone := func(name string) ServerStatus {
		return ServerStatus{Name: name, Address: name + ":3000", Lost: true, Err: errors.New("no route")}
	}
	coming := func(name string) ServerStatus { return ServerStatus{Name: name, Address: name + ":3000"} }
	refused := ServerStatus{Name: "nas", Err: fmt.Errorf("nas:3000: %w", sig.ErrNotAdmitted)}
	taken := ServerStatus{Name: "router", Err: &routerError{short: "127.0.0.1:3000 is taken"}}
	subs := []SubscriptionStatus{{Status: sig.Active}, {Status: sig.Pending}}
	for want, all := range map[string][]ServerStatus{
		"Connected to home, 1 of 2 subscriptions":                                       {here("home")},
		"Connected to home, work, 1 of 2 subscriptions":                                 {here("home"), here("work")},
		"Connected to 4 servers, 1 of 2 subscriptions":                                  {here("a"), here("b"), here("c"), here("d")},
		"No connection to work. Connected to home, 2 subscriptions":                     {here("home"), gone("work")},
		"No connection to work. Connecting to den":                                      {gone("work"), coming("den")},
		"Connecting to den. Connected to home, 2 subscriptions":                         {here("home"), coming("den")},
		"router: 127.0.0.1:3000 is taken. No connection to 4 servers":                   {gone("a"), gone("b"), taken, gone("c"), gone("d")},
		"Not admitted without a valid token by nas. Connected to home, 2 subscriptions": {here("home"), refused},
		"No connection to a:3000":                                                       {{Address: "a:3000", Lost: true}},
		"Connecting to a:3000 or b:3000":                                                {{Address: "a:3000 or b:3000"}},
	} {
		st := Status{Servers: all, Subscriptions: subs}
		st.sum()
		if got := st.Line(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	st := Status{Servers: []ServerStatus{
		{Name: "a", Connected: true, Since: at(1)}, {Name: "b", Since: at(5), Err: errors.New("b's")}, {Name: "c", Since: at(3), Lost: true, Err: errors.New("c's")}, {Name: "d", Connected: true, Since: at(9), Router: true},
	}}
	st.sum()
	if st.Server != "a, b, c, d" || st.Connected || st.Since != at(3) || st.LinkError.Error() != "b's" || !st.Lost || !st.Router {
		t.Errorf("%+v", st)
	}
}
