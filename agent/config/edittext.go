package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"sigalert/internal/address"
)

// edit is a text that is to be changed in some places.
type edit struct {
	text    string
	root    *yaml.Node
	lines   []int // where YAML's lines begin
	newline string
	changes []change
	failed  bool // it is not written as expected
}

// change puts something in the place of what stands from one offset to another.
type change struct {
	from, to int
	with     string
}

func newEdit(text []byte) *edit {
	e := &edit{text: string(text), root: tree(text), lines: []int{0}, newline: "\n"}
	if at := strings.IndexByte(e.text, '\n'); at > 0 && e.text[at-1] == '\r' {
		e.newline = "\r\n"
	}
	for i, r := range e.text {
		if strings.ContainsRune("\n\u0085\u2028\u2029", r) || r == '\r' && !strings.HasPrefix(e.text[i:], "\r\n") {
			e.lines = append(e.lines, i+utf8.RuneLen(r))
		}
	}
	return e
}

func (e *edit) replace(from, to int, with string) {
	e.changes = append(e.changes, change{from, to, with})
}

func (e *edit) insert(at int, what string) { e.replace(at, at, what) }

func (e *edit) apply() []byte {
	slices.SortStableFunc(e.changes, func(a, b change) int { return cmp.Compare(a.from, b.from) })
	var b strings.Builder
	at := 0
	for _, c := range e.changes {
		if c.from < at {
			e.failed = true
			break
		}
		b.WriteString(e.text[at:c.from] + c.with)
		at = c.to
	}
	b.WriteString(e.text[at:])
	return []byte(b.String())
}

// use changes the text such that it has these servers; s is one of them, and was there
// before or was not.
func (e *edit) use(all []Server, s Server, before bool) {
	if e.root == nil {
		if e.text != "" && !strings.HasSuffix(e.text, "\n") {
			e.insert(len(e.text), e.newline)
		}
		e.insert(len(e.text), "servers:"+e.block(2, s)+e.newline)
		return
	}
	if e.root.Kind != yaml.MappingNode {
		e.failed = true
		return
	}
	servers, server, router := find(e.root, "servers"), find(e.root, "server"), find(e.root, "router")
	switch {
	case servers >= 0 && before:
		list := resolve(e.root.Content[servers+1])
		e.update(list.Content[find(list, s.Name)+1], isFlow(list), s)
	case servers >= 0:
		e.add(servers, s)
	case server >= 0:
		e.name(server, all[0].Name)
		switch value := e.root.Content[server+1]; {
		case before:
			e.update(value, isFlow(e.root), s)
		case isFlow(e.root):
			e.insert(e.end(value, true), ", "+scalar(s.Name)+": "+flow(s))
		default:
			e.insert(e.lineEnd(e.lastLine(server)), e.block(e.indent()+2, s))
		}
		if isFlow(e.root) {
			e.insert(e.end(e.root.Content[server+1], true), "}")
		}
	case isFlow(e.root):
		var texts []string
		for _, o := range all {
			if o.Router == nil {
				texts = append(texts, scalar(o.Name)+": "+flow(o))
			}
		}
		e.intoFlow(e.root, "servers: {"+strings.Join(texts, ", ")+"}")
	default:
		text := e.newline + strings.Repeat(" ", e.indent()) + "servers:"
		for _, o := range all {
			if o.Router == nil {
				text += e.block(e.indent()+2, o)
			}
		}
		if router < 0 {
			router, text = len(e.root.Content)-2, e.newline+text
		}
		e.insert(e.lineEnd(e.lastLine(router)), text)
	}
}

// add adds a server to those with names.
func (e *edit) add(servers int, s Server) {
	list := e.root.Content[servers+1]
	switch {
	case list.Kind != yaml.MappingNode || len(list.Content) == 0:
		e.failed = true
	case isFlow(list):
		e.intoFlow(list, scalar(s.Name)+": "+flow(s))
	default:
		e.insert(e.lineEnd(e.lastLine(servers)), e.block(list.Content[0].Column-1, s))
	}
}

