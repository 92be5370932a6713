package eventlog

import (
	"bytes"
	"encoding/json"
)

// Readable is JSON text whose strings are spelled as people read them: pysig
// writes "\u00e9" for "é". It is text itself if there is nothing to change.
func Readable(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u`)) {
		return text
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for {
		start := bytes.IndexByte(text, '"')
		if start < 0 {
			out.Write(text)
			return out.Bytes()
		}
		end := endOfString(text, start)
		out.Write(text[:start])
		spelled, s := text[start:end], ""
		if !bytes.Contains(spelled, []byte(`\u`)) || json.Unmarshal(spelled, &s) != nil || enc.Encode(s) != nil {
			out.Write(spelled)
		} else {
			out.Truncate(out.Len() - 1) // Encode's newline
		}
		text = text[end:]
	}
}

// endOfString is where the string that begins at start is over.
func endOfString(text []byte, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
