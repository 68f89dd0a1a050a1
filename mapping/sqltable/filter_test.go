package sqltable_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
)

// texts are what databases and SCIM may have different ideas of: the Kelvin sign and
// the long s, which fold to ASCII letters, full-width letters, accents in one
// character and in two, letters whose case is a matter of the locale, and characters
// that mean something in SQL.
var texts = []string{
	"kim", "Kim", "KIM", "\u212Aim", "\uFF2B\uFF49\uFF4D", "sam", "SAM", "\u017Fam", "zoe\u0301", "zo\u00E9", "ZO\u00C9", "I", "i", "\u0130", "\u0131",
	"stra\u00DFe", "STRASSE", "%", "_", "50%", "a_b", "axb", `a\b`, "o'neil", `"quoted"`, "tab\there", "~", " ", "x y", "\U0001F600", "\u6A39", "", "k",
	"kimberley", "akim", "; DROP TABLE users; --", "\u00E5sa", "\u00C5SA", "A\u030Asa",
}

// plainTexts are those without characters beyond ASCII.
func plainTexts() []string {
	return slices.DeleteFunc(slices.Clone(texts), func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
	})
}

// populate makes rows of every shape in a tenant: some of the host's, some of a
// connection, with and without values, with a side document and phone numbers.
func populate(t *testing.T, db *database, srv *scim.Server, tenant string, pool []string, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	pick := func() string { return pool[rng.IntN(len(pool))] }
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	for i := range n {
		login := fmt.Sprint(pick(), i)
		if i%3 == 0 {
			body := map[string]any{
				"userName": login, "displayName": pick(), "active": rng.IntN(2) == 0, "externalId": fmt.Sprint("x", rng.IntN(9)),
				"title": pick(), "nickName": pick(), "name": map[string]any{"givenName": pick(), "familyName": pick()},
			}
			b := scim.NewResource(srv.Type("User"))
			for name, v := range body {
				b.Set(name, v)
			}
			emails := []map[string]any{{"type": "work", "value": pick() + "@a", "primary": rng.IntN(2) == 0}}
			if rng.IntN(2) == 0 {
				emails = append(emails, map[string]any{"type": "home", "value": pick() + "@a"})
			}
			phones := []map[string]any{}
			for j := range rng.IntN(3) {
				phones = append(phones, map[string]any{"type": []string{"work", "mobile"}[j], "value": fmt.Sprint(pick(), j)})
			}
			b.Set("emails", emails).Set("phoneNumbers", phones)
			r, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			_, err = srv.Do(t.Context(), scim.Principal{Tenant: tenant, Connection: "okta"}, &scim.Operation{Method: scim.Create, Type: srv.Type("User"), Resource: r})
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		maybe := func(s string) string {
			if rng.IntN(4) == 0 {
				return "NULL"
			}
			return quote(s)
		}
		db.run(fmt.Sprintf("INSERT INTO users (org_id, login, first_name, last_name, email, job, status, source, lock_version) VALUES (%s, %s, %s, %s, %s, %s, %s, 'host', %d)",
			tenant, quote(login), quote(pick()), maybe(pick()), maybe(pick()), maybe(pick()), quote([]string{"enabled", "disabled", "locked"}[rng.IntN(3)]), i))
		if rng.IntN(2) == 0 {
			db.run(fmt.Sprintf("INSERT INTO phones (user_id, kind, number, main) SELECT id, %s, %s, NULL FROM users WHERE org_id = %s AND login = %s",
				maybe("work"), quote(pick()), tenant, quote(login)))
		}
	}
}

// filters generates filters over everything that a user here may have.
func filters(pool []string) *rapid.Generator[string] {
	text := rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom(pool).Draw(t, "text")
		if rapid.Bool().Draw(t, "numbered") {
			s += fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "number"))
		}
		return fmt.Sprintf("%q", s)
	})
	ops := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})
	paths := rapid.SampledFrom([]string{
		"userName", "name.givenName", "name.familyName", "title", "nickName", "displayName", "externalId", "emails", "emails.value", "emails.type",
		"phoneNumbers.value", "phoneNumbers.type", "employeeNumber", "id", "userType",
	})
	term := rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			return paths.Draw(t, "path") + " pr"
		case 1:
			return "active eq " + rapid.SampledFrom([]string{"true", "false"}).Draw(t, "active")
		case 2:
			many := rapid.SampledFrom([]string{"emails", "phoneNumbers"}).Draw(t, "many")
			x := fmt.Sprintf("type %s %q", rapid.SampledFrom([]string{"eq", "ne"}).Draw(t, "eq"), rapid.SampledFrom([]string{"work", "home", "Mobile"}).Draw(t, "type"))
			word := rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "word")
			y := "value " + ops.Draw(t, "op") + " " + text.Draw(t, "value")
			if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
				y = "not (" + y + ")"
			}
			return many + "[" + x + word + y + "]"
		case 3:
			return rapid.SampledFrom([]string{"emails[primary eq true]", "name pr", "emails pr", "phoneNumbers pr", "meta.created gt \"2026-01-31T08:00:00Z\"", "meta.lastModified le \"2026-01-31T08:00:00.05Z\"", "emails[type eq \"work\"]", "emails[value pr]", "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\""}).Draw(t, "fixed")
		}
		return paths.Draw(t, "path") + " " + ops.Draw(t, "op") + " " + text.Draw(t, "value")
	})
	var expr func(depth int) *rapid.Generator[string]
	expr = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			if depth == 0 {
				return term.Draw(t, "term")
			}
			switch rapid.IntRange(0, 4).Draw(t, "shape") {
			case 0:
				return "(" + expr(depth-1).Draw(t, "x") + " and " + expr(depth-1).Draw(t, "y") + ")"
			case 1:
				return "(" + expr(depth-1).Draw(t, "x") + " or " + expr(depth-1).Draw(t, "y") + ")"
			case 2:
				return "not (" + expr(depth-1).Draw(t, "x") + ")"
			}
			return term.Draw(t, "term")
		})
	}
	return expr(3)
}

