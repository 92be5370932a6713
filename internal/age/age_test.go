package age_test

import (
	"testing"
	"time"

	"sigalert/internal/age"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "0d": 0, "90m": 90 * time.Minute, "30d": 720 * time.Hour, "1.5d": 36 * time.Hour,
	} {
		if got, err := age.Parse(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "5", "-1h", "-1d", "1ms", "99999d", "1e30d", "NaNd", "3w"} {
		if got, err := age.Parse(text); err == nil {
			t.Errorf("%q is %v", text, got)
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
