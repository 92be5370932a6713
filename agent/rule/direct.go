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
	switch n := n.(type) {
	case *ast.NilNode:
		return constant(nil)
	case *ast.BoolNode:
		return constant(n.Value)
	case *ast.StringNode:
		return constant(n.Value)
	case *ast.ConstantNode:
		return constant(n.Value)
	case *ast.FloatNode:
		return constant(n.Value)
	case *ast.IntegerNode:
		if t := n.Type(); t != nil && t.Kind() != reflect.Int {
			return nil // it stands for a number of another type
		}
		return constant(n.Value)
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

func constant(v any) step { return func(*Event) (any, error) { return v, nil } }

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
		a, b := args[1], constant(nil)
		if len(args) > 2 {
			b = args[2]
		}
		return func(ev *Event) (any, error) {
			x, err := a(ev)
			if err != nil {
				return nil, err
			}
			y, err := b(ev)
			if err != nil {
				return nil, err
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
