package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"

	"sigalert/agent/notify"
	"sigalert/sig"
)

// maxFile bounds the file, in bytes.
const maxFile = 1 << 20

// Config is what a file says. It is immutable.
type Config struct {
	Path          string
	Server        string // host:port
	Subscriptions []Subscription
	History       *History // nil: none is kept
}

// Subscription is one entry of the file's subscriptions.
type Subscription struct {
	Sender, Event sig.Name           // zero: every one
	Title, Body   *template.Template // nil: the default text
	Urgency       notify.Urgency
	Presence      bool // alert when the sender connects or disconnects
	Line          int  // in the file
}

// String is the subscription for people: "timer: tick", "every event of
// timer", "#notify of any sender", "every event".
func (s Subscription) String() string {
	switch {
	case s.Sender.IsEvery() && s.Event.IsEvery():
		return "every event"
	case s.Sender.IsEvery():
		return s.Event.String() + " of any sender"
	case s.Event.IsEvery():
		return "every event of " + s.Sender.String()
	}
	return s.Sender.String() + ": " + s.Event.String()
}

// DefaultPath is where the configuration is unless the user says otherwise:
// $SIGALERT_CONFIG, or sigalert/config.yaml in his configuration folder. It
// looks at the environment at each call.
func DefaultPath() (string, error) {
	if path := os.Getenv("SIGALERT_CONFIG"); path != "" {
		return path, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no configuration folder: %w; name the configuration with --config", err)
	}
	return filepath.Join(dir, "sigalert", "config.yaml"), nil
}

// LoadRegular is Load for who must not wait: it refuses a pipe, which may have
// no writer, and whatever else is no regular file, or a link to one.
func LoadRegular(path string) (*Config, error) {
	if err := regular(path); err != nil {
		return nil, err
	}
	return Load(path)
}

func regular(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode(); !mode.IsRegular() {
		what := "a device"
		switch {
		case mode.IsDir():
			what = "a folder"
		case mode&fs.ModeNamedPipe != 0:
			what = "a pipe"
		case mode&fs.ModeSocket != 0:
			what = "a socket"
		}
		return fmt.Errorf("%s is %s, not a file", path, what)
	}
	return nil
}

// Load reads a file, which may be a pipe. The error is Problems where its content is wrong, and
// wraps that of the file system where it cannot be read.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Parse is Load for a text; path names it in the problems. The error is
// always Problems.
func Parse(path string, text []byte) (*Config, error) {
	p := newParser(path)
	if root := p.decode(text); root != nil || len(p.problems) == 0 {
		p.file(root)
	}
	if problems := p.sorted(); len(problems) > 0 {
		return nil, problems
	}
	return &p.config, nil
}
