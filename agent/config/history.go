package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

const (
	defaultLimit = 10_000
	mostLimit    = 1_000_000
	defaultAge   = 30 * 24 * time.Hour
)

// History says how much is kept of what was alerted, and where it is shown.
type History struct {
	Listen string        // host:port; port 0 is any that is free
	Limit  int           // entries that are kept
	Age    time.Duration // for how long; 0: without a limit
	Token  string        // what a reader must know; "": nothing
}

// ParseAge reads for how long something is kept: days, a Go duration, or both,
// such as 30d, 720h or 1d12h. 0 is without a limit.
func ParseAge(text string) (time.Duration, error) {
	days, rest, ok := strings.Cut(text, "d")
	switch {
	case !ok:
		days, rest = "0", text
	case rest == "":
		rest = "0"
	}
	whole, err := time.ParseDuration(days + "h") // and each hour is a day
	part, perr := time.ParseDuration(rest)
	switch {
	case err != nil, perr != nil,
		strings.Trim(days, "0123456789.") != "", strings.ContainsAny(rest, "+-"),
		whole > math.MaxInt64/24, part > math.MaxInt64-24*whole:
		return 0, fmt.Errorf("%q is no age: want days or hours, such as 30d or 720h, or 0 for no limit", text)
	}
	return 24*whole + part, nil
}

func (p *parser) history(n *yaml.Node, where string) {
	h := &History{Limit: defaultLimit, Age: defaultAge}
	p.config.History = h
	var listen, token *yaml.Node
	p.mapping(n, where, map[string]setter{
		"listen": func(n *yaml.Node, where string) { listen, h.Listen = n, p.listen(n, where) },
		"limit":  func(n *yaml.Node, where string) { h.Limit = p.limit(n, where) },
		"age":    func(n *yaml.Node, where string) { h.Age = p.age(n, where) },
		"token":  func(n *yaml.Node, where string) { token, h.Token = n, p.token(n, where) },
	})
	switch {
	case listen == nil && resolve(n).Kind == yaml.MappingNode:
		p.problem(n.Line, where, `there is no address for its page: add one, such as "listen: 127.0.0.1:8080"`)
	case h.Listen != "" && token == nil && !isLoopback(h.Listen):
		p.problem(listen.Line, join(where, "listen"), fmt.Sprintf("whoever reaches %s could read the history: add a token, or listen on %s", h.Listen, defaultHost))
	}
}

// listen is an address to listen on; "" for a problem. The host is never left
// out: to some that is this machine alone, and to others all that reach it.
func (p *parser) listen(n *yaml.Node, where string) string {
	const want = "want HOST:PORT, such as 127.0.0.1:8080"
	text, ok := p.text(n, where)
	if !ok {
		return ""
	}
	host, port, ok := splitHostPort(text)
	number, err := strconv.ParseUint(port, 10, 16)
	what := ""
	switch {
	case !ok || host == "" && port == "":
		what = fmt.Sprintf("%q is no address: %s", text, want)
	case port == "":
		what = fmt.Sprintf("%q has no port: %s", text, want)
	case err != nil:
		what = fmt.Sprintf("%q is no port: a port is a number up to 65535", port)
	case host == "":
		what = fmt.Sprintf("%q has no host: want 127.0.0.1:%[2]d for this machine alone, or 0.0.0.0:%[2]d for all that reach it", text, number)
	}
	if what != "" {
		p.problem(n.Line, where, what)
		return ""
	}
	return net.JoinHostPort(host, strconv.FormatUint(number, 10))
}

// isLoopback reports whether only this machine reaches the address. A name may
// lead anywhere, but for localhost.
func isLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

func (p *parser) limit(n *yaml.Node, where string) int {
	v := resolve(n)
	var limit int
	if v.Kind == yaml.ScalarNode && v.ShortTag() == "!!int" && v.Decode(&limit) == nil && limit >= 1 && limit <= mostLimit {
		return limit
	}
	what := kind(v)
	if what == "a number" {
		what = v.Value
	}
	p.problem(n.Line, where, "want a whole number from 1 to 1,000,000, not "+what)
	return 0
}

func (p *parser) age(n *yaml.Node, where string) time.Duration {
	v := resolve(n)
	text := v.Value
	if kind(v) != "a number" {
		var ok bool
		if text, ok = p.text(n, where); !ok {
			return 0
		}
	}
	age, err := ParseAge(text)
	if err != nil {
		p.problem(n.Line, where, err.Error())
	}
	return age
}

func (p *parser) token(n *yaml.Node, where string) string {
	text, ok := p.text(n, where)
	if ok && strings.TrimSpace(text) == "" {
		p.problem(n.Line, where, "the token is empty")
	}
	return text
}
