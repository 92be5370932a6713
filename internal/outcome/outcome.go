// Package outcome says what became of an alert.
package outcome

// Outcome is what became of an alert. Logs keep it as a number: the order of the
// constants stays.
type Outcome uint8

// The outcomes.
const (
	None   Outcome = iota // it was not an alert
	Shown                 // the desktop took it
	Held                  // it was held back
	Failed                // the desktop did not take it
)

// String returns "shown", "held back" or "not shown", and nothing for None.
func (o Outcome) String() string {
	switch o {
	case Shown:
		return "shown"
	case Held:
		return "held back"
	case Failed:
		return "not shown"
	}
	return ""
}
