package ownership_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

func TestTheRuleAdoptsWhoeverHasTheVerifiedAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		account  string // userName of the host's account
		verified string // its verified address
		domain   string // the tenant's
		emails   string // what is sent besides the same userName
		adopted  bool
	}{
		{"userName is the address", "ada@acme.example", "ada@acme.example", "acme.example", "", true},
		{"the work e-mail is", "ada", "ada@acme.example", "acme.example", `[{"type":"work","value":"ada@acme.example"}]`, true},
		{"an e-mail without a type is", "ada", "ada@acme.example", "acme.example", `[{"value":"ada@acme.example"}]`, true},
		{"the type's case does not matter", "ada", "ada@acme.example", "acme.example", `[{"type":"WORK","value":"ada@acme.example"}]`, true},
		{"upper case does not matter", "ADA@Acme.Example", "ada@acme.example", "ACME.EXAMPLE", "", true},
		{"a final dot does not matter", "ada@acme.example", "ada@acme.example", "acme.example.", "", true},
		{"Unicode here, Punycode there", "ada@bücher.example", "ada@xn--bcher-kva.example", "BÜCHER.example", "", true},
		{"composed here, decomposed there", "ada@bu\u0308cher.example", "ada@bücher.example", "xn--bcher-kva.example", "", true},

		{"the home e-mail is not for work", "ada", "ada@acme.example", "acme.example", `[{"type":"home","value":"ada@acme.example"}]`, false},
		{"nothing verified", "ada@acme.example", "", "acme.example", "", false},
		{"another address is verified", "ada@acme.example", "ada@private.example", "acme.example", "", false},
		{"no domain verified", "ada@acme.example", "ada@acme.example", "", "", false},
		{"another domain verified", "ada@acme.example", "ada@acme.example", "evil.example", "", false},
		{"a domain below the verified one", "ada@mail.acme.example", "ada@mail.acme.example", "acme.example", "", false},
		{"a domain above the verified one", "ada@acme.example", "ada@acme.example", "mail.acme.example", "", false},
		{"the verified one as an ending", "ada@evilacme.example", "ada@evilacme.example", "acme.example", "", false},
		{"the verified one as a beginning", "ada@acme.example.evil", "ada@acme.example.evil", "acme.example", "", false},
		{"a look-alike", "ada@acmе.example", "ada@acme.example", "acme.example", "", false}, // Cyrillic е
		{"ß is not ss", "ada@straße.example", "ada@strasse.example", "strasse.example", "", false},
		{"several @", "ada@acme.example@evil.example", "ada@acme.example@evil.example", "evil.example", "", false},
		{"several @, the other way", "ada@evil.example@acme.example", "ada@evil.example@acme.example", "acme.example", "", false},
		{"a wide @", "ada@evil.example＠acme.example", "ada@evil.example＠acme.example", "acme.example", "", false},
		{"a quoted local part", `"ada@evil.example"@acme.example`, `"ada@evil.example"@acme.example`, "acme.example", "", false},
		{"blanks", "ada @acme.example", "ada @acme.example", "acme.example", "", false},
		{"no local part", "@acme.example", "@acme.example", "acme.example", "", false},
		{"a wildcard is no domain", "ada@acme.example", "ada@acme.example", "*.example", "", false},
		{"an empty domain", "ada@", "ada@", ".", "", false},
		{"a number alone", "12345", "ada@acme.example", "acme.example", "", false},
		{"externalId alone", "ada", "ada@acme.example", "acme.example", `[]`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, memory.New(), ownership.Rule{Domains: domains(c.domain), Verified: verified(c.verified)})
			id := b.made(host, "User", map[string]any{"userName": c.account, "externalId": "x"})
			body := map[string]any{"userName": c.account, "externalId": "x"}
			if c.emails != "" {
				body["emails"] = json.RawMessage(c.emails)
			}
			text, _ := json.Marshal(body)
			code, doc := b.send("okta", "POST /Users", string(text))
			if got := code == 201 && doc["id"] == id; got != c.adopted || !got && code != 409 {
				t.Errorf("answered %d %v", code, doc)
			}
			if got := b.owner("User", id) == "okta"; got != c.adopted {
				t.Errorf("it belongs to %q", b.owner("User", id))
			}
		})
	}
}

