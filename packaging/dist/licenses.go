package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// licenses writes the licenses of everything that is in a program but not ours: they have
// to come with it.
func (r *release) licenses(info *debug.BuildInfo, name string) (file string, err error) {
	ask := func(args ...string) (string, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Stderr = r.top, os.Stderr
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	root, err := ask("env", "GOROOT")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := license(&b, "Go, and its standard library", root); err != nil {
		return "", err
	}
	for _, m := range info.Deps {
		dir, err := ask("list", "-m", "-f", "{{.Dir}}", m.Path)
		if err != nil {
			return "", err
		}
		if err := license(&b, m.Path+" "+m.Version, dir); err != nil {
			return "", err
		}
	}
	file = filepath.Join(r.work, name+".licenses")
	return file, write(file, []byte(b.String()))
}

// license adds what a folder has as its license.
func license(b *strings.Builder, name, dir string) error {
	var files []string
	for _, pattern := range []string{"LICEN*", "COPYING*", "NOTICE*"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are good
		files = append(files, found...)
	}
	if len(files) == 0 {
		return fmt.Errorf("%s: no license in %q", name, dir)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "%[1]s\n%[2]s\n\n%[3]s\n\n", name, strings.Repeat("=", len(name)), strings.TrimSpace(string(text)))
	}
	return nil
}
