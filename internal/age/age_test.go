package age_test

import (
	"testing"
	"time"

	"sigalert/internal/age"
)

const day = 24 * time.Hour

func TestParse(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "0d": 0, "30d": 30 * day, "720h": 30 * day, "1.5d": 36 * time.Hour, "1m": time.Minute, "60s": time.Minute, "0m": 0, "0.0d": 0, "1d12h30m": 36*time.Hour + 30*time.Minute,
		"1h30m": 90 * time.Minute, "106751d": 106751 * day,
	} {
		if got, err := age.Parse(in); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "d", "30", "-1d", "-1h", "1d-1h", "1d+1h", "1h1d", "30D", "30 d", "30d ", "1dd", "1d1d", "1d1", "..d", "1e3d", "x",
		"106752d", "106751d24h", "99999999999999999999d", "9999999999h",
		"0.0001s", "1ns", "59.9s", "0.0001d", "0.00000000000000001d", "0.00000000000000001h", "0d1s", // would remove everything
	} {
		if got, err := age.Parse(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestText(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0": 0, "30d": 720 * time.Hour, "36h": 36 * time.Hour, "1h30m": 90 * time.Minute, "1m30s": 90 * time.Second, "10h": 10 * time.Hour,
	} {
		if got := age.Text(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
