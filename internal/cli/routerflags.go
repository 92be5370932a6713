package cli

import (
	"fmt"
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

// routerSettings are those of serve's flags and, where they are not given, of the file that
// --config names, for the socket that systemd has passed, if it has.
func (p *program) routerSettings(flags routerFlags) (r *config.Router, err error) {
	r = config.DefaultRouter()
	if p.config != "" {
		var warnings config.Problems
		r, warnings, err = config.LoadRouter(p.config)
		for _, w := range warnings {
			p.log.Warn(w.Error())
		}
		if err != nil {
			return nil, err
		}
	}
	for _, flag := range flags {
		if len(flag.texts) == 0 {
			continue
		}
		if err := r.Override(flag.Setting, flag.texts...); err != nil {
			return nil, usage(flagFault("--"+flag.Flag, err))
		}
	}
	if p.socket != nil {
		r.Listen = p.socket.Addr().String()
	}
	if err := r.Check(); err != nil {
		return nil, usage(err)
	}
	return r, nil
}

// flagFault names the flag that an error is about, which may begin with "must".
func flagFault(name string, err error) error {
	if strings.HasPrefix(err.Error(), "must ") {
		return fmt.Errorf("%s %w", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}
