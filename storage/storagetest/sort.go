package storagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/musterhq/muster/storage"
)

// sortAttributes are attributes of every type: in the document and beside it,
// indexed and not, single and multi-valued, never assigned. "" sorts by id.
var sortAttributes = []string{
	"", "id", "userName", "displayName", "title", "externalId", "active", "name.familyName", "emails", "emails.value", "nickName",
	"meta.created", "meta.lastModified", testURN + ":level", testURN + ":score", testURN + ":hired", testURN + ":flag",
	testURN + ":code", testURN + ":tags", testURN + ":born", testURN + ":rank",
}

func sortRules() []rule {
	type make func(d *directory)
	asking := func(name, says string, run make) rule {
		return rule{name, says, func(c *check) { run(newDirectory(c)) }}
	}
	populated := func(run func(d *directory, rng *rand.Rand)) make {
		return func(d *directory) {
			rng := d.rand()
			d.populate(randomPopulation(rng, 60, 0))
			run(d, rng)
		}
	}
	return []rule{
		asking("sort/text_by_folded_key", "Text sorts by its folded key, bytewise; records without one come last; ties break by id.", func(d *directory) {
			for id, name := range map[string]string{"a": "b", "b": "A", "c": "É", "d": "B", "e": "z", "f": "😀", "g": "ﬀ"} {
				d.addUser(id, fmt.Sprintf(`{"userName":%q,"displayName":%q}`, id, name))
			}
			d.addUser("h", `{"userName":"h"}`)
			d.addUser("i", `{"userName":"i","displayName":""}`)
			d.finds(question{typ: d.user, sort: "displayName"}, "i", "b", "a", "d", "e", "c", "g", "f", "h")
			d.finds(question{typ: d.user, sort: "displayName", descending: true}, "h", "f", "g", "c", "e", "d", "a", "b", "i")
		}),
		asking("sort/values_in_their_own_order", "Numbers sort by value, instants by time, booleans false before true, case-exact text by bytes.", func(d *directory) {
			d.addUser("a", `{"userName":"a","active":true,"`+testURN+`":{"level":10,"score":1e3,"hired":"2026-01-01T01:00:00+01:00","code":"a"}}`)
			d.addUser("b", `{"userName":"b","active":false,"`+testURN+`":{"level":9,"score":-0.5,"hired":"2025-12-31T23:59:59.5Z","code":"B"}}`)
			d.addUser("c", `{"userName":"c","`+testURN+`":{"level":-3,"score":9.99,"hired":"2026-01-01T00:00:00.000001Z","code":"A"}}`)
			for attr, want := range map[string][]string{
				testURN + ":level": {"c", "b", "a"},
				testURN + ":score": {"b", "c", "a"},
				testURN + ":hired": {"b", "a", "c"},
				testURN + ":code":  {"c", "b", "a"},
				"active":           {"b", "a", "c"},
			} {
				d.finds(question{typ: d.user, sort: attr}, want...)
				back := slices.Clone(want)
				slices.Reverse(back)
				d.finds(question{typ: d.user, sort: attr, descending: true}, back...)
			}
		}),
		asking("sort/multi_valued_by_primary_or_first", "A multi-valued attribute sorts by its primary element, else by its first.", func(d *directory) {
			d.addUser("a", `{"userName":"a","emails":[{"value":"a@x"},{"value":"c@x","primary":true}]}`)
			d.addUser("b", `{"userName":"b","emails":[{"value":"b@x"},{"value":"a@x"}]}`)
			d.addUser("c", `{"userName":"c","emails":[{"type":"work"},{"value":"a@x"}]}`)
			for _, attr := range []string{"emails", "emails.value"} {
				d.finds(question{typ: d.user, sort: attr}, "b", "a", "c")
				d.finds(question{typ: d.user, sort: attr, descending: true}, "c", "a", "b")
			}
		}),
		asking("sort/times_of_the_record", "meta.created and meta.lastModified sort by the record's own times.", func(d *directory) {
			for i, id := range []string{"b", "c", "a"} {
				r := *d.record(user(id), `{"userName":"`+id+`"}`)
				r.Created = day.Add(-time.Duration(i) * time.Microsecond)
				d.add(&r)
			}
			d.finds(question{typ: d.user, sort: "meta.created"}, "a", "c", "b")
			d.finds(question{typ: d.user, sort: "meta.lastModified"}, "b", "c", "a")
			d.addUser("b", `{"userName":"b"}`)
			d.finds(question{typ: d.user, sort: "meta.lastModified"}, "c", "a", "b")
			d.finds(question{typ: d.user, sort: "meta.created", descending: true}, "b", "c", "a")
		}),
		asking("sort/every_attribute", "Any attribute sorts as described at Sort; descending is the exact reverse, ties included.", populated(func(d *directory, rng *rand.Rand) {
			for _, attr := range sortAttributes {
				for _, text := range []string{"", `title pr or active eq true`} {
					d.agrees(question{typ: d.user, sort: attr, filter: text, hidden: true})
					d.agrees(question{typ: d.user, sort: attr, filter: text, hidden: true, descending: true})
				}
			}
		})),
		asking("paging/offset_pages_join", "Pages of Offset and Limit join to the whole.", populated(func(d *directory, rng *rand.Rand) {
			for _, attr := range sortAttributes {
				q := question{typ: d.user, sort: attr, descending: rng.IntN(2) == 0, total: storage.Total(rng.IntN(3))}
				q.limit = 1 + rng.IntN(25)
				for q.offset = 0; q.offset < 70; q.offset += q.limit {
					d.agrees(q)
				}
			}
		})),
		asking("paging/keyset_pages_join", "Pages behind the position of the last record seen join to the whole, for every order and filter.", populated(func(d *directory, rng *rand.Rand) {
			for _, attr := range sortAttributes {
				for _, text := range []string{"", `title pr or active eq true`, `emails.type eq "work"`} {
					q := question{typ: d.user, sort: attr, filter: text, descending: rng.IntN(2) == 0, total: storage.Total(rng.IntN(3)), limit: 1 + rng.IntN(20)}
					want := d.matches(q)
					var got []string
					for len(got) <= len(want) {
						page := d.ask(q)
						d.totals(page, q.total, len(want))
						got = append(got, ids(page.Records)...)
						if len(page.Records) < q.limit {
							break
						}
						q.after = d.position(q, page.Records[len(page.Records)-1])
					}
					if !slices.EqualFunc(got, want, func(id string, a answer) bool { return id == a.id }) {
						d.broken("pages of %d give %q; want %+v", q.limit, got, want)
					}
				}
			}
		})),
		asking("paging/keyset_pages_stand_still_while_others_write", "Behind a position, records that stay as they are neither repeat nor are skipped, whatever is written around them.", func(d *directory) {
			var stay []string
			add := func(id, name string) { d.addUser(id, fmt.Sprintf(`{"userName":%q,"displayName":%q}`, id, name)) }
			for i := range 40 {
				id := fmt.Sprintf("s%02d", i)
				stay = append(stay, id)
				add(id, fmt.Sprintf("name %02d", i/2))
			}
			for _, q := range []question{{typ: d.user}, {typ: d.user, sort: "displayName"}, {typ: d.user, sort: "displayName", descending: true}} {
				q.limit = 5
				var got []string
				for n := 0; ; n++ {
					page := d.ask(q)
					for _, id := range ids(page.Records) {
						if id[0] == 's' {
							got = append(got, id)
						}
					}
					if len(page.Records) < q.limit || n > 50 {
						break
					}
					last := page.Records[len(page.Records)-1]
					q.after = d.position(q, last)
					add(fmt.Sprintf("a%02d", n), "a first one")
					add(fmt.Sprintf("r%02d", n), fmt.Sprintf("name %02d", n))
					if last.ID[0] != 's' {
						d.commit(storage.Batch{Deletes: deletes(last.Ref)}) // the position's own record
						delete(d.records, last.Ref)
					}
				}
				want := slices.Clone(stay)
				if q.descending {
					slices.Reverse(want)
				}
				if !slices.Equal(got, want) {
					d.broken("of the records that stayed the pages give %q; want %q", got, want)
				}
			}
		}),
		asking("paging/after_any_position", "A position need not be that of a record.", func(d *directory) {
			for i := range 5 {
				d.addUser(fmt.Sprint("u", 2*i), fmt.Sprintf(`{"userName":"n%d","displayName":"d%d"}`, i, 2*i))
			}
			d.addUser("v1", `{"userName":"v1"}`)
			d.addUser("v2", `{"userName":"v2"}`)
			at := func(key, id string, absent bool) *storage.Position {
				return &storage.Position{Key: key, ID: id, Absent: absent}
			}
			d.finds(question{typ: d.user, after: at("", "u5", false)}, "u6", "u8", "v1", "v2")
			d.finds(question{typ: d.user, after: at("", "u5", false), descending: true}, "u4", "u2", "u0")
			d.finds(question{typ: d.user, after: at("", "", false)}, "u0", "u2", "u4", "u6", "u8", "v1", "v2")
			d.finds(question{typ: d.user, sort: "displayName", after: at("d4", "u3", false)}, "u4", "u6", "u8", "v1", "v2")
			d.finds(question{typ: d.user, sort: "displayName", after: at("d4", "u5", false)}, "u6", "u8", "v1", "v2")
			d.finds(question{typ: d.user, sort: "displayName", after: at("d9", "a", false)}, "v1", "v2")
			d.finds(question{typ: d.user, sort: "displayName", after: at("", "v1", true)}, "v2")
			d.finds(question{typ: d.user, sort: "displayName", after: at("", "v3", true)})
			d.finds(question{typ: d.user, sort: "displayName", descending: true, after: at("", "v1", true)}, "u8", "u6", "u4", "u2", "u0")
			d.finds(question{typ: d.user, sort: "displayName", descending: true, after: at("d4", "u4", false)}, "u2", "u0")
			d.finds(question{typ: d.user, sort: "displayName", filter: `displayName pr`, limit: 1, after: at("d4", "u4", false)}, "u6")
		}),
		asking("total/as_wished", "The total counts all matches regardless of Offset, After and Limit; only an exact one must be told.", populated(func(d *directory, rng *rand.Rand) {
			for _, text := range []string{"", `title pr`, `active eq true`, `userName sw "u"`, `title eq "none"`} {
				for wish := range storage.TotalExact + 1 {
					all := d.ask(question{typ: d.user, filter: text}).Records
					q := question{typ: d.user, filter: text, total: wish}
					d.agrees(q)
					q.limit = 3
					d.agrees(q)
					q.offset = 1000
					d.agrees(q)
					q.offset = 0
					if len(all) > 3 {
						q.after = d.position(q, all[2])
						d.agrees(q)
					}
				}
			}
		})),
		asking("total/alone", "With Limit 0 no records are returned: the question is the total alone.", populated(func(d *directory, rng *rand.Rand) {
			for _, text := range []string{"", `title pr`, `title eq "none"`} {
				q := question{typ: d.user, filter: text, total: storage.TotalExact}
				s := d.query(q)
				s.Limit = 0
				page, err := d.store.Query(d.ctx(), s)
				d.did("%s with Limit 0", q)
				if err != nil {
					d.broken("error %v; want the total", err)
				}
				if len(page.Records) > 0 {
					d.broken("%d records; want none", len(page.Records))
				}
				d.totals(page, storage.TotalExact, len(d.matches(q)))
			}
		})),
	}
}
