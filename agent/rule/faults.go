package rule

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"sigalert/internal/plain"
	"sigalert/internal/words"
)

// Fault is one thing that is wrong with an expression or a text.
type Fault struct {
	Line, Column int    // in the source, from 1; the column in characters
	What         string // in plain English
	Near         string // the source around it, on one line
}

func (f Fault) Error() string { return fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.What) }

// Faults are all that is wrong, in the order of the source.
type Faults []Fault

// Error has a line for each fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

func (fs Faults) sort() {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

const (
	// maxWhat bounds a fault's text, in characters: it may quote the source.
	maxWhat = 300
	// maxNear bounds the source that is shown with a fault, in characters.
	maxNear = 60
)

// source is where an expression stands in its text.
type source struct {
	text  string // all of it
	start int    // of the expression, in bytes
	expr  string
}

// fault is one at so many characters into the expression.
func (s source) fault(at int, what string) Fault {
	return faultAt(s.text, s.start+after(s.expr, at), what)
}

// faultAt is a fault at a byte of a text.
func faultAt(text string, at int, what string) Fault {
	begin := strings.LastIndexByte(text[:at], '\n') + 1
	end := len(text)
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		end = at + i
	}
	before, rest := text[begin:at], text[at:end]
	column := 1 + utf8.RuneCountInString(before)
	if column > maxNear/2 {
		before = before[after(before, column-1-maxNear/2):]
	}
	return Fault{
		Line:   1 + strings.Count(text[:at], "\n"),
		Column: column,
		What:   plain.Line(what, maxWhat),
		Near:   plain.Line(strings.TrimSpace(before+rest), maxNear),
	}
}

// variables are what an expression can name.
var variables = []string{"sender", "event", "data", "time"}

// predicates are expr's functions that take one.
var predicates = []string{
	"all", "any", "count", "filter", "find", "findIndex", "findLast", "findLastIndex", "groupBy", "map", "none", "one", "reduce", "sortBy", "sum",
}

// instead is what to use for a name of expr's, or of another language, that is not known.
var instead = map[string]string{
	"now":      "time is the event's time, and ago(time) how long ago it was",
	"toJSON":   "use json",
	"repeat":   "it is left out",
	"timezone": "it is left out: times are in the local zone",
	"null":     "use nil",
	"None":     "use nil",
	"True":     "use true",
	"False":    "use false",
	"default":  "a default is given by ??, as in data.x ?? \"none\"",
	"printf":   "round(data.x, 1) rounds, and text is joined with +",
	"index":    "write data.list[0] or data[\"key\"]",
	"size":     "use len",
	"length":   "use len",
	"str":      "use string",
	"low":      `text is in quotes: write "low"`,
	"normal":   `text is in quotes: write "normal"`,
	"critical": `text is in quotes: write "critical"`,
	"$env":     "use sender, event, data and time",
}

func unknownName(name string) string {
	what := "unknown name " + name
	if hint := instead[name]; hint != "" {
		return what + ": " + hint
	}
	known := slices.Concat(variables, predicates, slices.Sorted(maps.Keys(functions)))
	if near := words.Nearest(name, known); near != "" {
		return fmt.Sprintf("%s (did you mean %s?)", what, near)
	}
	return what + ": an expression has sender, event, data and time"
}

