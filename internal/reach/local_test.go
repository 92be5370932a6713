package reach

import "testing"

// What this user's routers say counts only at this machine's own addresses, and where
// nothing is configured.
func TestLocally(t *testing.T) {
	const local, elsewhere = "127.0.0.1:3000", "192.0.2.1:3000"
	for _, tc := range []struct {
		addresses []string
		ours      bool
		proof     Proof
		port      string
	}{
		{[]string{local}, false, Proof{}, "3000"},
		{[]string{"tls://localhost:3001"}, false, Proof{}, "3001"},
		{[]string{"[::1]:3000"}, false, Proof{}, "3000"},
		{[]string{elsewhere}, true, Proof{}, "3000"},
		{[]string{elsewhere}, false, Proof{}, ""},
		{[]string{"tls://" + elsewhere}, false, Proof{}, ""},
		{[]string{"localhost.example:3000"}, false, Proof{}, ""},
		{[]string{local, elsewhere}, false, Proof{}, ""},
		{[]string{local}, true, Proof{Token: "sigalert_a"}, ""},
		{[]string{local}, true, Proof{Cert: "/a.pem"}, ""},
	} {
		want := tc.proof
		if tc.port != "" {
			want.Folder, want.Port = "/local", tc.port
		}
		if got := tc.proof.Locally("/local", tc.addresses, tc.ours); got != want {
			t.Errorf("%v: %+v", tc, got)
		}
	}
}