func TestWhatTheRuleDoesNotSettleIsDeclinedOrWaits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		otherwise scim.Adoption
		active    bool
		waits     bool
	}{
		{"not active, declined", scim.Decline, false, false},
		{"not active, queued", scim.Queue, false, true},
		{"not proved, queued", scim.Queue, true, true},
		{"nothing is adopted without a proof", scim.Adopt, true, true},
		{"nobody is adopted who was switched off", scim.Adopt, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			overStores(t, func(t *testing.T, store storage.Store) {
				b := newBed(t, store, ownership.Rule{
					Domains: domains("acme.example"), Otherwise: c.otherwise,
					Verified: func(ctx context.Context, tenant string, a scim.DirectoryEntry) (string, bool, error) {
						return a.Resource.String("userName"), !a.Resource.Active(), nil
					},
				})
				id := b.made(host, "User", map[string]any{"userName": "ada@acme.example", "active": c.active})
				b.want(409, "okta", "POST /Users", `{"userName":"ada@acme.example","active":true}`)
				list := b.approvals()
				if got := len(list) == 1 && list[0].Ref.ID == id; got != c.waits {
					t.Fatalf("waiting: %+v", list)
				}
				if !c.waits {
					return
				}
				if err := b.Approve(t.Context(), acme, list[0].ID); err != nil {
					t.Fatal(err)
				}
				if got, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example","active":true}`); got != id {
					t.Errorf("id %s, want %s", got, id)
				}
			})
		})
	}
}

func TestAnAccountOfAnotherNameIsFoundByItsVerifiedEmail(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		owned := map[string]string{} // verified addresses by userName
		rule := ownership.Rule{
			ByEmail: true, Domains: domains("acme.example"), Otherwise: scim.Queue,
			Verified: func(_ context.Context, _ string, a scim.DirectoryEntry) (string, bool, error) {
				address, ok := owned[a.Resource.String("userName")]
				return address, ok, nil
			},
		}
		b := newBed(t, store, rule)
		account := func(userName, email, verified string) string {
			if verified != "" {
				owned[userName] = verified
			}
			return b.made(host, "User", map[string]any{"userName": userName, "emails": []any{map[string]any{"value": email}}})
		}
		ada := account("ada", "Ada@acme.example", "ada@acme.example")
		bea := account("bea", "bea@acme.example", "")
		carla := account("carla", "carla@private.example", "carla@private.example")
		account("dora", "dora@acme.example", "dora@acme.example")
		account("dora2", "dora@acme.example", "dora@acme.example")
		b.made("entra", "User", map[string]any{"userName": "eva", "emails": []any{map[string]any{"value": "eva@acme.example"}}})

		if id, doc := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example","externalId":"1"}`); id != ada || doc["userName"] != "ada@acme.example" {
			t.Errorf("%v, want the account %s", doc, ada)
		}
		b.want(409, "okta", "POST /Users", `{"userName":"b@acme.example","emails":[{"type":"work","value":"BEA@acme.example"},{"value":"bea@acme.example"}]}`)
		if list := b.approvals(); len(list) != 1 || list[0].Ref.ID != bea || list[0].Attempts != 1 {
			t.Errorf("%+v", list)
		}
		if id, _ := b.want(201, "okta", "POST /Users", `{"userName":"carla@private.example"}`); id == carla {
			t.Error("the domain is not verified")
		}
		b.want(201, "okta", "POST /Users", `{"userName":"dora@acme.example"}`)
		b.want(201, "okta", "POST /Users", `{"userName":"eva@acme.example"}`)
		for _, name := range []string{"dora", "dora2", "carla"} {
			b.want(409, "okta", "POST /Users", `{"userName":"`+name+`"}`) // still the host's
		}
		// Without ByEmail it is another person.
		rule.ByEmail = false
		b = newBed(t, store, rule)
		fay := account("fay", "fay@acme.example", "fay@acme.example")
		if id, _ := b.want(201, "okta", "POST /Users", `{"userName":"fay@acme.example"}`); id == fay {
			t.Error("the account was adopted")
		}
	})
}

