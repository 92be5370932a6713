package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"

	"sigalert/internal/control"
)

// errNoAgent is the error of the commands that speak to a running agent.
var errNoAgent = errors.New("no agent is running\nstart it with \"sigalert\", or at each login with \"sigalert autostart enable\"")

// errNoSocket is that error where one runs all the same.
var errNoSocket = errors.New("an agent is running, but commands cannot speak to it: its log says why")

// askAgent asks this user's running agent for something. It returns the folder with its
// lock and its socket.
func askAgent(ctx context.Context, method string, params, result any) (folder string, err error) {
	failed := errNoAgent
	// An agent that started before there was a runtime folder has not moved since.
	for _, folder := range []string{xdg.RuntimeDir, stateFolder()} {
		err := control.Call(ctx, filepath.Join(folder, socketFile), method, params, result)
		switch {
		case err == nil || errors.As(err, new(*control.Refused)):
			return folder, err
		case !errors.Is(err, control.ErrNobody):
			failed = err // another folder's agent may answer
		case failed == errNoAgent && locked(filepath.Join(folder, lockFile)):
			failed = errNoSocket
		}
	}
	return "", failed
}

// locked reports whether an agent holds a lock.
func locked(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	lock := flock.New(path)
	got, err := lock.TryLock()
	if got {
		_ = lock.Unlock()
	}
	return err == nil && !got
}
