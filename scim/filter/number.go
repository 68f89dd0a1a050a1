package filter

import "strconv"

// The key of a number is built so that bytewise order is numeric order, without
// a loss of digits:
//
//	"0"  negative numbers
//	"1"  zero
//	"2"  positive numbers
//
// followed, for numbers other than zero, by the exponent e and the digits d of
// 0.d × 10^e, where d begins and ends with a digit other than 0. An exponent is
// one letter and its decimal digits: 'a' for 0, 'b' to 's' for positive ones of
// 1 to 18 digits, and 'Z' down to 'I' for negative ones, whose digits are
// complemented (9 − digit) to turn their order round. For a negative number the
// exponent is negated, the digits are complemented, and '~' ends them, since of
// two that begin alike the longer one is the lesser.
//
//	3, 3.0, 30e-1   2b13
//	250             2b325
//	0.05            2Z85     (0.5 × 10^-1)
//	-2.5            0Z874~

// maxExponent bounds the exponent to 18 digits. Numbers beyond it, which cannot
// be values of a resource, share the keys of those at the bound.
const maxExponent int64 = 999_999_999_999_999_999

// appendNumberKey appends the key of a JSON number.
func appendNumberKey[T string | []byte](dst []byte, s T) []byte {
	n := scanNumber(s)
	if n.digits == 0 {
		return append(dst, '1')
	}
	if !n.negative {
		dst = appendExponent(append(dst, '2'), n.exponent)
		return appendDigits(dst, s[n.first:n.last], n.digits)
	}
	dst = appendExponent(append(dst, '0'), -n.exponent)
	mark := len(dst)
	dst = appendDigits(dst, s[n.first:n.last], n.digits)
	complement(dst[mark:])
	return append(dst, '~')
}

// decimal is what scanNumber finds out about a number: its value is
// 0.d × 10^exponent, where d are the digits among s[first:last].
type decimal struct {
	negative    bool
	first, last int // from the first digit that is not 0 to behind the last
	digits      int // how many there are; 0 for zero
	exponent    int64
}

func scanNumber[T string | []byte](s T) decimal {
	var n decimal
	i := 0
	if i < len(s) && s[i] == '-' {
		n.negative = true
		i++
	}
	point := false
	seen := 0 // digits from the first other than 0 on
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			point = true
			continue
		}
		if !isDigit(c) {
			break
		}
		if seen > 0 || c != '0' {
			if seen == 0 {
				n.first = i
			}
			seen++
			if c != '0' {
				n.last, n.digits = i+1, seen
			}
			if !point {
				n.exponent++
			}
		} else if point {
			n.exponent--
		}
	}
	if i < len(s) { // e or E
		n.exponent += scanExponent(s[i+1:])
	}
	n.exponent = max(-maxExponent, min(n.exponent, maxExponent))
	return n
}

// scanExponent reads an exponent and stops counting beyond the bound.
func scanExponent[T string | []byte](s T) int64 {
	e, negative := int64(0), false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '-':
			negative = true
		case isDigit(c) && e < maxExponent/10:
			e = e*10 + int64(c-'0')
		}
	}
	if negative {
		return -e
	}
	return e
}

func appendExponent(dst []byte, e int64) []byte {
	switch {
	case e > 0:
		at := len(dst)
		dst = strconv.AppendInt(append(dst, 0), e, 10)
		dst[at] = 'a' + byte(len(dst)-at-1)
	case e < 0:
		at := len(dst)
		dst = strconv.AppendInt(append(dst, 0), -e, 10)
		dst[at] = 'Z' + 1 - byte(len(dst)-at-1)
		complement(dst[at+1:])
	default:
		dst = append(dst, 'a')
	}
	return dst
}

// appendDigits appends the digits of s, which may hold a point.
func appendDigits[T string | []byte](dst []byte, s T, n int) []byte {
	for i := 0; n > 0; i++ {
		if s[i] != '.' {
			dst = append(dst, s[i])
			n--
		}
	}
	return dst
}

func complement(digits []byte) {
	for i, c := range digits {
		digits[i] = '0' + '9' - c
	}
}
