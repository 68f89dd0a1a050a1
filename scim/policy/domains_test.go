package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
)

func allow(domains ...string) func(context.Context, string) ([]string, error) {
	return func(context.Context, string) ([]string, error) { return domains, nil }
}

func TestUsersOfOtherDomainsAreRefused(t *testing.T) {
	t.Parallel()
	work := func(address string) string {
		return fmt.Sprintf(`,"emails":[{"type":"work","value":%q}]`, address)
	}
	for _, c := range []struct {
		name, emails string
		rule         policy.Domains
		want         int
		where        string
	}{
		{"ada@example.com", "", policy.Domains{}, 201, ""},
		{"ADA@EXAMPLE.COM", "", policy.Domains{}, 201, ""},
		{"ada", "", policy.Domains{}, 201, ""},
		{"ada", work("ada@Example.Com."), policy.Domains{}, 201, ""},
		{"ada@xn--mnchen-3ya.example", work("ada@MÜNCHEN.example"), policy.Domains{}, 201, ""},

		{"ada@evil.example", "", policy.Domains{}, 403, "userName"},
		{"ada", work("ada@evil.example"), policy.Domains{}, 403, "emails[0].value"},
		{"ada@example.com", `,"emails":[{"value":"ada@example.com"},{"type":"home","value":"ada@evil.example"}]`, policy.Domains{}, 403, "emails[1].value"},
		{"ada@mail.example.com", "", policy.Domains{}, 403, "userName"},
		{"ada@mail.example.com", "", policy.Domains{Subdomains: true}, 201, ""},
		{"ada@evilexample.com", "", policy.Domains{Subdomains: true}, 403, "userName"},
		{"ada@example.com.evil.example", "", policy.Domains{Subdomains: true}, 403, "userName"},
		{"ada@evil.example@example.com", "", policy.Domains{}, 403, "userName"},
		{"ada@example.com@evil.example", "", policy.Domains{}, 403, "userName"},
		{`"ada@evil.example"@example.com`, "", policy.Domains{}, 403, "userName"},
		{"ada＠evil.example", "", policy.Domains{}, 403, "userName"},
		{"ada", work("ada"), policy.Domains{}, 403, "emails[0].value"},
		{"ada@example.com", work("ada@exаmple.com"), policy.Domains{}, 403, "emails[0].value"}, // Cyrillic

		{"ada@evil.example", "", policy.Domains{Allowed: allow("*")}, 201, ""},
		{"ada@example.com", "", policy.Domains{Allowed: allow()}, 403, "userName"},
		{"ada@evil.example", off, policy.Domains{}, 201, ""},

		{"ada", work("ada@example.com") + "", policy.Domains{WorkOnly: true}, 201, ""},
		{"ada", `,"emails":[{"type":"work","value":"ada@example.com"},{"type":"home","value":"ada@evil.example"}]`, policy.Domains{WorkOnly: true}, 201, ""},
		{"ada", `,"emails":[{"type":"home","value":"ada@evil.example"}]`, policy.Domains{WorkOnly: true}, 403, "emails[0].value"},
		{"ada", `,"emails":[{"type":"work","value":"ada@example.com"},{"type":"home","primary":true,"value":"ada@evil.example"}]`, policy.Domains{WorkOnly: true}, 403, "emails[1].value"},
		{"ada", `,"emails":[{"type":"work","value":"ada@example.com"},{"value":"ada@evil.example"}]`, policy.Domains{WorkOnly: true}, 403, "emails[1].value"},
	} {
		for _, p := range places() {
			rule := c.rule
			if rule.Allowed == nil {
				rule.Allowed = allow("example.com", "münchen.EXAMPLE")
			}
			a := p.server(t, scim.WithGuard(rule.Guard())).send("POST /Users", user(c.name, c.emails))
			if a.status != c.want || c.where != "" && !strings.HasPrefix(a.detail(), c.where+" ") {
				t.Errorf("%s: %s %s %+v: %d %s", p.name, c.name, c.emails, c.rule, a.status, a.detail())
			}
			if strings.Contains(a.detail(), "evil") {
				t.Errorf("the refusal holds an address: %s", a.detail())
			}
		}
	}
}

// beforeTheRule returns a server with the user ada@old.example. The rule
// is off as long as *on is false.
func beforeTheRule(t *testing.T, p *place, rule policy.Domains) (s *server, id string, on *bool) {
	t.Helper()
	on = new(bool)
	guard := rule.Guard()
	s = p.server(t, scim.WithGuard(func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		if !*on {
			return nil
		}
		return guard(ctx, p, effects)
	}))
	id = s.create("ada@old.example", `,"emails":[{"value":"ada@old.example"}]`)
	*on = true
	return s, id, on
}

