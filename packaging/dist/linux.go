package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

const maintainer = "The sigalert authors <authors@sigalert.invalid>"

// linux makes the packages and the archive of an architecture.
func (r *release) linux(arch string) error {
	if err := r.linuxProgram("sigalert", target{os: "linux", arch: arch}); err != nil || !r.gtk {
		return err
	}
	gtk, err := r.gtkTarget(arch)
	if err != nil {
		return err
	}
	return r.linuxProgram("sigalert-gtk", gtk)
}

// linuxProgram builds one of the two programs, of which a system has one, and packs it.
func (r *release) linuxProgram(name string, t target) error {
	long := fmt.Sprintf("%s-%s-linux-%s", name, r.version, t.arch)
	program := filepath.Join(r.work, long)
	if err := r.build(t, program); err != nil {
		return err
	}
	notices, err := r.bill(program, long)
	if err != nil {
		return err
	}
	all, err := r.installed(name, program, notices)
	if err != nil {
		return err
	}
	debian, err := r.debian(name)
	if err != nil {
		return err
	}
	if err := r.pack(name, t.arch, "deb", slices.Concat(all, debian)); err != nil {
		return err
	}
	all = append(all, r.elsewhere(name)...)
	if err := r.pack(name, t.arch, "rpm", all); err != nil || name != "sigalert" {
		return err
	}
	return r.tarball(long, all)
}

// installed is what a system has of a program below /usr.
func (r *release) installed(name, program, notices string) ([]entry, error) {
	doc := path.Join("share/doc", name)
	all, err := r.docs(doc)
	if err != nil {
		return nil, err
	}
	icons, err := tree(filepath.Join(r.top, "packaging", "icons", "hicolor"), "share/icons/hicolor", ".png", ".svg")
	if err != nil {
		return nil, err
	}
	pages, err := tree(filepath.Join(r.work, "man1"), "share/man/man1", ".gz")
	if err != nil {
		return nil, err
	}
	files := filepath.Join(r.top, "packaging", "linux")
	all = slices.Concat(all, icons, pages)
	return append(all,
		entry{program, "bin/sigalert", 0o755},
		entry{notices, doc + "/third-party-licenses.txt", 0o644},
		entry{filepath.Join(files, "sigalert.desktop"), "share/applications/sigalert.desktop", 0o644},
		entry{filepath.Join(files, "sigalert.service"), "lib/systemd/user/sigalert.service", 0o644},
		entry{filepath.Join(files, "sigalert-router.service"), "lib/systemd/system/sigalert-router.service", 0o644},
		entry{filepath.Join(files, "sigalert-router.socket"), "lib/systemd/system/sigalert-router.socket", 0o644},
		entry{filepath.Join(r.work, "sigalert.bash"), "share/bash-completion/completions/sigalert", 0o644},
		entry{filepath.Join(r.work, "sigalert.fish"), "share/fish/vendor_completions.d/sigalert.fish", 0o644},
	), nil
}

// debian is what Debian names in its own way.
func (r *release) debian(name string) ([]entry, error) {
	doc := path.Join("share/doc", name)
	changes, err := os.ReadFile(filepath.Join(r.top, "CHANGELOG.md"))
	if err != nil {
		return nil, err
	}
	all := []entry{
		{filepath.Join(r.top, "LICENSE"), doc + "/copyright", 0o644},
		{filepath.Join(r.top, "packaging", "linux", "lintian-overrides-"+name), "share/lintian/overrides/" + name, 0o644},
		{filepath.Join(r.work, "_sigalert"), "share/zsh/vendor-completions/_sigalert", 0o644},
	}
	packaged := fmt.Sprintf("%s (%s-1) unstable; urgency=medium\n\n  * As changelog.gz says.\n\n -- %s  %s\n",
		name, debianVersion(r.version), maintainer, r.time.Format(time.RFC1123Z))
	for file, content := range map[string][]byte{"changelog.gz": changes, "changelog.Debian.gz": []byte(packaged)} {
		packed, err := compressed(content)
		if err != nil {
			return nil, err
		}
		from := filepath.Join(r.work, name+"-"+file)
		if err := write(from, packed); err != nil {
			return nil, err
		}
		all = append(all, entry{from, path.Join(doc, file), 0o644})
	}
	return all, nil
}

