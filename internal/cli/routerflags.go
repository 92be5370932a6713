package cli

import (
	"fmt"
	"net"
	"strings"

	"github.com/spf13/pflag"

	"sigalert/agent/config"
)

// routerFlags are the flags of a router's settings.
type routerFlags []*settingFlag

// settingFlag is the flag of a setting. It keeps what it was given until it is known what
// the file says.
type settingFlag struct {
	config.Setting
	texts []string // as it was given; a flag that is not to be repeated counts as it was last
}

func newRouterFlags(flags *pflag.FlagSet) (all routerFlags) {
	for _, s := range config.RouterSettings {
		if s.Flag == "" {
			continue
		}
		f := &settingFlag{Setting: s}
		all = append(all, f)
		flag := flags.VarPF(f, s.Flag, "", s.Help)
		if s.Kind == config.Truth {
			flag.NoOptDefVal = "true"
		}
	}
	return all
}

// Set implements [pflag.Value].
func (f *settingFlag) Set(text string) error {
	f.texts = append(f.texts, text)
	return nil
}

func (f *settingFlag) String() string { return f.Default }

// Type is how pflag names the type, and shows the default.
func (f *settingFlag) Type() string {
	switch f.Kind {
	case config.Number:
		return "int"
	case config.Truth:
		return "bool"
	}
	return "string"
}

// router has the settings of the flags and, where they are not given, of a file; path "":
// there is none. It listens at the socket, if there is one.
func (f routerFlags) router(path string, socket *net.TCPListener) (r *config.Router, warnings config.Problems, err error) {
	r = config.DefaultRouter()
	if path != "" {
		if r, warnings, err = config.LoadRouter(path); err != nil {
			return nil, warnings, err
		}
	}
	for _, flag := range f {
		if len(flag.texts) == 0 {
			continue
		}
		if err := r.Override(flag.Setting, flag.texts...); err != nil {
			return nil, warnings, usage(flagFault("--"+flag.Flag, err))
		}
	}
	if socket != nil {
		r.Listen = socket.Addr().String()
	}
	if err := r.Check(); err != nil {
		return nil, warnings, usage(err)
	}
	return r, warnings, nil
}

// flagFault names the flag that an error is about, which may begin with "must".
func flagFault(name string, err error) error {
	if strings.HasPrefix(err.Error(), "must ") {
		return fmt.Errorf("%s %w", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}
