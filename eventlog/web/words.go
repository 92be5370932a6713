package web

import (
	"fmt"
	"strconv"
	"time"

	"sigalert/eventlog"
	"sigalert/internal/plain"
	"sigalert/sig"
)

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(n) + " " + what + "s"
}

// grouped is a number with its digits in groups: 100,000.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

const mostName = 200 // characters of a name that are shown

// nameText is a name in a line.
func nameText(n sig.Name) string { return plain.Line(n.String(), mostName) }

// topicText is a topic in a sentence.
func topicText(t eventlog.Topic) string {
	switch {
	case t.Sender.IsEvery() && t.Event.IsEvery():
		return "every event"
	case t.Sender.IsEvery():
		return nameText(t.Event) + " of any sender"
	case t.Event.IsEvery():
		return "every event of " + nameText(t.Sender)
	}
	return nameText(t.Sender) + ": " + nameText(t.Event)
}

// ago is a time as people say it.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

func sizeText(n int) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