// name gives the server without a name one.
func (e *edit) name(server int, name string) {
	key, value := e.root.Content[server], e.root.Content[server+1]
	if isFlow(e.root) {
		e.replace(e.start(key), e.end(key, true), "servers")
		e.insert(e.start(value), "{"+scalar(name)+": ")
		return
	}
	inner := strings.Repeat(" ", e.indent()+2)
	e.replace(e.start(key), e.end(key, false), "servers:"+e.newline+inner+scalar(name))
	for line := key.Line + 1; line <= e.lastLine(server); line++ {
		if at := e.lines[line-1]; at < e.lineEnd(line) {
			e.insert(at, "  ")
		}
	}
}

// update gives the server of a value the address and the proof of s; inFlow is where the
// value stands.
func (e *edit) update(value *yaml.Node, inFlow bool, s Server) {
	proof := []string{"fingerprint: " + scalar(s.Proof.Fingerprint), "token: " + scalar(s.Proof.Token)}
	switch {
	case value.Kind == yaml.ScalarNode:
		e.replace(e.start(value), e.end(value, inFlow), flow(s))
	case value.Kind == yaml.SequenceNode && isFlow(value):
		e.insert(e.start(value), "{url: ")
		e.readdress(value, s)
		e.insert(e.end(value, inFlow), ", "+strings.Join(proof, ", ")+"}")
	case value.Kind == yaml.MappingNode:
		inner, url := isFlow(value), value.Content[find(value, "url")+1]
		e.readdress(url, s)
		for i, keys := range [][2]string{{"fingerprint", "ca"}, {"token", "token_file"}} {
			at := max(find(value, keys[0]), find(value, keys[1]))
			switch {
			case at >= 0:
				e.replace(e.start(value.Content[at]), e.end(value.Content[at], inner), keys[0])
				_, text, _ := strings.Cut(proof[i], ": ")
				e.replace(e.start(value.Content[at+1]), e.end(value.Content[at+1], inner), text)
			case inner:
				e.insert(e.end(url, true), ", "+proof[i])
			default:
				end := e.end(url, false)
				line, _ := slices.BinarySearch(e.lines, end+1)
				e.insert(e.lineEnd(line), e.newline+strings.Repeat(" ", value.Content[0].Column-1)+proof[i])
			}
		}
	default:
		e.failed = true
	}
}

// readdress puts the address of s in the place of the same without TLS, in a server's
// address or the list of them.
func (e *edit) readdress(n *yaml.Node, s Server) {
	for _, item := range n.Content {
		e.readdress(item, s)
	}
	addr, err := address.ParseServer(n.Value)
	if n.Kind == yaml.ScalarNode && err == nil && !address.IsSecure(addr) && address.HostPort(addr) == address.HostPort(s.Addresses[0]) {
		e.replace(e.start(n), e.end(n, true), scalar(s.Addresses[0]))
	}
}

// intoFlow adds an item to a mapping in braces, as its last.
func (e *edit) intoFlow(n *yaml.Node, item string) {
	last, _ := e.bracketed(e.start(n))
	switch {
	case last == 0:
		return
	case e.text[last-1] == ',':
		item = " " + item
	case e.text[last-1] != '{':
		item = ", " + item
	}
	e.insert(last, item)
}

// block is a server among others, on lines of its own, from the end of the line before.
func (e *edit) block(indent int, s Server) string {
	outer := e.newline + strings.Repeat(" ", indent)
	inner := outer + "  "
	if s.Proof.Fingerprint == "" {
		return outer + scalar(s.Name) + ": " + scalar(s.Addresses[0])
	}
	return outer + scalar(s.Name) + ":" + inner + "url: " + scalar(s.Addresses[0]) +
		inner + "fingerprint: " + scalar(s.Proof.Fingerprint) + inner + "token: " + scalar(s.Proof.Token)
}

// flow is a server's value, in braces.
func flow(s Server) string {
	if s.Proof.Fingerprint == "" {
		return scalar(s.Addresses[0])
	}
	return fmt.Sprintf("{url: %s, fingerprint: %s, token: %s}", scalar(s.Addresses[0]), scalar(s.Proof.Fingerprint), scalar(s.Proof.Token))
}

