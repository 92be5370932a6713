package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// These are parts of SPDX 2.3.
type (
	spdx struct {
		Version       string         `json:"spdxVersion"`
		License       string         `json:"dataLicense"`
		ID            string         `json:"SPDXID"`
		Name          string         `json:"name"`
		Namespace     string         `json:"documentNamespace"`
		Creation      spdxCreation   `json:"creationInfo"`
		Packages      []spdxPackage  `json:"packages"`
		Relationships []spdxRelation `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID            string          `json:"SPDXID"`
		Name          string          `json:"name"`
		Version       string          `json:"versionInfo"`
		Location      string          `json:"downloadLocation"`
		FilesAnalyzed bool            `json:"filesAnalyzed"`
		Concluded     string          `json:"licenseConcluded"`
		Declared      string          `json:"licenseDeclared"`
		Copyright     string          `json:"copyrightText"`
		Purpose       string          `json:"primaryPackagePurpose,omitempty"`
		Checksums     []spdxChecksum  `json:"checksums,omitempty"`
		References    []spdxReference `json:"externalRefs,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxReference struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelation struct {
		From string `json:"spdxElementId"`
		Kind string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

// bill writes a program's bill of materials, with the modules that Go has noted in it,
// and the file of their licenses, which it returns.
func (r *release) bill(program, name string) (notices string, err error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	part := func(id, name, version string) spdxPackage {
		const none = "NOASSERTION"
		return spdxPackage{ID: "SPDXRef-" + id, Name: name, Version: version, Location: none, Concluded: none, Declared: none, Copyright: none}
	}
	main := part("sigalert", "sigalert", r.version)
	main.Declared, main.Purpose = "MIT", "APPLICATION"
	main.Checksums = []spdxChecksum{{"SHA256", fmt.Sprintf("%x", sha256.Sum256(content))}}
	document := spdx{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: name,
		Namespace:     fmt.Sprintf("urn:sigalert:spdx:%s:%x", name, sha1.Sum(content)),
		Creation:      spdxCreation{r.time.Format(time.RFC3339), []string{"Tool: sigalert-dist"}},
		Packages:      []spdxPackage{main},
		Relationships: []spdxRelation{{"SPDXRef-DOCUMENT", "DESCRIBES", main.ID}},
	}
	add := func(id, name, version string) {
		p := part(id, name, version)
		p.References = []spdxReference{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + name + "@" + version}}
		document.Packages = append(document.Packages, p)
		document.Relationships = append(document.Relationships, spdxRelation{main.ID, "DEPENDS_ON", p.ID})
	}
	add("go", "std", strings.TrimPrefix(strings.Fields(info.GoVersion)[0], "go"))
	for n, m := range info.Deps {
		add(fmt.Sprintf("module-%d", n+1), m.Path, m.Version)
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return "", err
	}
	if err := r.create(name+".spdx.json", func(f *os.File) error {
		_, err := f.Write(append(text, '\n'))
		return err
	}); err != nil {
		return "", err
	}
	return r.licenses(info, name)
}
