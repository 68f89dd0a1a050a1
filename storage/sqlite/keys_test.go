package sqlite

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/musterhq/muster/storage"

	"pgregory.net/rapid"
)

func TestKeysComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var want keySet
		for range rapid.IntRange(0, 3).Draw(t, "unique") {
			want.unique = append(want.unique, storage.UniqueKey{Attr: rapid.String().Draw(t, "attr"), Key: rapid.String().Draw(t, "key")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			want.entries = append(want.entries, entry{rapid.String().Draw(t, "attr"), rapid.String().Draw(t, "key"), rapid.String().Draw(t, "qualifier")})
		}
		got, err := decodeKeys(want.encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, %v; want %v", got, err, want)
		}
	})
}

func FuzzForeignKeysAreRefused(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0})
	f.Add([]byte{1, 1, 'a', 1, 'b', 0})
	f.Add([]byte{0, 1, 1, 'a', 1, 'b', 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{200, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := decodeKeys(b)
		if err != nil {
			return
		}
		again, err := decodeKeys(keys.encode())
		if err != nil || !bytes.Equal(again.encode(), keys.encode()) {
			t.Fatalf("%q decodes to %v, which does not come back: %v, %v", b, keys, again, err)
		}
	})
}

func TestOnlyWhatChangesIsWritten(t *testing.T) {
	t.Parallel()
	old := keySet{
		unique:  []storage.UniqueKey{{Attr: "userName", Key: "=a"}},
		entries: []entry{{"emails.value", "a@x", "work"}, {"emails.value", "b@x", ""}},
	}
	now := keySet{
		unique:  []storage.UniqueKey{{Attr: "userName", Key: "=a"}},
		entries: []entry{{"emails.value", "b@x", ""}, {"emails.value", "a@x", "home"}},
	}
	if gone, want := old.without(now), (keySet{entries: []entry{{"emails.value", "a@x", "work"}}}); !reflect.DeepEqual(gone, want) {
		t.Errorf("%v go; want %v", gone, want)
	}
	if come, want := now.without(old), (keySet{entries: []entry{{"emails.value", "a@x", "home"}}}); !reflect.DeepEqual(come, want) {
		t.Errorf("%v come; want %v", come, want)
	}
}
