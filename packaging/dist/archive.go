package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// entry is a file of an archive.
type entry struct {
	from, to string
	mode     fs.FileMode
}

// docs are the files for people that every archive has.
func (r *release) docs() (all []entry, err error) {
	for _, name := range []string{"README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "config.example.yaml"} {
		all = append(all, entry{filepath.Join(r.top, name), name, 0o644})
	}
	more, err := tree(filepath.Join(r.top, "docs"), "docs")
	return append(all, more...), err
}

// tree is all files of a folder, in the order of their names.
func tree(dir, to string) (all []entry, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rest, err := filepath.Rel(dir, path)
		all = append(all, entry{path, filepath.ToSlash(filepath.Join(to, rest)), 0o644})
		return err
	})
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.to, b.to) })
	return all, err
}

// tarball makes the archive for Linux without packages.
func (r *release) tarball(arch, program, manual string) error {
	all, err := r.docs()
	if err != nil {
		return err
	}
	all = append(all, entry{program, "sigalert", 0o755})
	for _, folder := range [][2]string{{manual, "share"}, {filepath.Join(r.top, "packaging", "linux"), "linux"}, {filepath.Join(r.top, "packaging", "icons", "hicolor"), "icons/hicolor"}} {
		more, err := tree(folder[0], folder[1])
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	all = slices.DeleteFunc(all, func(e entry) bool { return filepath.Ext(e.from) == ".go" })
	name := fmt.Sprintf("sigalert-%s-linux-%s", r.version, arch)
	return r.create(name+".tar.gz", func(f *os.File) error {
		z, _ := gzip.NewWriterLevel(f, gzip.BestCompression)
		w := tar.NewWriter(z)
		for _, e := range all {
			content, err := os.ReadFile(e.from)
			if err == nil {
				err = w.WriteHeader(&tar.Header{Name: name + "/" + e.to, Mode: int64(e.mode), Size: int64(len(content)), ModTime: r.time, Format: tar.FormatUSTAR})
			}
			if err == nil {
				_, err = w.Write(content)
			}
			if err != nil {
				return err
			}
		}
		return errors.Join(w.Close(), z.Close())
	})
}

// zipped makes the archive for Windows.
func (r *release) zipped(name string, all []entry) error {
	return r.create(name+".zip", func(f *os.File) error {
		w := zip.NewWriter(f)
		for _, e := range all {
			content, err := os.ReadFile(e.from)
			if err != nil {
				return err
			}
			head := zip.FileHeader{Name: name + "/" + e.to, Method: zip.Deflate, Modified: r.time}
			head.SetMode(e.mode)
			part, err := w.CreateHeader(&head)
			if err == nil {
				_, err = part.Write(content)
			}
			if err != nil {
				return err
			}
		}
		return w.Close()
	})
}
