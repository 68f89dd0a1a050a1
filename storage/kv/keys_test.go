package kv

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/musterhq/muster/storage"
	"pgregory.net/rapid"
)

// text makes anything that a store may be given: no U+0000, but what comes right
// after it. Each test has a generator of its own, since they are not safe for
// concurrent use.
func text() *rapid.Generator[string] {
	return rapid.StringOf(rapid.SampledFrom([]rune("\x01\x02 /:%aAé😀\U0010ffff")))
}

// Keys are as equal and as ordered as their components, and no list of
// components is a prefix of another one's keys.
func TestKeysOrderAsTheirComponents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "components")
		parts := rapid.SliceOfN(text(), n, n)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if got, want := cmp.Compare(bytes.Compare(key('x', a...), key('x', b...)), 0), slices.Compare(a, b); got != want {
			t.Fatalf("keys of %q and %q compare as %d; want %d", a, b, got, want)
		}
		if below := bytes.HasPrefix(key('x', append(b, "more")...), prefix('x', a...)); below != slices.Equal(a, b) {
			t.Fatalf("a key of %q and more lies below %q: %v", b, a, below)
		}
	})
}

func TestLinkKeysAreReadBack(t *testing.T) {
	t.Parallel()
	text := text()
	rapid.Check(t, func(t *rapid.T) {
		ref := func(name string) storage.Ref {
			return storage.Ref{Type: text.Draw(t, name+" type"), ID: text.Draw(t, name+" id")}
		}
		l := link{ref("owner"), text.Draw(t, "relation"), ref("target")}
		for _, k := range [][]byte{outKey("t", l), inKey("t", l)} {
			if got := linkOf(k); got != l {
				t.Fatalf("key %q reads as %+q; want %+q", k, got, l)
			}
		}
		d := storage.LinkDelta{Relation: l.relation, To: l.target, Removed: rapid.Bool().Draw(t, "removed")}
		if got := deltaOf(deltaKey("t", 7, d)); got != d {
			t.Fatalf("delta %+v reads as %+v", d, got)
		}
	})
}

func TestChangeKeysOrderAsNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Min(0).Draw(t, "a"), rapid.Int64Min(0).Draw(t, "b")
		if got := bytes.Compare(changeKey("t", a), changeKey("t", b)); got != cmp.Compare(a, b) {
			t.Fatalf("keys of changes %d and %d compare as %d", a, b, got)
		}
	})
}

func FuzzRecordIsReadBack(f *testing.F) {
	f.Add("okta", int64(1), int64(1), "Babs", `{"userName":"b"}`, "b", true)
	f.Add("", int64(1<<62), int64(-62135596800), "line\nbreak\u2028<&>", "{\n}", "\x01😀", false)
	f.Fuzz(func(t *testing.T, connection string, version, created int64, label, doc, key string, flag bool) {
		for _, s := range []string{connection, label, key} {
			if strings.ToValidUTF8(s, "") != s {
				t.Skip("the core passes valid UTF-8 only")
			}
		}
		at := time.Unix(created%1e10, 123456000).UTC()
		if at.Year() < 0 || at.Year() > 9999 {
			t.Skip("not a time that the core passes")
		}
		want := &storage.Record{
			Ref: storage.Ref{Type: "User", ID: "1"}, Connection: connection, Version: version, Created: at, Modified: at.Add(time.Microsecond), Hidden: flag,
			Label: label, Doc: []byte(doc), Index: []storage.Entry{{Attr: "userName", Kind: storage.TimeKey, Key: key, Qualifier: label, Truncated: flag}},
			Unique: []storage.UniqueKey{{Attr: "userName", Key: key}},
		}
		b, err := encodeRecord(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := loadWhole(oneValue{b}, "", want.Ref)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got, gocmp.FilterPath(func(p gocmp.Path) bool { return p.String() == "res" }, gocmp.Ignore())); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// oneValue has this value for every key.
type oneValue struct{ value []byte }

func (v oneValue) Get([]byte) ([]byte, error)                           { return v.value, nil }
func (oneValue) Put(_, _ []byte) error                                  { return nil }
func (oneValue) Delete([]byte) error                                    { return nil }
func (oneValue) Scan(_, _ []byte, _ func(key, value []byte) bool) error { return nil }

func FuzzForeignValuesAreRefused(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("{}"))
	f.Add([]byte("{}\n{}\n{}"))
	f.Add([]byte("{}\n{\"index\":1}\n{}"))
	f.Add([]byte("{\"version\":\"1\"}\n{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := loadWhole(oneValue{b}, "", storage.Ref{Type: "User", ID: "1"})
		if (rec == nil) == (err == nil) && b != nil {
			t.Fatalf("loadWhole returned %v and %v", rec, err)
		}
		if _, err := decodeChange(b); err != nil && bytes.Contains([]byte(err.Error()), []byte("\n")) {
			t.Fatalf("error %q", err)
		}
	})
}
