package config

import (
	"fmt"
	"net"
	"os"
	"reflect"
	"runtime"
	"time"

	"gopkg.in/yaml.v3"

	"sigalert/internal/address"
	"sigalert/internal/age"
)

const (
	defaultEntries   = 10_000
	maxEntries       = 1_000_000
	defaultRetention = 30 * 24 * time.Hour
)

// defaultHistory is kept unless the file says otherwise. Its page is for this machine
// alone, at any port that is free, and opens with one-time keys.
func defaultHistory() *History {
	return &History{Listen: net.JoinHostPort(address.Loopback, "0"), MaxEntries: defaultEntries, Retention: defaultRetention}
}

// History says how many of the alerts are kept, and where they are shown.
type History struct {
	Listen       string        // host:port; port 0 is any that is free
	MaxEntries   int           // how many are kept
	Retention    time.Duration // for how long; 0: without a limit
	Token        string        // what a reader must know; "": nothing
	AllowedHosts []string      // other names of this machine that a browser may ask for
}

// Equal reports whether both say the same; nil equals nil alone.
func (h *History) Equal(o *History) bool { return reflect.DeepEqual(h, o) }

func (p *parser) history(n *yaml.Node, where string) {
	if kind(resolve(n)) == "true or false" {
		if !p.truth(n, where) {
			p.config.History = nil
		}
		return
	}
	h := defaultHistory()
	p.config.History = h
	var listen, token *yaml.Node
	p.mapping(n, where, p.historyKeys(h, &listen, &token))
	if h.Listen != "" && token == nil && !address.IsLoopback(h.Listen) {
		p.problem(listen.Line, join(where, "listen"), fmt.Sprintf("anyone who can reach %s could read the history: add a token, or listen on %s", h.Listen, address.Loopback))
	}
}

func (p *parser) historyKeys(h *History, listen, token **yaml.Node) map[string]setter {
	return map[string]setter{
		"listen": func(n *yaml.Node, where string) {
			*listen = n
			if !p.portAlone(n, where) {
				h.Listen, _ = parsed(p, n, where, address.ParsePage)
			}
		},
		"max_entries":   func(n *yaml.Node, where string) { h.MaxEntries = p.maxEntries(n, where) },
		"retention":     func(n *yaml.Node, where string) { h.Retention = p.retention(n, where) },
		"token":         func(n *yaml.Node, where string) { *token, h.Token = n, p.token(n, where) },
		"allowed_hosts": func(n *yaml.Node, where string) { h.AllowedHosts = p.hosts(n, where) },
	}
}

func (p *parser) maxEntries(n *yaml.Node, where string) int {
	return p.whole(n, where, maxEntries, "1,000,000")
}

func (p *parser) retention(n *yaml.Node, where string) time.Duration {
	v := resolve(n)
	text := v.Value
	if kind(v) != "a number" {
		var ok bool
		if text, ok = p.text(n, where); !ok {
			return 0
		}
	}
	d, err := age.Parse(text)
	if err != nil {
		p.problem(n.Line, where, err.Error())
	}
	return d
}

func (p *parser) token(n *yaml.Node, where string) string {
	text, ok := p.text(n, where)
	if ok {
		if err := address.CheckToken(text); err != nil {
			p.problem(n.Line, where, err.Error())
		}
		if othersCanRead(p.path) {
			p.warn(n.Line, where, "other users of this machine can read the file, and with it the token: chmod 600 it")
		}
	}
	return text
}

// othersCanRead reports whether a file's mode lets others than its owner read it.
func othersCanRead(path string) bool {
	info, err := os.Stat(path)
	return err == nil && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0
}

func (p *parser) hosts(n *yaml.Node, where string) (hosts []string) {
	list := resolve(n)
	if list.Kind != yaml.SequenceNode {
		p.problem(n.Line, where, "must be a list of names, not "+kind(list))
		return nil
	}
	for i, n := range list.Content {
		where := fmt.Sprintf("%s[%d]", where, i)
		name, ok := p.text(n, where)
		if !ok {
			continue
		}
		if err := address.CheckHost(name); err != nil {
			p.problem(n.Line, where, err.Error())
		}
		hosts = append(hosts, name)
	}
	return hosts
}