func TestGroupsOfTheHostAreNotAdoptedByName(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{Domains: domains("acme.example"), Verified: ownName})
	admins := b.made(host, "Group", map[string]any{"displayName": "Admins"})
	if id, _ := b.want(201, "okta", "POST /Groups", `{"displayName":"Admins"}`); id == admins {
		t.Error("the group was adopted")
	}
	b = newBed(t, memory.New(), ownership.Rule{Otherwise: scim.Queue})
	b.made(host, "Group", map[string]any{"displayName": "Admins"})
	b.want(409, "okta", "POST /Groups", `{"displayName":"Admins"}`)
	if n := len(b.approvals()); n != 1 {
		t.Errorf("%d wait", n)
	}
}

func TestAccountsOfOtherConnectionsAndTenantsAreOutOfReach(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		b := newBed(t, store, ownership.Rule{Domains: domains("acme.example"), Verified: ownName, Otherwise: scim.Queue})
		mine, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
		b.want(409, "entra", "POST /Users", `{"userName":"ada@acme.example"}`)
		b.want(404, "entra", "GET /Users/"+mine, "")
		account := b.account("bea@acme.example")
		if id, _ := b.want(201, "other", "POST /Users", `{"userName":"bea@acme.example"}`); id == account {
			t.Error("a user of another tenant was adopted")
		}
		if got := b.owner("User", account); got != host {
			t.Errorf("it belongs to %q", got)
		}
		if n := len(b.approvals()); n != 0 {
			t.Errorf("%d wait for a person", n)
		}
	})
}

func TestARuleThatCannotBeAskedAdoptsNobody(t *testing.T) {
	t.Parallel()
	away := errors.New("the database is away")
	for name, rule := range map[string]ownership.Rule{
		"Verified": {Domains: domains("acme.example"), Verified: func(context.Context, string, scim.DirectoryEntry) (string, bool, error) {
			return "ada@acme.example", true, away
		}},
		"Domains": {Verified: ownName, Domains: func(context.Context, string) ([]string, error) { return []string{"acme.example"}, away }},
	} {
		b := newBed(t, memory.New(), rule)
		id := b.account("ada@acme.example")
		_, doc := b.want(500, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
		if detail, _ := doc["detail"].(string); strings.Contains(detail, "database") {
			t.Errorf("%s: the client is told: %s", name, detail)
		}
		if got := b.owner("User", id); got != host {
			t.Errorf("%s: it belongs to %q", name, got)
		}
	}
}

func TestTheZeroRuleAdoptsNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{})
	id := b.account("ada@acme.example")
	b.want(409, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
	if got := b.owner("User", id); got != host {
		t.Errorf("it belongs to %q", got)
	}
}

