package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// target is a program to build.
type target struct {
	os, arch string
	flags    []string // of go build
	ldflags  string
	env      []string // what a program with C needs; nil: without C
}

// compilers are the C compilers for sigalert-gtk; libraries is where Debian keeps them.
var compilers = map[string]struct{ compiler, libraries string }{
	"amd64": {"x86_64-linux-gnu-gcc", "usr/lib/x86_64-linux-gnu"},
	"arm64": {"aarch64-linux-gnu-gcc", "usr/lib/aarch64-linux-gnu"},
}

// gtkTarget is sigalert-gtk, built with the libraries of Debian 12 whatever system this
// is: it runs there, and on what is newer.
func (r *release) gtkTarget(arch string) (target, error) {
	script := exec.Command(filepath.Join(r.top, "packaging", "sysroot.sh"), arch)
	script.Stderr = os.Stderr
	out, err := script.Output()
	if err != nil {
		return target{}, fmt.Errorf("sysroot.sh: %w", err)
	}
	root, c := strings.TrimSpace(string(out)), compilers[arch]
	return target{
		os: "linux", arch: arch, flags: []string{"-tags", "gtk", "-buildmode", "pie"}, ldflags: "-extldflags=-Wl,-z,now",
		env: []string{
			"CC=" + c.compiler + " --sysroot=" + root,
			"PKG_CONFIG_SYSROOT_DIR=" + root,
			"PKG_CONFIG_LIBDIR=" + filepath.Join(root, c.libraries, "pkgconfig") + ":" + filepath.Join(root, "usr/share/pkgconfig"),
		},
	}, nil
}

// build builds the program into a file.
func (r *release) build(t target, file string) error {
	const in = "-X sigalert/internal/cli."
	ldflags := fmt.Sprintf("-s -w -buildid= %[1]sversion=%[2]s %[1]scommit=%[3]s %[1]sdate=%[4]s %[5]s",
		in, r.version, r.commit, r.time.Format(time.DateOnly), t.ldflags)
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", file}, t.flags...)
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir, cmd.Stderr = r.top, os.Stderr
	cmd.Env = append(os.Environ(), "GOOS="+t.os, "GOARCH="+t.arch, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "CGO_ENABLED=0")
	if t.env != nil {
		cmd.Env = append(append(cmd.Env, "CGO_ENABLED=1"), t.env...)
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}
