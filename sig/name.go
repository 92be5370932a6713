package sig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"sigalert/sig/internal/wire"
)

// Name names a sender or an event. On the wire a name is any JSON scalar;
// nearly always it is a string, and then the Name is that string:
//
//	router.AddSender("timer", "tick")
//
// The zero Name, "", is JSON's null: as a sender or an event to listen to, it
// means every one. [Number] and [ParseName] make the names that are not plain
// strings; those hold their JSON text after a NUL byte. Use ParseName for a
// string that may itself begin with NUL.
//
// Names are compared as pysig compares them: 1, 1.0 and true are one name,
// 5 and "5" are two. Use [Name.Equal]; == also tells spellings apart.
type Name string

// maxName is the longest name, in bytes of JSON text without the quotation marks: a
// message to a pysig peer holds some of them.
const maxName = 1 << 10

// The events that every sender has. Their data is an object with the members
// "events" and "requests": what the sender offers.
const (
	EventConnect    Name = "#connect"
	EventDisconnect Name = "#disconnect"
)

// Number returns the name that is this number.
func Number(f float64) Name {
	b, err := json.Marshal(f)
	if err != nil { // NaN and the infinities, which JSON does not have
		return Name("\x00" + pythonFloat(f))
	}
	return Name("\x00" + string(b))
}

// ParseName reads a name from its JSON text: null, a boolean, a number or a
// string. Objects and arrays are not names.
func ParseName(text []byte) (Name, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return "", errors.New("a name is missing")
	}
	if err := checkName(text); err != nil {
		return "", err
	}
	switch c := text[0]; {
	case c == '{' || c == '[':
		return "", fmt.Errorf("%s cannot be a name: a name is a string, a number, true, false or null", wire.Excerpt(text))
	case string(text) == "null":
		return "", nil
	case c != '"':
		if !wire.Valid(text) {
			return "", fmt.Errorf("%s is not JSON", wire.Excerpt(text))
		}
		return Name("\x00" + string(text)), nil
	}
	if plain, ok := wire.Plain(text); ok && len(plain) > 0 {
		return Name(plain), nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return "", fmt.Errorf("%s is not JSON", wire.Excerpt(text))
	}
	// Half a surrogate pair cannot be UTF-8: a name that has one stays as it is
	// spelled.
	if s == "" || s[0] == 0 || hasHalfPair(text) {
		return Name("\x00" + string(text)), nil
	}
	return Name(s), nil
}

// hasHalfPair reports whether a JSON string has half a surrogate pair.
func hasHalfPair(text []byte) bool {
	for {
		_, escape, ok := bytes.Cut(text, []byte{'\\'})
		if !ok {
			return false
		}
		text = escape[1:]
		first, ok := unit(escape)
		if !ok {
			continue
		}
		text = escape[len("u0000"):]
		if !utf16.IsSurrogate(first) {
			continue
		}
		second, ok := unit(bytes.TrimPrefix(text, []byte{'\\'}))
		if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
			return true
		}
		text = text[len(`\u0000`):]
	}
}

// unit is the UTF-16 unit of an escape without its backslash, if it has one.
func unit(escape []byte) (rune, bool) {
	if len(escape) < len("u0000") || escape[0] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(escape[1:len("u0000")]), 16, 16)
	return rune(n), err == nil
}

// check returns an error for a name that is too long for any peer to read.
func (n Name) check() error {
	if len(n) < maxName/6-1 { // every character escaped
		return nil
	}
	if err := checkName(n.appendJSON(nil)); err != nil {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return nil
}

// checkName is check for JSON text. People do not count the quotation marks.
func checkName(text []byte) error {
	size := len(text)
	if text[0] == '"' {
		size -= len(`""`)
	}
	if size > maxName {
		return fmt.Errorf("a name of %d bytes: at most %d are allowed", size, maxName)
	}
	return nil
}

// IsEvery reports whether the name is the zero Name, which means every sender
// or every event.
func (n Name) IsEvery() bool { return n == "" }

// IsChannel reports whether an event of this name is also a channel: its name
// begins with '#'.
func (n Name) IsChannel() bool { return strings.HasPrefix(string(n), "#") }

// Equal reports whether pysig would take the two for the same name.
func (n Name) Equal(o Name) bool { return n == o || n.key() == o.key() }

// String returns the name for people: a string as it is, another scalar as its
// JSON text, and nothing for the zero Name.
func (n Name) String() string {
	if n == "" || n[0] != 0 {
		return string(n)
	}
	var s string
	if json.Unmarshal([]byte(n[1:]), &s) == nil {
		return s
	}
	return string(n[1:])
}

// JSON returns the name as it goes over the wire.
func (n Name) JSON() json.RawMessage { return n.appendJSON(nil) }

func (n Name) appendJSON(b []byte) []byte {
	switch {
	case n == "":
		return append(b, "null"...)
	case n[0] == 0 && wire.Valid([]byte(n[1:])):
		return append(b, n[1:]...)
	}
	return wire.AppendString(b, string(n))
}

// MarshalJSON writes the scalar that the name stands for.
func (n Name) MarshalJSON() ([]byte, error) { return wire.Strict(n.JSON()), nil }

// UnmarshalJSON reads a name as [ParseName] does.
func (n *Name) UnmarshalJSON(text []byte) (err error) {
	*n, err = ParseName(text)
	return err
}

// key returns the same for all names that are equal, whatever their spelling.
func (n Name) key() Name {
	if n == "" || n[0] != 0 || len(n) > 1 && n[1] == '"' {
		return n
	}
	switch text := string(n[1:]); text {
	case "true":
		return "\x001"
	case "false":
		return "\x000"
	default:
		return Name("\x00" + numberKey(text))
	}
}

// numberKey spells a number in the one way that all equal numbers share.
// Python compares an integer with a float by value, without rounding.
func numberKey(text string) string {
	if !strings.ContainsAny(text, ".eENI") {
		if text == "-0" {
			return "0"
		}
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsInf(f, 0) || math.IsNaN(f) {
		return pythonFloat(f)
	}
	if f == math.Trunc(f) {
		i, _ := big.NewFloat(f).Int(nil)
		return i.String()
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func pythonFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return "NaN"
}
