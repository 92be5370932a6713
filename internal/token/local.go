package token

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The names of entries that are for somebody in particular.
const (
	LocalName  = "local"  // this user's programs on the router's machine
	LegacyName = "legacy" // clients without a token, from networks that the router allows
)

// Everything is an entry that may listen to and send everything.
func Everything(name string) Entry {
	all, _ := ParseRight("*")
	return Entry{Name: name, Listen: []Right{all}, Send: []Right{all}}
}

// Provide lets this user's programs on this machine use the router that listens at a
// port, without being set up: they find in the folder, which is theirs, a token with all
// rights, whose entry in the file of tokens is named local, and where the router's
// certificate is; cert is "" if it has none. [Local] reads that. Routers with the same
// file of tokens have the same token.
func Provide(folder, tokens, port, cert string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	secretFile := secretOf(folder, tokens)
	err := change(tokens, func(all []Entry) ([]Entry, error) {
		e := Everything(LocalName)
		e.Admin = true
		i := slices.IndexFunc(all, func(o Entry) bool { return o.Name == LocalName })
		if secret, err := readSecret(secretFile); err == nil && i >= 0 {
			if e.Hash, e.Created = hash(secret), all[i].Created; same(e, all[i]) {
				return nil, errUnchanged
			}
		}
		secret := newSecret()
		e.Hash, e.Created = hash(secret), time.Now().UTC().Truncate(time.Second)
		if i < 0 {
			all = append(all, e)
		} else {
			all[i] = e
		}
		return all, replace(secretFile, []byte(secret+"\n"))
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return err
	}
	return replace(recordOf(folder, port), []byte(cert+"\n"+filepath.Base(secretFile)+"\n"))
}

// secretOf is where the token is that a file of tokens has for this user's programs.
func secretOf(folder, tokens string) string {
	name := "token"
	if tokens != filepath.Join(filepath.Dir(folder), "tokens.json") { // that of the user
		name += "-" + hash(tokens)[:16]
	}
	return filepath.Join(folder, name)
}

var errUnchanged = errors.New("the tokens are as they should be")

func same(a, b Entry) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// Withdraw takes back what Provide has said of a port.
func Withdraw(folder, port string) error {
	if err := os.Remove(recordOf(folder, port)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func recordOf(folder, port string) string { return filepath.Join(folder, port) }

// Local returns the token for the router at a port of this machine, and the file of the
// router's certificate. Both are "" if this user has no router there that takes it, and
// the certificate if the router has no TLS.
func Local(folder, port string) (secret, cert string, err error) {
	text, err := os.ReadFile(recordOf(folder, port))
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	cert, name, _ := strings.Cut(string(text), "\n")
	if err == nil {
		secret, err = readSecret(filepath.Join(folder, filepath.Base(strings.TrimSpace(name))))
	}
	return secret, cert, err
}

func readSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}
