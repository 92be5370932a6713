package rule

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"sigalert/internal/plain"
)

// Want is what an expression is for.
type Want int

const (
	Value     Want = iota // any value
	Condition             // true or false; nil does not hold
)

const (
	maxSource = 16 << 10 // bytes of an expression
	maxNodes  = 1_000    // parts of an expression
)

// Expr is a compiled expression.
type Expr struct {
	source  source
	direct  step // nil: the program is for expr's machine
	program *vm.Program
	paths   []path // of the members that it reads
	open    bool   // it may read others
	fixed   bool   // its value is the same for every event
	data    bool   // it needs the data
}

// Compiler compiles the expressions and texts of one file: those that are alike share
// what they were compiled to. The zero Compiler works. It is not safe for concurrent use.
type Compiler struct {
	done map[wanted]*Expr
}

// wanted is an expression, and what it is for.
type wanted struct {
	expr string
	want Want
}

// Compile is [Compiler.Compile] for an expression that stands alone.
func Compile(src string, want Want) (*Expr, error) { return new(Compiler).Compile(src, want) }

// Compile checks and compiles an expression. The error is Faults.
func (c *Compiler) Compile(src string, want Want) (*Expr, error) {
	x, fault := c.compile(source{src, 0, src}, want)
	if fault != nil {
		return nil, Faults{*fault}
	}
	return x, nil
}

func (c *Compiler) compile(s source, want Want) (*Expr, *Fault) {
	key := wanted{s.expr, want}
	if done := c.done[key]; done != nil {
		x := *done
		x.source = s
		return &x, nil
	}
	x, fault := compile(s, want)
	if fault == nil {
		if c.done == nil {
			c.done = make(map[wanted]*Expr)
		}
		c.done[key] = x
	}
	return x, fault
}

func compile(s source, want Want) (x *Expr, fault *Fault) {
	defer func() {
		if recover() != nil { // expr's parser and compiler are not ours
			x, fault = nil, s.refuse(leading(s.expr), "the expression cannot be understood")
		}
	}()
	tree, config, in, fault := s.parse(want)
	if fault != nil {
		return nil, fault
	}
	x = &Expr{source: s, direct: direct(tree.Node), paths: in.paths, open: in.open, fixed: !in.variable, data: in.data}
	if x.direct == nil {
		var err error
		if x.program, err = compiler.Compile(tree, config); err != nil {
			return nil, s.refuse(position(err))
		}
	}
	if err := x.try(); err != nil {
		return nil, s.refuse(err.at, err.what)
	}
	return x, nil
}

// parse is the checked tree of an expression, with our operators in it, and what the
// expression reads.
func (s source) parse(want Want) (*parser.Tree, *conf.Config, *inspector, *Fault) {
	at := func(chars int, what string) (*parser.Tree, *conf.Config, *inspector, *Fault) {
		return nil, nil, nil, s.refuse(chars, what)
	}
	switch {
	case len(s.expr) > maxSource:
		return at(0, "the expression is longer than 16 KiB")
	case strings.TrimSpace(s.expr) == "":
		return at(0, "an expression is missing")
	}
	config := newConfig()
	tree, err := parser.ParseWithConfig(s.expr, config)
	if err != nil {
		return at(position(err))
	}
	in := &inspector{source: s, parts: make(map[ast.Node]bool), noted: make(map[string]bool)}
	in.child(&tree.Node, nil, 0)
	if in.fault != nil {
		return at(in.at, in.fault.Error())
	}
	if _, err := checker.Check(tree, config); err != nil {
		return at(position(err))
	}
	if t := tree.Node.Nature(); want == Condition && !t.IsBool() && !t.IsUnknown(&config.NtCache) {
		return at(leading(s.expr), "this must be true or false, not "+typeNames.Replace(t.String()))
	}
	r := &rewriter{done: make(map[ast.Node]ast.Node)}
	tree.Node = r.node(tree.Node)
	if r.fault != nil {
		return at(r.at, r.fault.Error())
	}
	if want == Condition {
		tree.Node = r.condition(tree.Node)
	}
	return tree, config, in, nil
}

// refuse is what is wrong with an expression; for what looks like a part of a Go
// template, how it is written now.
func (s source) refuse(chars int, what string) *Fault {
	if hint := oldSpelling(s.expr, s.start > 0); hint != "" {
		chars, what = leading(s.expr), hint
	} else if hint := otherSpelling(s.expr, after(s.expr, chars), what); hint != "" {
		what = hint
	}
	f := s.fault(chars, what)
	return &f
}

// leading counts the blanks at the start.
func leading(expr string) int { return len(expr) - len(strings.TrimLeft(expr, " \t\r\n")) }

// position takes an error of expr's apart.
func position(err error) (at int, what string) {
	if e, ok := errors.AsType[*file.Error](err); ok {
		return e.From, plainly(e.Message)
	}
	return 0, plainly(err.Error())
}

// environment says what the variables are.
var environment = types.Map{
	"sender": types.String,
	"event":  types.String,
	"data":   types.Any,
	"time":   types.TypeOf(meterTime),
}

