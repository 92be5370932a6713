package rule

import (
	"regexp"
	"strings"
)

// Before expressions, texts were Go templates.
var (
	block     = regexp.MustCompile(`^-?\s*(if|range|with|else if|define|block|template)\b`)
	blockEnd  = regexp.MustCompile(`^-?\s*(end|else(\s+if\b.*)?)\s*-?$`)
	field     = regexp.MustCompile(`(^|[\s(|,!])\.(Sender|Event|Data|Time)\b`)
	bareDot   = regexp.MustCompile(`^\.[A-Z]\w*|^\$(\W|[^e]|$)|^\.$`)
	trimmed   = regexp.MustCompile(`^-\s|\s-$`)
	plainPath = regexp.MustCompile(`^\.(Sender|Event|Data|Time)((?:\.\w+)*)$`)
	piped     = regexp.MustCompile(`^(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)\s*\|\s*(upper|lower|trim|json)$`)
	called    = regexp.MustCompile(`^(upper|lower|trim|json|len)\s+(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)$`)
	defaulted = regexp.MustCompile(`^(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)\s*\|\s*default\s+("[^"]*"|[\d.]+)$`)
	defaults  = regexp.MustCompile(`^default\s+("[^"]*"|[\d.]+)\s+(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)$`)
	indexed   = regexp.MustCompile(`^index\s+(\.Data(?:\.\w+)*)\s+("[^"]*"|\d+)$`)
	cut       = regexp.MustCompile(`^truncate\s+(\d+)\s+(\.(?:Sender|Event|Data|Time)(?:\.\w+)*)$`)
)

// oldSpelling says how a faulty expression is written now, if it looks like a part of
// a Go template; "" if it does not.
func oldSpelling(expr string, want Want) string {
	expr = strings.TrimSpace(expr)
	dashes := trimmed.MatchString(expr)
	bare := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(expr, "-"), "-"))
	looks := field.MatchString(bare) || want == Value && bareDot.MatchString(bare)
	switch {
	case want == Condition && looks:
		return "this is a Go template: write " + lower(bare)
	case want == Condition:
		return ""
	case block.MatchString(bare) && (looks || !strings.Contains(bare, "{")) || blockEnd.MatchString(bare):
		if strings.HasPrefix(bare, "range") {
			return `this is a Go template: write {{ join(map(data.list, string(#)), ", ") }}`
		}
		if m := regexp.MustCompile(`^(?:else )?if\s+(\.\S+)$`).FindStringSubmatch(bare); m != nil {
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
		old *regexp.Regexp
		now string
	}{
		{piped, "$2($1)"},
		{called, "$1($2)"},
		{defaulted, "$1 ?? $2"},
		{defaults, "$2 ?? $1"},
		{indexed, "$1[$2]"},
		{cut, "truncate($2, $1)"},
	} {
		if form.old.MatchString(old) {
			return lower(form.old.ReplaceAllString(old, form.now))
		}
	}
	if plainPath.MatchString(old) {
		return lower(old)
	}
	if m := regexp.MustCompile(`\.(Sender|Event|Data|Time)((?:\.\w+)*)`).FindString(old); m != "" {
		return lower(m)
	}
	return "data.x"
}

// lower writes .Data.x as data.x.
func lower(old string) string {
	return regexp.MustCompile(`(^|[^\w"\])])\.(Sender|Event|Data|Time)\b`).ReplaceAllStringFunc(old, func(m string) string {
		i := strings.LastIndexByte(m, '.')
		return m[:i] + strings.ToLower(m[i+1:])
	})
}
