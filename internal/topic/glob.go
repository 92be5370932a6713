package topic

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"sigalert/sig"
)

// Glob is a pattern for names that are text. * stands for any text, ? for any
// character, and [a-z] for one of those, or [^a-z] for any other; after a backslash
// each stands for itself. The zero Glob matches every name.
type Glob struct {
	pattern string
	parts   []part
}

// part is what one character of a name must be; star stands for any number of them.
type part struct {
	star, any bool
	literal   rune
	class     []span // nil: the literal
	not       bool   // none of the class
}

// span is the characters from one to another.
type span struct{ from, to rune }

// ParseGlob reads a name as people write it. Without a *, a ? or a [ that no backslash
// precedes, it is that name, and the Glob is zero; "*" is every name, the zero Name and
// the zero Glob. A backslash is one itself unless a *, ?, [, ] or \ follows.
func ParseGlob(text string) (name sig.Name, glob Glob, err error) {
	var parts []part
	var literal strings.Builder
	isGlob, onlyStars := false, true
	for rest := text; rest != ""; {
		p := part{}
		switch rest[0] {
		case '*':
			p.star, isGlob = true, true
			rest = rest[1:]
		case '?':
			p.any, isGlob = true, true
			rest = rest[1:]
		case '[':
			at := len(text) - len(rest)
			if p, rest, err = parseClass(rest); err != nil {
				return "", Glob{}, &GlobError{utf8.RuneCountInString(text[:at]), err.Error()}
			}
			isGlob = true
		default:
			p.literal, rest = character(rest, `*?[]\`)
			literal.WriteRune(p.literal)
		}
		if n := len(parts); p.star && n > 0 && parts[n-1].star {
			continue // ** is *
		}
		onlyStars = onlyStars && p.star
		parts = append(parts, p)
	}
	switch {
	case !isGlob:
		return Text(literal.String()), Glob{}, nil
	case onlyStars:
		return "", Glob{}, nil
	}
	return "", Glob{text, parts}, nil
}

// GlobError is what is wrong with a pattern.
type GlobError struct {
	At   int // where, in characters
	What string
}

func (e *GlobError) Error() string { return e.What }

// character is the first character of a text, which may follow a backslash if it is
// one of these.
func character(text, escaped string) (r rune, rest string) {
	if text[0] == '\\' && len(text) > 1 && strings.IndexByte(escaped, text[1]) >= 0 {
		return rune(text[1]), text[2:]
	}
	r, size := utf8.DecodeRuneInString(text)
	return r, text[size:]
}

// parseClass reads the class that a text begins with.
func parseClass(text string) (p part, rest string, err error) {
	rest = text[1:]
	if rest != "" && (rest[0] == '^' || rest[0] == '!') {
		p.not, rest = true, rest[1:]
	}
	for rest != "" && rest[0] != ']' {
		var s span
		s.from, rest = character(rest, `*?[]\^!-`)
		s.to = s.from
		if len(rest) > 1 && rest[0] == '-' && rest[1] != ']' {
			s.to, rest = character(rest[1:], `*?[]\^!-`)
		}
		if s.to < s.from {
			return p, "", fmt.Errorf("nothing is from %c to %c: write [%[2]c-%[1]c]", s.from, s.to)
		}
		p.class = append(p.class, s)
	}
	switch {
	case rest == "":
		return p, "", fmt.Errorf(`"[" has no "]": write \[ for the character itself`)
	case p.class == nil:
		return p, "", fmt.Errorf(`there are no characters between "[" and "]": write \[ for the character itself`)
	}
	return p, rest[1:], nil
}

// String is the pattern as it was written.
func (g Glob) String() string { return g.pattern }

// IsZero reports whether the glob matches every name.
func (g Glob) IsZero() bool { return g.parts == nil }

// Equal reports whether both are the same pattern.
func (g Glob) Equal(o Glob) bool { return g.pattern == o.pattern }

// Matches reports whether the pattern matches the whole name. It takes at most as many
// steps as the name has characters, times those of the pattern.
func (g Glob) Matches(name sig.Name) bool {
	if g.IsZero() {
		return true
	}
	text := string(name)
	switch {
	case text == "":
		return false
	case text[0] == 0: // a number, or text in JSON
		if !isText(name) {
			return false
		}
		text = name.String()
	}
	// Where what follows a star does not match, the star takes a character more. That
	// an earlier star takes more can never help.
	part, starPart, starText := 0, -1, ""
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case part < len(g.parts) && g.parts[part].star:
			starPart, starText = part, text
			part++
		case part < len(g.parts) && g.parts[part].is(r):
			part++
			text = text[size:]
		case starPart >= 0:
			_, size := utf8.DecodeRuneInString(starText)
			starText = starText[size:]
			part, text = starPart+1, starText
		default:
			return false
		}
	}
	for part < len(g.parts) && g.parts[part].star {
		part++
	}
	return part == len(g.parts)
}

func (p *part) is(r rune) bool {
	if p.class == nil {
		return p.any || p.literal == r
	}
	for _, s := range p.class {
		if s.from <= r && r <= s.to {
			return !p.not
		}
	}
	return p.not
}
