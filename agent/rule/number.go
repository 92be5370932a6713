package rule

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Number is a number as JSON spells it, where neither an int nor a float holds it
// exactly.
type Number string

// MarshalJSON returns the spelling.
func (n Number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// float is the nearest float; infinity for a number that is too large.
func (n Number) float() float64 {
	f, _ := strconv.ParseFloat(string(n), 64)
	return f
}

// decode decodes JSON text to nil, bool, int, float64, Number, string, []any and
// map[string]any.
func decode(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return numbers(v), nil
}

// numbers replaces each json.Number in v.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(string(v))
	case []any:
		for i, element := range v {
			v[i] = numbers(element)
		}
	case map[string]any:
		for key, member := range v {
			switch member.(type) {
			case json.Number, []any, map[string]any:
				v[key] = numbers(member)
			}
		}
	}
	return v
}

// number is a number of JSON as an int, as a float64 or, if neither holds it exactly,
// as it is spelled.
func number(spelling string) any {
	if i, err := strconv.Atoi(spelling); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(spelling, 64)
	if err != nil || math.IsInf(f, 0) {
		return Number(spelling)
	}
	digits, exponent := decimal(spelling)
	shortest, same := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	if digits != shortest || exponent != same {
		return Number(spelling)
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
