package rule

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"sigalert/internal/words"
)

var (
	name      = lazy(`^[\p{L}_][\p{L}\p{N}_]*$`)
	meterTime time.Time // only its type counts
)

// inspector walks a tree as it was parsed, before its types are checked. It refuses
// what is not allowed, and notes what is read.
type inspector struct {
	source   source
	visits   int
	parts    map[ast.Node]bool // of a path that is noted
	paths    []path
	noted    map[string]bool // paths by what they look like
	open     bool            // other members may be read
	variable bool
	data     bool
	at       int
	fault    error
}

func (in *inspector) refuse(n ast.Node, format string, args ...any) {
	if in.fault == nil {
		in.at, in.fault = n.Location().From, fmt.Errorf(format, args...)
	}
}

// node walks a tree; depth counts the predicates around it.
func (in *inspector) node(n ast.Node, depth int) {
	// A chain of comparisons (a < b < c) has its middle twice, and so a small source
	// can make a large tree.
	if in.visits++; in.visits > 4*maxNodes {
		in.refuse(n, "the expression is too long")
	}
	if in.fault != nil {
		return
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if n.Value == "$env" {
			in.refuse(n, "%s", unknownName(n.Value))
		}
		if slices.Contains(variables, n.Value) {
			in.variable = true
			in.data = in.data || n.Value == "data"
			in.note(n)
		}
	case *ast.PointerNode:
		in.note(n)
	case *ast.MemberNode:
		if !n.Method {
			in.note(n)
		}
	case *ast.BytesNode:
		in.refuse(n, `b"" is not supported: leave out the b`)
	case *ast.BuiltinNode:
		if n.Name == "reduce" {
			in.open = true
		}
	case *ast.PredicateNode:
		if depth++; depth > 1 {
			in.refuse(n, "a condition within another function's condition is not allowed: it could take too long")
		}
	case *ast.VariableDeclaratorNode:
		in.open = true
	case *ast.BinaryNode:
		if n.Operator == "matches" {
			text, ok := n.Right.(*ast.StringNode)
			switch {
			case !ok:
				in.refuse(n.Right, "the regular expression after matches must be text in quotes")
			case isHuge(text.Value): // expr compiles it before we do
				in.refuse(n.Right, "%w", errPattern)
			}
		}
	case *ast.CallNode:
		in.call(n)
	}
	for _, child := range children(n) {
		in.child(child, n, depth)
	}
}

// child walks the tree of a node's child. A day of the week becomes text, and a month
// a number: Go's types for them compare with nothing.
func (in *inspector) child(child *ast.Node, parent ast.Node, depth int) {
	if id, ok := (*child).(*ast.IdentifierNode); ok {
		c, called := parent.(*ast.CallNode)
		if called = called && child == &c.Callee; !called && isFunction(id.Value) {
			in.refuse(id, "%s is a function: write %s(…)", id.Value, id.Value)
		}
	}
	in.node(*child, depth)
	c, ok := (*child).(*ast.CallNode)
	if _, member := parent.(*ast.MemberNode); !ok || member {
		return
	}
	callee, ok := c.Callee.(*ast.MemberNode)
	if !ok {
		return
	}
	method, _ := callee.Property.(*ast.StringNode)
	if method == nil {
		return
	}
	if with := map[string]string{"Weekday": "string", "Month": "int"}[method.Value]; with != "" {
		call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: with}, Arguments: []ast.Node{c}}
		call.SetLocation(c.Location())
		*child = call
	}
}

func isFunction(name string) bool {
	_, known := functions[name]
	return known || slices.Contains(predicates, name)
}

func (in *inspector) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return
	}
	switch f, known := functions[callee.Value]; {
	case callee.Value == "get", callee.Value == "fromJSON", callee.Value == "fromPairs":
		in.open = true
	case known:
		least, most := f.arity()
		if got := len(n.Arguments); got < least || most >= 0 && got > most {
			takes := words.Count(least, "argument")
			switch {
			case most < 0:
				takes = "at least " + takes
			case most > least:
				takes = fmt.Sprintf("%d to %s", least, words.Count(most, "argument"))
			}
			in.refuse(n, "%s takes %s, not %d", callee.Value, takes, got)
		}
	}
}

