package config

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// maxFile bounds the file, in bytes.
const maxFile = 1 << 20

// Config is what a file says. It is immutable.
type Config struct {
	Path          string
	Servers       []Server // in the file's order, at least one
	Subscriptions []Subscription
	Quiet         Quiet
	CatchUp       time.Duration // up to which age critical alerts of an absence come singly; below 0: nothing of it is shown
	History       *History      // nil: no history is kept
	Warnings      Problems      // what may not be meant
}

// Subscription is one entry of the file's subscriptions.
type Subscription struct {
	Sender, Event         sig.Name   // zero: every one, or those that match the glob
	SenderGlob, EventGlob topic.Glob // zero: none
	Server                sig.Name   // on which server they happen; zero: on every one, or on those that match the glob
	ServerGlob            topic.Glob // zero: none

	When        *rule.Expr // alert only if it holds; nil: always
	Resolve     *rule.Expr // an event for which it holds takes its tag's alert back; nil: if its data says resolved
	OnlyChanges *rule.Expr // alert only if its value is another than for the sender's last event; nil: always
	RateLimit   Rate       // zero: none

	For         time.Duration // alert only if it was not resolved by then; 0: at once
	Repeat      Repeat        // show it again until somebody clicks or closes it, or it is resolved; zero: never
	ExpectEvery time.Duration // alert if nothing came for so long; 0: nothing is expected
	Unless      *rule.Text    // hold alerts back while an alert with this tag, of any sender, is shown; nil, or if it becomes nothing: never
	Escalate    *Escalation   // nil: never

	Title, Body *rule.Text // nil: what the event says, or the default text
	Urgency     *rule.Text // becomes an urgency; nil, or if it becomes none: what the event says, or normal
	Icon        Icon
	Sound       *rule.Text    // as Icon's; the constant "none" is silence; nil: the desktop's choice
	Timeout     time.Duration // how long it stays on the screen; 0: the desktop's choice; below 0: until it is closed
	URL         *rule.Text    // what a click opens: if it is constant, a path or of any scheme; nil: what the event says; if it becomes nothing: none
	Tag         *rule.Text    // nil: what the event says; if it becomes nothing: no tag
	Image       bool          // show the picture in the event's data: payload.Image
	Actions     []Action      // buttons, at most 8; nil: what the event says; empty: none
	Command     *Command      // run for each alert that is shown; nil: none

	Presence bool // alert when the sender connects or disconnects
	Line     int  // in the file
}

// Shown is the topic for people: with the globs in place of names.
func (s Subscription) Shown() topic.Topic {
	t := s.Topic()
	if glob := s.SenderGlob.String(); glob != "" {
		t.Sender = sig.Name(glob)
	}
	if glob := s.EventGlob.String(); glob != "" {
		t.Event = sig.Name(glob)
	}
	return t
}

// ID is the same for the subscription in a file that has changed elsewhere.
func (s Subscription) ID() string {
	id := []string{string(s.Sender), s.SenderGlob.String(), string(s.Event), s.EventGlob.String()}
	if s.When != nil {
		id = append(id, s.When.Source())
	}
	if !s.Server.IsEvery() || !s.ServerGlob.IsZero() {
		id = append(id, "on", string(s.Server), s.ServerGlob.String())
	}
	return strings.Join(id, "\x01")
}

// Icon is the icon for each urgency; nil: what the event says, or the program's. One
// that is constant may be a file's absolute path; any other becomes the name of an icon
// in the desktop's theme.
type Icon struct{ Low, Normal, Critical *rule.Text }

// For is the icon of alerts that are so urgent.
func (i Icon) For(u notify.Urgency) *rule.Text {
	switch u {
	case notify.Low:
		return i.Low
	case notify.Critical:
		return i.Critical
	}
	return i.Normal
}

// Rate is at most Count alerts in any time that is Within long.
type Rate struct {
	Count  int
	Within time.Duration
}

// Action is a button. One of the fields after Label is set.
type Action struct {
	Label   *rule.Text
	Open    *rule.Text    // an address, as Subscription.URL
	Snooze  time.Duration // holds the subscription's alerts back for so long
	Request *Request
}