var needsNoQuotes = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_./:-]*[A-Za-z0-9_-])?$`)

// scalar is a text as YAML has it, in quotes only if it needs them.
func scalar(text string) string {
	if n := tree([]byte(text)); n == nil || !isText(n) || n.Value != text || !needsNoQuotes.MatchString(text) {
		return fmt.Sprintf("%q", text)
	}
	return text
}

func isFlow(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 }

// find is where a mapping has a key; below 0: it has not.
func find(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if resolve(n.Content[i]).Value == key {
			return i
		}
	}
	return -2
}

// indent is that of the keys of the file.
func (e *edit) indent() int { return e.root.Content[0].Column - 1 }

// lastLine is the last line that has something of one of the file's keys and its value.
func (e *edit) lastLine(key int) int {
	line := len(e.lines)
	if key+2 < len(e.root.Content) {
		line = e.root.Content[key+2].Line - 1
	}
	for ; line > e.root.Content[key].Line; line-- {
		text := strings.TrimSpace(e.text[e.lines[line-1]:e.lineEnd(line)])
		if text != "" && text[0] != '#' && text != "..." {
			break
		}
	}
	return line
}

// lineEnd is where a line ends.
func (e *edit) lineEnd(line int) int {
	end := len(e.text)
	if line < len(e.lines) {
		end = e.lines[line]
	}
	return e.lines[line-1] + len(strings.TrimRight(e.text[e.lines[line-1]:end], "\r\n\u0085\u2028\u2029"))
}

// start is where a node's text begins, after its anchor and its tag.
func (e *edit) start(n *yaml.Node) int {
	at := e.lines[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(e.text[at:])
		at += size
	}
	for at < len(e.text) && (e.text[at] == '&' || e.text[at] == '!') {
		at += len(e.text[at:]) - len(strings.TrimLeft(e.text[at:], "&!"))
		at += strings.IndexAny(e.text[at:]+" ", " \t\r\n")
		at += len(e.text[at:]) - len(strings.TrimLeft(e.text[at:], " \t\r\n"))
	}
	return at
}

// end is where a node's text ends, if it is a scalar on one line or in brackets.
func (e *edit) end(n *yaml.Node, inFlow bool) int {
	at := e.start(n)
	rest := e.text[at:]
	switch {
	case n.Kind != yaml.ScalarNode && n.Kind != yaml.AliasNode:
		_, end := e.bracketed(at)
		return end
	case strings.HasPrefix(rest, `"`), strings.HasPrefix(rest, "'"):
		return at + quoted(rest)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		e.failed = true
		return at
	}
	return at + len(beforeEnd(rest, inFlow))
}

// beforeEnd is a text until where a scalar without quotes ends.
func beforeEnd(text string, inFlow bool) string {
	for i, r := range text {
		next := strings.IndexAny(text[i+utf8.RuneLen(r):]+"\n", " \t\r\n") == 0
		if r == '\n' || r == '\r' || r == ':' && next || inFlow && strings.ContainsRune(",[]{}", r) ||
			r == '#' && i > 0 && (text[i-1] == ' ' || text[i-1] == '\t') {
			text = text[:i]
			break
		}
	}
	return strings.TrimRight(text, " \t")
}

// quoted is the length of the text in quotes with which another begins.
func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[0] == '"' && text[i] == '\\':
			i++
		case text[0] == '\'' && strings.HasPrefix(text[i:], "''"):
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return len(text)
}

// bracketed finds, for a bracket, where what is in it ends, and where it ends itself.
func (e *edit) bracketed(at int) (last, end int) {
	depth := 0
	for i := at; i < len(e.text); i++ {
		begins := i == at || strings.IndexByte(" \t\r\n,[{:", e.text[i-1]) >= 0
		switch c := e.text[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c == '#' && begins:
			i += strings.IndexAny(e.text[i:]+"\n", "\r\n") - 1
			continue
		case (c == '"' || c == '\'') && begins:
			i += quoted(e.text[i:]) - 1
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return last, i + 1
			}
		}
		if depth == 0 {
			break
		}
		last = i + 1
	}
	e.failed = true
	return 0, at
}
