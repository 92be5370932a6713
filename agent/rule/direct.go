package rule

import (
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm/runtime"
)

// step computes a part of an expression.
type step func(ev *Event) (any, error)

// direct compiles a tree that the rewriter has been through, so that it is computed
// several times as fast as by expr's machine, with what that would make of it. What has
// predicates, lists, objects, variables of its own or methods is left to the machine:
// then the step is nil.
func direct(n ast.Node) step {
	if v, ok := constant(n); ok {
		return func(*Event) (any, error) { return v, nil }
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if n.Value != meterName && !slices.Contains(variables, n.Value) {
			return nil
		}
		if n.Value == "data" {
			return func(ev *Event) (any, error) { return ev.data, nil }
		}
		return func(ev *Event) (any, error) { return ev.variable(n.Value), nil }
	case *ast.UnaryNode: // not
		if of := direct(n.Node); of != nil {
			return func(ev *Event) (any, error) {
				v, err := of(ev)
				return err == nil && !v.(bool), err
			}
		}
	case *ast.BinaryNode:
		if left, right := direct(n.Left), direct(n.Right); left != nil && right != nil {
			return either(n.Operator, left, right)
		}
	case *ast.ConditionalNode:
		if cond, yes, no := direct(n.Cond), direct(n.Exp1), direct(n.Exp2); cond != nil && yes != nil && no != nil {
			return func(ev *Event) (any, error) {
				v, err := cond(ev)
				switch {
				case err != nil:
					return nil, err
				case v.(bool):
					return yes(ev)
				}
				return no(ev)
			}
		}
	case *ast.CallNode:
		return calling(n)
	}
	return nil
}

// constant is the value of a node that always has the same.
func constant(n ast.Node) (v any, ok bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.ConstantNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.IntegerNode:
		t := n.Type() // another than int: it stands for a number of that type
		return n.Value, t == nil || t.Kind() == reflect.Int
	}
	return nil, false
}

// either has an operator that may not need its right operand.
func either(operator string, left, right step) step {
	enough := func(v any) bool { return v == (operator == "||" || operator == "or") }
	if operator == "??" {
		enough = func(v any) bool { return !runtime.IsNil(v) }
	}
	return func(ev *Event) (any, error) {
		if v, err := left(ev); err != nil || enough(v) {
			return v, err
		}
		return right(ev)
	}
}

// calling has a call of one of our functions or operators.
func calling(n *ast.CallNode) step {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || known[callee.Value] == nil {
		return nil
	}
	args := make([]step, len(n.Arguments))
	for i, arg := range n.Arguments {
		if args[i] = direct(arg); args[i] == nil {
			return nil
		}
	}
	failed := func(err error) error {
		return &file.Error{Location: n.Location(), Message: err.Error(), Prev: err}
	}
	name, internal := strings.CutPrefix(callee.Value, internal(""))
	if do := operators[name]; internal && do != nil {
		if name == "bool" && isComparison(n.Arguments[1]) {
			return args[1]
		}
		var b any
		fixed := len(args) == 2
		if !fixed {
			b, fixed = constant(n.Arguments[2])
		}
		return func(ev *Event) (any, error) {
			x, err := args[1](ev)
			if err != nil {
				return nil, err
			}
			y := b
			if !fixed {
				if y, err = args[2](ev); err != nil {
					return nil, err
				}
			}
			v, err := do(&ev.meter, x, y)
			if err != nil {
				return nil, failed(err)
			}
			return v, nil
		}
	}
	do := known[callee.Value].Func
	return func(ev *Event) (any, error) {
		values := make([]any, len(args))
		for i, arg := range args {
			var err error
			if values[i], err = arg(ev); err != nil {
				return nil, err
			}
		}
		v, err := do(values...)
		if err != nil {
			return nil, failed(err)
		}
		return v, nil
	}
}

// isComparison reports whether a node is an operator of ours that is true or false.
func isComparison(n ast.Node) bool {
	c, ok := n.(*ast.CallNode)
	if !ok {
		return false
	}
	callee, ok := c.Callee.(*ast.IdentifierNode)
	return ok && slices.Contains(comparisons, callee.Value)
}

var comparisons = []string{
	internal("=="), internal("!="), internal("<"), internal("<="), internal(">"), internal(">="), internal("in"),
	internal("contains"), internal("startsWith"), internal("endsWith"), internal("matches"),
}
