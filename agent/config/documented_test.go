package config

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// docs/configuration.md has every key.
func TestKeysAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	p := newParser("")
	for _, keys := range []map[string]setter{
		p.fileKeys(nil, nil), p.placeKeys(), p.subscriptionKeys(new(Subscription)), p.alertKeys(new(Subscription)),
		p.actionKeys(new(Action)), p.serverKeys(new(Server)), p.historyKeys(new(History), nil, nil),
	} {
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if !strings.Contains(string(text), "`"+key+"`") && !strings.Contains(string(text), "`"+key+":") &&
				!strings.Contains(string(text), "{"+key+":") && !strings.Contains(string(text), " "+key+":") {
				t.Errorf("there is nothing about %s", key)
			}
		}
	}
}
