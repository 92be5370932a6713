package cli

import (
	"net"
	"path/filepath"

	"sigalert/agent/config"
	"sigalert/internal/token"
)

// localFolder is where this user's routers say how its programs on this machine use them.
func localFolder() string { return filepath.Join(stateFolder(), "local") }

// provide lets this user's programs on this machine use the router at once, if its tokens
// are those of the user, or it is that of the agent, which could not use it otherwise. What
// it has said stays after its end: a program that takes its place does not get the token.
func (r *router) provide(c *config.Router) {
	_, port, _ := net.SplitHostPort(r.addr())
	var err error
	if c.HasOwnTokens() || r.agents && c.Admits() {
		err = token.Provide(localFolder(), tokensFile(c), port, certificateFile(c))
	} else {
		err = token.Withdraw(localFolder(), port)
	}
	if err != nil {
		r.log.Warn("this user's commands may not find out how to use the router", "err", err)
	}
}