// debianVersion is the version as packages have it, in which ~ comes before the end:
// 1.0.0-rc.1 is older than 1.0.0.
func debianVersion(version string) string { return strings.Replace(version, "-", "~", 1) }

// elsewhere is what the other systems name in another way.
func (r *release) elsewhere(name string) []entry {
	return []entry{
		{filepath.Join(r.top, "LICENSE"), path.Join("share/licenses", name, "LICENSE"), 0o644},
		{filepath.Join(r.top, "CHANGELOG.md"), path.Join("share/doc", name, "CHANGELOG.md"), 0o644},
		{filepath.Join(r.work, "_sigalert"), "share/zsh/site-functions/_sigalert", 0o644},
	}
}

// pack makes a package, as nfpm.yaml has it.
func (r *release) pack(name, arch, format string, all []entry) error {
	values := map[string]string{"NAME": name, "ARCH": arch, "VERSION": r.version, "MAINTAINER": maintainer}
	config, err := nfpm.ParseFileWithEnvMapping(filepath.Join(r.top, "packaging", "nfpm.yaml"), func(key string) string { return values[key] })
	if err != nil {
		return err
	}
	info, err := config.Get(format)
	if err != nil {
		return err
	}
	info.MTime, info.RPM.BuildHost = r.time, "sigalert"
	script := func(name string) string { return filepath.Join(r.top, "packaging", "linux", format, name) }
	if format == "deb" {
		info.License = "" // a field that Debian does not have
		info.Scripts = nfpm.Scripts{PostInstall: script("postinst"), PreRemove: script("prerm"), PostRemove: script("postrm")}
	} else {
		info.Scripts = nfpm.Scripts{PostInstall: script("post"), PreRemove: script("preun"), PostRemove: script("postun")}
	}
	other := "sigalert-gtk"
	if name == other {
		other = "sigalert"
		info.Provides, info.Depends = []string{other}, gtkDepends[format]
		info.Description += "\nThis one draws its icon with GTK, for panels that know only icons of X11."
	}
	info.Conflicts = []string{other}
	if format == "deb" {
		info.Replaces = info.Conflicts // apt may put one in place of the other
	}
	own := make(map[string]bool) // folders, which rpm would leave behind
	for _, e := range all {
		info.Contents = append(info.Contents, &files.Content{Source: e.from, Destination: "/usr/" + e.to, FileInfo: &files.ContentFileInfo{Mode: e.mode, MTime: r.time}})
		for dir := path.Dir(e.to); slices.Contains(strings.Split(dir, "/"), name) && !own[dir]; dir = path.Dir(dir) {
			own[dir] = true
			info.Contents = append(info.Contents, &files.Content{Type: files.TypeDir, Destination: "/usr/" + dir})
		}
	}
	info = nfpm.WithDefaults(info)
	packer, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	return r.create(packer.ConventionalFileName(info), func(f *os.File) error { return packer.Package(info, f) })
}

// gtkDepends are the libraries of sigalert-gtk: packages in Debian, names of libraries
// for systems with rpm, whose packages have differing names.
var gtkDepends = map[string][]string{
	"deb": {"libc6 (>= 2.34)", "libayatana-appindicator3-1", "libglib2.0-0 (>= 2.40)", "libgtk-3-0 (>= 3.10)"},
	"rpm": {"libc.so.6(GLIBC_2.34)(64bit)", "libayatana-appindicator3.so.1()(64bit)", "libglib-2.0.so.0()(64bit)", "libgobject-2.0.so.0()(64bit)", "libgtk-3.so.0()(64bit)"},
}
