package config

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigalert/internal/address"
	"sigalert/internal/age"
	"sigalert/internal/words"
	"sigalert/sig"
	"sigalert/sig/store"
)

// A Setting is a setting of a router: a key of "router" in a file, and a flag of serve.
type Setting struct {
	Key     string   // after "router", with a dot between a group and what is in it
	Flag    string   // without its hyphens; "": another setting's
	Kind    Kind     // what it is in a file
	Restart bool     // a change takes effect only after a restart
	Default string   // as the user would write it; "": none
	Words   []string // what a Path may be instead
	Help    string   // with the value's name in backquotes

	field
}

// field is where a setting is kept.
type field struct {
	// set parses it; a List is several texts, anything else is one.
	set   func(r *Router, texts ...string) error
	value func(r *Router) any
	copy  func(to, from *Router)
}

// Kind is a kind of value.
type Kind int

const (
	Text   Kind = iota
	Path        // a file or a folder; in a file it must be a whole path
	Number      // a whole number
	Span        // a time such as 12h
	Truth       // true or false
	List        // of texts; the flag may be repeated
)

// RouterSettings are all settings of a router.
var RouterSettings = []Setting{
	{
		Key: "listen", Flag: "listen", Restart: true, Default: "127.0.0.1:3000",
		Help:  "`ADDRESS` to listen on",
		field: one(func(r *Router) *string { return &r.Listen }, address.ParseListen),
	}, {
		Key: "hosts", Flag: "host", Kind: List, Restart: true,
		Help:  "another `NAME` of this machine: in the address of an HTTP request and, the first, in the line for other machines; may be repeated",
		field: many(func(r *Router) *[]string { return &r.Hosts }, func(s string) (string, error) { return s, address.CheckHost(s) }),
	}, {
		Key: "tls", Flag: "tls",
		Help:  "`HOW` to encrypt: auto (with a certificate that the router makes, and keeps in the user's state folder) or none (default: auto if clients need tokens, otherwise none; not with --tls-cert)",
		field: one(func(r *Router) *string { return &r.TLS.Mode }, oneOf(Auto, None)),
	}, {
		Key: "tls.cert", Flag: "tls-cert", Kind: Path,
		Help:  "`FILE` of the certificate (PEM), read again when it changes",
		field: one(func(r *Router) *string { return &r.TLS.Cert }, anything),
	}, {
		Key: "tls.key", Flag: "tls-key", Kind: Path,
		Help:  "`FILE` of its key (default: the certificate's)",
		field: one(func(r *Router) *string { return &r.TLS.Key }, anything),
	}, {
		Key: "tls.client_ca", Flag: "client-ca", Kind: Path,
		Help:  "`FILE` of the authority (PEM) that has signed the clients' certificates",
		field: one(func(r *Router) *string { return &r.TLS.ClientCA }, anything),
	}, {
		Key: "tokens", Flag: "tokens", Kind: Path, Words: []string{Auto, None},
		Help:  "admit only clients with a token of this `FILE` or, with auto, of that of \"sigalert token\"; none: admit everyone (default: auto if others can reach the address, otherwise none)",
		field: one(func(r *Router) *string { return &r.Tokens }, anything),
	}, {
		Key: "insecure", Flag: "insecure", Kind: Truth,
		Help:  "require neither TLS nor tokens, whoever can reach the address",
		field: one(func(r *Router) *bool { return &r.Insecure }, truthOf),
	}, {
		Key: "allow_legacy", Flag: "allow-legacy", Kind: List,
		Help:  "`NETWORK` such as 192.168.1.0/24 whose clients need no token: they have the rights of the one named legacy; may be repeated",
		field: many(func(r *Router) *[]netip.Prefix { return &r.AllowLegacy }, network),
	}, {
		Key: "store", Restart: true,
		Help:  "none: no event outlives the router (`--store none`)",
		field: one(func(r *Router) *string { return &r.Store.Dir }, oneOf(None)),
	}, {
		Key: "store.dir", Flag: "store", Kind: Path, Restart: true,
		Help:  "the `FOLDER` in which events outlive the router, or none (default: in the user's state folder, named after the address)",
		field: one(func(r *Router) *string { return &r.Store.Dir }, anything),
	}, {
		Key: "store.sync", Flag: "sync", Restart: true, Default: store.SyncGroup.String(),
		Help:  "`MODE`: when an event is safe, and its publisher answered: group (it outlives the router at once, and a power failure 5 ms later), each (a power failure, too) or none",
		field: one(func(r *Router) *store.Sync { return &r.Store.Sync }, store.ParseSync),
	}, {
		Key: "store.limit", Flag: "limit", Kind: Number, Restart: true, Default: "10000",
		Help:  "remember the newest `N` events",
		field: one(func(r *Router) *int { return &r.Store.Limit }, whole(1, 100_000_000)),
	}, {
		Key: "store.age", Flag: "age", Kind: Span, Restart: true, Default: "24h",
		Help:  "remember events for a `TIME` such as 12h or 30d; 0: for ever",
		field: one(func(r *Router) *time.Duration { return &r.Store.Age }, age.Parse),
	}, {
		Key: "store.size", Flag: "size", Kind: Number, Restart: true, Default: "64",
		Help:  "remember at most this many `MIB` of events",
		field: one(func(r *Router) *int { return &r.Store.Size }, whole(1, 1_000_000)),
	},
	limit("clients", 20_000, 1, "at most `N` clients, three quarters of them from one address", func(l *sig.Limits) *int { return &l.Clients }),
	limit("connects", 1000, 1, "at most `N` new connections per second from one address, and ten times as many at once", func(l *sig.Limits) *int { return &l.Connects }),
	limit("failed_logins", 60, 1, "at most `N` wrong tokens per minute from one address, which is then refused for a while", func(l *sig.Limits) *int { return &l.FailedLogins }),
	limit("listeners", 10_000, 1, "at most `N` listeners for each client", func(l *sig.Limits) *int { return &l.Listeners }),
	limit("token_listeners", 100_000, 1, "at most `N` listeners for all clients with one token", func(l *sig.Limits) *int { return &l.TokenListeners }),
	limit("senders", 1000, 1, "at most `N` senders for each client", func(l *sig.Limits) *int { return &l.Senders }),
	limit("streams", 1000, 1, "at most `N` streams of events over HTTP", func(l *sig.Limits) *int { return &l.Streams }),
	limit("events", 10_000, 1, "at most `N` events per second with one token, or from one client where there are none, and ten times as many at once", func(l *sig.Limits) *int { return &l.Events }),
	limit("unread", 64, 1<<20, "at most `MIB` of messages, besides events, that wait for all clients together", func(l *sig.Limits) *int { return &l.Unread }),
	limit("reading", 32, 1<<20, "at most `MIB` of unfinished messages", func(l *sig.Limits) *int { return &l.Reading }),
}

