package scim

import "crypto/rand"

// newID makes a random UUID (RFC 9562 version 4): opaque, safe in URLs, and never
// containing "bulkId".
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	const hex = "0123456789abcdef"
	var out [36]byte
	n := 0
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out[n] = '-'
			n++
		}
		out[n], out[n+1] = hex[c>>4], hex[c&15]
		n += 2
	}
	return string(out[:])
}
