package propschema

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// formatCheck returns what strings of a format must fulfil (§2.4), nil when any
// string will do.
func formatCheck(kind, format string) func(string) bool {
	if kind != "string" {
		return nil
	}
	switch format {
	case "url":
		return isURI
	case "email":
		return func(s string) bool { return isEmail(s, false) }
	case "idn-email":
		return func(s string) bool { return isEmail(s, true) }
	case "user":
		return func(s string) bool { return strings.Contains(s, "@") }
	case "date-time", "timer":
		return func(s string) bool { _, ok := jsonv.ParseTime(s); return ok }
	case "ipv4":
		return func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() }
	case "ipv6":
		return func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is6() && a.Zone() == "" }
	}
	return nil
}

// isURI is the "uri" of RFC 3986: a scheme, then only characters a URI may hold.
func isURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || !isAlpha(scheme[0]) {
		return false
	}
	for i := range len(scheme) {
		if c := scheme[i]; !isAlpha(c) && (c < '0' || c > '9') && !strings.ContainsRune("+-.", rune(c)) {
			return false
		}
	}
	fragments := 0
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case isAlpha(c), c >= '0' && c <= '9', strings.IndexByte("-._~:/?[]@!$&'()*+,;=", c) >= 0:
		case c == '#':
			fragments++
		case c == '%':
			if i+2 >= len(rest) || !isHex(rest[i+1]) || !isHex(rest[i+2]) {
				return false
			}
		default:
			return false
		}
	}
	if fragments > 1 {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	path := strings.SplitN(rest, "?", 2)[0]
	if strings.HasPrefix(path, "//") {
		_, after, _ := strings.Cut(path[2:], "/")
		path = after
	}
	return !strings.ContainsAny(path, "[]") || u.Opaque != ""
}

func isAlpha(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// isEmail accepts local@domain in the spirit of RFC 5322: dot-atoms or a quoted
// string, then a domain or an address literal.
func isEmail(s string, international bool) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || !utf8.ValidString(s) {
		return false
	}
	return isLocal(s[:at], international) && isDomain(s[at+1:], international)
}

func isLocal(s string, international bool) bool {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return isQuoted(s[1:len(s)-1], international)
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for _, r := range part {
			if !asciiAlnum(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) && (!international || r < utf8.RuneSelf || unicode.IsSpace(r)) {
				return false
			}
		}
	}
	return true
}

func isQuoted(s string, international bool) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
			if i == len(s) {
				return false
			}
		case c == '"', c < ' ', c == 0x7f:
			return false
		case c >= utf8.RuneSelf && !international:
			return false
		}
	}
	return true
}

func isDomain(s string, international bool) bool {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		_, err := netip.ParseAddr(strings.TrimPrefix(s[1:len(s)-1], "IPv6:"))
		return err == nil
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if !asciiAlnum(r) && r != '-' && (!international || r < utf8.RuneSelf || unicode.IsSpace(r)) {
				return false
			}
		}
	}
	return true
}
