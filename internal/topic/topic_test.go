package topic_test

import (
	"strings"
	"testing"

	"sigalert/internal/topic"
	"sigalert/sig"
)

func TestString(t *testing.T) {
	for want, in := range map[string]topic.Topic{
		"every event":                        {},
		"every event of 5":                   {Sender: sig.Number(5)},
		"every event of timer":               {Sender: "timer"},
		"#notify of any sender":              {Event: "#notify"},
		"timer: tick":                        {Sender: "timer", Event: "tick"},
		`"a\nb": 5`:                          {Sender: "a\nb", Event: sig.Number(5)},
		strings.Repeat("x", 199) + "…: tick": {Sender: sig.Name(strings.Repeat("x", 1000)), Event: "tick"},
	} {
		if got := in.String(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		topic         topic.Topic
		sender, event sig.Name
		want          bool
	}{
		{topic.Topic{"s", "e"}, "s", "e", true},
		{topic.Topic{"s", "e"}, "s", "f", false},
		{topic.Topic{"s", "e"}, "t", "e", false},
		{topic.Topic{"s", "e"}, "s", "", false}, // a broadcast
		{topic.Topic{"s", ""}, "s", "", true},
		{topic.Topic{"s", ""}, "s", "f", true},
		{topic.Topic{"s", ""}, "t", "f", false},
		{topic.Topic{"", "e"}, "t", "e", true},
		{topic.Topic{"", "e"}, "t", "f", false},
		{topic.Topic{}, "t", "f", true},
		{topic.Topic{}, "t", sig.EventConnect, true},
		{topic.Topic{sig.Number(1), "e"}, sig.Number(1.0), "e", true},
	} {
		if got := tc.topic.Matches(sig.Event{Sender: tc.sender, Event: tc.event}); got != tc.want {
			t.Errorf("%q, %s: %s: %v", tc.topic, tc.sender, tc.event, got)
		}
	}
}

func TestIsPresence(t *testing.T) {
	for event, want := range map[sig.Name]bool{sig.EventConnect: true, sig.EventDisconnect: true, "": false, "#notify": false, "tick": false} {
		if got := topic.IsPresence(event); got != want {
			t.Errorf("%q: %v", event, got)
		}
	}
}
