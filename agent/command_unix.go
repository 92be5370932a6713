//go:build unix

package agent

import (
	"context"
	"os/exec"
	"syscall"
)

// commandOf ends with all that it has started.
func commandOf(ctx context.Context, j job) *exec.Cmd {
	args := j.args
	if j.shell {
		args = []string{"/bin/sh", "-c", args[0]}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}
