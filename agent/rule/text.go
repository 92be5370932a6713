package rule

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

const (
	// maxText bounds what a text becomes, in bytes.
	maxText = 64 << 10
	// maxParts bounds the expressions in a text.
	maxParts = 200
	// maxTextSource bounds a text as it is written, in bytes.
	maxTextSource = 64 << 10
)

// Text is a text that holds expressions in {{ }}.
type Text struct {
	parts []part
}

// part is an expression, or the text between two.
type part struct {
	text string
	expr *Expr // nil: text
}

// CompileText is [Compiler.CompileText] for a text that stands alone.
func CompileText(src string) (*Text, error) { return new(Compiler).CompileText(src) }

// CompileText checks and compiles a text. The error is Faults: all that there are.
func (c *Compiler) CompileText(src string) (*Text, error) {
	if len(src) > maxTextSource {
		return nil, Faults{{Line: 1, Column: 1, What: "the text is longer than 64 KiB"}}
	}
	var faults Faults
	t := new(Text)
	inBlock := false // of a Go template, which was told of
	expressions := 0
	for at := 0; at < len(src); {
		open := strings.Index(src[at:], "{{")
		if open < 0 {
			t.add(src[at:])
			break
		}
		t.add(src[at : at+open])
		begin := at + open + len("{{")
		if expressions++; expressions > maxParts {
			faults = append(faults, faultAt(src, begin, "the text has more than 200 expressions"))
			break
		}
		length, fault := end(src, begin)
		if fault != nil {
			faults = append(faults, *fault)
			next := strings.Index(src[begin:], "}}")
			if next < 0 {
				break
			}
			at = begin + next + len("}}")
			continue
		}
		at = begin + length + len("}}")
		inner := src[begin : begin+length]
		if inBlock && blockEnd().MatchString(inner) {
			continue
		}
		x, fault := c.compile(source{src, begin, inner}, Value)
		if fault != nil {
			faults = append(faults, *fault)
			inBlock = inBlock || block().MatchString(inner)
			continue
		}
		t.parts = append(t.parts, part{expr: x})
	}
	if len(faults) > 0 {
		faults.sort()
		return nil, faults
	}
	return t, nil
}

func (t *Text) add(text string) {
	if text != "" {
		t.parts = append(t.parts, part{text: text})
	}
}

// end is the length of the expression that begins at a byte of a text, up to its }}.
// The lexer finds it, so that an expression may have }} in a text or in objects.
func end(src string, begin int) (length int, fault *Fault) {
	rest := src[begin:]
	l := lexer.New()
	l.Reset(file.NewSource(rest))
	depth, last := 0, -1 // open braces; where a } at depth 0 ended, in characters
	for {
		token, err := l.Next()
		switch {
		case errors.Is(err, io.EOF), err == nil && token.Is(lexer.EOF):
			f := faultAt(src, begin-len("{{"), `"{{" has no "}}"`)
			return 0, &f
		case err != nil:
			at, what := position(err)
			if hint := oldSpelling(upToEnd(rest), true); hint != "" {
				at, what = 0, hint
			}
			f := source{src, begin, rest}.fault(at, what)
			return 0, &f
		case token.Is(lexer.Bracket, "{"):
			depth++
		case token.Is(lexer.Bracket, "}") && depth > 0:
			depth--
		case token.Is(lexer.Bracket, "}") && last == token.From:
			return after(rest, token.From-1), nil
		case token.Is(lexer.Bracket, "}"):
			last = token.To
		}
	}
}

// upToEnd is what stands before the next }}.
func upToEnd(rest string) string {
	inner, _, _ := strings.Cut(rest, "}}")
	return inner
}

// Constant is the text, if it holds no expressions.
func (t *Text) Constant() (text string, ok bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].expr == nil:
		return t.parts[0].text, true
	}
	return "", false
}

// Literals are what stands before, between and after the expressions of a text that
// has some; "" where two meet.
func (t *Text) Literals() []string {
	literals := []string{""}
	for _, p := range t.parts {
		if p.expr != nil {
			literals = append(literals, "")
		} else {
			literals[len(literals)-1] += p.text
		}
	}
	return literals
}

// Value is the text for an event, as Render has it; but a text that is nothing but one
// expression is its value.
func (t *Text) Value(ev *Event) (any, error) {
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		return t.parts[0].expr.Eval(ev)
	}
	return t.Render(ev)
}

// Render is the text for an event. What is longer than 64 KiB is cut. The error is
// the *Error of the first expression that fails.
func (t *Text) Render(ev *Event) (string, error) {
	if text, ok := t.Constant(); ok {
		return text, nil
	}
	b := make([]byte, 0, 256)
	for _, p := range t.parts {
		text := p.text
		if p.expr != nil {
			v, err := p.expr.Eval(ev)
			if err != nil {
				return "", err
			}
			if text, err = ev.meter.show(v); err != nil {
				return "", p.expr.failure(err)
			}
		}
		if room := maxText - len(b); len(text) > room {
			for room > 0 && !utf8.RuneStart(text[room]) {
				room--
			}
			b = append(b, text[:room]...)
			break
		}
		b = append(b, text...)
	}
	return string(b), nil // a copy: a part of the data would keep all of it in memory
}