// known are the functions by the names that the compiler knows them under.
var known, disabled = func() (conf.FunctionsTable, map[string]bool) {
	known, disabled := make(conf.FunctionsTable), make(map[string]bool)
	for _, f := range builtin.Builtins {
		disabled[f.Name] = !f.Predicate
	}
	for name, f := range functions {
		known[name] = f.register(name)
	}
	for name, do := range operators {
		known[internal(name)] = &builtin.Function{Name: internal(name), Func: func(args ...any) (any, error) {
			if len(args) == 2 {
				return do(args[0].(*meter), args[1], nil)
			}
			return do(args[0].(*meter), args[1], args[2])
		}}
	}
	known[internal("[:]")] = &builtin.Function{Name: internal("[:]"), Func: func(args ...any) (any, error) {
		return slice(args[0].(*meter), args[1], args[2], args[3])
	}}
	return known, disabled
}()

// internal is a name that no expression can spell.
func internal(name string) string { return "\x00" + name }

func (f function) register(name string) *builtin.Function {
	out := reflect.TypeFor[any]()
	if f.result != nil {
		out = reflect.TypeOf(f.result)
	}
	_, isBool := f.result.(bool)
	least, most := f.arity()
	var shapes []reflect.Type
	for n := least; n <= max(least, most); n++ {
		in := slices.Repeat([]reflect.Type{reflect.TypeFor[any]()}, n)
		if most < 0 {
			in = append(in, reflect.TypeFor[[]any]())
		}
		shapes = append(shapes, reflect.FuncOf(in, []reflect.Type{out}, most < 0))
	}
	return &builtin.Function{Name: name, Types: shapes, Func: func(args ...any) (any, error) {
		m, args := args[0].(*meter), args[1:]
		if args[0] == nil && !f.nils {
			if isBool {
				return false, nil
			}
			return nil, nil
		}
		for i, v := range args {
			if list, ok := v.([]int); ok {
				args[i], _ = elements(list)
			}
		}
		if err := f.check(name, args); err != nil {
			return nil, err
		}
		return f.call(m, args)
	}}
}

func newConfig() *conf.Config {
	c := &conf.Config{ShortCircuit: true, MaxNodes: maxNodes, Functions: known, Disabled: disabled}
	c.WithEnv(environment)
	return c
}

// Error is an expression's failure for an event.
type Error struct {
	Line, Column int    // in the source, from 1
	Expr         string // the expression, on one line, perhaps cut
	What         string
	cause        error
}

func (e *Error) Unwrap() error { return e.cause }

func (e *Error) Error() string { return e.Expr + ": " + e.What }

// reason takes a failure apart: where it was, in characters, and why.
func reason(err error) (at int, cause error) {
	e, ok := errors.AsType[*file.Error](err)
	if !ok {
		return 0, err
	}
	if _, ours := errors.AsType[mismatch](e.Prev); ours {
		return e.From, e.Prev
	}
	return e.From, errors.New(plainly(e.Message))
}

func (x *Expr) failure(err error) *Error {
	at, cause := reason(err)
	f := x.source.fault(at, cause.Error())
	return &Error{f.Line, f.Column, plain.Line(strings.TrimSpace(x.source.expr), maxNear), f.What, cause}
}

// Eval returns the expression's value for an event: nil, a bool, an int, a float64, a
// Number, a string, a time.Time, a time.Duration, a []any or a map[string]any. Do not
// change it. The error is an *Error.
func (x *Expr) Eval(ev *Event) (any, error) {
	v, err := x.eval(ev)
	if err != nil {
		return nil, x.failure(err)
	}
	if list, ok := v.([]int); ok {
		v, _ = elements(list)
	}
	return v, nil
}

func (x *Expr) eval(ev *Event) (v any, err error) {
	if x.data {
		if err := ev.need(); err != nil {
			return nil, err
		}
	}
	ev.meter.begin()
	if x.direct == nil {
		return ev.run(x.program)
	}
	defer func() {
		if r := recover(); r != nil { // as expr's machine does
			v, err = nil, fmt.Errorf("%v", r)
		}
	}()
	return x.direct(ev)
}

// Holds reports whether a condition holds for an event. The error is an *Error.
func (x *Expr) Holds(ev *Event) (bool, error) {
	v, err := x.Eval(ev)
	holds, _ := v.(bool)
	return holds, err
}

// Source is the expression as it was written.
func (x *Expr) Source() string { return x.source.expr }

// Reads reports whether an expression reads a variable.
func (x *Expr) Reads(variable string) bool {
	return slices.ContainsFunc(x.paths, func(p path) bool { return p.root == variable })
}

// Explain says what an expression read of an event: "data.temp is 21.5, data.room is
// nil".
func (x *Expr) Explain(ev *Event) string {
	var parts []string
	for _, p := range x.paths {
		if p.root == pointer || p.root == "data" && ev.need() != nil {
			continue
		}
		v := ev.variable(p.root)
		for _, key := range p.keys {
			v = member(v, key)
		}
		text := "nil"
		if v != nil {
			text = plain.Line(cutJSON(v, 16*maxNear), maxNear)
		}
		parts = append(parts, p.String()+" is "+text)
	}
	return strings.Join(parts, ", ")
}

// path leads to a member of a variable.
type path struct {
	root string
	keys []any // string or int
}

// pointer is the root of paths in an element of a list.
const pointer = "#"

func (p path) String() string {
	var b strings.Builder
	b.WriteString(p.root)
	for _, key := range p.keys {
		switch key := key.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", key)
		case string:
			if name().MatchString(key) {
				b.WriteString("." + key)
			} else {
				b.WriteString("[" + strconv.Quote(key) + "]")
			}
		}
	}
	return b.String()
}

// shorter orders paths so that each comes after those that it goes on from.
func shorter(a, b path) int { return cmp.Compare(len(a.keys), len(b.keys)) }
