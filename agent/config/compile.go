package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"sigalert/internal/words"
)

// fault is one thing that is wrong with a template.
type fault struct {
	line   int    // in the template, from 1
	prefix string // gives the line if the file's line does not
	what   string
}

// compile parses a template and changes its tree, as html/template does:
//   - a chain of fields becomes a call of member, and what an action writes goes
//     through text, so that what the data lacks is empty;
//   - the body of each loop and of each defined template begins by writing
//     nothing, so that Render can count turns.
//
// On the way it finds fields that do not exist, even if no sample event would
// reach them. Then it tries the template. A failure for lack of data does not
// count, as data differs from event to event.
func compile(text string) (*template.Template, []fault) {
	t, err := template.New("").Funcs(functions).Parse(text)
	if err != nil {
		f := parseFault(err, 1+strings.Count(trimLines(text), "\n"))
		if m := hyphened.FindStringSubmatch(text); m != nil && strings.Contains(f.what, "bad character U+002D") {
			f.what = fmt.Sprintf(`%s: write {{index %s "%s"}}`, f.what, m[1], strings.ReplaceAll(m[2], ".", `" "`))
		}
		if m := numbered.FindStringSubmatch(text); m != nil && unexpectedNumber.MatchString(f.what) {
			element := "index " + m[1] + strings.ReplaceAll(m[2], ".", " ")
			if m[3] != "" {
				element = "(" + element + ")" + m[3]
			}
			f.what = fmt.Sprintf("%s: write {{%s}}", f.what, element)
		}
		if m := undefined.FindStringSubmatch(f.what); m != nil {
			if near := words.Nearest(m[1], meant); near != "" {
				f.what = fmt.Sprintf("%s (did you mean %q?)", f.what, near)
			}
		}
		return nil, []fault{f}
	}
	c := &compiler{templates: t, text: text}
	for _, defined := range t.Templates() {
		if defined.Name() != t.Name() {
			c.list(defined.Root, scope{})
			count(defined.Root)
		}
	}
	c.list(t.Root, scope{dot: true, dollar: true})
	count(t.Root) // it may call itself
	if len(c.faults) > 0 {
		slices.SortStableFunc(c.faults, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
		return nil, c.faults
	}
	_, err = Render(t, Fields{Sender: "sender", Event: "event", Time: time.Unix(0, 0)})
	for _, limit := range limits {
		if errors.Is(err, limit) {
			return nil, []fault{{line: 1, what: limit.Error()}}
		}
	}
	if err != nil && !c.data {
		what := err.Error()
		if i := strings.Index(what, " at <"); i >= 0 { // before it there is only an empty name
			what = what[i+len(" at "):]
		}
		return nil, []fault{{line: 1, what: what}}
	}
	return t, nil
}

// hyphened is a chain of fields of which one, and perhaps more after it, has a
// hyphen, which no field has in a template.
var hyphened = regexp.MustCompile(`((?:\.\w+)+)\.(\w+-[\w-]*(?:\.[\w-]+)*)`)

// numbered is a chain of fields with numbers in it, which are the elements of a list.
var numbered = regexp.MustCompile(`(\$?(?:\.[A-Za-z_]\w*)+)((?:\.\d+)+)((?:\.[A-Za-z_]\w*)*)`)

var (
	unexpectedNumber = regexp.MustCompile(`^unexpected "\.\d+" in operand$`)
	undefined        = regexp.MustCompile(`^function "(\w+)" not defined$`)
	// meant are the words that may have been meant by one that is not defined.
	meant = []string{".Sender", ".Event", ".Data", ".Time", "default", "index", "json", "len", "lower", "printf", "trim", "truncate", "upper"}
)

// parseFault takes apart "template: :2: unexpected EOF", whose line may be one after
// the text's last one.
func parseFault(err error, last int) fault {
	rest := strings.TrimPrefix(err.Error(), "template: :")
	number, what, _ := strings.Cut(rest, ": ")
	line, err := strconv.Atoi(number)
	if err != nil {
		return fault{line: 1, what: rest}
	}
	f := fault{line: min(line, last), what: what}
	if f.line > 1 {
		f.prefix = fmt.Sprintf("line %d of the template: ", f.line)
	}
	return f
}

// compiler walks the trees of a template.
type compiler struct {
	templates *template.Template
	text      string
	data      bool // what the template does depends on the data
	faults    []fault
}

// scope says what is known to be Fields at a place in a template.
type scope struct{ dot, dollar bool }

func (c *compiler) fault(n parse.Node, format string, args ...any) {
	line := 1 + strings.Count(c.text[:min(int(n.Position()), len(c.text))], "\n")
	c.faults = append(c.faults, fault{line: line, what: fmt.Sprintf(format, args...)})
}

func (c *compiler) list(l *parse.ListNode, s scope) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		c.node(n, s)
	}
}

