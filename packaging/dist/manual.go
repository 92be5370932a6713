package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"sigalert/internal/cli"
)

// writeManual writes what is made from the commands: a page of the manual for each, and
// the shells' completions.
func (r *release) writeManual(dir string) error {
	root := cli.Command()
	root.DisableAutoGenTag = true
	root.InitDefaultCompletionCmd()
	if err := r.pages(root, dir); err != nil {
		return err
	}
	var bash, zsh, fish bytes.Buffer
	return errors.Join(
		root.GenBashCompletionV2(&bash, true), root.GenZshCompletion(&zsh), root.GenFishCompletion(&fish, true),
		write(filepath.Join(dir, "sigalert.bash"), bash.Bytes()),
		write(filepath.Join(dir, "_sigalert"), zsh.Bytes()),
		write(filepath.Join(dir, "sigalert.fish"), fish.Bytes()),
	)
}

func (r *release) pages(cmd *cobra.Command, dir string) error {
	var page bytes.Buffer
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	head := doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Date: &r.time, Source: "sigalert " + r.version, Manual: "User commands"}
	if err := doc.GenMan(cmd, &head, &page); err != nil {
		return err
	}
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // a level that there is
	_, err := z.Write(page.Bytes())
	if err = errors.Join(err, z.Close(), write(filepath.Join(dir, "man1", name+".1.gz"), packed.Bytes())); err != nil {
		return err
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
			if err := r.pages(sub, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes a file and the folder that it is in.
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
