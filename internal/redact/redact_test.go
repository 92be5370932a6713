package redact_test

import (
	"fmt"
	"strings"
	"testing"

	"sigalert/internal/redact"
)

func TestWriter(t *testing.T) {
	secret := "sigalert_" + strings.Repeat("aZ_-", 10) + "xyz"
	for text, want := range map[string]string{
		"":                            "",
		"nothing of it":               "nothing of it",
		"err=" + secret:               "err=sigalert_…",
		`{"token": "` + secret + `"}`: `{"token": "sigalert_…"}`,
		secret + "," + secret + "\n":  "sigalert_…,sigalert_…\n",
		"desk#" + secret + "@sha256":  "desk#sigalert_…@sha256",
		secret[:40]:                   "sigalert_…",
		"sigalert_clients":            "sigalert_clients", // a metric
	} {
		var b strings.Builder
		if n, err := fmt.Fprint(redact.Writer(&b), text); n != len(text) || err != nil || b.String() != want || redact.Text(text) != want {
			t.Errorf("%q: %q, %d, %v", text, b.String(), n, err)
		}
	}
}
