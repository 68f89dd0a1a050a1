package storagetest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/storage"
)

var day = time.Date(2025, 12, 31, 23, 59, 59, 999_999_000, time.UTC)

// oddTexts are distinct strings that careless keys, patterns and collations
// confuse. None holds U+0000.
var oddTexts = []string{
	"a", "A", "a ", " a", "a/b", "a/", "/b", "a:b", "a%2Fb", "a%", "_", "%", "*", "?", ".", "..", "'", `"`, `\`, "a\tb", "a\nb",
	"\x01", "\u007f", "é", "e\u0301", "ß", "ss", "ı", "i", "İ", "😀", "\U0010ffff", "\ufffd", "\u2028", "null", "0", "00", "1e3",
	"a\x1fb", "a\x1f", "\x1fb", "User", "members", "'; --", "{}", "[]", "<&>", strings.Repeat("x", 200), strings.Repeat("x", 199) + "y",
}

func recordRules() []rule {
	return []rule{
		{"record/get_returns_what_was_put", "Get returns the record with its connection, times, label and document.", func(c *check) {
			r := record(user("u1"))
			c.put(r)
			c.same(c.get(r.Ref), r)
			h := hidden(of("", named(user("u2"), "n2")))
			h.Label = ""
			c.put(h)
			c.same(c.get(h.Ref), h)
		}},
		{"record/get_of_an_absent_record_is_not_found", "Get returns ErrNotFound for a record that does not exist.", func(c *check) {
			c.gone(user("u1"))
			c.put(record(user("u1")))
			c.gone(user("u"))
			c.gone(user("u11"))
			c.gone(group("u1"))
		}},
		{"record/document_bytes_are_kept_exactly", "A store returns exactly the bytes of the document.", func(c *check) {
			for i, doc := range []string{
				`{}`, `{"a":1e3}`, `{"a":1.0}`, "{ \"b\" : 1,\n\t\"a\" : [ ] }", `{"a":"\u00e9\/"}`, `{"a":"é"}`, `{"b":1,"a":2}`,
				`{"a":12345678901234567890.123}`, `{"a":"😀"}`, "{\"a\":\"\u2028<>&\"}", `{"a":"` + strings.Repeat("long ", 1<<18) + `"}`,
			} {
				r := named(user(oddTexts[i]), oddTexts[i])
				r.Doc = []byte(doc)
				c.put(r)
				if got := c.get(r.Ref).Doc; !bytes.Equal(got, r.Doc) {
					c.broken("document %s; want %s", shorten(string(got)), shorten(doc))
				}
			}
		}},
		{"record/odd_ids_are_told_apart", "References compare bytewise; a string may hold anything but U+0000.", func(c *check) {
			for _, id := range oddTexts {
				c.commit(storage.Batch{Puts: []storage.Put{{Record: record(user(id)), IfAbsent: true}}})
			}
			for _, id := range oddTexts {
				c.same(c.get(user(id)), record(user(id)))
			}
			c.commit(storage.Batch{Deletes: deletes(user("a"), user("é"), user("%"))})
			for _, id := range oddTexts {
				switch id {
				case "a", "é", "%":
					c.gone(user(id))
				default:
					c.version(user(id), 1)
				}
			}
		}},
		{"record/odd_texts_are_kept_in_every_field", "A string may hold anything but U+0000, and comes back as it was.", func(c *check) {
			for _, s := range append(slices.Clone(oddTexts), "", strings.Repeat("😀", 2000)) {
				r := named(user("u"), "n")
				r.Connection, r.Label = s, s
				if len(s) > 255 {
					r.Connection = "okta" // names of connections are short
				}
				c.put(r)
				c.same(c.get(r.Ref), r)
			}
		}},
		{"record/type_is_part_of_the_reference", "The type is part of a reference: ids of two types may be equal.", func(c *check) {
			u, g := named(user("42"), "user name"), named(group("42"), "group name")
			c.put(u, g)
			c.same(c.get(u.Ref), u)
			c.same(c.get(g.Ref), g)
			c.commit(storage.Batch{Deletes: deletes(g.Ref)})
			c.same(c.get(u.Ref), u)
			c.gone(g.Ref)
		}},
		{"record/times_are_utc_to_the_microsecond", "Created and Modified are UTC with at least microseconds kept.", func(c *check) {
			for _, at := range []time.Time{
				day,
				time.Date(2026, 1, 1, 0, 0, 0, 1_000, time.UTC),
				time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC),
				time.Date(1969, 12, 31, 23, 59, 59, 999_000_000, time.UTC),
				time.Date(2999, 6, 1, 0, 0, 0, 0, time.UTC),
			} {
				r := record(user("u" + at.Format("20060102")))
				r.Created = at
				c.commit(storage.Batch{Time: at, Puts: puts(r)})
				got := c.get(r.Ref)
				if !got.Created.Equal(at) || !got.Modified.Equal(at) {
					c.broken("created %v, modified %v; want %v for both", got.Created, got.Modified, at)
				}
				if got.Created.Location() != time.UTC || got.Modified.Location() != time.UTC {
					c.broken("times in %v and %v; want UTC", got.Created.Location(), got.Modified.Location())
				}
			}
		}},
		{"record/put_writes_everything_but_created", "A put of an existing record keeps its Created and writes all else.", func(c *check) {
			c.put(record(user("u1")))
			first := c.get(user("u1"))
			r := named(user("u1"), "another name")
			r.Connection, r.Label, r.Created = "entra", "another label", day.AddDate(1, 0, 0)
			c.put(r)
			r.Created = first.Created
			c.same(c.get(r.Ref), r)
		}},
		{"record/created_outlives_hiding", "Created is set by the first put and kept from then on.", func(c *check) {
			r := record(user("u1"))
			c.put(r)
			for _, next := range []*storage.Record{hidden(r), hidden(r), record(r.Ref)} {
				next.Created = c.now()
				c.put(next)
				if got := c.get(r.Ref); !got.Created.Equal(day) {
					c.broken("created is %v; want that of the first put, %v", got.Created, day)
				}
			}
		}},
		{"record/created_starts_anew_after_deletion", "A put of a new record takes Created from the record.", func(c *check) {
			c.put(record(user("u1")))
			c.commit(storage.Batch{Deletes: deletes(user("u1"))})
			again := record(user("u1"))
			again.Created = day.AddDate(1, 0, 0)
			c.put(again)
			c.same(c.get(again.Ref), again)
			c.version(again.Ref, 1)
		}},
		{"record/hidden_is_returned_and_marked", "Get returns hidden records too, marked.", func(c *check) {
			c.put(record(user("u1")))
			c.put(hidden(record(user("u1"))))
			if r := c.get(user("u1")); !r.Hidden {
				c.broken("the record is not marked as hidden")
			}
			c.put(record(user("u1")))
			if r := c.get(user("u1")); r.Hidden {
				c.broken("the record is still marked as hidden")
			}
		}},
		{"record/what_is_passed_in_is_not_changed", "Values passed in are immutable: a store does not modify them.", func(c *check) {
			r := record(user("u1"))
			r.Version, r.Modified = 77, day
			before := *r
			refs := users("u1", "missing")
			e := add(group("g1"), refs...)
			b := storage.Batch{Tenant: c.tenant, Time: c.now(), Puts: puts(r, record(group("g1"))), Links: edits(e)}
			c.commit(b)
			c.commit(storage.Batch{Puts: puts(named(user("u1"), "other")), Links: edits(reset(group("g1")))})
			if r.Version != before.Version || !r.Modified.Equal(before.Modified) || !r.Created.Equal(before.Created) || r.Label != before.Label || !bytes.Equal(r.Doc, before.Doc) {
				c.broken("the record that was put is now %+v", *r)
			}
			if !slices.Equal(refs, users("u1", "missing")) {
				c.broken("the references of the edit are now %v", refs)
			}
		}},
		{"record/what_is_handed_out_is_not_changed", "Values handed out are immutable: a later commit does not show in them.", func(c *check) {
			r := record(user("u1"))
			c.put(r)
			got := c.get(r.Ref)
			c.put(hidden(named(r.Ref, "other")))
			c.same(got, r)
			if got.Version != 1 {
				c.broken("the version of a record read before became %d", got.Version)
			}
		}},
	}
}

// same demands that a record is as it was put, apart from what the commit sets.
// Index entries and unique keys need not come back.
func (c *check) same(got, want *storage.Record) {
	c.Helper()
	switch {
	case got.Ref != want.Ref:
		c.broken("reference %s; want %s", name(got.Ref), name(want.Ref))
	case got.Connection != want.Connection:
		c.broken("%s: connection %+q; want %+q", name(got.Ref), got.Connection, want.Connection)
	case got.Label != want.Label:
		c.broken("%s: label %+q; want %+q", name(got.Ref), shorten(got.Label), shorten(want.Label))
	case got.Hidden != want.Hidden:
		c.broken("%s: hidden %v; want %v", name(got.Ref), got.Hidden, want.Hidden)
	case !got.Created.Equal(want.Created):
		c.broken("%s: created %v; want %v", name(got.Ref), got.Created, want.Created)
	case !bytes.Equal(got.Doc, want.Doc):
		c.broken("%s: document %s; want %s", name(got.Ref), shorten(string(got.Doc)), shorten(string(want.Doc)))
	}
}
