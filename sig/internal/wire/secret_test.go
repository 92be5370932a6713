package wire

import "testing"

// What may be a secret is in no excerpt.
func TestExcerpt(t *testing.T) {
	for text, want := range map[string]string{
		``:                          `""`,
		`[1]`:                       `"[1]"`,
		`abcdefghijklmnopqrstuvwx`:  `"abcdefghijklmnopqrstuvwx"`,
		`abcdefghijklmnopqrstuvwxy`: `"abcdefghijklmnopqrstuvwx"...`,
		`sigalert_AAAA`:             `""...`,
		`{"token": "AAAA"}`:         `"{\""...`,
		`["Bearer AAAA"]`:           `"[\""...`,
		`authorization: AAAA`:       `""...`,
		`AUTHORIZATION: AAAA`:       `""...`,
		`[0123456789, "sigalert_A`:  `"[0123456789, \""...`,
		`[01234567890123, "sigale`:  `"[01234567890123, \"sigale"`,
	} {
		if got := Excerpt([]byte(text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