// Request is what a button asks of a sender.
type Request struct {
	Sender sig.Name // zero: the event's
	Method sig.Name
	Params *Params // nil: none
	Reply  bool    // the params are a text that is typed into the notification
}

// Params are JSON whose texts may hold expressions. A text that is nothing but one
// expression becomes its value.
type Params struct {
	Text   *rule.Text         // a text
	List   []*Params          // a list
	Object map[string]*Params // an object
	JSON   json.RawMessage    // anything else
}

// Command is a program that is run for each alert that is shown, with its arguments.
type Command struct {
	Args  []*rule.Text // the program first; no shell has anything to do with them
	Shell string       // in place of Args: a line for the shell
}

// Topic is what the subscription asks the server for.
func (s Subscription) Topic() topic.Topic { return topic.Topic{Sender: s.Sender, Event: s.Event} }

// DefaultPath is where the configuration is by default: $SIGALERT_CONFIG, or
// sigalert/config.yaml in the user's configuration folder. Each call looks at the
// environment again.
func DefaultPath() (string, error) {
	if path := os.Getenv("SIGALERT_CONFIG"); path != "" {
		return path, nil
	}
	dir, err := userConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no configuration folder: %w; name the configuration with --config", err)
	}
	return filepath.Join(dir, "sigalert", "config.yaml"), nil
}

// userConfigDir is os.UserConfigDir, but ignores an $XDG_CONFIG_HOME that is
// relative, as its specification demands.
func userConfigDir() (string, error) {
	dir, err := os.UserConfigDir()
	if set := os.Getenv("XDG_CONFIG_HOME"); err == nil || set == "" || filepath.IsAbs(set) {
		return dir, err
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".config"), err
}

// LoadRegular is Load for callers that must not wait: it refuses a pipe, which may
// have no writer, and anything else that is neither a regular file nor a link to
// one.
func LoadRegular(path string) (*Config, error) {
	text, err := readRegular(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

func readRegular(path string) ([]byte, error) {
	if err := refuse(path, fs.ModeType); err != nil {
		return nil, err
	}
	return Read(path)
}

// refuse returns an error if the path is, or links to, one of these types.
func refuse(path string, types fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode&types != 0 {
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

// Load reads a file, which may be a pipe. The error is Problems if the content is
// wrong, and wraps the file system's if it cannot be read.
func Load(path string) (*Config, error) {
	text, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Read reads what is to be parsed or checked, up to where it is too large. If that is
// a pipe, it waits for the writer.
func Read(path string) ([]byte, error) {
	if err := refuse(path, fs.ModeDir|fs.ModeSocket); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Parse is Load for text; path names it in the problems. The error is always
// Problems.
func Parse(path string, text []byte) (*Config, error) {
	c, problems, _ := Check(path, text)
	if len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

// Check is Parse for callers that show the warnings even of text that has problems.
// The configuration is nil if there are any.
func Check(path string, text []byte) (c *Config, problems, warnings Problems) {
	p := newParser(path)
	if root := p.decode(text); root != nil || len(p.problems) == 0 {
		p.file(root)
	}
	slices.SortStableFunc(p.warnings, byLine)
	if problems := p.sorted(); len(problems) > 0 {
		return nil, problems, p.warnings
	}
	config := p.config // without what the parser knows of the file
	config.Warnings = p.warnings
	return &config, nil, p.warnings
}

// LoadServers are the servers in a file; nil if the file names none. Whatever else is
// wrong with the file does not matter. The errors are those of LoadRegular.
func LoadServers(path string) ([]Server, error) {
	text, err := readRegular(path)
	if err != nil {
		return nil, err
	}
	return serversOf(path, text)
}

func serversOf(path string, text []byte) ([]Server, error) {
	p := newParser(path)
	if root := p.decode(text); root != nil && root.Kind == yaml.MappingNode {
		keys := p.placeKeys()
		for i := 0; i+1 < len(root.Content); i += 2 {
			name := resolve(root.Content[i]).Value
			if set := keys[name]; set != nil {
				set(root.Content[i+1], name)
			}
		}
	}
	switch problems := p.sorted(); {
	case len(problems) > 0:
		return nil, problems
	case len(p.config.Servers) == 0:
		return nil, nil
	}
	p.placed()
	return p.config.Servers, nil
}
