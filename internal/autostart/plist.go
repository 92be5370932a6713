package autostart

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// plist returns the launch agent that starts exe.
func plist(exe string) (string, error) {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(exe)); err != nil {
		return "", err
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>sigalert</string>
	<key>ProgramArguments</key>
	<array>
		<string>%s</string>
	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>ProcessType</key>
	<string>Interactive</string>
</dict>
</plist>
`, &b), nil
}

// parsePlist returns the program that a launch agent starts, and whether the
// agent is turned off.
func parsePlist(text string) (exe string, off bool, err error) {
	d := xml.NewDecoder(strings.NewReader(text))
	key := ""
	for {
		token, err := d.Token()
		if err == io.EOF {
			return exe, off, nil
		}
		if err != nil {
			return "", false, err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch name := start.Name.Local; {
		case name == "key":
			err = d.DecodeElement(&key, &start)
		case name == "string" && exe == "" && (key == "Program" || key == "ProgramArguments"):
			err = d.DecodeElement(&exe, &start)
		case name == "true" && key == "Disabled":
			off = true
		}
		if err != nil {
			return "", false, err
		}
	}
}
