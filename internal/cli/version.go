package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"sigalert/sig"
)

// version, commit and date are set when a release is built; date is that of the commit.
var version, commit, date string

func (p *program) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		Run: func(*cobra.Command, []string) {
			parts := []string{"pysig protocol " + sig.Version}
			if commit, date := builtFrom(); commit != "" {
				parts = append(parts, fmt.Sprintf("commit %.12s of %.10s", commit, date))
			}
			parts = append(parts, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
			fmt.Fprintf(p.out, "sigalert %s (%s)\n", versionText(), strings.Join(parts, ", "))
		},
	}
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}

// builtFrom is what a release says it was built from, or what Go has noted.
func builtFrom() (revision, day string) {
	if commit != "" {
		return commit, date
	}
	noted := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			noted[s.Key] = s.Value
		}
	}
	return noted["vcs.revision"], noted["vcs.time"]
}
