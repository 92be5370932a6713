package agent

import (
	"context"
	"os/exec"
	"syscall"
)

// commandOf has no window of its own.
func commandOf(ctx context.Context, j job) *exec.Cmd {
	args := j.args
	if j.shell {
		args = []string{"cmd.exe", "/c", args[0]}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true}
	return cmd
}
