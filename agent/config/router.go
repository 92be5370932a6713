package config

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"sigalert/internal/address"
	"sigalert/sig"
	"sigalert/sig/store"
)

// Router has the settings of a router: those of the key "router" in a file, of the flags of
// serve, or of both.
type Router struct {
	Listen      string   // host:port
	Hosts       []string // other names of this machine in the address of an HTTP request
	TLS         RouterTLS
	Tokens      string         // the file of them; Auto: the user's; "", None: everyone is admitted
	Insecure    bool           // neither TLS nor tokens are required, whoever can reach it
	AllowLegacy []netip.Prefix // where clients may come from that have no token
	Store       RouterStore
	Limits      sig.Limits

	path  string         // of the file; "": there is none
	lines map[string]int // of the settings that the file has
}

// RouterTLS is how a router encrypts.
type RouterTLS struct {
	Mode      string // Auto: with a certificate that the router makes; None; "": as Encrypts says
	Cert, Key string // files (PEM); the key may be in that of the certificate
	ClientCA  string // the file (PEM) of the authority that has signed the clients' certificates; "": they need none
}

// RouterStore is what a router remembers, and where.
type RouterStore struct {
	Dir   string // "": in the user's state folder; None: nowhere
	Sync  store.Sync
	Limit int           // how many events
	Age   time.Duration // for how long; 0: for ever
	Size  int           // how much, in MiB
}

// What a setting may be instead of something of the user's own.
const (
	Auto = "auto"
	None = "none"
)

// DefaultRouter has the default of each setting.
func DefaultRouter() *Router {
	r := new(Router)
	for _, s := range RouterSettings {
		if s.Default != "" {
			_ = s.set(r, s.Default)
		}
	}
	return r
}

// LoadRouter reads the router in a file, whose settings flags may override: it is up to the
// caller to Check it. What other keys of the file say does not matter, but a key that does
// not exist is a problem. The errors are those of LoadRegular.
func LoadRouter(path string) (r *Router, warnings Problems, err error) {
	text, err := readRegular(path)
	if err != nil {
		return nil, nil, err
	}
	p := newParser(path)
	if root := p.decode(text); root != nil {
		keys := p.fileKeys(nil, nil)
		for key := range keys {
			keys[key] = func(*yaml.Node, string) {}
		}
		keys[routerName] = func(n *yaml.Node, where string) { r = p.routerSettings(n, where) }
		p.mapping(root, "", keys)
	}
	if len(p.problems) == 0 && r == nil {
		p.problem(1, "", `there is no router in this file: add one, such as "router: {listen: 127.0.0.1:3000}"`)
	}
	if problems := p.sorted(); len(problems) > 0 {
		return nil, p.warnings, problems
	}
	return r, p.warnings, nil
}

// CheckRouter is Check for a file that has a router and nothing else, as serve may have one.
// For any other, all results are nil.
func CheckRouter(path string, text []byte) (r *Router, problems, warnings Problems) {
	p := newParser(path)
	root := p.decode(text)
	if root == nil || root.Kind != yaml.MappingNode || len(root.Content) != 2 || root.Content[0].Value != routerName {
		return nil, nil, nil
	}
	p.router(root.Content[1], routerName)
	if problems := p.sorted(); len(problems) > 0 {
		return nil, problems, p.warnings
	}
	return p.config.Servers[0].Router, nil, p.warnings
}

// Equal reports whether both say the same, wherever they say it.
func (r *Router) Equal(o *Router) bool {
	if r == nil || o == nil {
		return r == o
	}
	a, b := *r, *o
	a.path, a.lines, b.path, b.lines = "", nil, "", nil
	return reflect.DeepEqual(a, b)
}

// Changes are the keys of the settings that differ in another router and, of these, those
// that take effect only after a restart.
func (r *Router) Changes(o *Router) (keys, restart []string) {
	for _, s := range RouterSettings {
		if s.Flag == "" || reflect.DeepEqual(s.value(r), s.value(o)) {
			continue
		}
		keys = append(keys, s.Key)
		group, _, _ := strings.Cut(s.Key, ".")
		guards := group == "tls" || group == "tokens" || group == "insecure"
		if s.Restart || guards && (r.Encrypts() != o.Encrypts() || r.Admits() != o.Admits()) {
			restart = append(restart, s.Key)
		}
	}
	return keys, restart
}

