package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

// target is a program to build.
type target struct {
	os, arch string
	tags     string
	flags    string // of the linker
	cc       string // the C compiler; "": without C
	env      []string
}

// stamp is what a program says of itself.
func (r *release) stamp() string {
	const in = "-X sigalert/internal/cli."
	return fmt.Sprintf("%sversion=%s %[1]scommit=%[3]s %[1]sdate=%[4]s", in, r.version, r.commit, r.time.Format(time.DateOnly))
}

// build builds the program into a file.
func (r *release) build(t target, file string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", t.tags,
		"-ldflags", "-s -w -buildid= "+r.stamp()+" "+t.flags, "-o", file, ".")
	cmd.Dir = r.top
	cmd.Env = append(append(os.Environ(), "GOOS="+t.os, "GOARCH="+t.arch, "GOFLAGS="), t.env...)
	if t.cc == "" {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	} else {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=1", "CC="+t.cc)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}
