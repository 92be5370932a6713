package agent

import "sigalert/agent/config"

// Apply is a reload without a file, for tests within a bubble of time: what
// watches files waits outside of it.
func (a *Agent) Apply(c *config.Config) { a.ask(func() { a.apply(c) }) }
