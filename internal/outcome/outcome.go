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

// Parse is the outcome whose String this is.
func Parse(text string) (o Outcome, ok bool) {
	for o := range Failed + 1 {
		if o.String() == text {
			return o, true
		}
	}
	return None, false
}

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