func TestLaterChangesOfAddressesPassTheSameCheck(t *testing.T) {
	t.Parallel()
	const start = `{"userName":"ada@acme.example","emails":[{"type":"work","value":"ada@acme.example"},{"type":"other","value":"ada@old.example"}]}`
	userName := func(v string) string {
		t.Helper()
		q, _ := json.Marshal(v)
		return patchBody("replace", "userName", string(q))
	}
	email := func(v string) string {
		q, _ := json.Marshal(v)
		return patchBody("replace", `emails[type eq \"work\"].value`, string(q))
	}
	for _, c := range []struct {
		name, request, body string
		allowed             bool
	}{
		{"userName in the domain", "PATCH", userName("bea@acme.example"), true},
		{"userName in another verified domain", "PATCH", userName("bea@acme2.example"), true},
		{"userName, other case", "PATCH", userName("ADA@ACME.example"), true},
		{"userName that is no address", "PATCH", userName("bea"), true},
		{"userName of a soft-deleted user", "PATCH", userName("0123456789abcdef0123456789abcdefada@acme.example"), true},
		{"e-mail in the domain", "PATCH", email("bea@acme.example"), true},
		{"e-mail it has already", "PATCH", email("ada@old.example"), true},
		{"no e-mail", "PATCH", patchBody("remove", "emails", "null"), true},
		{"deactivated", "PATCH", patchBody("replace", "active", "false"), true},
		{"PUT with what it has", "PUT", start, true},

		{"userName elsewhere", "PATCH", userName("ada@evil.example"), false},
		{"userName below the domain", "PATCH", userName("ada@mail.acme.example"), false},
		{"userName with the domain as its ending", "PATCH", userName("ada@evilacme.example"), false},
		{"userName with several @", "PATCH", userName("ada@evil.example@acme.example"), false},
		{"userName with a wide @", "PATCH", userName("ada＠evil.example"), false},
		{"userName with a small @", "PATCH", userName("ada﹫evil.example"), false},
		{"userName with a look-alike", "PATCH", userName("ada@аcme.example"), false},
		{"userName without a domain", "PATCH", userName("ada@"), false},
		{"e-mail elsewhere", "PATCH", email("ada@evil.example"), false},
		{"e-mail that is no address", "PATCH", email("acme.example"), false},
		{"a further e-mail", "PATCH", patchBody("add", "emails", `[{"type":"home","value":"ada@evil.example"}]`), false},
		{"without a path", "PATCH", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"userName":"ada@evil.example"}}]}`, false},
		{"PUT", "PUT", `{"userName":"ada@acme.example","emails":[{"value":"ada@evil.example"}]}`, false},
		{"elsewhere and deactivated", "PUT", `{"userName":"ada@evil.example","active":false}`, true},
	} {
		for _, queued := range []bool{false, true} {
			b := newBed(t, memory.New(), ownership.Rule{Domains: domains("acme.example", "acme2.example"), QueueChanges: queued})
			id, _ := b.want(201, "okta", "POST /Users", start)
			code, doc := b.send("okta", c.request+" /Users/"+id, c.body)
			if want := map[bool]int{true: 200, false: 403}[c.allowed]; code != want {
				t.Errorf("%s: answered %d, want %d: %v", c.name, code, want, doc)
			}
			list := b.approvals()
			if want := !c.allowed && queued; (len(list) == 1) != want {
				t.Errorf("%s: %d wait", c.name, len(list))
				continue
			}
			if len(list) == 0 {
				continue
			}
			if err := b.Approve(t.Context(), acme, list[0].ID); err != nil {
				t.Fatal(err)
			}
			b.want(200, "okta", c.request+" /Users/"+id, c.body)
		}
	}
}

func TestNobodyIsKeptInByAnAddress(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		b := newBed(t, store, ownership.Rule{Domains: domains("acme.example")})
		const on, off = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":true}]}`,
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`
		ada, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
		guest, _ := b.want(201, "okta", "POST /Users", `{"userName":"gus@foreign.example"}`)
		// What a user had while active is not new.
		b.want(200, "okta", "PATCH /Users/"+guest, off)
		b.want(200, "okta", "PATCH /Users/"+guest, on)
		for range 2 {
			_, doc := b.want(200, "okta", "PUT /Users/"+ada, `{"userName":"0a1bada@foreign.example","active":false}`)
			if doc["active"] != false || doc["userName"] != "0a1bada@foreign.example" {
				t.Errorf("%v", doc)
			}
			b.want(403, "okta", "PATCH /Users/"+ada, on)
			b.want(403, "okta", "PUT /Users/"+ada, `{"userName":"ada@acme.example","emails":[{"value":"x@evil.example"}],"active":true}`)
			b.want(200, "okta", "PUT /Users/"+ada, `{"userName":"ada@acme.example","emails":[{"value":"ada@acme.example"}],"active":true}`)
		}
		// It is forgotten with the next deactivation, and grows while inactive.
		b.want(200, "okta", "PATCH /Users/"+ada, off)
		b.want(200, "okta", "PATCH /Users/"+ada, on)
		b.want(200, "okta", "PATCH /Users/"+ada, off)
		b.want(200, "okta", "PATCH /Users/"+ada, patchBody("add", "emails", `[{"value":"x@evil.example"}]`))
		b.want(403, "okta", "PATCH /Users/"+ada, on)
		b.want(200, "okta", "PATCH /Users/"+ada, patchBody("remove", "emails", "null"))
		b.want(200, "okta", "PATCH /Users/"+ada, on)
		// A person may decide about the way back.
		b = newBed(t, store, ownership.Rule{Domains: domains("acme.example"), QueueChanges: true})
		b.want(200, "okta", "PUT /Users/"+ada, `{"userName":"ada@new.example","active":false}`)
		if list := b.approvals(); len(list) != 0 {
			t.Errorf("somebody is asked about a leaver: %+v", list)
		}
		b.want(403, "okta", "PATCH /Users/"+ada, on)
		if err := b.Approve(t.Context(), acme, b.approvals()[0].ID); err != nil {
			t.Fatal(err)
		}
		b.want(200, "okta", "PATCH /Users/"+ada, on)
	})
}

func TestWhatAUserHadWhileActiveMayComeBack(t *testing.T) {
	t.Parallel()
	verified := []string{"acme.example", "new.example"}
	b := newBed(t, memory.New(), ownership.Rule{Domains: func(context.Context, string) ([]string, error) { return verified, nil }})
	id, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
	b.want(200, "okta", "PUT /Users/"+id, `{"userName":"ada@foreign.example","active":false}`) // is judged later
	b.want(200, "okta", "PUT /Users/"+id, `{"userName":"ada@new.example","active":true}`)      // and has been
	verified = verified[:1]
	b.want(200, "okta", "PATCH /Users/"+id, patchBody("replace", "active", "false"))
	b.want(200, "okta", "PATCH /Users/"+id, patchBody("replace", "active", "true"))
}

func TestABulkRequestGetsNobodyPastTheRule(t *testing.T) {
	t.Parallel()
	const adopt = `{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"ada@acme.example"}}`
	change := func(path, attribute, value string) string {
		return `{"method":"PATCH","path":"` + path + `","data":` + patchBody("replace", attribute, value) + `}`
	}
	for _, opts := range [][]scim.Option{nil, {scim.WithAtomicBulk()}} {
		for name, ops := range map[string]func(ada string) string{
			"adopted and renamed, by the id": func(ada string) string {
				return adopt + "," + change("/Users/"+ada, "userName", `"ada@evil.example"`)
			},
			"adopted and renamed, by the bulkId": func(string) string {
				return adopt + "," + change("/Users/bulkId:a", "userName", `"ada@evil.example"`)
			},
			"renamed before it is adopted": func(ada string) string {
				return change("/Users/"+ada, "userName", `"ada@evil.example"`) + "," + adopt
			},
			"off, renamed, and on again": func(string) string {
				return adopt + "," + change("/Users/bulkId:a", "active", "false") + "," +
					change("/Users/bulkId:a", "userName", `"ada@evil.example"`) + "," + change("/Users/bulkId:a", "active", "true")
			},
			"deleted and made anew": func(ada string) string {
				return adopt + `,{"method":"DELETE","path":"/Users/` + ada + `"},` + strings.Replace(adopt, "ada@acme", "eve@evil", 1)
			},
		} {
			b := newBed(t, memory.New(), ownership.Rule{Domains: domains("acme.example"), Verified: ownName}, opts...)
			ada := b.account("ada@acme.example")
			b.want(200, "okta", "POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+ops(ada)+`]}`)
			e, err := b.Directory().Get(t.Context(), acme, scim.Ref{Type: "User", ID: ada})
			if err == nil && e.Resource.Active() && e.Resource.String("userName") != "ada@acme.example" {
				t.Errorf("%s, atomic %v: it is %s now, of %s", name, opts != nil, e.Resource.String("userName"), e.Connection)
			}
		}
	}
}

func TestWithoutDomainsChangesAreNotJudged(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{})
	id, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
	b.want(200, "okta", "PATCH /Users/"+id, patchBody("replace", "userName", `"ada@new.example"`))
	none := newBed(t, memory.New(), ownership.Rule{Domains: domains()})
	id, _ = none.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
	none.want(403, "okta", "PATCH /Users/"+id, patchBody("replace", "userName", `"ada@new.example"`))
}

func TestAllDomainsMayBeGivenAndNoneIsProved(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{Domains: domains("*"), Verified: ownName, ByEmail: true})
	ada := b.account("ada@acme.example")
	b.want(409, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
	b.want(409, "okta", "POST /Users", `{"userName":"ada@acme.example","emails":[{"value":"ada@acme.example"}]}`)
	if got := b.owner("User", ada); got != host {
		t.Errorf("it belongs to %q", got)
	}
	id, _ := b.want(201, "okta", "POST /Users", `{"userName":"bea@acme.example"}`)
	b.want(200, "okta", "PATCH /Users/"+id, patchBody("replace", "userName", `"bea@new.example"`))
}

func TestWhoMerelyNamesAnAddressIsNotMeantByIt(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{
		ByEmail: true, Domains: domains("acme.example"), Otherwise: scim.Queue,
		Verified: func(_ context.Context, _ string, a scim.DirectoryEntry) (string, bool, error) {
			name := a.Resource.String("userName")
			return "ada@acme.example", name == "ada" || name == "theirs", nil
		},
	})
	emails := []any{map[string]any{"value": "ada@acme.example"}}
	b.made("entra", "User", map[string]any{"userName": "theirs", "emails": emails})
	for i := range 6 { // ids are random: some come before hers
		b.made(host, "User", map[string]any{"userName": fmt.Sprint("mallory", i), "emails": emails})
	}
	ada := b.made(host, "User", map[string]any{"userName": "ada", "emails": emails})
	b.want(201, "okta", "POST /Users", `{"userName":"bea","emails":[{"type":"home","value":"ada@acme.example"}]}`)
	if id, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example"}`); id != ada {
		t.Errorf("adopted %s, not %s", id, ada)
	}
	if list := b.approvals(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestARejectedLinkByEmailMakesAUserOfItsOwn(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{ByEmail: true, Domains: domains("acme.example"), Otherwise: scim.Queue, Verified: verified("")})
	emails := []any{map[string]any{"value": "new@acme.example"}}
	mallory := b.made(host, "User", map[string]any{"userName": "mallory", "emails": emails})
	b.want(409, "okta", "POST /Users", `{"userName":"new@acme.example"}`)
	if err := b.Reject(t.Context(), acme, b.approvals()[0].ID); err != nil {
		t.Fatal(err)
	}
	if id, _ := b.want(201, "okta", "POST /Users", `{"userName":"new@acme.example"}`); id == mallory || b.owner("User", mallory) != host {
		t.Error("the account was adopted")
	}
}

