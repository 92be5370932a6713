package address

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// CheckHost refuses a name of this machine that no browser can ask for.
func CheckHost(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return nil // needless, as every address is accepted
	}
	odd := strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	})
	if odd || strings.Trim(name, ".") == "" {
		return fmt.Errorf("%q is not a host name: use a name such as log.example, of ASCII letters and digits, dots and hyphens", name)
	}
	return nil
}

// minToken is how long a token is at least: shorter ones can be guessed.
const minToken = 16

// CheckToken refuses a token that no header can carry, and one that is too short.
func CheckToken(token string) error {
	if strings.TrimSpace(token) == "" {
		return errors.New("the token is empty")
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("a token consists of ASCII letters, digits and punctuation, without blanks")
	}
	if len(token) < minToken {
		return fmt.Errorf("the token is too short: use at least %d characters, such as what \"openssl rand -hex 16\" prints", minToken)
	}
	return nil
}