// lazy compiles a regular expression when it is first needed: most runs find no fault.
func lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// plainWords are expr's errors, and what they mean.
var plainWords = []struct {
	expr  func() *regexp.Regexp
	plain string
}{
	{lazy(`^unexpected token EOF$|^unexpected end of expression$`), "the expression ends too early"},
	{lazy(`^unexpected token Operator\("="\)$`), "= is not known here: to compare, write =="},
	{lazy(`^unexpected token Operator\("&"\)$`), "& is not known: write &&"},
	{lazy(`^unexpected token (?:Operator|Bracket)\("(.*)"\)$`), "$1 is not expected here"},
	{lazy(`^unexpected token \w+\((.*)\)$`), "$1 is not expected here"},
	{lazy(`^unexpected token (\w+)$`), "$1 is not expected here"},
	{lazy(`^literal not terminated$`), "the text has no closing quote"},
	{lazy(`^unclosed comment$`), "the comment has no end"},
	{lazy(`^unrecognized character: U\+20(18|19|1C|1D|1E|1A)\b.*`), `quotes must be straight: "text"`},
	{lazy(`^unrecognized character: U\+\w+ '(.*)'$`), "$1 cannot be used here"},
	{lazy(`^unrecognized character: .*`), "there is a character that cannot be used here"},
	{lazy(`^bad number syntax: (.*)$`), "$1 is not a number; a name that begins with a digit is written data[\"name\"]"},
	{lazy(`^invalid char escape$|^invalid syntax$|^unable to unescape string.*`), `a \ in text begins one of \n \t \" \\ \u0041; for a regular expression, use backquotes`},
	{lazy(`exceeds maximum allowed nodes$`), "the expression is too long"},
	{lazy(`^expected name$`), `a name is expected after the dot; for any other key, write data["key"]`},
	{lazy(`\bfunc\(`), "a function is written with (), as in time.Hour()"},
	{lazy(`^type time\.Time\[.*\] is undefined$`), "a time has no elements"},
	{lazy(`^invalid operation: (\S+) \(mismatched types (.*) and (.*)\)$`), "$1 does not work with $2 and $3"},
	{lazy(`^invalid operation: (\S+) \(mismatched type (.*)\)$`), "$1 does not work with $2"},
	{lazy(`^non-bool expression \(type (.*)\) used as condition$`), "a condition must be true or false, not $1"},
	{lazy(`^predicate should return boolean \(got (.*)\)$`), "the condition must be true or false, not $1"},
	{lazy(`^builtin (\w+) takes only array \(got (.*)\)$`), "$1 takes a list, not $2"},
	{lazy(`^unknown pointer #(.*)$`), "there is no #$1 here"},
	{lazy(`^cannot use pointer accessor outside predicate$`), "# is known only in the condition of a function such as filter"},
	{lazy(`^cannot redeclare (?:function |builtin |variable )?(\w+)$`), "the name $1 is taken"},
	{lazy(`^expected at least (\d+) arguments$`), "the function takes $1 arguments"},
	{lazy(`^Operator \((.*)\) and coalesce expressions \(\?\?\) cannot be mixed.*`), "put parentheses around the part with ??, or around the part with $1"},
	{lazy("^error parsing regexp: (.*)$"), "the regular expression is wrong: $1"},
	{lazy(`^invalid \w+ literal: .*|literal is too large$`), "the number is too large"},
	{lazy(`^a map key must be .*`), `an object is written {"key": value}`},
	{lazy(`^wrap predicate with brackets.*`), "put { } around the condition"},
	{lazy(`^memory budget exceeded$`), "it makes too long a list"},
	{lazy(`^reduce of empty array with no initial value$`), "reduce needs a start value for an empty list"},
	{lazy(`hash of unhashable type`), "groupBy needs text or numbers to group by"},
	{lazy(`^(?:runtime error|reflect|interface conversion|cannot|invalid operation|invalid argument|operator)\b.*`), "it does not work with these values"},
}

// typeNames are Go's words for types, and ours.
var typeNames = strings.NewReplacer(
	"map[string]interface {}", "an object", "[]interface {}", "a list", "interface {}", "a value",
	"[]string", "a list", "[]int", "a list", "[]uint8", "bytes", "time.Time", "a time", "time.Duration", "a duration",
	"time.Weekday", "a weekday", "time.Month", "a month",
	"float64", "a number", "string", "text", "bool", "true or false", "int", "a number", "nil", "nil", "unknown", "a value",
)

var noMember = lazy(`^type (.*) has no (?:field|method) (.*)$`)

// plainly says in plain English what expr says.
func plainly(what string) string {
	what, _, _ = strings.Cut(what, "\n")
	if name, ok := strings.CutPrefix(what, "unknown name "); ok {
		return unknownName(name)
	}
	if m := noMember().FindStringSubmatch(what); m != nil {
		what := typeNames.Replace(m[1]) + " has no " + m[2]
		if near := words.Nearest(m[2], methodsOf(m[1])); near != "" {
			what = fmt.Sprintf("%s (did you mean %s?)", what, near)
		}
		return what
	}
	for _, w := range plainWords {
		m := w.expr().FindStringSubmatchIndex(what)
		if m == nil {
			continue
		}
		said := w.plain
		for i := len(m)/2 - 1; i > 0; i-- {
			if m[2*i] < 0 {
				continue
			}
			part := what[m[2*i]:m[2*i+1]]
			if strings.Contains(w.plain, "with $") || strings.Contains(w.plain, "not $") {
				part = typeNames.Replace(part)
			}
			said = strings.ReplaceAll(said, fmt.Sprintf("$%d", i), part)
		}
		return said
	}
	return what
}
