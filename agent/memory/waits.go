package memory

import (
	"encoding/json"
	"time"

	"sigalert/agent/notify"
	"sigalert/sig"
)

// Waiting is an alert that waits, for it may be resolved.
type Waiting struct {
	Number int             `json:"number,omitempty"`
	Sub    string          `json:"sub"`              // the subscription's identity
	Server string          `json:"server,omitempty"` // its name; "": it has none
	Sender sig.Name        `json:"sender"`
	Event  sig.Name        `json:"event"`
	Data   json.RawMessage `json:"data,omitempty"`
	Seq    uint64          `json:"seq,omitempty"`
	Time   time.Time       `json:"time"`
	Key    string          `json:"key,omitempty"`
	Since  time.Time       `json:"since"`
	Until  time.Time       `json:"until"`
}

// Inhibitor is a tag that is shown, and what it holds back.
type Inhibitor struct {
	Tag   string    `json:"tag"`
	Keys  []string  `json:"keys"` // of the alerts that show it
	Until time.Time `json:"until"`
	Held  Hold      `json:"held"`
}

// Repeating is an alert that is shown again.
type Repeating struct {
	Sub    string              `json:"sub"` // the subscription's identity
	Alert  notify.Notification `json:"alert"`
	Unless string              `json:"unless,omitempty"` // the tag that holds it back
	Since  time.Time           `json:"since"`            // when it was shown first
	Due    time.Time           `json:"due"`
	Shown  int                 `json:"shown,omitempty"` // how often since then
}

// Escalating is a critical alert that waits for an answer.
type Escalating struct {
	Sub    string              `json:"sub"`              // the subscription's identity
	Server string              `json:"server,omitempty"` // its name; "": it has none
	Sender sig.Name            `json:"sender"`
	Event  sig.Name            `json:"event"`
	Data   json.RawMessage     `json:"data,omitempty"` // empty if it was too large to keep
	Time   time.Time           `json:"time"`
	Alert  notify.Notification `json:"alert"`
	Due    time.Time           `json:"due"`
}

// Expected is what a subscription expects.
type Expected struct {
	Last    time.Time     `json:"last"`           // of the last event; zero: there was none
	Counted time.Duration `json:"counted"`        // since then, or since the beginning
	Told    bool          `json:"told,omitempty"` // that nothing came
}