func TestTwoDomainsAreTwoAlthoughTheirLettersFoldToOne(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{Domains: domains("οδος.example")})
	id, _ := b.want(201, "okta", "POST /Users", `{"userName":"sofia@οδος.example","emails":[{"value":"sofia@οδος.example"}]}`)
	b.want(403, "okta", "PATCH /Users/"+id, patchBody("replace", "userName", `"sofia@οδοσ.example"`))
	b.want(403, "okta", "PATCH /Users/"+id, patchBody("replace", "emails", `[{"value":"sofia@οδοσ.example"}]`))
	b.want(200, "okta", "PATCH /Users/"+id, patchBody("replace", "userName", `"Sofia@ΟΔΟς.example"`))
}

func TestAnAdoptionBringsNoAddressOfAnotherDomain(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{Domains: domains("acme.example"), Verified: ownName})
	id := b.account("ada@acme.example")
	b.want(403, "okta", "POST /Users", `{"userName":"ada@acme.example","emails":[{"type":"work","value":"ada@acme.example"},{"type":"home","value":"x@evil.example","primary":true}]}`)
	b.want(403, "okta", "POST /Users", `{"userName":"ada@acme.example","active":false,"emails":[{"value":"x@evil.example"}]}`)
	if got := b.owner("User", id); got != host {
		t.Errorf("it belongs to %q", got)
	}
}