func TestOnlyAddressesThatAreNewAreJudged(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, id, _ := beforeTheRule(t, p, policy.Domains{Allowed: allow("example.com")})
		for _, c := range []struct {
			ops  string
			want int
		}{
			{`[{"op":"replace","path":"title","value":"Countess"}]`, 200},
			{`[{"op":"replace","path":"userName","value":"ADA@old.example"}]`, 200},
			{`[{"op":"replace","path":"userName","value":"eve@old.example"}]`, 403},
			{`[{"op":"add","path":"emails","value":[{"type":"work","value":"ada@example.com"}]}]`, 200},
			{`[{"op":"add","path":"emails","value":[{"type":"home","value":"ada@third.example"}]}]`, 403},
			{`[{"op":"replace","path":"emails[type eq \"work\"].value","value":"ada@third.example"}]`, 403},
			{`[{"op":"replace","value":{"emails":[{"value":"ada@third.example"}]}}]`, 403},
			{`[{"op":"replace","path":"userName","value":"ada@example.com"}]`, 200},
			{`[{"op":"replace","path":"userName","value":"ada@old.example"}]`, 200}, // an address that it has in emails
		} {
			if a := s.send("PATCH /Users/"+id, patchOf(c.ops)); a.status != c.want {
				t.Errorf("%s: %d %s", c.ops, a.status, a.body)
			}
		}
		s.send("PUT /Users/"+id, user("ada@old.example", `,"title":"x"`)).want(200)
		s.send("PUT /Users/"+id, user("ada@third.example")).want(403)
	})
}

func TestTwoDomainsAreTwoAlthoughTheirLettersFoldToOne(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s := p.server(t, scim.WithGuard(policy.Domains{Allowed: allow("οδος.example")}.Guard()))
		id := s.create("sofia@οδος.example")
		s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"userName","value":"sofia@οδοσ.example"}]`)).want(403)
		s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"userName","value":"SOFIA@οδος.example"}]`)).want(200)
	})
}

func TestDeactivationAndDeletionPassTheDomainRule(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, id, on := beforeTheRule(t, p, policy.Domains{Allowed: allow("example.com")})
		// What Entra ID does with a soft-deleted user: rename and deactivate at once.
		s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"userName","value":"0f3eada@old.example"},{"op":"replace","path":"active","value":"False"}]`)).want(200)
		s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"userName","value":"ada@old.example"}]`)).want(200)
		for _, w := range ways() {
			if got := w.do(s, id, "ada@old.example", true); got != 403 {
				t.Errorf("%s: a user with a foreign address became active: %d", w.name, got)
			}
			if got := w.do(s, id, "ada@old.example", false); got != 200 {
				t.Errorf("%s: %d", w.name, got)
			}
		}
		s.send("DELETE /Users/"+id, "").want(204)
		*on = false
		id = s.create("bob@old.example")
		*on = true
		s.send("DELETE /Users/"+id, "").want(204)
	})
}

func TestGuestsMayHaveForeignAddressesWhereTheTenantAllowsGuests(t *testing.T) {
	t.Parallel()
	rule := policy.Domains{
		Allowed: allow("example.com"),
		Exempt: func(_ context.Context, tenant string, u *scim.Resource) (bool, error) {
			return tenant == "acme" && policy.IsGuest(u), nil
		},
	}
	everywhere(t, func(t *testing.T, p *place) {
		s := p.server(t, scim.WithGuard(rule.Guard()))
		id := s.create("eve@partner.example", `,"userType":"guest"`)
		s.send("POST /Users", user("dan@partner.example", `,"userType":"Member"`)).want(403)
		s.send("POST /Users", user("dan@partner.example", `,"userType":"Guest"`), "other").want(403)
		// Who is no guest any more is judged as a whole.
		s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"userType","value":"Member"}]`)).want(403)
		s.send("PATCH /Users/"+id, patchOf(`[{"op":"remove","path":"userType"}]`)).want(403)
		s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"title","value":"x"}]`)).want(200)
	})
}

func TestABulkRequestIsJudgedUserByUser(t *testing.T) {
	t.Parallel()
	s := places()[0].server(t, scim.WithGuard(policy.Domains{Allowed: allow("example.com")}.Guard()))
	a := s.send("POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"a","data":`+user("ada@example.com")+`},
		{"method":"POST","path":"/Users","bulkId":"b","data":`+user("bob@evil.example")+`},
		{"method":"POST","path":"/Users","bulkId":"c","data":`+user("eve@example.com")+`}]}`).want(200)
	if got := statuses(a); got != "201 403 201" {
		t.Error(got)
	}
}

func TestADomainRuleThatCannotBeReadRefuses(t *testing.T) {
	t.Parallel()
	for _, rule := range []policy.Domains{
		{Allowed: allow("example..com")},
		{Allowed: func(context.Context, string) ([]string, error) { return nil, errors.New("the database is down") }},
		{Allowed: allow("example.com"), Exempt: func(context.Context, string, *scim.Resource) (bool, error) {
			return false, errors.New("the database is down")
		}},
	} {
		a := places()[0].server(t, scim.WithGuard(rule.Guard())).send("POST /Users", user("ada@example.com")).want(500)
		if strings.Contains(a.body, "database") || strings.Contains(a.body, "example..com") {
			t.Errorf("the answer says too much: %s", a.body)
		}
	}
}

// statuses are those of the operations of a bulk request.
func statuses(a *answer) string {
	var out []string
	for _, op := range a.json["Operations"].([]any) {
		out = append(out, op.(map[string]any)["status"].(string))
	}
	return strings.Join(out, " ")
}
