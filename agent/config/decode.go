package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// decode parses the YAML itself; it returns nil for an empty file, or for a problem.
func (p *parser) decode(text []byte) *yaml.Node {
	switch {
	case len(text) > maxFile:
		p.problem(1, "", "the file is larger than 1 MiB")
		return nil
	case !utf8.Valid(text):
		p.problem(invalidLine(text), "", "this is not UTF-8 text")
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = directive.ReplaceAll(text, []byte("$1#YAML 1."))
	for line := range strings.SplitSeq(string(text), "\n") {
		p.lines = append(p.lines, []rune(line))
	}
	lines := lineNumbers(string(text))
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		p.syntax(text, err)
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		renumber(&second, lines)
		p.problem(second.Line, "", "a second document: the file must hold only one")
	} else if !errors.Is(err, io.EOF) {
		p.syntax(text, err)
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil
	}
	renumber(doc.Content[0], lines)
	return doc.Content[0]
}

// directive is that of a version 1 of YAML at the beginning. yaml refuses those after
// 1.1, though it reads what they say.
var directive = regexp.MustCompile(`^((?:[ \t]*(?:#[^\n]*)?\r?\n)*)%YAML[ \t]+1\.`)

// lineNumbers gives for each of YAML's lines the number that an editor shows: more
// than "\n" ends a line in YAML.
func lineNumbers(text string) []int {
	lines := []int{1}
	for i, r := range strings.TrimSuffix(text, "\n") {
		last := lines[len(lines)-1]
		switch {
		case r == '\n':
			lines = append(lines, last+1)
		case r == '\r' && !strings.HasPrefix(text[i:], "\r\n"), r == '\u0085', r == '\u2028', r == '\u2029':
			lines = append(lines, last)
		}
	}
	return lines
}

// renumber corrects the lines of a tree. YAML places an empty value at the end of the
// file after the last line.
func renumber(n *yaml.Node, lines []int) {
	n.Line = lines[min(n.Line, len(lines))-1]
	for _, child := range n.Content {
		renumber(child, lines)
	}
}

// invalidLine is the line of the first byte that is not UTF-8.
func invalidLine(text []byte) int {
	line := 1
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		text = text[size:]
	}
	return line
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// colon is a value without quotes that has a colon and a space in it.
var colon = regexp.MustCompile(`^[\s-]*\w+: +[^\s"'\[{|>&*].*:\s`)

// syntax notes what yaml says about a text that it cannot read.
func (p *parser) syntax(text []byte, err error) {
	what := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := yamlLine.FindStringSubmatch(what); m != nil {
		line, _ = strconv.Atoi(m[1])
		what = strings.Replace(what, m[0], "", 1)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	line = faultLine(text, lines, min(line, len(lines)))
	at := lines[max(1, line)-1]
	indent, _, _ := bytes.Cut(at, bytes.TrimLeft(at, " \t"))
	if bytes.ContainsRune(indent, '\t') {
		what = "a tab indents this line: indent with spaces"
	}
	advice := odd(string(at)) + p.tight(string(at))
	if advice == "" && colon.Match(at) && strings.HasPrefix(what, "mapping values are not allowed") {
		advice = `: text that has ": " in it needs quotes`
	}
	if before := lines[max(0, line-2)]; advice == "" && p.tight(string(before)) != "" {
		advice = ": on the line before, " + strings.TrimPrefix(p.tight(string(before)), ": ")
	}
	p.problem(line, "", "this is not YAML: "+what+advice)
}

// maxSearch bounds what is parsed to find a fault's line, in bytes.
const maxSearch = 8 << 20

// faultLine is the line after the longest beginning of the text that is valid
// YAML. The line that yaml gives may be the one before, or that of the list around
// the fault, and for an unknown anchor it gives none.
func faultLine(text []byte, lines [][]byte, told int) int {
	if len(text)*len(lines) > maxSearch {
		if told < len(lines) && isYAML(bytes.Join(lines[:told], nil)) {
			told++
		}
		return told
	}
	for n := len(lines) - 1; n > 0; n-- {
		text = text[:len(text)-len(lines[n])]
		if isYAML(text) {
			return n + 1
		}
	}
	return 1
}

func isYAML(text []byte) bool {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var n yaml.Node
		if err := dec.Decode(&n); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