// Keep is the other router, but with these settings as they are here.
func (r *Router) Keep(o *Router, keys []string) *Router {
	kept := *o
	for _, s := range RouterSettings {
		if slices.Contains(keys, s.Key) {
			s.copy(&kept, r)
		}
	}
	return &kept
}

// Encrypts reports whether clients may use TLS: with the certificate of the settings or, if
// they have none, with one that the router makes. Where there are tokens, it does so by
// default.
func (r *Router) Encrypts() bool {
	return r.TLS.Mode == Auto || r.TLS.Cert+r.TLS.ClientCA != "" || r.TLS.Mode == "" && r.Admits()
}

// Admits reports whether clients have to be admitted, with a token.
func (r *Router) Admits() bool {
	return r.Tokens == "" && r.Guarded() || r.Tokens != "" && r.Tokens != None
}

// HasOwnTokens reports whether the tokens are those of the user.
func (r *Router) HasOwnTokens() bool { return r.Admits() && (r.Tokens == "" || r.Tokens == Auto) }

// Guarded reports whether others can reach the router, so that it requires TLS and tokens.
func (r *Router) Guarded() bool { return !r.Insecure && !address.IsLoopback(r.Listen) }

// Place is where a setting was made, for errors: a line in the file, or a flag.
func (r *Router) Place(key string) string {
	if line := r.lines[key]; line > 0 {
		return fmt.Sprintf("%s:%d: %s", r.path, line, join(routerName, key))
	}
	return flagOf(key)
}

func flagOf(key string) string {
	for _, s := range RouterSettings {
		if s.Key == key && s.Flag != "" {
			return "--" + s.Flag
		}
	}
	return join(routerName, key)
}

// Override sets a setting to what a flag says, whatever the file says.
func (r *Router) Override(s Setting, texts ...string) error {
	switch s.Key {
	case "tls", "tls.cert", "tls.key": // which exclude each other
		if r.lines["tls"]+r.lines["tls.cert"]+r.lines["tls.key"] > 0 {
			r.TLS.Mode, r.TLS.Cert, r.TLS.Key = "", "", ""
		}
		delete(r.lines, "tls")
		delete(r.lines, "tls.cert")
		delete(r.lines, "tls.key")
	}
	delete(r.lines, s.Key)
	return s.set(r, texts...)
}

// Check reports settings that do not go together.
func (r *Router) Check() error {
	if key, what := r.fault(); what != "" {
		return fmt.Errorf("%s: %s", r.Place(key), what)
	}
	return nil
}

// fault is the setting that does not go with others, and why; what is "" if there is none.
func (r *Router) fault() (key, what string) {
	named := func(other, key string) string { // as the user of the key would write it
		if r.lines[key] > 0 {
			return other[strings.LastIndexByte(other, '.')+1:]
		}
		return flagOf(other)
	}
	switch t := r.TLS; {
	case t.Cert == "" && t.Key != "":
		return "tls.key", "a key is for a certificate: name it with " + named("tls.cert", "tls.key")
	case t.Mode != "" && t.Cert != "":
		return "tls", t.Mode + " and the files of a certificate are two different things: leave one out"
	case t.Mode == None && t.ClientCA != "":
		return "tls.client_ca", "without TLS, clients have no certificates"
	case t.ClientCA != "" && !r.Admits():
		return "tls.client_ca", "certificates of clients are for a router that does not admit everyone: set " + named("tokens", "tls.client_ca") + ", too"
	}
	allow := func(key string) string {
		if r.lines[key] > 0 {
			return `"insecure: true"`
		}
		return "--insecure"
	}
	switch {
	case r.Guarded() && r.TLS.Mode == None:
		return "tls", fmt.Sprintf("others can reach %s, and read and change what goes over it: leave this out, and the router makes a certificate, or add %s if that is what you want", r.Listen, allow("tls"))
	case r.Guarded() && r.Tokens == None:
		return "tokens", fmt.Sprintf("everyone who can reach %s could listen and send: leave this out, and give tokens to those who may, or add %s if that is what you want", r.Listen, allow("tokens"))
	}
	return "", ""
}

