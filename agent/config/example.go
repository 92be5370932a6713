package config

import (
	"bytes"
	_ "embed"
	"os"
	"path/filepath"
)

// example is what the first run writes; the repository's config.example.yaml
// is the same.
//
//go:embed config.example.yaml
var example []byte

// ExampleWith is what the first run writes, but with a server in place of its router.
func ExampleWith(path string, s Server) (text []byte, name string, err error) {
	text, name, err = WithServer(path, example, s)
	return bytes.Replace(text, []byte("\nrouter:"), []byte("\n# router:"), 1), name, err
}

// WriteExample writes a commented configuration, and makes its folders. It fails
// if the file exists.
func WriteExample(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(example)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(path) // half a file would stay for good
	}
	return err
}