// note notes the path that ends at n, unless it goes on.
func (in *inspector) note(n ast.Node) {
	if in.parts[n] {
		return
	}
	var keys []any
	for base := n; ; {
		switch b := base.(type) {
		case *ast.ChainNode:
			in.parts[b] = true
			base = b.Node
			continue
		case *ast.MemberNode:
			in.parts[b] = true
			base = b.Node
			switch key := b.Property.(type) {
			case *ast.StringNode:
				keys = append(keys, key.Value)
				continue
			case *ast.IntegerNode:
				if key.Value < 10 {
					keys = append(keys, key.Value)
					continue
				}
			case *ast.UnaryNode:
				if i, ok := key.Node.(*ast.IntegerNode); ok && key.Operator == "-" && i.Value < 10 {
					keys = append(keys, -i.Value)
					continue
				}
			}
		case *ast.IdentifierNode:
			in.parts[b] = true
			if slices.Contains(variables, b.Value) {
				in.add(path{b.Value, keys})
				return
			}
		case *ast.PointerNode:
			in.parts[b] = true
			if b.Name == "" {
				in.add(path{pointer, keys})
				return
			}
		}
		in.open = true
		return
	}
}

func (in *inspector) add(p path) {
	slices.Reverse(p.keys)
	if name := p.String(); !in.noted[name] {
		in.noted[name] = true
		in.paths = append(in.paths, p)
	}
}

// children are the nodes directly under n.
func children(n ast.Node) (all []*ast.Node) {
	list := func(nodes []ast.Node) {
		for i := range nodes {
			all = append(all, &nodes[i])
		}
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []*ast.Node{&n.Node}
	case *ast.BinaryNode:
		return []*ast.Node{&n.Left, &n.Right}
	case *ast.ChainNode:
		return []*ast.Node{&n.Node}
	case *ast.MemberNode:
		return []*ast.Node{&n.Node, &n.Property}
	case *ast.SliceNode:
		all = []*ast.Node{&n.Node}
		if n.From != nil {
			all = append(all, &n.From)
		}
		if n.To != nil {
			all = append(all, &n.To)
		}
	case *ast.CallNode:
		all = []*ast.Node{&n.Callee}
		list(n.Arguments)
	case *ast.BuiltinNode:
		list(n.Arguments)
	case *ast.PredicateNode:
		return []*ast.Node{&n.Node}
	case *ast.ConditionalNode:
		return []*ast.Node{&n.Cond, &n.Exp1, &n.Exp2}
	case *ast.VariableDeclaratorNode:
		return []*ast.Node{&n.Value, &n.Expr}
	case *ast.SequenceNode:
		list(n.Nodes)
	case *ast.ArrayNode:
		list(n.Nodes)
	case *ast.MapNode:
		list(n.Pairs)
	case *ast.PairNode:
		return []*ast.Node{&n.Key, &n.Value}
	}
	return all
}

// rewriter puts our operators and functions in the place of expr's, in a tree whose
// types are checked.
type rewriter struct {
	done  map[ast.Node]ast.Node // a node can have two parents
	at    int
	fault error
}

func (r *rewriter) refuse(n ast.Node, format string, args ...any) {
	if r.fault == nil {
		r.at, r.fault = n.Location().From, fmt.Errorf(format, args...)
	}
}

// call is the call that takes the place of a node.
func call(function string, n ast.Node, args ...ast.Node) ast.Node {
	c := &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: function},
		Arguments: append([]ast.Node{&ast.IdentifierNode{Value: meterName}}, args...),
	}
	c.SetLocation(n.Location())
	c.SetNature(*n.Nature())
	return c
}

// condition is a node that is true or false.
func (r *rewriter) condition(n ast.Node) ast.Node { return call(internal("bool"), n, n) }

func (r *rewriter) node(n ast.Node) ast.Node {
	if with, ok := r.done[n]; ok {
		return with
	}
	with := r.rewrite(n)
	r.done[n] = with
	return with
}

func (r *rewriter) rewrite(n ast.Node) ast.Node {
	if c, ok := n.(*ast.CallNode); ok {
		return r.call(c)
	}
	size := 0
	if b, ok := n.(*ast.BuiltinNode); ok && len(b.Arguments) > 1 {
		size = treeSize(b.Arguments[1])
	}
	for _, child := range children(n) {
		*child = r.node(*child)
	}
	switch n := n.(type) {
	case *ast.ChainNode:
		return n.Node
	case *ast.MemberNode:
		if t := n.Node.Type(); methods[t] != nil {
			r.refuse(n, "%s has no members: a function is written with (), as in time.Hour()", typeNames.Replace(t.String()))
		}
		return call(internal("."), n, n.Node, n.Property)
	case *ast.SliceNode:
		from, to := n.From, n.To
		if from == nil {
			from = &ast.NilNode{}
		}
		if to == nil {
			to = &ast.NilNode{}
		}
		return call(internal("[:]"), n, n.Node, from, to)
	case *ast.UnaryNode:
		switch n.Operator {
		case "!", "not":
			n.Node = r.condition(n.Node)
		default:
			return call(internal(n.Operator+"1"), n, n.Node)
		}
	case *ast.BinaryNode:
		return r.binary(n)
	case *ast.ConditionalNode:
		n.Cond = r.condition(n.Cond)
	case *ast.PairNode:
		n.Key = call(internal("name"), n.Key, n.Key)
	case *ast.BuiltinNode:
		return r.predicate(n, size)
	}
	return n
}