// sorts are attributes to sort by; some can be sorted by the database.
var sorts = []string{"", "", "userName", "name.givenName", "title", "active", "externalId", "id", "meta.created", "meta.lastModified", "displayName", "emails.value"}

func TestTheDatabaseFindsExactlyWhatTheFilterMatches(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		h := newHandler(t, db.seed(), users())
		srv := newServer(t, h, nil)
		pools := map[string][]string{"1": texts, "2": plainTexts()}
		everyone := map[string][]*scim.Resource{}
		for tenant, pool := range pools {
			populate(t, db, srv, tenant, pool, 90)
			page, err := h.List(t.Context(), &scim.ListRequest{Tenant: tenant, Type: srv.Type("User"), Limit: 1000})
			if err != nil || page.Total != 90 || len(page.Resources) != 90 {
				t.Fatalf("%v: %d of %d", err, len(page.Resources), page.Total)
			}
			everyone[tenant] = page.Resources
		}
		db.noted()
		rapid.Check(t, func(t *rapid.T) {
			tenant := rapid.SampledFrom([]string{"1", "2"}).Draw(t, "tenant")
			text := filters(pools[tenant]).Draw(t, "filter")
			plan, err := srv.ParseFilter(scim.Principal{}, srv.Type("User"), text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			req := scim.ListRequest{Tenant: tenant, Type: srv.Type("User"), Filter: plan, Limit: rapid.IntRange(1, 20).Draw(t, "limit")}
			if by := rapid.SampledFrom(sorts).Draw(t, "sort"); by != "" {
				req.Sort.Path = srv.Type("User").MustResolve(by)
			}
			req.Sort.Descending = rapid.Bool().Draw(t, "descending")

			want := expected(t, req, everyone[tenant])
			var got []string
			byOffset := rapid.Bool().Draw(t, "by offset")
			for step := req; ; {
				page, err := h.List(t.Context(), &step)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				if step.After == nil && page.Total != len(want) {
					t.Fatalf("%s: a total of %d, want %d", text, page.Total, len(want))
				}
				for _, r := range page.Resources {
					got = append(got, r.ID())
				}
				if len(page.Resources) < step.Limit {
					break
				}
				if len(got) > len(want) {
					t.Fatalf("%s\nsorted by %v\ngot  %v and more\nwant %v\nstatements: %v", text, req.Sort, got, want, db.noted())
				}
				if byOffset {
					step.Offset += step.Limit
				} else {
					step.After = position(step, page.Resources[len(page.Resources)-1])
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s\nsorted by %v\ngot  %v\nwant %v\nstatements: %v", text, req.Sort, got, want, db.noted())
			}
			db.noted()
		})
	})
}

// expected are the ids that a list has in all, by the rules of package filter.
func expected(t *rapid.T, req scim.ListRequest, everyone []*scim.Resource) (ids []string) {
	req.Limit, req.Offset = 1000, 0
	page, err := scim.Page(&req, func(yield func(*scim.Resource, error) bool) {
		for _, r := range everyone {
			if !yield(r, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if req.Sort.Path.IsZero() { // the order of numbers, and not that of their texts
		slices.SortFunc(page.Resources, func(a, b *scim.Resource) int {
			c := len(a.ID()) - len(b.ID())
			if c == 0 {
				c = strings.Compare(a.ID(), b.ID())
			}
			if req.Sort.Descending {
				c = -c
			}
			return c
		})
	}
	for _, r := range page.Resources {
		ids = append(ids, r.ID())
	}
	return ids
}

// position is the place of a resource in the order of a list.
func position(req scim.ListRequest, r *scim.Resource) *scim.Position {
	p := &scim.Position{ID: r.ID()}
	if !req.Sort.Path.IsZero() {
		p.Key, p.Absent = filter.SortKey(r, req.Sort.Path)
	}
	return p
}
