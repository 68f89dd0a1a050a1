package storagetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/musterhq/muster/storage"
)

func queryRules() []rule {
	asking := func(name, says string, run func(d *directory)) rule {
		return rule{"query/" + name, says, func(c *check) { run(newDirectory(c)) }}
	}
	return []rule{
		asking("records_are_as_put", "Query returns whole records, as Get does.", func(d *directory) {
			d.add(d.record(user("u1"), `{"userName":"babs","displayName":"Babs"}`), of("", d.record(user("u2"), `{"userName":"b2"}`)))
			for _, r := range d.ask(question{typ: d.user}).Records {
				d.same(r, d.records[r.Ref])
				if r.Version != 1 || !r.Modified.Equal(d.records[r.Ref].Modified) {
					d.broken("%s has version %d of %v; want 1 of %v", name(r.Ref), r.Version, r.Modified, d.records[r.Ref].Modified)
				}
			}
		}),
		asking("equality", "eq compares folded keys, or exact ones where the attribute is case exact, and finds every match and no other.", func(d *directory) {
			d.addUser("u1", `{"userName":"babs","externalId":"X","active":true,"displayName":"Straße","emails":[{"value":"B@x.example","type":"work"},{"value":"h@x.example","type":"home"}]}`)
			d.addUser("u2", `{"userName":"Carl","externalId":"x","active":false,"displayName":"straße","emails":[{"value":"b@X.example","type":"home"}]}`)
			d.addUser("u3", `{"userName":"dora","displayName":"strasse","emails":[{"value":"d@x.example"}]}`)
			d.addUser("u4", `{"userName":"x_y","displayName":""}`)
			d.addUser("u5", `{"userName":"xay","externalId":"","displayName":"100%"}`)
			for text, want := range map[string]string{
				`userName eq "BABS"`:            "u1",
				`userName eq "carl"`:            "u2",
				`userName eq "babs "`:           "",
				`userName eq "x_y"`:             "u4",
				`userName sw "x_"`:              "u4",
				`userName eq "nobody"`:          "",
				`externalId eq "x"`:             "u2",
				`externalId eq ""`:              "u5",
				`displayName eq "STRAßE"`:       "u1 u2",
				`displayName eq ""`:             "u4",
				`displayName ew "%"`:            "u5",
				`active eq true`:                "u1",
				`active eq false`:               "u2",
				`active ne true`:                "u2 u3 u4 u5",
				`emails.value eq "b@x.example"`: "u1 u2",
				`emails eq "H@x.example"`:       "u1",
				`emails[type eq "work" and value eq "b@x.example"]`: "u1",
				`emails[type eq "home" and value eq "b@x.example"]`: "u2",
				`emails[value eq "d@x.example" and not (type pr)]`:  "u3",
				`id eq "u3"`:                               "u3",
				`id eq "U3"`:                               "",
				`id eq "u3" and userName eq "babs"`:        "",
				`userName eq "babs" and active eq true`:    "u1",
				`userName eq "babs" and active eq false`:   "",
				`userName eq "babs" or userName eq "dora"`: "u1 u3",
				`not (userName eq "babs")`:                 "u2 u3 u4 u5",
			} {
				d.finds(question{typ: d.user, filter: text}, strings.Fields(want)...)
			}
		}),
		asking("index_follows_the_record", "A record is found by what it is now: not by a value it had, nor after it is gone.", func(d *directory) {
			by := func(name string) question {
				return question{typ: d.user, filter: `userName eq "` + name + `"`}
			}
			d.addUser("u1", `{"userName":"babs","emails":[{"value":"a@x.example"},{"value":"b@x.example"}]}`)
			d.finds(by("babs"), "u1")
			d.addUser("u1", `{"userName":"barbara","emails":[{"value":"b@x.example"},{"value":"c@x.example"}]}`)
			d.finds(by("babs"))
			d.finds(by("barbara"), "u1")
			d.finds(question{typ: d.user, filter: `emails.value eq "a@x.example"`})
			d.finds(question{typ: d.user, filter: `emails.value eq "b@x.example"`}, "u1")
			d.addUser("u2", `{"userName":"babs"}`)
			d.finds(by("babs"), "u2")
			d.add(d.record(user("u1"), `{"userName":"babs"}`), d.record(user("u2"), `{"userName":"barbara"}`))
			d.finds(by("babs"), "u1")
			d.finds(by("barbara"), "u2")
			d.add(hidden(d.record(user("u1"), `{"userName":"babs"}`)))
			d.finds(by("babs"))
			d.add(d.record(user("u1"), `{"userName":"babs"}`))
			d.finds(by("babs"), "u1")
			d.commit(storage.Batch{Deletes: deletes(user("u1"))})
			d.finds(by("babs"))
			d.finds(question{typ: d.user}, "u2")
		}),
		asking("refused_batch_is_not_found", "What a refused batch would have written is not found.", func(d *directory) {
			d.addUser("u1", `{"userName":"babs"}`)
			b := storage.Batch{Puts: puts(d.record(user("u2"), `{"userName":"carl"}`), d.record(user("u1"), `{"userName":"other"}`)), Deletes: deletes(user("u9"))}
			d.refuse(b, storage.ErrNotFound, user("u9"))
			d.finds(question{typ: d.user}, "u1")
			d.finds(question{typ: d.user, filter: `userName eq "other"`})
			d.finds(question{typ: d.user, filter: `userName eq "babs"`}, "u1")
		}),
		asking("long_values_are_told_apart", "A truncated index key is only a candidate: long values are compared to the end.", func(d *directory) {
			for _, letter := range []string{"x", "é", "😀"} {
				long := strings.Repeat(letter, 2*storage.MaxKeyLength/len(letter)) + "a"
				other := long[:len(long)-1] + "b"
				d.addUser("u1"+letter, fmt.Sprintf(`{"userName":%q,"displayName":%q}`, long, "d"+long))
				d.addUser("u2"+letter, fmt.Sprintf(`{"userName":%q,"displayName":%q}`, other, "d"+other))
				for _, attr := range []string{"userName", "displayName"} {
					prefix := ""
					if attr == "displayName" {
						prefix = "D"
					}
					d.finds(question{typ: d.user, filter: fmt.Sprintf(`%s eq "%s"`, attr, prefix+long)}, "u1"+letter)
					d.finds(question{typ: d.user, filter: fmt.Sprintf(`%s eq "%s"`, attr, prefix+other)}, "u2"+letter)
					d.finds(question{typ: d.user, filter: fmt.Sprintf(`%s eq "%s"`, attr, prefix+long[:len(long)-1])})
					d.agrees(question{typ: d.user, filter: fmt.Sprintf(`%s gt "%s"`, attr, prefix+long)})
					d.agrees(question{typ: d.user, sort: attr})
					d.agrees(question{typ: d.user, sort: attr, descending: true})
				}
			}
		}),
		asking("hidden_only_when_asked_for", "Hidden records are found only with Hidden.", func(d *directory) {
			d.add(d.record(user("u1"), `{"userName":"a","title":"x"}`), hidden(d.record(user("u2"), `{"userName":"b","title":"x"}`)))
			for _, text := range []string{"", `title eq "x"`, `title pr`} {
				d.finds(question{typ: d.user, filter: text}, "u1")
				d.finds(question{typ: d.user, filter: text, hidden: true}, "u1", "u2")
			}
			d.finds(question{typ: d.user, filter: `userName eq "b"`})
			d.finds(question{typ: d.user, filter: `userName eq "b"`, hidden: true}, "u2")
			d.finds(question{typ: d.user, filter: `id eq "u2"`})
			d.totals(d.ask(question{typ: d.user, total: storage.TotalExact}), storage.TotalExact, 1)
			if rs := d.ask(question{typ: d.user, hidden: true}).Records; !rs[1].Hidden || rs[0].Hidden {
				d.broken("the records are not marked as they are")
			}
		}),
		asking("hidden_alone_when_asked_for", "With OnlyHidden, hidden records are found and no others.", func(d *directory) {
			d.add(d.record(user("u1"), `{"userName":"a","title":"x"}`), hidden(d.record(user("u2"), `{"userName":"b","title":"x"}`)),
				hidden(of("entra", d.record(user("u3"), `{"userName":"c"}`))), hidden(d.record(group("g1"), `{"displayName":"a"}`)))
			for _, also := range []bool{false, true} {
				only := question{typ: d.user, onlyHidden: true, hidden: also, total: storage.TotalExact}
				d.finds(only, "u2", "u3")
				d.totals(d.ask(only), storage.TotalExact, 2)
				for text, want := range map[string]string{`title eq "x"`: "u2", `userName eq "a"`: "", `userName eq "c"`: "u3", `id eq "u1"`: "", `id eq "u2"`: "u2"} {
					only.filter = text
					d.finds(only, strings.Fields(want)...)
				}
				d.finds(question{typ: d.user, onlyHidden: true, hidden: also, connection: "entra"}, "u3")
				d.finds(question{typ: d.user, onlyHidden: true, hidden: also, limit: 1}, "u2")
				d.finds(question{typ: d.user, onlyHidden: true, hidden: also, sort: "userName", descending: true}, "u3", "u2")
				total := question{typ: d.user, onlyHidden: true, hidden: also, total: storage.TotalExact, limit: 1}
				d.totals(d.ask(total), storage.TotalExact, 2)
			}
			d.commit(storage.Batch{Deletes: deletes(user("u2"))})
			d.finds(question{typ: d.user, onlyHidden: true}, "u3")
		}),
		asking("connection_restricts", "Connection restricts to records of one connection; without it records of all are found.", func(d *directory) {
			d.add(d.record(user("u1"), `{"userName":"a"}`), of("entra", d.record(user("u2"), `{"userName":"b"}`)), of("", d.record(user("u3"), `{"userName":"c"}`)))
			d.finds(question{typ: d.user}, "u1", "u2", "u3")
			d.finds(question{typ: d.user, connection: "okta"}, "u1")
			d.finds(question{typ: d.user, connection: "entra"}, "u2")
			d.finds(question{typ: d.user, connection: "Okta"})
			d.finds(question{typ: d.user, connection: "okta", filter: `userName eq "b"`})
			d.finds(question{typ: d.user, connection: "okta", filter: `id eq "u2"`})
			d.totals(d.ask(question{typ: d.user, connection: "okta", total: storage.TotalExact}), storage.TotalExact, 1)
			d.add(of("entra", d.record(user("u1"), `{"userName":"a"}`)))
			d.finds(question{typ: d.user, connection: "okta"})
			d.finds(question{typ: d.user, connection: "entra"}, "u1", "u2")
		}),
		asking("type_restricts", "A query asks for records of one type.", func(d *directory) {
			d.add(d.record(user("1"), `{"userName":"a","displayName":"x"}`), d.record(group("1"), `{"displayName":"x"}`), d.record(group("2"), `{"displayName":"a"}`))
			d.finds(question{typ: d.user}, "1")
			d.finds(question{typ: d.group}, "1", "2")
			d.finds(question{typ: d.user, filter: `displayName eq "x"`}, "1")
			d.finds(question{typ: d.user, filter: `id eq "2"`})
		}),
		asking("tenant_restricts", "Nothing of another tenant is found.", func(d *directory) {
			d.addUser("u1", `{"userName":"a"}`)
			d.commit(storage.Batch{Tenant: d.tenant + "2", Puts: puts(d.record(user("u2"), `{"userName":"b"}`), d.record(group("g2"), `{"displayName":"x"}`))})
			d.commit(storage.Batch{Tenant: d.tenant + "2", Links: edits(add(group("g2"), user("u2")))})
			d.finds(question{typ: d.user}, "u1")
			d.finds(question{typ: d.group})
			d.finds(question{typ: d.user, filter: `userName eq "b"`})
			d.finds(question{typ: d.user, filter: `id eq "u2"`})
			d.finds(question{typ: d.user, filter: `groups.value eq "g2"`})
			d.totals(d.ask(question{typ: d.user, total: storage.TotalExact}), storage.TotalExact, 1)
		}),
		asking("links", "A filter may ask about links, in both directions, alone and within others.", func(d *directory) {
			d.add(d.record(user("u1"), `{"userName":"a","title":"x"}`), d.record(user("u2"), `{"userName":"b"}`), d.record(user("u3"), `{"userName":"c"}`), d.record(group("g1"), `{"displayName":"g1"}`),
				d.record(group("g2"), `{"displayName":"g2"}`), d.record(group("g3"), `{"displayName":"g3"}`), d.record(group("u1"), `{"displayName":"named like a user"}`))
			d.link(group("g1"), user("u1"), user("u2"), group("g2"))
			d.link(group("g2"), group("u1"), user("elsewhere"))
			for text, want := range map[string]string{
				`members.value eq "u1"`:                         "g1 g2",
				`members eq "u2"`:                               "g1",
				`members.value eq "elsewhere"`:                  "g2",
				`members.value eq "nobody"`:                     "",
				`members[value eq "u1" and type eq "User"]`:     "g1",
				`members[value eq "u1" and type eq "Group"]`:    "g2",
				`members[type eq "Group"]`:                      "g1 g2",
				`members pr`:                                    "g1 g2",
				`not (members pr)`:                              "g3 u1",
				`members.value eq "u1" and displayName eq "g2"`: "g2",
				`members.value eq "u2" or displayName eq "g3"`:  "g1 g3",
				`groups pr`:            "g2 u1",
				`groups.value eq "g1"`: "g2",
			} {
				d.finds(question{typ: d.group, filter: text}, strings.Fields(want)...)
			}
			for text, want := range map[string]string{
				`groups.value eq "g1"`:                          "u1 u2",
				`groups.value eq "g1" and title eq "x"`:         "u1",
				`groups.value eq "g2"`:                          "",
				`groups eq "g1" and not (groups.value eq "g1")`: "",
				`groups pr`:       "u1 u2",
				`not (groups pr)`: "u3",
				`groups ne "g1"`:  "u3",
			} {
				d.finds(question{typ: d.user, filter: text}, strings.Fields(want)...)
			}
			d.edit(remove(group("g1"), user("u1")))
			d.finds(question{typ: d.user, filter: `groups pr`}, "u2")
			d.commit(storage.Batch{Deletes: deletes(group("g1"))})
			d.finds(question{typ: d.user, filter: `groups pr`})
			d.finds(question{typ: d.group, filter: `members.value eq "u2"`})
		}),
		asking("max_scan_never_gives_a_part", "Looking at more than MaxScan candidates is ErrTooMany, never most of the answer; MaxScan candidates are allowed.", func(d *directory) {
			var rs []*storage.Record
			for i := range 20 {
				rs = append(rs, d.record(user(fmt.Sprintf("u%02d", i)), fmt.Sprintf(`{"userName":"n%d","title":"t%d"}`, i, i%2)))
			}
			d.add(rs...)
			for _, q := range []question{
				{typ: d.user, filter: `title eq "t1"`},
				{typ: d.user, filter: `title eq "t1"`, sort: "title"},
				{typ: d.user, filter: `title co "t"`, limit: 3, total: storage.TotalExact},
				{typ: d.user, filter: `not (title eq "t1")`, limit: 3, sort: "displayName"},
			} {
				q.maxScan = 20
				d.agrees(q)
				for q.maxScan = 1; q.maxScan < 20; q.maxScan += 6 {
					page, err := d.store.Query(d.ctx(), d.query(q))
					d.did("%s = %v", q, err)
					switch {
					case err == nil:
						if want := d.matches(q); len(page.Records) != min(len(want), cmp.Or(q.limit, everything)) {
							d.broken("%d of %d matches and no error; want ErrTooMany or all", len(page.Records), len(want))
						}
						d.totals(page, q.total, len(d.matches(q)))
					case !errors.Is(err, storage.ErrTooMany):
						d.broken("error %v; want ErrTooMany", err)
					}
				}
			}
			d.finds(question{typ: d.user, filter: `userName eq "n7"`, maxScan: 20}, "u07")
		}),
		asking("context", "A query whose context is done returns the context's error.", func(d *directory) {
			d.addUser("u1", `{"userName":"a"}`)
			ctx, cancel := context.WithCancel(d.ctx())
			cancel()
			for _, q := range []question{{typ: d.user}, {typ: d.user, filter: `userName eq "a"`}, {typ: d.user, filter: `title pr`, sort: "title"}} {
				if _, err := d.store.Query(ctx, d.query(q)); !errors.Is(err, context.Canceled) {
					d.broken("%s with a canceled context: error %v; want one that wraps context.Canceled", q, err)
				}
			}
		}),
		asking("commits_are_found_at_once", "What was committed is seen by every query that starts after Commit returns.", func(d *directory) {
			d.together(4, func(i int) error {
				for n := range 15 {
					name := fmt.Sprintf("w%dn%d", i, n)
					if err := d.try(storage.Batch{Puts: puts(d.record(user(fmt.Sprint("u", i)), `{"userName":"`+name+`"}`))}); err != nil {
						return err
					}
					page, err := d.store.Query(d.ctx(), d.query(question{typ: d.user, filter: `userName eq "` + name + `"`}))
					if err != nil || len(page.Records) != 1 {
						return fmt.Errorf("after the commit of %s a query finds %v, %w", name, page, err)
					}
				}
				return nil
			})
		}),
		asking("swap_is_seen_whole", "A query sees a batch wholly or not at all.", func(d *directory) {
			swap := func(n int) error {
				return d.try(storage.Batch{Puts: puts(
					d.record(user("u1"), fmt.Sprintf(`{"userName":"n%d"}`, n%2)),
					d.record(user("u2"), fmt.Sprintf(`{"userName":"n%d"}`, (n+1)%2)))})
			}
			if err := swap(0); err != nil {
				d.broken("%v", err)
			}
			d.together(3, func(i int) error {
				for n := range 60 {
					if i == 0 {
						if err := swap(n); err != nil {
							return err
						}
						continue
					}
					for _, text := range []string{`userName eq "n1"`, ``, `userName co "n"`} {
						page, err := d.store.Query(d.ctx(), d.query(question{typ: d.user, filter: text}))
						if err != nil {
							return err
						}
						if want := map[bool]int{true: 1, false: 2}[text == `userName eq "n1"`]; len(page.Records) != want {
							return fmt.Errorf("filter %q finds %d records during a swap of names; want %d", text, len(page.Records), want)
						}
						if len(page.Records) == 2 && string(page.Records[0].Doc) == string(page.Records[1].Doc) {
							return fmt.Errorf("a query sees both records with the name %s", page.Records[0].Doc)
						}
					}
				}
				return nil
			})
		}),
		asking("commits_go_on_while_queries_run", "A running query does not block writers.", func(d *directory) {
			var rs []*storage.Record
			for i := range 1500 {
				rs = append(rs, d.record(user(fmt.Sprintf("u%04d", i)), fmt.Sprintf(`{"userName":"n%d","title":"t%d"}`, i, i%7)))
			}
			d.add(rs...)
			ctx, cancel := context.WithCancel(d.ctx())
			done := make(chan error, 2)
			q := d.query(question{typ: d.user, filter: `title co "t"`, sort: "title"})
			for range 2 {
				go func() {
					for {
						if _, err := d.store.Query(ctx, q); err != nil {
							done <- err
							return
						}
					}
				}()
			}
			start := time.Now()
			for i := range 20 {
				d.put(d.record(user("u0001"), fmt.Sprintf(`{"userName":"n1","title":"t%d"}`, i)))
			}
			took := time.Since(start)
			cancel()
			for range 2 {
				if err := <-done; !errors.Is(err, context.Canceled) {
					d.broken("a query beside writers: %v", err)
				}
			}
			if took > 20*time.Second {
				d.broken("20 commits beside two queries over 1,500 records took %v", took)
			}
		}),
	}
}