func (r *rewriter) binary(n *ast.BinaryNode) ast.Node {
	switch n.Operator {
	case "&&", "and", "||", "or":
		n.Left, n.Right = r.condition(n.Left), r.condition(n.Right)
		return n
	case "??":
		return n
	case "matches":
		p, err := compilePattern(n.Right.(*ast.StringNode).Value)
		if err != nil {
			r.refuse(n.Right, "%w", err)
			return n
		}
		n.Right = &ast.ConstantNode{Value: p}
	}
	return call(internal(n.Operator), n, n.Left, n.Right)
}

// predicate rewrites a function that takes a predicate, of this size.
func (r *rewriter) predicate(n *ast.BuiltinNode, size int) ast.Node {
	work := &ast.IntegerNode{Value: 150 + 60*size}
	of := func(name string) {
		p := n.Arguments[1].(*ast.PredicateNode)
		p.Node = call(internal(name), p.Node, p.Node)
	}
	switch n.Name {
	case "sum", "count":
		if len(n.Arguments) == 1 {
			element := &ast.PointerNode{}
			element.SetLocation(n.Location())
			n.Arguments = append(n.Arguments, &ast.PredicateNode{Node: element})
		}
		if n.Name == "count" {
			of("bool")
		} else {
			of("addend")
		}
	case "sortBy":
		of("key")
		work.Value += 500
	case "groupBy":
		of("group")
		work.Value += 700
	case "map", "reduce":
	default:
		of("bool")
	}
	n.Arguments[0] = call(internal("list"), n.Arguments[0], n.Arguments[0], work)
	if n.Name == "groupBy" {
		return call(internal("grouped"), n, n)
	}
	return n
}

// methods are those of times and durations that may be called.
var methods = map[reflect.Type][]string{
	reflect.TypeFor[time.Time](): {
		"Add", "AddDate", "After", "Before", "Day", "Equal", "Format", "Hour", "Minute", "Month", "Second", "Sub",
		"UTC", "Unix", "Weekday", "Year", "YearDay",
	},
	reflect.TypeFor[time.Duration](): {"Hours", "Minutes", "Seconds", "String"},
	reflect.TypeFor[time.Weekday]():  {"String"},
	reflect.TypeFor[time.Month]():    {"String"},
}

// methodsOf are those of a type, by its name.
func methodsOf(typeName string) []string {
	for t, names := range methods {
		if t.String() == typeName {
			return names
		}
	}
	return nil
}

func (r *rewriter) call(n *ast.CallNode) ast.Node {
	callee := n.Callee
	if chain, ok := callee.(*ast.ChainNode); ok {
		callee = chain.Node
	}
	for i := range n.Arguments {
		n.Arguments[i] = r.node(n.Arguments[i])
	}
	switch callee := callee.(type) {
	case *ast.IdentifierNode:
		return call(callee.Value, n, n.Arguments...)
	case *ast.MemberNode:
		method, _ := callee.Property.(*ast.StringNode)
		t := callee.Node.Type()
		allowed := methods[t]
		if t.Kind() == reflect.Interface { // a sum of times and durations, or anything else
			allowed = slices.Concat(slices.Collect(maps.Values(methods))...)
		}
		switch {
		case method == nil:
		case slices.Contains(allowed, method.Value):
			callee.Node = r.node(callee.Node)
			n.Callee = callee
			if method.Value == "Format" && len(n.Arguments) == 1 {
				n.Arguments[0] = call(internal("layout"), n.Arguments[0], n.Arguments[0])
			}
			return n
		case methods[t] != nil:
			r.refuse(callee, "%s", plainly(fmt.Sprintf("type %s has no method %s", t, method.Value)))
			return n
		case functions[method.Value].args != "":
			r.refuse(callee, "write %s(…) in place of .%s(…)", method.Value, method.Value)
			return n
		}
		r.refuse(callee, "only times have functions that are called with a dot, such as time.Hour()")
	default:
		r.refuse(n, "this is not a function")
	}
	return n
}

// treeSize counts a tree's nodes.
func treeSize(n ast.Node) int {
	size := 1
	for _, child := range children(n) {
		size += treeSize(*child)
	}
	return size
}