func (c *compiler) node(n parse.Node, s scope) {
	switch n := n.(type) {
	case *parse.ActionNode:
		c.pipe(n.Pipe, s)
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, call("text", n.Pos))
		}
	case *parse.IfNode:
		c.branch(&n.BranchNode, s, s)
	case *parse.WithNode:
		c.branch(&n.BranchNode, s, scope{dollar: s.dollar})
	case *parse.RangeNode:
		c.branch(&n.BranchNode, s, scope{dollar: s.dollar})
		count(n.List)
	case *parse.TemplateNode:
		if c.templates.Lookup(n.Name) == nil {
			c.fault(n, "there is no template %q", n.Name)
		}
		if n.Pipe != nil {
			c.pipe(n.Pipe, s)
		}
	}
}

func (c *compiler) branch(b *parse.BranchNode, outer, inner scope) {
	c.pipe(b.Pipe, outer)
	c.list(b.List, inner)
	c.list(b.ElseList, outer)
}

// count makes the list begin by writing nothing.
func count(l *parse.ListNode) {
	l.Nodes = slices.Insert(l.Nodes, 0, parse.Node(&parse.TextNode{NodeType: parse.NodeText, Pos: l.Pos}))
}

func (c *compiler) pipe(p *parse.PipeNode, s scope) {
	for i, cmd := range p.Cmds {
		c.arguments(cmd, i > 0)
		for j, arg := range cmd.Args {
			// Only a method can be called with arguments, and data has no methods.
			called := j == 0 && (i > 0 || len(cmd.Args) > 1)
			cmd.Args[j] = c.operand(arg, s, called)
		}
	}
}

// arguments checks how many arguments one of our functions is given.
func (c *compiler) arguments(cmd *parse.CommandNode, piped bool) {
	name, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok || functions[name.Ident] == nil {
		return
	}
	got := len(cmd.Args) - 1
	if piped {
		got++
	}
	if f := reflect.TypeOf(functions[name.Ident]); !f.IsVariadic() && got != f.NumIn() {
		c.fault(cmd, "%s takes %d arguments, not %d", name.Ident, f.NumIn(), got)
	}
}

// operand checks an operand, and returns what takes its place.
func (c *compiler) operand(n parse.Node, s scope, called bool) parse.Node {
	switch n := n.(type) {
	case *parse.PipeNode:
		c.pipe(n, s)
	case *parse.DotNode:
		c.data = c.data || s.dot
	case *parse.FieldNode:
		base, names := parse.Node(&parse.DotNode{NodeType: parse.NodeDot, Pos: n.Pos}), n.Ident
		if s.dot {
			c.fields(n, names)
			base, names = &parse.FieldNode{NodeType: parse.NodeField, Pos: n.Pos, Ident: names[:1]}, names[1:]
		}
		return replace(n, base, names, called)
	case *parse.VariableNode:
		at := 1 // Ident begins with the variable
		if n.Ident[0] == "$" && s.dollar {
			if len(n.Ident) == 1 {
				c.data = true
				return n
			}
			c.fields(n, n.Ident[1:])
			at = 2
		}
		base := &parse.VariableNode{NodeType: parse.NodeVariable, Pos: n.Pos, Ident: n.Ident[:at]}
		return replace(n, base, n.Ident[at:], called)
	case *parse.ChainNode:
		n.Node = c.operand(n.Node, s, false)
		return replace(n, n.Node, n.Field, called)
	}
	return n
}

// replace returns the node that takes the place of n, a chain of names under base.
func replace(n, base parse.Node, names []string, called bool) parse.Node {
	if called || len(names) == 0 {
		return n
	}
	cmd := call("member", n.Position())
	cmd.Args = append(cmd.Args, base)
	for _, name := range names {
		cmd.Args = append(cmd.Args, &parse.StringNode{NodeType: parse.NodeString, Pos: n.Position(), Quoted: strconv.Quote(name), Text: name})
	}
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: n.Position(), Cmds: []*parse.CommandNode{cmd}}
}

func call(function string, pos parse.Pos) *parse.CommandNode {
	name := parse.NewIdentifier(function).SetPos(pos)
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{name}}
}

// fields checks names under Fields.
func (c *compiler) fields(n parse.Node, names []string) {
	switch names[0] {
	case "Data":
		c.data = true
	case "Sender", "Event":
		if len(names) > 1 {
			c.fault(n, "there is no .%s: .%s is text", strings.Join(names[:2], "."), names[0])
		}
	case "Time":
		if len(names) > 1 {
			if _, ok := reflect.TypeFor[time.Time]().MethodByName(names[1]); !ok {
				c.fault(n, `there is no .Time.%s: .Time is a Go time, such as in {{.Time.Format "15:04"}}`, names[1])
			}
		}
	default:
		c.fault(n, "there is no .%s: a template has .Sender, .Event, .Data and .Time", names[0])
	}
}
