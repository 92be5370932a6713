package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"
)

// Fields is what a template sees.
type Fields struct {
	Sender, Event string
	Data          any // decoded JSON: nil, bool, json.Number, string, []any or map[string]any
	Time          time.Time
}

const (
	// maxText bounds what a template may write, in bytes.
	maxText = 64 << 10
	// maxValue bounds a text on its way through a template, in bytes: a loop can
	// double one with each turn.
	maxValue = 4 << 20
	// maxTurns bounds the turns of all of a template's loops together.
	maxTurns = 100_000
	// maxWork bounds the text that a template's functions make in one rendering,
	// in bytes, and so its time: each turn of a loop can make a large text.
	maxWork = 16 << 20
	// maxParts bounds what one call makes before its result can be measured.
	maxParts = 50
)

var (
	errFull     = errors.New("the text is full")
	errTurns    = fmt.Errorf("the template does not end: it loops more than %d times", maxTurns)
	errTooLarge = errors.New("a text in the template grows beyond 4 MiB")
	errWork     = errors.New("the template's functions make more than 16 MiB of text")
	errParts    = fmt.Errorf("a call in the template has more than %d verbs or arguments", maxParts)
)

// limits are the errors of a template that does too much.
var limits = []error{errTurns, errTooLarge, errWork, errParts}

// Render runs a template of a [Subscription]. What the data lacks is empty text,
// even if the data is not an object: with the data "x", {{.Data.a.b}} writes
// nothing. Objects and lists are written as JSON. What is longer than 64 KiB is cut.
// Blank lines at the end are left out: a block text (body: |) always ends with one,
// and with more if a condition there is false.
// The error is the template's own: {{len .Data}} of a number, loops without an end,
// or more work than a notification is worth.
func Render(t *template.Template, f Fields) (string, error) {
	t, err := t.Clone() // its functions have a meter of their own
	if err != nil {
		return "", err
	}
	var w writer
	err = t.Funcs(new(meter).functions()).Execute(&w, f)
	if err != nil && !errors.Is(err, errFull) {
		return "", err
	}
	return trimLines(w.String()), nil
}

// trimLines leaves out the blank lines at the end of a text.
func trimLines(s string) string {
	last := len(strings.TrimRight(s, " \t\r\n"))
	if i := strings.IndexAny(s[last:], "\r\n"); i >= 0 {
		return s[:last+i]
	}
	return s
}

// writer takes maxText bytes, and maxTurns writes of nothing: [compile] makes each
// turn of a loop write nothing, so that a loop which writes nothing else ends too.
type writer struct {
	strings.Builder
	turns int
}

func (w *writer) Write(p []byte) (int, error) {
	if len(p) == 0 {
		if w.turns++; w.turns > maxTurns {
			return 0, errTurns
		}
		return 0, nil
	}
	if room := maxText - w.Len(); len(p) > room {
		for room > 0 && !utf8.RuneStart(p[room]) {
			room--
		}
		w.Builder.Write(p[:room])
		return room, errFull
	}
	return w.Builder.Write(p)
}

// functions are those that a template is compiled with; [Render] replaces them.
var functions = new(meter).functions()

// meter measures the work of one rendering.
type meter struct{ bytes int }

// functions are what templates may call besides text/template's own, and in place
// of those that could make a text grow without end.
func (m *meter) functions() template.FuncMap {
	return template.FuncMap{
		"json": m.json,
		"default": func(def, v any) any {
			if v == nil || v == "" {
				return def
			}
			return v
		},
		"upper": func(v any) (string, error) { return m.change(v, strings.ToUpper) },
		"lower": func(v any) (string, error) { return m.change(v, strings.ToLower) },
		"trim":  func(v any) (string, error) { return m.change(v, strings.TrimSpace) },
		"truncate": func(n int, v any) (string, error) {
			return m.change(v, func(s string) string { return truncate(n, s) })
		},

		"print":    func(args ...any) (string, error) { return m.call(fmt.Sprint, args) },
		"println":  func(args ...any) (string, error) { return m.call(fmt.Sprintln, args) },
		"html":     func(args ...any) (string, error) { return m.call(template.HTMLEscaper, args) },
		"js":       func(args ...any) (string, error) { return m.call(template.JSEscaper, args) },
		"urlquery": func(args ...any) (string, error) { return m.call(template.URLQueryEscaper, args) },
		"printf": func(format string, args ...any) (string, error) {
			if strings.Count(format, "%") > maxParts {
				return "", errParts
			}
			return m.call(func(args ...any) string { return fmt.Sprintf(format, args...) }, args)
		},

		// compile calls these two.
		"text":   m.text,
		"member": member,
	}
}

// call makes a text of arguments, if there are few of them.
func (m *meter) call(f func(...any) string, args []any) (string, error) {
	if len(args) > maxParts {
		return "", errParts
	}
	return m.made(f(args...))
}

// change makes a new text from a value's. What is read counts as well: it may be
// long, and the result short.
func (m *meter) change(v any, f func(string) string) (string, error) {
	s, err := m.text(v)
	if err == nil {
		s, err = m.made(s)
	}
	if err != nil {
		return "", err
	}
	return m.made(f(s))
}

// made lets a text through unless it is too much.
func (m *meter) made(s string) (string, error) {
	if len(s) > maxValue {
		return "", errTooLarge
	}
	if m.bytes += len(s); m.bytes > maxWork {
		return "", errWork
	}
	return s, nil
}

func truncate(n int, s string) string {
	if n < 0 || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n]) + "…"
}

// text is a value as a notification shows it.
func (m *meter) text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []any, map[string]any:
		return m.json(v)
	}
	return fmt.Sprint(v), nil
}

func (m *meter) json(v any) (string, error) {
	s, err := jsonText(v)
	if err != nil {
		return "", err
	}
	return m.made(s)
}

// jsonText is compact JSON. It leaves < > & as they are: this is not HTML.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// member is the value of {{.a.b}} in these templates: nothing if the data has no
// such member.
func member(v any, names ...string) (any, error) {
	for _, name := range names {
		switch o := v.(type) {
		case map[string]any:
			v = o[name]
			continue
		case nil, bool, string, json.Number, float64, []any:
			return nil, nil
		}
		rv := reflect.ValueOf(v)
		if m := rv.MethodByName(name); m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 {
			v = m.Call(nil)[0].Interface()
			continue
		}
		if rv.Kind() != reflect.Struct || !rv.FieldByName(name).IsValid() || !rv.FieldByName(name).CanInterface() {
			return nil, fmt.Errorf("there is no .%s", name)
		}
		v = rv.FieldByName(name).Interface()
	}
	return v, nil
}
