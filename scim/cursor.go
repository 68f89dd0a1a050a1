package scim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The words that RFC 9865 adds to scimType.
const (
	InvalidCursor = "invalidCursor"
	ExpiredCursor = "expiredCursor"
	InvalidCount  = "invalidCount"
)

// cursor is what the text of a cursor stands for: a place in a list and what to
// read there. Nothing is kept of it on the server.
type cursor struct {
	back    bool // the page in front of the place, not the one behind it
	at      *place
	count   int // of the first page, which all others must ask for
	expires time.Time
}

// cursorKeys seal cursors. A cursor holds values of resources and travels through
// logs, so it is encrypted; it says where to read on, so it is authenticated.
type cursorKeys struct {
	secrets [][]byte // the first one seals, all of them open
	timeout time.Duration
}

const (
	cursorTimeout   = time.Hour
	minCursorSecret = 16
)

// WithCursorKey sets the secrets that cursors (RFC 9865) are sealed with, of 16
// random bytes or more. Servers that answer for each other, and one that is
// restarted while a client is paging, need the same. Cursors are made with the
// first secret and accepted with any of them: to change it, put the new one in
// front and drop the old one after [WithCursorTimeout]. Without this option a
// server makes up a secret of its own.
func WithCursorKey(secrets ...[]byte) Option {
	return option(func(s *Server) error {
		if len(secrets) == 0 {
			return errors.New("at least one cursor key is needed")
		}
		s.cursors.secrets = nil
		for _, secret := range secrets {
			if len(secret) < minCursorSecret {
				return fmt.Errorf("a cursor key must have at least %d bytes; one has %d", minCursorSecret, len(secret))
			}
			s.cursors.secrets = append(s.cursors.secrets, slices.Clone(secret))
		}
		return nil
	})
}

// WithCursorTimeout sets how long a client may take from one page to the next
// when it pages by cursor. Whole seconds count. Default one hour.
func WithCursorTimeout(d time.Duration) Option {
	return option(func(s *Server) error {
		if d < time.Second {
			return fmt.Errorf("the time-out of cursors must be a second or more, not %v", d)
		}
		s.cursors.timeout = d.Truncate(time.Second)
		return nil
	})
}

// newSecret is the secret of a server that was given none.
func newSecret() []byte {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return secret
}

// sealer makes and reads the cursors of one list: those of another list, tenant or
// connection are forgeries to it.
type sealer struct {
	keys  *cursorKeys
	list  [sha256.Size]byte // what is listed, and for whom
	types int               // how many resource types are in the list
	aead  cipher.AEAD       // of the first secret, once it is needed
}

// aeadOf derives the key of the list from a secret. With a key for each list there
// are far fewer cursors to a key than random nonces can tell apart.
func (s *sealer) aeadOf(secret []byte) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, secret, "muster cursor"+string(s.list[:]), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal returns the text of a cursor, which needs no escaping in URLs.
func (s *sealer) seal(c *cursor) (string, error) {
	if s.aead == nil {
		aead, err := s.aeadOf(s.keys.secrets[0])
		if err != nil {
			return "", err
		}
		s.aead = aead
	}
	sealed := s.aead.Seal(nil, nil, c.append(nil), nil)
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open reads a cursor back. What is not a cursor of this list is answered with one
// text, whatever it is.
func (s *sealer) open(text string, now time.Time) (*cursor, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which the decoder passes over
		return nil, errInvalidCursor
	}
	for i, secret := range s.keys.secrets {
		aead, err := s.aeadOf(secret)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			s.aead = aead
		}
		plain, err := aead.Open(nil, nil, sealed, nil)
		if err != nil {
			continue
		}
		c, ok := parseCursor(plain, s.types)
		switch {
		case !ok:
			return nil, errInvalidCursor
		case now.After(c.expires):
			return nil, errExpiredCursor
		}
		return c, nil
	}
	return nil, errInvalidCursor
}

var (
	errInvalidCursor = &Error{Status: http.StatusBadRequest, ScimType: InvalidCursor,
		Detail: "the cursor does not belong to this list; a cursor is good only with the filter and order that it was given out for. Begin again with an empty cursor"}
	errExpiredCursor = &Error{Status: http.StatusBadRequest, ScimType: ExpiredCursor,
		Detail: "the cursor is too old; begin again with an empty one"}
	errChangedCount = &Error{Status: http.StatusBadRequest, ScimType: InvalidCount,
		Detail: "count must stay what it was when the first page was asked for"}
)

// Flags in the first byte of a cursor.
const (
	cursorBack = 1 << iota
	cursorPlaced
	cursorAbsent
)

// append writes a cursor: flags, expiry, count, and the place if there is one.
func (c *cursor) append(b []byte) []byte {
	flags := byte(0)
	if c.back {
		flags |= cursorBack
	}
	if c.at != nil {
		flags |= cursorPlaced
		if c.at.absent {
			flags |= cursorAbsent
		}
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(c.expires.Add(time.Second-1).Unix())) // never too early
	b = binary.AppendUvarint(b, uint64(c.count))
	if c.at == nil {
		return b
	}
	b = binary.AppendUvarint(b, uint64(c.at.source))
	for _, text := range []string{c.at.key, c.at.id} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	for _, offset := range c.at.offsets {
		b = binary.AppendUvarint(b, uint64(offset+1))
	}
	return b
}

// parseCursor reads what append wrote for a list of so many resource types.
func parseCursor(b []byte, types int) (c *cursor, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	flags := b[0]
	r := cursorReader{rest: b[1:]}
	c = &cursor{back: flags&cursorBack != 0}
	c.expires = time.Unix(int64(r.number()), 0)
	c.count = int(r.number())
	if flags&cursorPlaced != 0 {
		c.at = &place{source: int(r.number()), key: r.text(), id: r.text(), absent: flags&cursorAbsent != 0}
		c.at.offsets = make([]int, types)
		for i := range c.at.offsets {
			c.at.offsets[i] = int(r.number()) - 1
		}
		r.bad = r.bad || c.at.source >= types
	}
	if r.bad || len(r.rest) > 0 || flags >= cursorAbsent<<1 || c.count < 1 || c.back && c.at == nil {
		return nil, false
	}
	return c, true
}

type cursorReader struct {
	rest []byte
	bad  bool
}

// number reads a number.
func (r *cursorReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > maxCursorNumber {
		r.rest, r.bad = nil, true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// No count, offset or time in a cursor comes near it.
const maxCursorNumber = 1 << 40

func (r *cursorReader) text() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.rest, r.bad = nil, true
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}
