package memory

import (
	"encoding/json"
	"time"

	"sigalert/agent/notify"
	"sigalert/sig"
)

// Alert is what became of an event's alert.
type Alert struct {
	Number   int                  `json:"number"`
	Sub      string               `json:"sub,omitempty"`    // the subscription's identity; "": none took it
	Server   string               `json:"server,omitempty"` // its name; "": it has none
	Sender   sig.Name             `json:"sender"`
	Event    sig.Name             `json:"event"`
	Data     json.RawMessage      `json:"data,omitempty"`
	Cut      bool                 `json:"cut,omitempty"` // it had more data than is kept
	Seq      uint64               `json:"seq,omitempty"` // the server's number; 0: it has none
	Time     time.Time            `json:"time"`
	Verdicts []Verdict            `json:"verdicts"`
	Sent     *notify.Notification `json:"sent,omitempty"` // nil: nothing was
	Buttons  []Button             `json:"buttons,omitempty"`
	Read     bool                 `json:"read,omitempty"`
}

// Verdict is what a stage decided, and why.
type Verdict struct {
	Stage    string `json:"stage"`
	Decision uint8  `json:"decision"`
	Reason   string `json:"reason,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// Button is what a button does.
type Button struct {
	Open   string          `json:"open,omitempty"`
	Snooze time.Duration   `json:"snooze,omitempty"`
	Sender sig.Name        `json:"sender,omitempty"` // of a request
	Method sig.Name        `json:"method,omitempty"` // of a request; "": there is none
	Params json.RawMessage `json:"params,omitempty"` // of a request
	Reply  bool            `json:"reply,omitempty"`  // a text that is typed is the params
}
