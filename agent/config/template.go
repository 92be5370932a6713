package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"
)

// Fields is what a template sees.
type Fields struct {
	Sender, Event string
	Data          any // decoded JSON: nil, bool, json.Number, string, []any or map[string]any
	Time          time.Time
}

// maxText bounds what a template may write.
const maxText = 64 << 10

var errTooLong = errors.New("the text is longer than 64 KiB")

// Render runs a template. What data lacks is empty text; the error is the
// template's own, or that its text grew over 64 KiB.
func Render(t *template.Template, f Fields) (string, error) {
	var b bounded
	if err := t.Execute(&b, f); err != nil {
		return "", err
	}
	// text/template writes this for what a map lacks, whatever its options.
	return strings.ReplaceAll(b.String(), "<no value>", ""), nil
}

type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxText {
		return 0, errTooLong
	}
	return b.Builder.Write(p)
}

var functions = template.FuncMap{
	"json": func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	},
	"default": func(def, v any) any {
		if v == nil || v == "" {
			return def
		}
		return v
	},
	"upper": func(v any) string { return strings.ToUpper(fmt.Sprint(v)) },
	"lower": func(v any) string { return strings.ToLower(fmt.Sprint(v)) },
	"trim":  func(v any) string { return strings.TrimSpace(fmt.Sprint(v)) },
	"truncate": func(n int, v any) string {
		r := []rune(fmt.Sprint(v))
		if n < 0 || len(r) <= n {
			return string(r)
		}
		return string(r[:n]) + "…"
	},
}

// parseTemplate compiles a template, and tries it: a field that does not exist
// shows only when it runs. What fails for want of data does not count, as data
// differs from event to event.
func parseTemplate(text string) (*template.Template, error) {
	t, err := template.New("").Funcs(functions).Parse(text)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "template: "))
	}
	_, err = Render(t, Fields{Sender: "sender", Event: "event", Time: time.Unix(0, 0)})
	if err != nil && strings.Contains(err.Error(), "can't evaluate field") && strings.Contains(err.Error(), "in type config.Fields") {
		_, field, _ := strings.Cut(err.Error(), "can't evaluate field ")
		field, _, _ = strings.Cut(field, " ")
		return nil, fmt.Errorf("there is no .%s: a template has .Sender, .Event, .Data and .Time", field)
	}
	return t, nil
}
