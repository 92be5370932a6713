package agent

import (
	"time"

	"sigalert/agent/config"
)

// Apply is a reload without a file, for tests within a bubble of time: what
// watches files waits outside of it.
func (a *Agent) Apply(c *config.Config) { a.ask(func() { _ = a.apply(c) }) }

// In has the machine be where zone says.
func (a *Agent) In(zone func() *time.Location) { a.ask(func() { a.zone = zone }) }
