package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sigalert/agent/rule"
	"sigalert/internal/payload"
	"sigalert/internal/plain"
)

// icon is one for every urgency, or one for each.
func (p *parser) icon(n *yaml.Node, where string) (i Icon) {
	if v := resolve(n); v.Kind == yaml.MappingNode && !isBraces(v) {
		p.mapping(n, where, p.iconKeys(&i))
		return i
	}
	all := p.iconText(n, where)
	return Icon{all, all, all}
}

// isBraces reports whether a mapping was meant as text that begins with {{.
func isBraces(v *yaml.Node) bool {
	return v.Style&yaml.FlowStyle != 0 && len(v.Content) > 0 && v.Content[0].Kind == yaml.MappingNode
}

func (p *parser) iconKeys(i *Icon) map[string]setter {
	return map[string]setter{
		"low":      func(n *yaml.Node, where string) { i.Low = p.iconText(n, where) },
		"normal":   func(n *yaml.Node, where string) { i.Normal = p.iconText(n, where) },
		"critical": func(n *yaml.Node, where string) { i.Critical = p.iconText(n, where) },
	}
}

func (p *parser) iconText(n *yaml.Node, where string) *rule.Text {
	return p.themed(n, where, "icon", "dialog-warning")
}

func (p *parser) sound(n *yaml.Node, where string) *rule.Text {
	return p.themed(n, where, "sound", "message-new-instant")
}

// mediaFile is a name that ends as a picture's or a sound's does.
var mediaFile = regexp.MustCompile(`(?i)\.(png|svg|jpe?g|gif|webp|ico|xpm|bmp|wav|ogg|oga|mp3|flac|opus)$`)

// themed is a file's path, or the name of something in a theme. Only what the file
// itself says may be a path: an event must not name files.
func (p *parser) themed(n *yaml.Node, where, what, such string) *rule.Text {
	t := p.ruleText(n, where)
	if t == nil {
		return nil
	}
	text, constant := t.Constant()
	text = strings.TrimSpace(text)
	problem := ""
	switch isPath := strings.ContainsAny(text, `/\`); {
	case !constant:
		if slices.ContainsFunc(t.Literals(), func(text string) bool { return strings.ContainsAny(text, `/\`) }) {
			problem = fmt.Sprintf("a path cannot have an expression in it: an event must not name files. An expression may give the name of %s in the theme", article(what))
		}
	case text == "", !isPath && payload.ThemeName(text) != "" && !mediaFile.MatchString(text), isAbsolute(text) && plain.Line(text, len(text)) == text:
	case strings.HasPrefix(text, "~"):
		problem = `"~" is not known here: write the whole path`
	case strings.Contains(text, ":/"):
		problem = fmt.Sprintf("must be a file's path, or the name of %s in the theme, such as %s, not an address", article(what), such)
	case isPath, mediaFile.MatchString(text):
		problem = fmt.Sprintf("a file needs its whole path, such as %s", filepath.Join("/home/me", filepath.Base(filepath.ToSlash(text))))
	default:
		problem = fmt.Sprintf("%q cannot be the name of %s in the theme, such as %s; a file needs its whole path", text, article(what), such)
	}
	if problem != "" {
		p.problemIn(resolve(n), 0, where, problem)
	}
	return t
}

// article is "an icon" or "a sound".
func article(what string) string {
	if what == "icon" {
		return "an icon"
	}
	return "a " + what
}

// isAbsolute takes what begins with / for a path on every system, so that a file is
// good or bad wherever it is checked.
func isAbsolute(path string) bool { return strings.HasPrefix(path, "/") || filepath.IsAbs(path) }

// address is what a click opens. One that has an expression is a link, wherever the
// event leads it; one that has none may be anything that the desktop can open.
func (p *parser) address(n *yaml.Node, where string) *rule.Text {
	t := p.ruleText(n, where)
	if t == nil {
		return nil
	}
	text, constant := t.Constant()
	problem := ""
	if constant {
		problem = addressProblem(strings.TrimSpace(text))
	} else if !mayBeLink(strings.TrimLeft(t.Literals()[0], " \t\r\n")) {
		problem = "an address with an expression in it must begin with https://, http:// or mailto:"
	}
	if problem != "" {
		p.problemIn(resolve(n), 0, where, problem)
	}
	return t
}

// mayBeLink reports whether what begins so may be safe to open.
func mayBeLink(start string) bool {
	start = strings.ToLower(start)
	return slices.ContainsFunc([]string{"https://", "http://", "mailto:"}, func(link string) bool {
		return strings.HasPrefix(start, link) || strings.HasPrefix(link, start)
	})
}

var (
	schemed = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+):(.+)`)
	hostish = regexp.MustCompile(`^[\pL\pN_-]+(\.[\pL\pN_-]+)*(:\d{1,5})?(/|$)`)
)

// addressProblem says what is wrong with an address; "" if nothing is.
func addressProblem(text string) string {
	m := schemed.FindStringSubmatch(text)
	switch {
	case text == "":
	case plain.Line(text, payload.MaxLink) != text:
		return "is too long, or has characters that no address has"
	case isAbsolute(text):
	case strings.HasPrefix(text, "~"):
		return `"~" is not known here: write the whole path`
	case hostish.MatchString(text) && (m == nil || m[1] == "localhost" || strings.Contains(m[1], ".")):
		return fmt.Sprintf("%q is not a whole address: write %q", text, "https://"+text)
	case m == nil:
		return fmt.Sprintf("%q is not an address: it begins with https:// or the like, or is a file's whole path", text)
	case mayBeLink(m[1]) && payload.Link(text) == "":
		return fmt.Sprintf("%q is not a valid address", text)
	}
	return ""
}
