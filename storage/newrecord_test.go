package storage_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"pgregory.net/rapid"
)

const extension = "urn:example:storage:2.0:User"

// types are a user type with indexed attributes of several kinds, and groups.
func types(t testing.TB) (user, group *schema.Type) {
	t.Helper()
	u, g := schema.User(), schema.Group()
	u.Extensions = append(u.Extensions, schema.Extension{Schema: &schema.Schema{ID: extension, Name: "X", Attributes: []schema.Attribute{
		{Name: "level", Type: schema.Integer}, {Name: "hired", Type: schema.DateTime}, {Name: "tags", MultiValued: true},
		{Name: "number", Type: schema.Integer, Uniqueness: schema.UniqueServer}, {Name: "badge", CaseExact: true, Uniqueness: schema.UniqueServer},
	}}})
	u.Indexed = []string{extension + ":level", extension + ":hired", extension + ":tags"}
	return schema.MustCompile(u, g), schema.MustCompile(g, u)
}

func decode(t testing.TB, typ *schema.Type, id, body string) *resource.Resource {
	t.Helper()
	d, err := resource.Decode(typ, []byte(body), resource.DecodeOptions{Partial: true})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return d.Resource.WithMeta(resource.Meta{ID: id})
}

func TestNewRecordIndexesWhatTheTypeNames(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	text := func(attr, key string) storage.Entry { return storage.Entry{Attr: attr, Key: key} }
	for _, c := range []struct {
		body string
		want []storage.Entry
	}{
		{`{}`, nil},
		{`{"userName":"BJensen"}`, []storage.Entry{text("userName", "bjensen")}},
		{`{"displayName":""}`, []storage.Entry{text("displayName", "")}},
		{`{"title":"not indexed"}`, nil},
		{`{"externalId":"X-1"}`, []storage.Entry{text("externalId", "X-1")}},
		{`{"active":true}`, []storage.Entry{{Attr: "active", Kind: storage.BooleanKey, Key: "1"}}},
		{`{"emails":[{"value":"A@x.example","type":"Work"}]}`, []storage.Entry{{Attr: "emails.value", Key: "a@x.example", Qualifier: "work"}}},
		{`{"emails":[{"value":"b@x"},{"value":"a@x","type":"home"}]}`, []storage.Entry{{Attr: "emails.value", Key: "a@x", Qualifier: "home"}, text("emails.value", "b@x")}},
		{`{"emails":[{"type":"home"}]}`, nil},
		{`{"emails":[{"value":"a@x","display":"one"},{"value":"A@X","display":"two"}]}`, []storage.Entry{text("emails.value", "a@x")}},
		{`{"emails":[{"value":"a@x","type":"home"},{"value":"a@x","type":"work"}]}`, []storage.Entry{{Attr: "emails.value", Key: "a@x", Qualifier: "home"}, {Attr: "emails.value", Key: "a@x", Qualifier: "work"}}},
		{`{"` + extension + `":{"tags":["B","a","b"]}}`, []storage.Entry{text(extension+":tags", "a"), text(extension+":tags", "b")}},
		{`{"` + extension + `":{"hired":"2026-01-01T01:00:00+01:00"}}`, []storage.Entry{{Attr: extension + ":hired", Kind: storage.TimeKey, Key: "2026-01-01T00:00:00.000000000Z"}}},
	} {
		if diff := cmp.Diff(c.want, storage.NewRecord(decode(t, user, "1", c.body), "").Index, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("index of %s (-want +got):\n%s", c.body, diff)
		}
	}
	level := func(n string) storage.Entry {
		return storage.NewRecord(decode(t, user, "1", `{"`+extension+`":{"level":`+n+`}}`), "").Index[0]
	}
	if a, b := level("9"), level("10"); a.Kind != storage.NumberKey || a.Key >= b.Key {
		t.Errorf("entries of 9 and 10 are %+v and %+v; want numbers in order", a, b)
	}
}

func TestNewRecordFields(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	created := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	r := decode(t, user, "", `{"userName":"b","displayName":"Babs Jensen"}`).WithMeta(resource.Meta{ID: "42", Created: created, Version: "7"})
	rec := storage.NewRecord(r, "okta")
	if rec.Ref != (storage.Ref{Type: "User", ID: "42"}) || rec.Connection != "okta" || rec.Label != "Babs Jensen" || !rec.Created.Equal(created) || rec.Version != 0 || rec.Hidden {
		t.Errorf("record is %+v", rec)
	}
	if string(rec.Doc) != string(r.Document()) {
		t.Errorf("document is %s; want %s", rec.Doc, r.Document())
	}
	if rec := storage.NewRecord(decode(t, user, "1", `{"userName":"b"}`), ""); rec.Label != "" {
		t.Errorf("label is %q; want none", rec.Label)
	}
}

