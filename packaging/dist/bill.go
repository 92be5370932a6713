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

// bill writes a program's bill of materials, in SPDX 2.3: the modules that Go has noted
// in it.
func (r *release) bill(program, name string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	type checksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	type reference struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	type item struct {
		ID            string      `json:"SPDXID"`
		Name          string      `json:"name"`
		Version       string      `json:"versionInfo"`
		Location      string      `json:"downloadLocation"`
		FilesAnalyzed bool        `json:"filesAnalyzed"`
		Concluded     string      `json:"licenseConcluded"`
		Declared      string      `json:"licenseDeclared"`
		Copyright     string      `json:"copyrightText"`
		Purpose       string      `json:"primaryPackagePurpose,omitempty"`
		Checksums     []checksum  `json:"checksums,omitempty"`
		References    []reference `json:"externalRefs,omitempty"`
	}
	type relation struct {
		From string `json:"spdxElementId"`
		Kind string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
	const none = "NOASSERTION"
	of := func(id, name, version string) item {
		return item{ID: "SPDXRef-" + id, Name: name, Version: version, Location: none, Concluded: none, Declared: none, Copyright: none}
	}
	main := of("sigalert", "sigalert", r.version)
	main.Declared, main.Purpose = "MIT", "APPLICATION"
	main.Checksums = []checksum{{"SHA256", fmt.Sprintf("%x", sum)}}
	items := []item{main}
	relations := []relation{{"SPDXRef-DOCUMENT", "DESCRIBES", main.ID}}
	add := func(i item, locator string) {
		i.References = []reference{{"PACKAGE-MANAGER", "purl", locator}}
		items = append(items, i)
		relations = append(relations, relation{main.ID, "DEPENDS_ON", i.ID})
	}
	goVersion := strings.TrimPrefix(strings.Fields(info.GoVersion)[0], "go")
	add(of("go", "std", goVersion), "pkg:golang/std@"+goVersion)
	for n, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		i := of(fmt.Sprintf("module-%d", n+1), m.Path, m.Version)
		add(i, "pkg:golang/"+m.Path+"@"+m.Version)
	}
	document := map[string]any{
		"spdxVersion":       "SPDX-2.3",
		"dataLicense":       "CC0-1.0",
		"SPDXID":            "SPDXRef-DOCUMENT",
		"name":              name,
		"documentNamespace": fmt.Sprintf("urn:sigalert:spdx:%s:%x", name, sha1.Sum(content)),
		"creationInfo":      map[string]any{"created": r.time.Format(time.RFC3339), "creators": []string{"Tool: sigalert-dist"}},
		"packages":          items,
		"relationships":     relations,
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	return r.create(name+".spdx.json", func(f *os.File) error {
		_, err := f.Write(append(text, '\n'))
		return err
	})
}