// limit is one of how much clients may do.
func limit(key string, def, unit int, help string, at func(*sig.Limits) *int) Setting {
	return Setting{
		Key: "limits." + key, Flag: "max-" + strings.ReplaceAll(key, "_", "-"), Kind: Number, Default: strconv.Itoa(def),
		Help:  help + "; 0: no limit",
		field: one(func(r *Router) *int { return at(&r.Limits) }, limitOf(unit)),
	}
}

// limitOf reads one in a unit.
func limitOf(unit int) func(string) (int, error) {
	most := whole(0, 2_000_000_000/unit)
	return func(text string) (int, error) {
		n, err := most(text)
		if err == nil && n == 0 {
			return -1, nil
		}
		return n * unit, err
	}
}

// one is a field with what is parsed from a text.
func one[T any](at func(*Router) *T, parse func(string) (T, error)) field {
	return field{func(r *Router, texts ...string) error {
		v, err := parse(texts[len(texts)-1])
		if err == nil {
			*at(r) = v
		}
		return err
	}, func(r *Router) any { return *at(r) }, func(to, from *Router) { *at(to) = *at(from) }}
}

// many is a field with a list of what is parsed from texts.
func many[T any](at func(*Router) *[]T, parse func(string) (T, error)) field {
	return field{func(r *Router, texts ...string) error {
		var all []T
		for _, text := range texts {
			v, err := parse(text)
			if err != nil {
				return err
			}
			all = append(all, v)
		}
		*at(r) = all
		return nil
	}, func(r *Router) any { return *at(r) }, func(to, from *Router) { *at(to) = *at(from) }}
}

func anything(text string) (string, error) {
	if text == "" {
		return "", errors.New("must not be empty")
	}
	return text, nil
}

func oneOf(all ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !slices.Contains(all, text) {
			return "", fmt.Errorf("must be %s, not %q", strings.Join(all, " or "), text)
		}
		return text, nil
	}
}

func whole(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("must be a whole number from %d to %s, not %s", least, words.Number(most), text)
		}
		return n, nil
	}
}

func truthOf(text string) (bool, error) {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("must be true or false, not %q", text)
	}
	return b, nil
}

func network(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	switch addr, aerr := netip.ParseAddr(text); {
	case aerr == nil:
		return p, fmt.Errorf("%q is an address, not a network: write %s for this one alone", text, netip.PrefixFrom(addr, addr.BitLen()))
	case err != nil:
		return p, fmt.Errorf("%q is not a network: use one such as 192.168.1.0/24", text)
	case p != p.Masked():
		return p, fmt.Errorf("%q is an address in a network: write %s", text, p.Masked())
	}
	return p, nil
}

// inFile refuses a path that depends on the folder in which the program was started.
func (s Setting) inFile(text string) error {
	if s.Kind == Path && !slices.Contains(s.Words, text) && !filepath.IsAbs(text) {
		return fmt.Errorf("%q is not a whole path", text)
	}
	return nil
}