func uniqueOf(t testing.TB, typ *schema.Type, connection, body string) []storage.UniqueKey {
	return storage.NewRecord(decode(t, typ, "1", body), connection).Unique
}

func TestUniqueKeysAreEqualForEqualValuesOnly(t *testing.T) {
	t.Parallel()
	user, group := types(t)
	long := strings.Repeat("é", storage.MaxKeyLength)
	for _, c := range []struct {
		typ      *schema.Type
		ca, a    string
		cb, b    string
		collides bool
	}{
		{user, "okta", `{"userName":"babs"}`, "okta", `{"userName":"BABS"}`, true},
		{user, "okta", `{"userName":"babs"}`, "entra", `{"userName":"babs"}`, true},
		{user, "", `{"userName":"ｂａｂｓ"}`, "", `{"userName":"babs"}`, true},
		{user, "", `{"userName":"babs"}`, "", `{"userName":"babs2"}`, false},
		{user, "", `{"userName":"` + long + `a"}`, "", `{"userName":"` + strings.ToUpper(long) + `A"}`, true},
		{user, "", `{"userName":"` + long + `a"}`, "", `{"userName":"` + long + `b"}`, false},
		{user, "", `{"` + extension + `":{"number":3}}`, "", `{"` + extension + `":{"number":3}}`, true},
		{user, "", `{"` + extension + `":{"badge":"x"}}`, "", `{"` + extension + `":{"badge":"X"}}`, false},
		{user, "", `{"` + extension + `":{"badge":"x"}}`, "", `{"userName":"x"}`, false},
		{user, "", `{"` + extension + `":{"badge":""}}`, "", `{"` + extension + `":{"badge":""}}`, false},
		{user, "", `{"displayName":"x"}`, "", `{"displayName":"x"}`, false},
		{group, "okta", `{"displayName":"Admins"}`, "okta", `{"displayName":"admins"}`, true},
		{group, "okta", `{"displayName":"Admins"}`, "entra", `{"displayName":"Admins"}`, false},
		{group, "", `{"displayName":"1:aAdmins"}`, "1:a", `{"displayName":"Admins"}`, false},
		{group, "a", `{"displayName":"bc"}`, "ab", `{"displayName":"c"}`, false},
		{group, "", `{"displayName":"` + long + `"}`, "", `{"displayName":"` + long + `"}`, true},
		{group, "a", `{"displayName":"` + long + `"}`, "b", `{"displayName":"` + long + `"}`, false},
	} {
		a, b := uniqueOf(t, c.typ, c.ca, c.a), uniqueOf(t, c.typ, c.cb, c.b)
		if got := slices.ContainsFunc(a, func(u storage.UniqueKey) bool { return slices.Contains(b, u) }); got != c.collides {
			t.Errorf("%q %.60s and %q %.60s collide: %v; want %v", c.ca, c.a, c.cb, c.b, got, c.collides)
		}
	}
}

func TestUniqueKeysAreShortAndHashesCannotBeForged(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	long := strings.Repeat("x", 5000)
	hashed := uniqueOf(t, user, "", `{"userName":"`+long+`"}`)[0].Key
	if len(hashed) > storage.MaxKeyLength+1 {
		t.Fatalf("a key is %d bytes long", len(hashed))
	}
	if forged := uniqueOf(t, user, "", `{"userName":"`+hashed+`"}`)[0].Key; forged == hashed {
		t.Error("a userName that looks like the hash of another one has its key")
	}
	at := strings.Repeat("x", storage.MaxKeyLength)
	if key := uniqueOf(t, user, "", `{"userName":"`+at+`"}`)[0].Key; !strings.HasSuffix(key, at) {
		t.Error("a key of MaxKeyLength is hashed")
	}
}

func TestUniqueKeysOfConnectionsNeverMeet(t *testing.T) {
	t.Parallel()
	_, group := types(t)
	texts := rapid.StringOf(rapid.SampledFrom([]rune("0123456789:=#ab")))
	rapid.Check(t, func(t *rapid.T) {
		ca, cb := texts.Draw(t, "connection"), texts.Draw(t, "other")
		a, b := texts.Draw(t, "name"), texts.Draw(t, "other name")
		key := func(connection, name string) []storage.UniqueKey {
			r := resource.New(group).Meta(resource.Meta{ID: "1"}).Set("displayName", name).Resource()
			return storage.NewRecord(r, connection).Unique
		}
		ka, kb := key(ca, a), key(cb, b)
		if same := len(ka) > 0 && slices.Equal(ka, kb); same != (ca == cb && a == b && a != "") {
			t.Fatalf("%q in %q and %q in %q share a key: %v", a, ca, b, cb, same)
		}
	})
}

