package resource

import (
	"strconv"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// wellFormed reports whether text has the form that values of type t need.
func wellFormed(t schema.DataType, text []byte) bool {
	switch t {
	case schema.DateTime:
		_, ok := parseDateTime(text)
		return ok
	case schema.Binary:
		return isBase64(text)
	case schema.Reference:
		return isReference(text)
	}
	return true
}

// parseDateTime reads an xsd:dateTime with a year of four digits, as RFC 7643
// section 2.3.5 uses it: fraction and offset are optional. Without an offset it
// is taken as UTC. A fraction finer than nanoseconds is cut off.
func parseDateTime(b []byte) (time.Time, bool) {
	const layout = "dddd-dd-ddTdd:dd:dd"
	if len(b) < len(layout) {
		return time.Time{}, false
	}
	for i := range len(layout) {
		if layout[i] == 'd' != isDigit(b[i]) || layout[i] != 'd' && layout[i] != b[i] {
			return time.Time{}, false
		}
	}
	year := int(two(b))*100 + int(two(b[2:]))
	month, day := time.Month(two(b[5:])), int(two(b[8:]))
	hour, minute, second := int(two(b[11:])), int(two(b[14:])), int(two(b[17:]))
	b = b[len(layout):]
	nanos := 0
	if len(b) > 0 && b[0] == '.' {
		i, unit := 1, 100_000_000
		for ; i < len(b) && isDigit(b[i]); i++ {
			nanos += int(b[i]-'0') * unit
			unit /= 10
		}
		if i == 1 {
			return time.Time{}, false
		}
		b = b[i:]
	}
	midnight := hour == 24 && minute == 0 && second == 0 && nanos == 0 // the end of the day
	if year == 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 && !midnight || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, nanos, time.UTC)
	switch {
	case len(b) == 0 || len(b) == 1 && b[0] == 'Z':
		return t, true
	case len(b) == 6 && (b[0] == '+' || b[0] == '-') && isDigit(b[1]) && isDigit(b[2]) && b[3] == ':' && isDigit(b[4]) && isDigit(b[5]):
		offset := time.Duration(two(b[1:]))*time.Hour + time.Duration(two(b[4:]))*time.Minute
		if b[0] == '+' {
			offset = -offset
		}
		return t.Add(offset), two(b[4:]) < 60 && offset.Abs() <= 14*time.Hour
	}
	return time.Time{}, false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func two(b []byte) byte { return (b[0]-'0')*10 + b[1] - '0' }

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// isBase64 reports whether b is base64 of RFC 4648 section 4. Padding may be
// missing (RFC 7643 section 2.3.6).
func isBase64(b []byte) bool {
	n := len(b)
	for pad := 0; pad < 2 && len(b) > 0 && b[len(b)-1] == '='; pad++ {
		b = b[:len(b)-1]
	}
	if len(b)%4 == 1 || n != len(b) && n%4 != 0 {
		return false
	}
	for _, c := range b {
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || isDigit(c) || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// isReference reports whether b can be a URI, absolute or relative. Characters
// outside ASCII are accepted: clients send IRIs.
func isReference(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// isInt64 reports whether the JSON number text, which has neither fraction nor
// exponent, fits 64 bits.
func isInt64(text []byte) bool {
	if len(text) < 19 {
		return true
	}
	_, err := strconv.ParseInt(string(text), 10, 64)
	return err == nil
}

// isFloat64 reports whether the JSON number text is within the range of
// float64, in which filters and sorting compare it.
func isFloat64(text []byte) bool {
	if len(text) < 300 {
		exp := false
		for _, c := range text {
			exp = exp || c|0x20 == 'e'
		}
		if !exp {
			return true
		}
	}
	_, err := strconv.ParseFloat(string(text), 64)
	return err == nil
}
