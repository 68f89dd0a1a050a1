package scim

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

// What a cursor holds is read back as it was written, and nothing else is taken for
// a cursor that would be written differently.
func FuzzParseCursor(f *testing.F) {
	at := time.Unix(1_700_000_000, 0)
	for _, c := range []cursor{
		{count: 100, expires: at},
		{count: 1, expires: at, at: &place{key: "ada", id: "7", offsets: []int{-1, 0}}},
		{count: 1, expires: at, back: true, at: &place{source: 1, absent: true, id: "7", offsets: []int{12, -1}}},
	} {
		f.Add(c.append(nil), uint8(2))
	}
	f.Add([]byte{}, uint8(1))
	f.Add([]byte{2, 1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, types uint8) {
		c, ok := parseCursor(b, int(types))
		if !ok {
			return
		}
		if c.count < 1 || c.at != nil && (c.at.source >= int(types) || len(c.at.offsets) != int(types)) {
			t.Fatalf("impossible cursor %+v", c)
		}
		again, ok := parseCursor(c.append(nil), int(types))
		if !ok || !reflect.DeepEqual(again, c) {
			t.Fatalf("%+v became %+v", c, again)
		}
	})
}

// Whatever text a client sends as a cursor, it is refused or was made here.
func FuzzOpenCursor(f *testing.F) {
	keys := &cursorKeys{secrets: [][]byte{make([]byte, 32)}, timeout: time.Hour}
	good := &cursor{count: 3, expires: time.Unix(1_700_000_000, 0), at: &place{key: "ada", id: "7", offsets: []int{-1}}}
	text, err := (&sealer{keys: keys, types: 1}).seal(good)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "zzz", "AAAA", text, text[1:], text[:len(text)-1], text + "A", text + "="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := (&sealer{keys: keys, types: 1}).open(s, good.expires)
		switch {
		case s == text && err != nil:
			t.Fatalf("a good cursor was refused: %v", err)
		case err == nil && !reflect.DeepEqual(c, good): // no other was ever made
			t.Fatalf("%q was opened: %+v", s, c)
		case err != nil && !errors.Is(err, errInvalidCursor):
			t.Fatal(err)
		}
	})
}
