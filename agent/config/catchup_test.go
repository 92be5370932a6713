package config_test

import (
	"strings"
	"testing"
	"time"

	"sigalert/agent/config"
)

func TestCatchUp(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"":                           24 * time.Hour,
		"catch_up: true":             24 * time.Hour,
		"catch_up: {}":               24 * time.Hour,
		"catch_up: false":            -1,
		"catch_up: {max_age: 7d}":    7 * 24 * time.Hour,
		"catch_up: {max_age: 90m}":   90 * time.Minute,
		"catch_up: {max_age: 1h30m}": 90 * time.Minute,
	} {
		c, err := config.Parse("c.yaml", []byte("subscriptions: [{}]\n"+text))
		if err != nil || c.CatchUp != want {
			t.Errorf("%s: %v, %v", text, c, err)
		}
	}
	for text, want := range map[string]string{
		"catch_up: never":         `c.yaml:2: catch_up: must be false or have keys, such as "catch_up: {max_age: 24h}", not the text "never"`,
		"catch_up: {max_age: 24}": `c.yaml:2: catch_up.max_age: "24" has no unit: write 24s for seconds, or 24m for minutes`,
		"catch_up: {max_age: 0s}": `c.yaml:2: catch_up.max_age: "0s" is no time at all: use at least 1m`,
		"catch_up: {age: 24h}":    `c.yaml:2:12: catch_up: unknown key "age"`,
		"catchup: false":          `c.yaml:2:1: unknown key "catchup"`,
	} {
		if _, err := config.Parse("c.yaml", []byte("subscriptions: [{}]\n"+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
