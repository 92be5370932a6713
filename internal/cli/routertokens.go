package cli

import (
	"fmt"
	"net"
	"path/filepath"

	"sigalert/agent/config"
	"sigalert/internal/token"
)

// tokensPath is where tokens are, for all routers of a user.
func tokensPath() string { return filepath.Join(stateFolder(), "tokens.json") }

// tokensFile is the file of a router's tokens; "" if it has none.
func tokensFile(c *config.Router) string {
	switch {
	case !c.Admits():
		return ""
	case c.HasOwnTokens():
		return tokensPath()
	}
	return c.Tokens
}

// openTokens returns nil if there are to be none.
func (p *program) openTokens(c *config.Router) (*token.Book, error) {
	file := tokensFile(c)
	if file == "" {
		return nil, nil
	}
	book, err := token.Open(file, p.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Place("tokens"), err)
	}
	return book, nil
}

// newTokenFor is how a token for a router is made.
func newTokenFor(c *config.Router, name string) string {
	text := "sigalert token new " + name + " --listen '*' --send '*'"
	if !c.HasOwnTokens() || stateFolder() != userStateFolder() {
		text += " --tokens " + tokensFile(c)
	}
	return text
}

// require has the router admit clients without TLS, or without a token, as it is told.
func (r *router) require(c *config.Router) {
	if r.tokens == nil {
		return
	}
	r.tokens.Require(c.Encrypts() && !c.Insecure, c.AllowLegacy)
	if len(c.AllowLegacy) > 0 && !r.tokens.Has(token.LegacyName) {
		r.log.Warn("the clients of "+c.Place("allow_legacy")+" have no rights yet: this gives them some", "run", newTokenFor(c, token.LegacyName))
	}
}

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