func TestIndexKeyIsABoundedPrefixOfWholeCharacters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{"x", "é", "€", "😀"}).Draw(t, "unit")
		key := strings.Repeat("y", rapid.IntRange(0, 4).Draw(t, "shift")) + strings.Repeat(unit, rapid.IntRange(0, 1100).Draw(t, "length"))
		index, truncated := storage.IndexKey(key)
		switch {
		case !strings.HasPrefix(key, index) || len(index) > storage.MaxKeyLength || !utf8.ValidString(index):
			t.Fatalf("IndexKey of %d bytes gives %d bytes, valid %v", len(key), len(index), utf8.ValidString(index))
		case truncated != (len(key) > storage.MaxKeyLength) || truncated != (len(index) < len(key)):
			t.Fatalf("IndexKey of %d bytes gives %d and truncated %v", len(key), len(index), truncated)
		case truncated && len(index) <= storage.MaxKeyLength-utf8.UTFMax:
			t.Fatalf("IndexKey of %d bytes gives only %d", len(key), len(index))
		}
	})
}

func TestRecordsDoNotParseTwice(t *testing.T) { // not parallel: it counts allocations
	user, _ := types(t)
	rec := storage.NewRecord(decode(t, user, "1", `{"userName":"babs"}`), "").Committed(3, time.Unix(1, 0).UTC(), time.Unix(2, 0).UTC())
	if rec.Version != 3 || rec.Created.Unix() != 1 || rec.Modified.Unix() != 2 {
		t.Fatalf("Committed returned %+v", rec)
	}
	first, err := rec.Resource(user)
	if err != nil {
		t.Fatal(err)
	}
	if m := first.Meta(); m != (resource.Meta{ID: "1", Version: "3", Created: rec.Created, LastModified: rec.Modified}) {
		t.Errorf("metadata is %+v", m)
	}
	if allocs := testing.AllocsPerRun(100, func() {
		if r, err := rec.Resource(user); err != nil || r != first {
			t.Errorf("Resource returned %p, %v; want %p", r, err, first)
		}
	}); allocs > 0 {
		t.Errorf("Resource allocates %v times", allocs)
	}
	for name, change := range map[string]func(*storage.Record){
		"ID":       func(c *storage.Record) { c.ID = "2" },
		"version":  func(c *storage.Record) { c.Version = 123_456 },
		"created":  func(c *storage.Record) { c.Created = time.Unix(4, 0).UTC() },
		"modified": func(c *storage.Record) { c.Modified = time.Unix(5, 0).UTC() },
		"none":     func(c *storage.Record) { c.Version = 0 },
	} {
		c := *rec
		change(&c)
		want := resource.Meta{ID: c.ID, Version: fmt.Sprint(c.Version), Created: c.Created, LastModified: c.Modified}
		if c.Version == 0 {
			want.Version = ""
		}
		if r, err := c.Resource(user); err != nil || &r.Document()[0] != &rec.Doc[0] || r.Meta() != want {
			t.Errorf("a copy with the same Doc and another %s gives %v, %v", name, r.Meta(), err)
		}
	}
}

func TestResourceIsThatOfTheDocument(t *testing.T) {
	t.Parallel()
	user, group := types(t)
	rec := *storage.NewRecord(decode(t, user, "1", `{"userName":"babs","displayName":"Babs"}`), "")
	rec.Doc = []byte(`{"userName":"carl","displayName":"Carl"}`)
	if r, err := rec.Resource(user); err != nil || r.String("userName") != "carl" {
		t.Errorf("with another Doc: %v, %v", r, err)
	}
	rec.Type = "Group"
	if r, err := rec.Resource(group); err != nil || r.Type() != group || r.String("displayName") != "Carl" {
		t.Errorf("as another type: %v, %v", r, err)
	}
	loaded := storage.Record{Ref: storage.Ref{Type: "User", ID: "9"}, Version: 4, Doc: []byte(`{"userName":"dora"}`)}
	if r, err := loaded.Resource(user); err != nil || r.ID() != "9" || r.Meta().Version != "4" || r.String("userName") != "dora" {
		t.Errorf("of a loaded record: %v, %v", r, err)
	}
	loaded.Doc = []byte(`{"userName":"secret`)
	if _, err := loaded.Resource(user); err == nil || !strings.Contains(err.Error(), "User/9") || strings.Contains(err.Error(), "secret") {
		t.Errorf("of a broken document: error %v; want one that names the record and no value", err)
	}
}

func TestSharedRecordsAreReadConcurrently(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	made := storage.NewRecord(decode(t, user, "1", `{"userName":"babs"}`), "")
	loaded := &storage.Record{Ref: made.Ref, Doc: []byte(`{"userName":"babs"}`)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, rec := range []*storage.Record{made, loaded} {
				r, err := rec.Resource(user)
				if err != nil || r.String("userName") != "babs" {
					t.Error(fmt.Sprint(r, err))
				}
			}
		})
	}
	wg.Wait()
}
