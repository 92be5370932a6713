package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// entry is a file of an archive or of a package.
type entry struct {
	from, to string
	mode     fs.FileMode
}

// docs are the files for people to read, in a folder.
func (r *release) docs(to string, names ...string) (all []entry, err error) {
	for _, name := range append([]string{"README.md", "SECURITY.md", "config.example.yaml"}, names...) {
		all = append(all, entry{filepath.Join(r.top, name), path.Join(to, name), 0o644})
	}
	pages, err := tree(filepath.Join(r.top, "docs"), path.Join(to, "docs"), ".md", ".svg", ".png")
	return append(all, pages...), err
}

// tree is the files of a folder that have one of the extensions, in the order of their
// names.
func tree(dir, to string, extensions ...string) (all []entry, err error) {
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains(extensions, filepath.Ext(file)) {
			return err
		}
		rest, err := filepath.Rel(dir, file)
		all = append(all, entry{file, path.Join(to, filepath.ToSlash(rest)), 0o644})
		return err
	})
	return all, err
}

// write writes a file and the folder that it is in.
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// compressed is the content as gzip -n has it.
func compressed(content []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = z.Write(content)
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}

// tarball makes an archive for Linux.
func (r *release) tarball(name string, all []entry) error {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
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
	if err := w.Close(); err != nil {
		return err
	}
	packed, err := compressed(b.Bytes())
	if err != nil {
		return err
	}
	return r.create(name+".tar.gz", func(f *os.File) error {
		_, err := f.Write(packed)
		return err
	})
}

// zipped makes an archive for Windows.
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

// create makes a file of the release.
func (r *release) create(name string, fill func(*os.File) error) error {
	f, err := os.Create(filepath.Join(r.out, name))
	if err != nil {
		return err
	}
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.made = append(r.made, name)
	return nil
}
