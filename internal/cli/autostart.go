package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"sigalert/internal/autostart"
)

func (p *program) autostart() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "autostart",
		Short: "Start the agent at login",
		Example: `  sigalert autostart enable
  sigalert autostart status`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(errors.New("autostart requires one of enable, disable and status"))
		},
	}
	cmd.AddCommand(
		&cobra.Command{Use: "enable", Short: "Start at login from now on", Args: noArgs, RunE: func(*cobra.Command, []string) error { return p.enableAutostart() }},
		&cobra.Command{Use: "disable", Short: "No longer start at login", Args: noArgs, RunE: func(*cobra.Command, []string) error {
			removed, err := autostart.Disable()
			if err != nil {
				return err
			}
			if removed {
				fmt.Fprintln(p.out, "sigalert no longer starts at login")
			} else {
				fmt.Fprintln(p.out, "sigalert was not set to start at login")
			}
			return nil
		}},
		&cobra.Command{Use: "status", Short: "Show whether it starts at login; exit with 1 if the program is not there", Args: noArgs, RunE: func(*cobra.Command, []string) error { return p.autostartStatus() }},
	)
	return cmd
}

func (p *program) enableAutostart() error {
	exe, err := calledBy(os.Args[0])
	if err != nil {
		return err
	}
	if builtByRun(exe) {
		return fmt.Errorf("%s exists only during this run: build the program first, with go build", exe)
	}
	where, err := autostart.Enable(exe)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "sigalert starts at login: %s runs %s\n", where, exe)
	return nil
}

// calledBy returns the absolute path of this program by the name that it was
// called by. Symbolic links in it stay, as an upgrade may replace what they point
// to. If the name leads to another program, the system says where this one is.
func calledBy(name string) (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	path, err := exec.LookPath(name)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return exe, nil
	}
	if path, err = filepath.Abs(path); err != nil || !sameFile(path, exe) {
		return exe, nil
	}
	return path, nil
}

func sameFile(a, b string) bool {
	aInfo, err := os.Stat(a)
	if err != nil {
		return false
	}
	bInfo, err := os.Stat(b)
	return err == nil && os.SameFile(aInfo, bInfo)
}

func (p *program) autostartStatus() error {
	e, err := autostart.Status()
	switch {
	case err != nil:
		return err
	case e.Enabled && e.Exe == "":
		fmt.Fprintf(p.out, "sigalert starts at login: %s\n", e.Where)
	case e.Enabled:
		fmt.Fprintf(p.out, "sigalert starts at login: %s runs %s\n", e.Where, e.Exe)
	case e.Broken:
		fmt.Fprintf(p.out, "sigalert does not start at login: there is %s, but %s\nCall \"autostart enable\" with the program that is to start\n", e.Where, e.Fault)
		return &exitError{code: exitFailure}
	case e.Where != "":
		fmt.Fprintf(p.out, "sigalert does not start at login: there is %s, but %s\n", e.Where, e.Fault)
	default:
		fmt.Fprintln(p.out, "sigalert does not start at login")
	}
	return nil
}
