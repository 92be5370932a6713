package token

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	maxFile = 4 << 20 // bytes
	prefix  = "sigalert_"
)

// Entry is a token as the file has it or, if Certificate is set, what the holder of a
// certificate whose common name is Name may do.
type Entry struct {
	Name        string    `json:"name"`
	Certificate bool      `json:"certificate,omitempty"`
	Hash        string    `json:"sha256,omitempty"` // of the token, in hexadecimal digits; "" for a certificate
	Listen      []Right   `json:"listen,omitempty"`
	Send        []Right   `json:"send,omitempty"`
	Admin       bool      `json:"admin,omitempty"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires,omitzero"` // zero: never
}

// key is what a caller is found by: the hash of its token, or its certificate's name,
// with what a hash does not have.
func (e *Entry) key() string {
	if e.Certificate {
		return certificateKey(e.Name)
	}
	return e.Hash
}

func certificateKey(name string) string { return "certificate " + name }

// Expired reports whether the token is no longer valid.
func (e *Entry) Expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// content is the whole file.
type content struct {
	Version int     `json:"version"`
	Tokens  []Entry `json:"tokens"`
}

// ErrNoToken: there is no token of this name.
var ErrNoToken = errors.New("there is no such token")

var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckName refuses what cannot be a token's name.
func CheckName(name string) error {
	if strings.HasPrefix(name, prefix) {
		return errors.New("this is a token: name it after what uses it")
	}
	if !validName.MatchString(name) {
		return fmt.Errorf("%q is not a name for a token: use at most 64 letters, digits, - . and _", name)
	}
	return nil
}

// New adds a token, of which e has the name, the rights and the end, to the file, and
// returns the token itself, which is nowhere else; "" for a certificate, which needs none.
// A name whose token has expired is free again.
func New(path string, e Entry) (secret string, err error) {
	if err := CheckName(e.Name); err != nil {
		return "", err
	}
	if e.Name == LocalName {
		return "", fmt.Errorf("%s is the token that a router makes for the programs of its own user: use another name", LocalName)
	}
	if !e.Certificate {
		secret = newSecret()
		e.Hash = hash(secret)
	}
	e.Created = time.Now().UTC().Truncate(time.Second)
	return secret, change(path, func(all []Entry) ([]Entry, error) {
		i := slices.IndexFunc(all, func(o Entry) bool { return o.Name == e.Name })
		switch {
		case i < 0:
			return append(all, e), nil
		case !all[i].Expired(time.Now()):
			return nil, fmt.Errorf("there is a token named %s already: revoke it first, or use another name", e.Name)
		}
		all[i] = e
		return all, nil
	})
}

// Revoke removes a token from the file. The error is ErrNoToken if it has none of this
// name.
func Revoke(path, name string) error {
	return change(path, func(all []Entry) ([]Entry, error) {
		n := len(all)
		all = slices.DeleteFunc(all, func(e Entry) bool { return e.Name == name })
		if len(all) == n {
			return nil, ErrNoToken
		}
		return all, nil
	})
}

// List returns the tokens of the file; none if there is no file.
func List(path string) ([]Entry, error) {
	all, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

func newSecret() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // which never fails
	return prefix + base64.RawURLEncoding.EncodeToString(random)
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func read(path string) ([]Entry, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o022 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s: others can change it: chmod 600 it, if its tokens are still yours", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	all, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

func parse(text []byte) ([]Entry, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("it has over %d bytes", maxFile)
	}
	var c content
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields() // a right that is misspelled must not go unnoticed
	if err := dec.Decode(&c); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("something follows the tokens")
	}
	if c.Version != 1 {
		return nil, fmt.Errorf("it has version %d, and only 1 is understood", c.Version)
	}
	names, keys := make(map[string]bool), make(map[string]bool)
	for _, e := range c.Tokens {
		sum, err := hex.DecodeString(e.Hash)
		switch {
		case CheckName(e.Name) != nil:
			return nil, CheckName(e.Name)
		case e.Certificate && e.Hash != "":
			return nil, fmt.Errorf("token %s: it is for a certificate, and has a sha256, too", e.Name)
		case e.Certificate:
		case err != nil || len(sum) != sha256.Size || hex.EncodeToString(sum) != e.Hash:
			return nil, fmt.Errorf("token %s: its sha256 is not %d hexadecimal digits in lower case", e.Name, 2*sha256.Size)
		}
		if names[e.Name] || keys[e.key()] {
			return nil, fmt.Errorf("token %s is there twice", e.Name)
		}
		names[e.Name], keys[e.key()] = true, true
	}
	return c.Tokens, nil
}

// change replaces the file's tokens by what f makes of them; only one process does so
// at a time.
func change(path string, f func([]Entry) ([]Entry, error)) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // routers may know it by either name
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	lock := flock.New(path+".lock", flock.SetFlag(lockFlag))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, lock.Close()) }()
	if err := giveToOwner(lock.Path()); err != nil {
		return err
	}
	all, err := List(path)
	if err != nil {
		return err
	}
	if all, err = f(all); err != nil {
		return err
	}
	text, err := json.MarshalIndent(content{1, all}, "", "  ")
	if err != nil {
		return err
	}
	return replace(path, append(text, '\n'))
}

// replace writes a file that only its owner can read.
func replace(path string, text []byte) error {
	next, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with 0600
	if err != nil {
		return err
	}
	defer os.Remove(next.Name())
	_, err = next.Write(text)
	if err = errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	if err := giveToOwner(next.Name()); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}
