package cli

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/adrg/xdg"

	"sigalert/internal/control"
)

// errNoAgent is the error of the commands that speak to a running agent.
var errNoAgent = errors.New("no agent is running\nstart it with \"sigalert\", or at each login with \"sigalert autostart enable\"")

// askAgent asks this user's running agent for something. It returns the folder with its
// lock and its socket.
func askAgent(ctx context.Context, method string, params, result any) (folder string, err error) {
	// An agent that started before there was a runtime folder has not moved since.
	for _, folder := range []string{xdg.RuntimeDir, stateFolder()} {
		err := control.Call(ctx, filepath.Join(folder, socketFile), method, params, result)
		if !errors.Is(err, control.ErrNobody) {
			return folder, err
		}
	}
	return "", errNoAgent
}