func TestTheHostChangesAddressesAsItLikes(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{Domains: domains("acme.example")})
	id := b.account("ada@acme.example")
	r, err := scim.NewResource(b.Type("User")).Set("userName", "ada@new.example").Build()
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Do(t.Context(), scim.Principal{Tenant: acme, Connection: host}, &scim.Operation{Method: scim.Replace, Type: b.Type("User"), ID: id, Resource: r})
	if err != nil {
		t.Error(err)
	}
}

func TestAnApprovalOfOneChangeLetsNoOtherThrough(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{Domains: domains("acme.example"), QueueChanges: true}, scim.WithAtomicBulk())
	ada, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
	eve, _ := b.want(201, "okta", "POST /Users", `{"userName":"eve@acme.example"}`)
	b.want(403, "okta", "PATCH /Users/"+ada, patchBody("replace", "userName", `"ada@new.example"`))
	if err := b.Approve(t.Context(), acme, b.approvals()[0].ID); err != nil {
		t.Fatal(err)
	}
	_, doc := b.want(200, "okta", "POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"PATCH","path":"/Users/`+ada+`","data":`+patchBody("replace", "userName", `"ada@new.example"`)+`},
		{"method":"PATCH","path":"/Users/`+eve+`","data":`+patchBody("replace", "userName", `"eve@evil.example"`)+`}]}`)
	text, _ := json.Marshal(doc)
	if strings.Contains(string(text), `"200"`) || !strings.Contains(string(text), `"403"`) {
		t.Errorf("%s", text)
	}
	if n := len(b.approvals()); n != 2 {
		t.Errorf("%d entries, want one for each change", n)
	}
}
