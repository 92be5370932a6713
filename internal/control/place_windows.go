package control

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// pipe is the pipe's name, which has no folders: the user's is in its sum.
func pipe(path string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(path)))
	return fmt.Sprintf(`\\.\pipe\%s-%x`, filepath.Base(path), sum[:8])
}

// CheckFolder returns an error unless the folder of a socket is there.
func CheckFolder(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", path)
	}
	return err
}

// listen makes a pipe that its owner alone can open. It fails if there is one of this
// name, whoever made that; a pipe ends with its process.
func listen(path string) (net.Listener, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return winio.ListenPipe(pipe(path), &winio.PipeConfig{SecurityDescriptor: "D:P(A;;GA;;;" + user.User.Sid.String() + ")"})
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	return winio.DialPipeContext(ctx, pipe(path))
}
