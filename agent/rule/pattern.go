package rule

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

// pattern is a regular expression and what it may cost for each byte.
type pattern struct {
	*regexp.Regexp
	cost int
}

// maxPattern bounds a regular expression, in steps of its program.
const maxPattern = 200

var errPattern = errors.New("the regular expression is too large: repeat less in it")

// repeated is how often a part of a regular expression may be repeated.
var repeated = lazy(`\{(?:\d+,)?(\d+)`)

// isHuge reports whether even the parsing of a regular expression takes long.
func isHuge(text string) bool {
	repeats := 0
	for _, m := range repeated().FindAllStringSubmatch(text, -1) {
		count, _ := strconv.Atoi(m[1])
		repeats += count
	}
	return len(text) > 1<<10 || repeats > 10*maxPattern
}

// patternSize is about how many steps a regular expression has.
func patternSize(re *syntax.Regexp) (size int) {
	for _, sub := range re.Sub {
		size += patternSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(1, re.Min, re.Max)
	}
	return size + 1 + len(re.Rune)/2 // a class has two runes for each range
}

func compilePattern(text string) (*pattern, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, errors.New(plainly(err.Error()))
	}
	if patternSize(parsed) > 10*maxPattern { // which takes long to compile
		return nil, errPattern
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, errors.New(plainly(err.Error()))
	}
	if len(program.Inst) > maxPattern {
		return nil, errPattern
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, errors.New(plainly(err.Error()))
	}
	cost := 10 + 4*len(program.Inst)
	if prefix, complete := re.LiteralPrefix(); complete || strings.HasPrefix(text, "^") && prefix != "" {
		cost = 4
	}
	return &pattern{re, cost}, nil
}
