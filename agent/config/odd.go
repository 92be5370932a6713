package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// lookalike says what a character is that looks like another or like nothing; "" for
// any other. They come with text that was copied from a page or a word processor.
// YAML takes them for letters.
func lookalike(r rune) string {
	switch r {
	case '\u00a0', '\u2007', '\u202f':
		return "a no-break space"
	case '\u180e', '\u200b', '\u2060', '\ufeff':
		return "a zero-width space"
	case '\u2006', '\u2009', '\u200a':
		return "a thin space"
	case '\u3000':
		return "an ideographic space"
	case '\u00ad':
		return "a soft hyphen"
	}
	switch {
	case isQuote(r):
		return "a curly quotation mark"
	case unicode.Is(unicode.Bidi_Control, r):
		return "a mark that changes the direction of text"
	case r != ' ' && unicode.Is(unicode.Zs, r):
		return "an unusual space"
	}
	return ""
}

func isQuote(r rune) bool { return strings.ContainsRune("“”„‘’‚", r) }

func describe(r rune) string { return fmt.Sprintf("%s (U+%04X)", lookalike(r), r) }

// odd names the first lookalike in a text that was not understood; "" if it has none.
func odd(text string) string {
	if i := strings.IndexFunc(text, func(r rune) bool { return lookalike(r) != "" }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return ": it has " + describe(r)
	}
	return ""
}

// tight says what a text that was not understood lacks if it begins with a key whose
// colon no space follows, with which YAML has no key; otherwise it is "".
func (p *parser) tight(text string) string {
	if p.glued == nil {
		p.glued = regexp.MustCompile(`^[\s{-]*((?:` + strings.Join(p.known(), "|") + `):)[^\s/]`)
	}
	m := p.glued.FindStringSubmatch(text)
	if m == nil || odd(text) != "" {
		return ""
	}
	return fmt.Sprintf(": a space must follow %q", m[1])
}

// known are the keys that a file may have anywhere.
func (p *parser) known() (keys []string) {
	for _, some := range []map[string]setter{
		p.fileKeys(nil, nil), p.historyKeys(nil, nil, nil), p.subscriptionKeys(nil),
		p.iconKeys(nil), p.actionKeys(nil), p.requestKeys(nil), p.shellKeys(nil), p.repeatKeys(nil), p.escalationKeys(nil), p.publicationKeys(nil),
	} {
		keys = slices.AppendSeq(keys, maps.Keys(some))
	}
	for _, s := range RouterSettings {
		keys = append(keys, s.Key[strings.LastIndexByte(s.Key, '.')+1:])
	}
	return keys
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
	i := slices.IndexFunc(text, func(r rune) bool { return lookalike(r) != "" && !isQuote(r) })
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
