package notify

// A Screen is what a [Desktop] has shown that may still be there, for the Desktop of a
// later process: at most 256 notifications, and as many keys.
type Screen struct {
	Server string     `json:"server,omitempty"` // that shows it: the bus and the server's name there; "": none
	Shown  []OnScreen `json:"shown,omitempty"`  // oldest first
}

// OnScreen is a notification that was shown.
type OnScreen struct {
	ID      uint32 `json:"id,omitempty"` // the server's number for it; 0: it gives none
	Key     string `json:"key,omitempty"`
	Ref     uint64 `json:"ref,omitempty"`
	URL     string `json:"url,omitempty"`
	Buttons uint64 `json:"buttons,omitempty"` // a bit for the index of each
	Reply   int    `json:"reply,omitempty"`   // the index of the line to type into, from 1; 0: none
}

// Screen returns what has been shown so far. It does not wait.
func (d *Desktop) Screen() Screen {
	if s := d.screen.Load(); s != nil {
		return *s
	}
	return Screen{}
}

// Restore takes over what another Desktop has shown, if the server that has it is still
// there: a key replaces it, and what somebody does with it is reported, once Notify or
// Server has connected. It is called before the first of these.
func (d *Desktop) Restore(s Screen) {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	d.backend.restore(s)
	d.screen.Store(&s)
}
