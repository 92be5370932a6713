package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	var r release
	flag.StringVar(&r.top, "top", "../..", "the `FOLDER` of the source tree")
	flag.StringVar(&r.out, "out", "../../dist", "the `FOLDER` of what is made; what an earlier run has made there is removed")
	flag.StringVar(&r.version, "version", "", "the `VERSION`, such as 1.2.3")
	flag.StringVar(&r.commit, "commit", "", "the `COMMIT` that it is made from")
	arches := flag.String("arch", "amd64,arm64", "the `ARCHITECTURES` to build for")
	flag.StringVar(&r.system, "system", "", "make only what is for one `SYSTEM`: linux or windows")
	flag.BoolVar(&r.gtk, "gtk", true, "with sigalert-gtk, for which C compilers and Debian's packages are needed")
	flag.Parse()
	r.arches = strings.Split(*arches, ",")
	if err := r.make(); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// release is what is made at once.
type release struct {
	top, out string
	version  string
	commit   string
	arches   []string
	system   string // "": all
	gtk      bool

	time time.Time // of all files
	work string    // the folder of what is on its way into packages
	made []string  // files in out
}

// A version that Debian's and Fedora's tools order as semver does.
var validVersion = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func (r *release) make() error {
	if !validVersion.MatchString(r.version) {
		return fmt.Errorf("-version %q is not a version such as 1.2.3", r.version)
	}
	const epoch = "SOURCE_DATE_EPOCH"
	seconds, err := strconv.ParseInt(os.Getenv(epoch), 10, 64)
	if err != nil {
		return fmt.Errorf("%s is %q: it has to be the time of the source, in seconds since 1970, as git log -1 --format=%%ct prints it", epoch, os.Getenv(epoch))
	}
	r.time = time.Unix(seconds, 0).UTC()
	for _, path := range []*string{&r.top, &r.out} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(r.top, "main.go")); err != nil {
		return err
	}
	if err := r.clear(); err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp("", "sigalert-dist-*"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	if err := r.writeManual(r.work); err != nil {
		return err
	}
	for _, arch := range r.arches {
		for system, make := range map[string]func(string) error{"linux": r.linux, "windows": r.windows} {
			if r.system != "" && r.system != system {
				continue
			}
			if err := make(arch); err != nil {
				return fmt.Errorf("%s/%s: %w", system, arch, err)
			}
		}
	}
	return r.sums()
}

// clear makes the folder, or removes what an earlier run has left in it.
func (r *release) clear() error {
	for _, pattern := range []string{"sigalert*-*", "SHA256SUMS"} {
		old, _ := filepath.Glob(filepath.Join(r.out, pattern)) // the patterns are good
		for _, file := range old {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return os.MkdirAll(r.out, 0o755)
}
