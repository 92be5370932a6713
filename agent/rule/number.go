package rule

import (
	"math"
	"strconv"
	"strings"

	"sigalert/internal/rawjson"
)

// Number is a number as JSON spells it, where neither an int nor a float holds it
// exactly.
type Number struct {
	spelling string
	float    float64 // the nearest; infinity for a number that is too large
}

// maxShared is the longest text of which decoded strings are parts, in bytes: whatever
// is kept of one keeps all of it.
const maxShared = 4 << 10

// decode decodes valid JSON text to nil, bool, int, float64, Number, string, []any and
// map[string]any: numbers as they are to be, and large data several times as fast as
// encoding/json.
func decode(text []byte) any {
	var sizes [16]int32
	d := decoder{text: text, copy: string(text), sizes: sizesOf(text, sizes[:0])}
	return d.value()
}

// decoder reads valid JSON text.
type decoder struct {
	text  []byte
	copy  string // the text
	at    int
	sizes []int32 // of the lists and objects that are still to come
}

// sizesOf are how many elements or members each list and object has, in the order in
// which they begin; 1 for an empty one. To have large ones grow would be most of the work.
func sizesOf(text []byte, sizes []int32) []int32 {
	var room [32]int
	open := room[:0]
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = rawjson.StringEnd(text, i) - 1
		case '{', '[':
			open = append(open, len(sizes))
			sizes = append(sizes, 1)
		case '}', ']':
			open = open[:len(open)-1]
		case ',':
			sizes[open[len(open)-1]]++
		}
	}
	return sizes
}

// size is that of the list or object that begins here.
func (d *decoder) size() int {
	n := d.sizes[0]
	d.sizes = d.sizes[1:]
	return int(n)
}

// next is the next byte that is not blank.
func (d *decoder) next() byte {
	for d.text[d.at] <= ' ' {
		d.at++
	}
	return d.text[d.at]
}

func (d *decoder) value() any {
	switch d.next() {
	case '{':
		object := make(map[string]any, d.size())
		for d.at++; d.next() != '}'; {
			if d.text[d.at] == ',' {
				d.at++
				d.next()
			}
			key := d.string()
			d.next()
			d.at++ // the colon
			object[key] = d.value()
		}
		d.at++
		return object
	case '[':
		list := make([]any, 0, d.size())
		for d.at++; d.next() != ']'; {
			if d.text[d.at] == ',' {
				d.at++
			}
			list = append(list, d.value())
		}
		d.at++
		return list
	case '"':
		return d.string()
	case 't':
		d.at += len("true")
		return true
	case 'f':
		d.at += len("false")
		return false
	case 'n':
		d.at += len("null")
		return nil
	}
	begin := d.at
	for d.at < len(d.text) && (d.text[d.at] >= '+' && d.text[d.at] <= '9' && d.text[d.at] != ',' || d.text[d.at]|0x20 == 'e') {
		d.at++
	}
	return number(d.copy[begin:d.at])
}

func (d *decoder) string() string {
	begin := d.at
	d.at = rawjson.StringEnd(d.text, begin)
	s, part := rawjson.Unquote(d.text[begin:d.at])
	if part && len(d.copy) <= maxShared {
		return d.copy[begin+1 : d.at-1]
	}
	return string(s)
}

// number is a number of JSON as an int, as a float64 or, if neither holds it exactly,
// as it is spelled.
func number(spelling string) any {
	if !strings.ContainsAny(spelling, ".eE") {
		if i, err := strconv.Atoi(spelling); err == nil {
			return i
		}
	}
	f, err := strconv.ParseFloat(spelling, 64)
	if err != nil || math.IsInf(f, 0) {
		return Number{strings.Clone(spelling), f}
	}
	if size := math.Abs(f); len(spelling) <= 15 && size > 1e-300 && size < 1e300 {
		return f // a float holds any 15 digits
	}
	digits, exponent := decimal(spelling)
	shortest, same := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	if digits != shortest || exponent != same {
		return Number{strings.Clone(spelling), f}
	}
	return f
}

// decimal is a number's digits without zeros at either end, and the power of ten of
// the digit before the first.
func decimal(spelling string) (digits string, exponent int) {
	mantissa, power, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(spelling, "-")), "e")
	exponent, _ = strconv.Atoi(power)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent += len(whole)
	digits = whole + fraction
	trimmed := strings.TrimLeft(digits, "0")
	exponent -= len(digits) - len(trimmed)
	if trimmed = strings.TrimRight(trimmed, "0"); trimmed == "" {
		return "", 0
	}
	return trimmed, exponent
}
