package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/josephspurrier/goversioninfo"
)

// windows makes the archive of an architecture: sigalert.exe for the commands, and
// sigalertw.exe for the agent, which opens no console.
func (r *release) windows(arch string) error {
	all, err := r.docs("", "CHANGELOG.md", "LICENSE")
	if err != nil {
		return err
	}
	name := fmt.Sprintf("sigalert-%s-windows-%s", r.version, arch)
	for _, p := range []struct{ file, flags string }{{"sigalert.exe", ""}, {"sigalertw.exe", "-H windowsgui"}} {
		remove, err := r.resources(p.file, arch)
		if err != nil {
			return err
		}
		program := filepath.Join(r.work, name, p.file)
		err = r.build(target{os: "windows", arch: arch, ldflags: p.flags}, program)
		if remove(); err != nil {
			return err
		}
		all = append(all, entry{program, p.file, 0o755})
	}
	notices, err := r.bill(all[len(all)-1].from, name)
	if err != nil {
		return err
	}
	return r.zipped(name, append(all, entry{notices, "third-party-licenses.txt", 0o644}))
}

// resources makes what Windows shows of a program: its icon, its version and, for sharp
// text, its manifest. Go's linker takes them from beside the source, until remove is
// called.
func (r *release) resources(file, arch string) (remove func(), err error) {
	number, _, _ := strings.Cut(r.version, "-")
	parts := strings.Split(number, ".")
	var n [3]int
	for i := range n {
		if n[i], err = strconv.Atoi(parts[i]); err != nil {
			return nil, err
		}
	}
	version := goversioninfo.FileVersion{Major: n[0], Minor: n[1], Patch: n[2]}
	info := goversioninfo.VersionInfo{
		FixedFileInfo: goversioninfo.FixedFileInfo{FileVersion: version, ProductVersion: version, FileFlagsMask: "3f", FileFlags: "00", FileOS: "40004", FileType: "01", FileSubType: "00"},
		StringFileInfo: goversioninfo.StringFileInfo{
			FileDescription: "sigalert", FileVersion: r.version, InternalName: "sigalert", OriginalFilename: file, ProductName: "sigalert", ProductVersion: r.version, LegalCopyright: "MIT",
		},
		VarFileInfo:  goversioninfo.VarFileInfo{Translation: goversioninfo.Translation{LangID: goversioninfo.LngUSEnglish, CharsetID: goversioninfo.CsUnicode}},
		IconPath:     filepath.Join(r.work, "sigalert.ico"),
		ManifestPath: filepath.Join(r.top, "packaging", "windows", "sigalert.manifest"),
	}
	if err := r.icon(info.IconPath); err != nil {
		return nil, err
	}
	info.Build()
	info.Walk()
	object := filepath.Join(r.top, "sigalert_windows_"+arch+".syso")
	return func() { _ = os.Remove(object) }, info.WriteSyso(object, arch)
}

// icon makes an ICO file, which has the icon in each of its sizes as PNG.
func (r *release) icon(file string) error {
	sizes := []int{16, 24, 32, 48, 64, 256}
	head := []byte{0, 0, 1, 0, byte(len(sizes)), 0}
	at := len(head) + 16*len(sizes)
	var images []byte
	for _, size := range sizes {
		image, err := os.ReadFile(filepath.Join(r.top, "packaging", "icons", "hicolor", fmt.Sprintf("%dx%d", size, size), "apps", "sigalert.png"))
		if err != nil {
			return err
		}
		head = append(head, byte(size), byte(size), 0, 0, 1, 0, 32, 0) // 256 is 0
		head = binary.LittleEndian.AppendUint32(head, uint32(len(image)))
		head = binary.LittleEndian.AppendUint32(head, uint32(at+len(images)))
		images = append(images, image...)
	}
	return write(file, append(head, images...))
}
