package rule

import (
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
