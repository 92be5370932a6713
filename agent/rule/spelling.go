package rule

import (
	"fmt"
	"regexp"
	"strings"
)

// Before expressions, texts were Go templates.
var (
	block     = lazy(`^-?\s*(if|range|with|else if|define|block|template)\b`)
	blockEnd  = lazy(`^-?\s*(end|else(\s+if\b.*)?)\s*-?$`)
	field     = lazy(`(^|[\s(|,!])\.(Sender|Event|Data|Time)\b`)
	bareDot   = lazy(`^\.[A-Z]\w*|^\$(\W|[^e]|$)|^\.$`)
	trimmed   = lazy(`^-\s|\s-$`)
	plainPath = lazy(`^\.(Sender|Event|Data|Time)((?:\.\w+)*)$`)
	piped     = lazy(`^(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)\s*\|\s*(upper|lower|trim|json)$`)
	called    = lazy(`^(upper|lower|trim|json|len)\s+(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)$`)
	defaulted = lazy(`^(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)\s*\|\s*default\s+("[^"]*"|[\d.]+)$`)
	defaults  = lazy(`^default\s+("[^"]*"|[\d.]+)\s+(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)$`)
	indexed   = lazy(`^index\s+(\.Data(?:\.\w+)*)\s+("[^"]*"|\d+)$`)
	condition = lazy(`^(?:else )?if\s+(\.\S+)$`)
	anyPath   = lazy(`\.(Sender|Event|Data|Time)((?:\.\w+)*)`)
	anyField  = lazy(`(^|[^\w"\])])\.(Sender|Event|Data|Time)\b`)
	hyphened  = lazy(`\b(data(?:\.\w+|\[[^\[\]]*\])*)\.(\w+(?:-\w+)*-)$`)
	hyphens   = lazy(`^\w+(?:-\w+)*`)
	numbered  = lazy(`^\.\d+`)
	argument  = lazy(`\b(\w+)\s+$`)
	cut       = lazy(`^truncate\s+(\d+)\s+(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)$`)
)

// oldSpelling says how a faulty expression is written now, if it looks like a part of
// a Go template; "" if it does not. inText is whether it stands in {{ }}.
func oldSpelling(expr string, inText bool) string {
	expr = strings.TrimSpace(expr)
	dashes := trimmed().MatchString(expr)
	bare := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(expr, "-"), "-"))
	looks := field().MatchString(bare) || inText && bareDot().MatchString(bare)
	switch {
	case !inText && looks:
		return "this is a Go template: write " + lower(bare)
	case !inText:
		return ""
	case block().MatchString(bare) && (looks || !strings.Contains(bare, "{")) || blockEnd().MatchString(bare):
		if strings.HasPrefix(bare, "range") {
			return `this is a Go template: write {{ join(map(data.list, string(#)), ", ") }}`
		}
		if m := condition().FindStringSubmatch(bare); m != nil {
			return "this is a Go template: write {{ " + lower(m[1]) + " ? a : b }}"
		}
		return "this is a Go template: write {{ cond ? a : b }}"
	case looks:
		now := rewritten(bare)
		return "this is a Go template: write {{ " + now + " }}"
	case dashes:
		return "this is a Go template: leave out the dashes next to {{ and }}"
	}
	return ""
}

// otherSpelling says how what is wrong at a byte of an expression is written, if that
// can be seen from what stands around it: a key with a hyphen, an element of a list, an
// argument without parentheses; "" if it cannot.
func otherSpelling(expr string, at int, what string) string {
	before, rest := expr[:at], expr[at:]
	unknown := strings.HasPrefix(what, "unknown name ")
	if m := hyphened().FindStringSubmatch(before); m != nil && unknown {
		key := m[2] + hyphens().FindString(rest)
		return fmt.Sprintf("%s: the key %q is written %s[%[2]q]", unknownWord(what), key, m[1])
	}
	if number := numbered().FindString(rest); number != "" && at > 0 {
		return fmt.Sprintf("an element of a list is written [%s], and a key that begins with a digit in [\"…\"]", number[1:])
	}
	m := argument().FindStringSubmatch(before)
	switch {
	case m == nil || unknown || !strings.HasSuffix(what, "is not expected here"):
	case isFunction(m[1]):
		return "what a function takes stands in parentheses: write " + m[1] + "(…)"
	case instead[m[1]] != "":
		return unknownName(m[1])
	}
	return ""
}

// unknownWord is "unknown name x", without a guess at what it may be.
func unknownWord(what string) string {
	what, _, _ = strings.Cut(what, " (")
	what, _, _ = strings.Cut(what, ":")
	return what
}

// rewritten is a Go template's pipeline as an expression, as far as its form is known.
func rewritten(old string) string {
	for _, form := range []struct {
		old func() *regexp.Regexp
		now string
	}{
		{piped, "$2($1)"},
		{called, "$1($2)"},
		{defaulted, "$1 ?? $2"},
		{defaults, "$2 ?? $1"},
		{indexed, "$1[$2]"},
		{cut, "truncate($2, $1)"},
	} {
		if form.old().MatchString(old) {
			return lower(form.old().ReplaceAllString(old, form.now))
		}
	}
	if plainPath().MatchString(old) {
		return lower(old)
	}
	if m := anyPath().FindString(old); m != "" {
		return lower(m)
	}
	return "data.x"
}

// lower writes .Data.x as data.x.
func lower(old string) string {
	return anyField().ReplaceAllStringFunc(old, func(m string) string {
		i := strings.LastIndexByte(m, '.')
		return m[:i] + strings.ToLower(m[i+1:])
	})
}
