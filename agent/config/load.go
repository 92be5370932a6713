package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/adrg/xdg"
	"gopkg.in/yaml.v3"

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
// $SIGALERT_CONFIG, or sigalert/config.yaml in his configuration folder.
func DefaultPath() (string, error) {
	if path := os.Getenv("SIGALERT_CONFIG"); path != "" {
		return path, nil
	}
	if !filepath.IsAbs(xdg.ConfigHome) {
		return "", errors.New("there is no home folder: set HOME, or name the configuration with --config")
	}
	return filepath.Join(xdg.ConfigHome, "sigalert", "config.yaml"), nil
}

// Load reads a file. The error is Problems where its content is wrong.
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
	p := &parser{path: path, config: Config{Path: path}}
	if root := p.decode(text); root != nil || len(p.problems) == 0 {
		p.file(root)
	}
	if len(p.problems) > 0 {
		sortByLine(p.problems)
		return nil, p.problems
	}
	return &p.config, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// decode parses the YAML itself; nil for an empty file, or for a problem.
func (p *parser) decode(text []byte) *yaml.Node {
	switch {
	case len(text) > maxFile:
		p.problem(1, "", "the file is larger than 1 MiB")
		return nil
	case !utf8.Valid(text):
		line := 1
		for i := 0; i < len(text); {
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			if r == '\n' {
				line++
			}
			i += size
		}
		p.problem(line, "", "this is not UTF-8 text")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err == io.EOF {
		return nil
	} else if err != nil {
		p.syntax(text, err)
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		p.problem(second.Line, "", "a second document: the file holds one")
	} else if err != io.EOF {
		p.syntax(text, err)
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

// syntax notes what yaml says of a text that it cannot read.
func (p *parser) syntax(text []byte, err error) {
	what := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := yamlLine.FindStringSubmatch(what); m != nil {
		line, _ = strconv.Atoi(m[1])
		what = strings.Replace(what, m[0], "", 1)
	}
	line = max(1, min(line, bytes.Count(text, []byte("\n"))+1))
	p.problem(line, "", fmt.Sprintf("this is not YAML: %s", what))
}
