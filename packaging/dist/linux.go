package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// compilers are the C compilers for sigalert-gtk.
var compilers = map[string]string{"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}

// linux makes the packages and the archive of an architecture.
func (r *release) linux(arch, work, manual string) error {
	plain := target{os: "linux", arch: arch}
	if err := r.linuxProgram("sigalert", plain, work, manual); err != nil {
		return err
	}
	if err := r.tarball(arch, filepath.Join(work, "sigalert-linux-"+arch), manual); err != nil {
		return err
	}
	if !r.gtk {
		return nil
	}
	gtk := target{os: "linux", arch: arch, tags: "gtk", cc: compilers[arch], env: []string{"PKG_CONFIG=" + compilers[arch][:len(compilers[arch])-len("gcc")] + "pkg-config"}}
	return r.linuxProgram("sigalert-gtk", gtk, work, manual)
}

// linuxProgram builds one of the two programs, of which a system has one, and packs it.
func (r *release) linuxProgram(name string, t target, work, manual string) error {
	program := filepath.Join(work, name+"-linux-"+t.arch)
	if err := r.build(t, program); err != nil {
		return err
	}
	for _, format := range []string{"deb", "rpm"} {
		if err := r.pack(name, t.arch, format, program, manual); err != nil {
			return fmt.Errorf("%s, %s: %w", name, format, err)
		}
	}
	return r.bill(program, fmt.Sprintf("%s-%s-linux-%s", name, r.version, t.arch))
}

// pack makes a package of a program, as nfpm.yaml has it.
func (r *release) pack(name, arch, format, program, manual string) (err error) {
	values := map[string]string{"NAME": name, "ARCH": arch, "PROGRAM": program, "MANUAL": manual, "TOP": r.top, "VERSION": r.version}
	config, err := nfpm.ParseFileWithEnvMapping(filepath.Join(r.top, "packaging", "nfpm.yaml"), func(key string) string { return values[key] })
	if err != nil {
		return err
	}
	info, err := config.Get(format)
	if err != nil {
		return err
	}
	info.Changelog = filepath.Join(filepath.Dir(program), "changes.yaml")
	changes := fmt.Sprintf("- semver: %s\n  date: %s\n  packager: %s\n  changes:\n    - note: See CHANGELOG.md.\n", r.version, r.time.Format(time.RFC3339), info.Maintainer)
	if err := write(info.Changelog, []byte(changes)); err != nil {
		return err
	}
	info.MTime, info.RPM.BuildHost = r.time, "sigalert"
	if name == "sigalert" {
		info.Conflicts = []string{"sigalert-gtk"}
	} else {
		info.Conflicts = []string{"sigalert"}
		info.Depends = gtkDepends[format]
	}
	info = nfpm.WithDefaults(info)
	packer, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	return r.create(packer.ConventionalFileName(info), func(f *os.File) error { return packer.Package(info, f) })
}

// gtkDepends are the libraries of sigalert-gtk, as the systems name them.
var gtkDepends = map[string][]string{
	"deb": {"libc6", "libayatana-appindicator3-1", "libgtk-3-0"},
	"rpm": {"libayatana-appindicator-gtk3", "gtk3"},
}

// create makes a file of the release.
func (r *release) create(name string, fill func(*os.File) error) error {
	f, err := os.Create(filepath.Join(r.out, name))
	if err != nil {
		return err
	}
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return err
	}
	r.made = append(r.made, name)
	return nil
}