// router is a router that is to run here, and the server that it then is.
func (p *parser) router(n *yaml.Node, where string) {
	before := len(p.problems)
	r := p.routerSettings(n, where)
	if len(p.problems) == before {
		if key, what := r.fault(); what != "" {
			p.problem(r.lines[key], join(where, key), what)
		}
		if !address.IsLoopback(r.Listen) && !r.Admits() {
			p.warn(r.lines["listen"], join(where, "listen"), fmt.Sprintf("anyone who can reach %s may listen and send: there is no password", r.Listen))
		}
	}
	if addr := reaching(r.Listen); r.Listen != "" && p.isFirst(addr, n.Line, where) {
		p.config.Servers = append(p.config.Servers, Server{Addresses: []string{addr}, Router: r})
	}
}

// routerSettings are a router's settings, whether they go together or not.
func (p *parser) routerSettings(n *yaml.Node, where string) *Router {
	r := DefaultRouter()
	r.path, r.lines = p.path, make(map[string]int)
	switch v := resolve(n); {
	case v.Kind == yaml.MappingNode:
		p.mapping(n, where, p.routerKeys(r))
	case !isNull(v): // nothing is what a comment leaves of it
		p.problem(n.Line, where, fmt.Sprintf("must be keys and values, not %s: write {listen: %q}", kind(v), r.Listen))
	}
	return r
}

func (p *parser) routerKeys(r *Router) map[string]setter {
	keys := p.settingKeys(r, "")
	listen := keys["listen"]
	keys["listen"] = func(n *yaml.Node, where string) {
		before := len(p.problems)
		if !p.portAlone(n, where) {
			listen(n, where)
		}
		if _, port, _ := net.SplitHostPort(r.Listen); port == "0" {
			p.problem(n.Line, where, "nobody could find a router at port 0: use a number from 1 to 65535")
		}
		if len(p.problems) > before {
			r.Listen = ""
		}
	}
	return keys
}

// settingKeys are the keys of the settings that begin with a prefix: "" or, with a dot
// after it, that of a group.
func (p *parser) settingKeys(r *Router, prefix string) map[string]setter {
	keys := make(map[string]setter)
	groups := make(map[string]bool)
	for _, s := range RouterSettings {
		rest, ok := strings.CutPrefix(s.Key, prefix)
		group, _, nested := strings.Cut(rest, ".")
		switch {
		case !ok:
		case nested:
			groups[group] = true
		default:
			keys[rest] = func(n *yaml.Node, where string) {
				r.lines[s.Key] = n.Line
				p.setting(s, r, n, where)
			}
		}
	}
	for group := range maps.Keys(groups) {
		inner, alone := p.settingKeys(r, prefix+group+"."), keys[group]
		keys[group] = func(n *yaml.Node, where string) {
			if alone != nil && resolve(n).Kind != yaml.MappingNode {
				alone(n, where)
			} else {
				p.mapping(n, where, inner)
			}
		}
	}
	return keys
}

// setting sets a setting to what a value says.
func (p *parser) setting(s Setting, r *Router, n *yaml.Node, where string) {
	try := func(n *yaml.Node, where, text string) bool {
		err := s.set(new(Router), text)
		if err == nil {
			err = s.inFile(text)
		}
		if err != nil {
			p.problem(n.Line, where, err.Error())
		}
		return err == nil
	}
	text, ok := "", false
	switch v := resolve(n); s.Kind {
	case List:
		if v.Kind != yaml.SequenceNode {
			p.problem(n.Line, where, "must be a list, not "+kind(v))
			return
		}
		var texts []string
		for i, n := range v.Content {
			where := fmt.Sprintf("%s[%d]", where, i)
			if text, ok := p.text(n, where); ok && !p.lookalike(n, where) && try(n, where, text) {
				texts = append(texts, text)
			}
		}
		_ = s.set(r, texts...)
		return
	case Truth:
		text, ok = fmt.Sprint(p.truth(n, where)), true
	case Number:
		if text, ok = v.Value, kind(v) == "a number"; !ok {
			p.problem(n.Line, where, "must be a whole number, not "+kind(v))
		}
	case Span:
		text, ok = p.textOrNumber(n, where)
	default:
		if text, ok = p.text(n, where); ok {
			ok = !p.lookalike(n, where)
		}
	}
	if ok && try(n, where, text) {
		_ = s.set(r, text)
	}
}

// reaching is the address at which this machine reaches what listens on addr.
func reaching(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip == netip.IPv4Unspecified():
		host = address.Loopback
	case err == nil && ip == netip.IPv6Unspecified():
		host = netip.IPv6Loopback().String()
	}
	return net.JoinHostPort(host, port)
}
