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
	// maxValue bounds a text on its way through a template, in bytes: a loop
	// can double one at each turn.
	maxValue = 4 << 20
	// maxTurns bounds a template's loops, all turns taken together.
	maxTurns = 100_000
)

var (
	errFull     = errors.New("the text is full")
	errTurns    = fmt.Errorf("the template does not end: it loops more than %d times", maxTurns)
	errTooLarge = errors.New("a text in the template grows over 4 MiB")
)

// Render runs a template of a [Subscription]. What the data lacks is empty
// text, also where the data is no object: with the data "x", {{.Data.a.b}}
// writes nothing. Objects and lists are written as JSON. What is longer than
// 64 KiB is cut. The error is the template's own: {{len .Data}} of a number,
// or loops without an end.
func Render(t *template.Template, f Fields) (string, error) {
	var w writer
	err := t.Execute(&w, f)
	if err != nil && !errors.Is(err, errFull) {
		return "", err
	}
	return w.String(), nil
}

// writer takes maxText bytes, and maxTurns writes of nothing: [compile] has
// each turn of a loop write nothing, so that a loop which writes nothing else
// ends too.
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

// functions are what templates may call besides text/template's own, and in
// the place of those that could make a text grow without an end.
var functions = template.FuncMap{
	"json": jsonText,
	"default": func(def, v any) any {
		if v == nil || v == "" {
			return def
		}
		return v
	},
	"upper": func(v any) (string, error) { return bounded(strings.ToUpper(text(v))) },
	"lower": func(v any) (string, error) { return bounded(strings.ToLower(text(v))) },
	"trim":  func(v any) string { return strings.TrimSpace(text(v)) },
	"truncate": func(n int, v any) string {
		s := text(v)
		if n < 0 || utf8.RuneCountInString(s) <= n {
			return s
		}
		return string([]rune(s)[:n]) + "…"
	},

	"print":    func(args ...any) (string, error) { return bounded(fmt.Sprint(args...)) },
	"println":  func(args ...any) (string, error) { return bounded(fmt.Sprintln(args...)) },
	"printf":   func(format string, args ...any) (string, error) { return bounded(fmt.Sprintf(format, args...)) },
	"html":     func(args ...any) (string, error) { return bounded(template.HTMLEscaper(args...)) },
	"js":       func(args ...any) (string, error) { return bounded(template.JSEscaper(args...)) },
	"urlquery": func(args ...any) (string, error) { return bounded(template.URLQueryEscaper(args...)) },

	// compile calls these two.
	"text":   text,
	"member": member,
}

func bounded(s string) (string, error) {
	if len(s) > maxValue {
		return "", errTooLarge
	}
	return s, nil
}

// text is a value as a notification shows it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any, map[string]any:
		s, _ := jsonText(v)
		return s
	}
	return fmt.Sprint(v)
}

// jsonText is compact JSON. It leaves < > & as they are: this is no HTML.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return bounded(strings.TrimSuffix(b.String(), "\n"))
}

// member is what {{.a.b}} is in these templates: nothing where data has no
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
