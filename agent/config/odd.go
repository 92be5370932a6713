package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// lookalikes come with text that was copied from a page or a word processor. YAML
// takes them for letters.
var lookalikes = map[rune]string{
	'\u00a0': "a no-break space", '\u2007': "a no-break space", '\u202f': "a no-break space",
	'\u200b': "a zero-width space", '\u2060': "a zero-width space", '\ufeff': "a zero-width space",
	'“': "a curly quotation mark", '”': "a curly quotation mark", '„': "a curly quotation mark",
	'‘': "a curly quotation mark", '’': "a curly quotation mark", '‚': "a curly quotation mark",
}

func isQuote(r rune) bool { return strings.ContainsRune("“”„‘’‚", r) }

func describe(r rune) string { return fmt.Sprintf("%s (U+%04X)", lookalikes[r], r) }

// odd names the first lookalike in a text that was not understood; "" if it has none.
func odd(text string) string {
	for _, r := range text {
		if lookalikes[r] != "" {
			return ": it has " + describe(r)
		}
	}
	return ""
}

// unspaced is a key whose colon no space follows, with which YAML has no key.
var unspaced = regexp.MustCompile(`^[\s{-]*((?:server|history|subscriptions|defaults|sender|event|title|body|urgency|presence|listen|limit|age|token|hosts):)[^\s/]`)

// tight says what a text that was not understood lacks if it begins with such a key;
// otherwise it is "".
func tight(text string) string {
	m := unspaced.FindStringSubmatch(text)
	if m == nil || odd(text) != "" {
		return ""
	}
	return fmt.Sprintf(": a space must follow %q", m[1])
}

func isPlain(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

// lookalike reports a lookalike in a value, and whether it is a problem. Within
// quotes it may be meant, except perhaps for what nobody sees; so may a curly
// quotation mark within a word, as in Anna’s.
func (p *parser) lookalike(n *yaml.Node, where string) (bad bool) {
	v := resolve(n)
	text := []rune(v.Value)
	if len(text) == 0 {
		return false
	}
	first, last := text[0], text[len(text)-1]
	i := slices.IndexFunc(text, func(r rune) bool { return lookalikes[r] != "" && !isQuote(r) })
	switch {
	case i >= 0 && !isPlain(v):
		p.warn(n.Line, where, fmt.Sprintf("has %s: remove it if it is not meant", describe(text[i])))
		return false
	case i >= 0:
		p.problem(n.Line, where, fmt.Sprintf("has %s: remove it, or use quotes if it is meant", describe(text[i])))
	case isPlain(v) && isQuote(first):
		p.problem(n.Line, where, fmt.Sprintf(`begins with %s: use "straight" ones`, describe(first)))
	case isPlain(v) && isQuote(last):
		p.problem(n.Line, where, fmt.Sprintf(`ends with %s: use "straight" ones`, describe(last)))
	default:
		return false
	}
	return true
}
