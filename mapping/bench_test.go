package mapping_test

import (
	"database/sql"
	"testing"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// full is a user of whom an Account has all.
const full = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
	"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"King"},"active":true,
	"emails":[{"type":"work","value":"ada@example.com"}],"phoneNumbers":[{"type":"mobile","value":"+47 555 0100"}],
	"addresses":[{"type":"work","streetAddress":"Kongens gate 1","locality":"Oslo"}],"roles":[{"value":"admin"},{"value":"owner"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Engines"}}`

// more adds what an Account has no place for.
func more() string { return `{"displayName":"Ada","nickName":"A","externalId":"e1",` + full[1:] }

// coded is an Account that is declared by code.
type coded struct {
	Login, Given, Last, Work, Street string
	Mobile                           sql.NullString
	City, Dept                       *string
	Active                           bool
	Roles                            []string
}

func codedFields() []mapping.Field[coded] {
	return []mapping.Field[coded]{
		mapping.Attr("userName", func(a *coded) *string { return &a.Login }).Max(20),
		mapping.Attr("name.givenName", func(a *coded) *string { return &a.Given }),
		mapping.Attr("name.familyName", func(a *coded) *string { return &a.Last }),
		mapping.Attr("emails[type eq 'work'].value", func(a *coded) *string { return &a.Work }),
		mapping.Attr("phoneNumbers[type eq 'mobile'].value", func(a *coded) *sql.NullString { return &a.Mobile }),
		mapping.Attr("addresses[type eq 'work'].streetAddress", func(a *coded) *string { return &a.Street }),
		mapping.Attr("addresses[type eq 'work'].locality", func(a *coded) **string { return &a.City }),
		mapping.Attr(schema.EnterpriseUserURN+":department", func(a *coded) **string { return &a.Dept }),
		mapping.Attr("active", func(a *coded) *bool { return &a.Active }),
		mapping.Attr("roles", func(a *coded) *[]string { return &a.Roles }),
	}
}

// byHand is what a host would write without this package, as well as it can be
// written: every path is resolved once.
type byHand struct {
	login, name, given, last, emails, email, emailType, phones, phone, phoneType schema.Path
	addresses, street, city, addressType, ext, dept, active, roles, role         schema.Path
}

func newByHand() *byHand {
	p := user.MustResolve
	return &byHand{
		p("userName"), p("name"), p("name.givenName"), p("name.familyName"), p("emails"), p("emails.value"), p("emails.type"),
		p("phoneNumbers"), p("phoneNumbers.value"), p("phoneNumbers.type"), p("addresses"), p("addresses.streetAddress"),
		p("addresses.locality"), p("addresses.type"), p(schema.EnterpriseUserURN), p(schema.EnterpriseUserURN + ":department"),
		p("active"), p("roles"), p("roles.value"),
	}
}

func (h *byHand) assign(a *Account, r *scim.Resource) {
	optional := func(v scim.Value) *string {
		if v.IsZero() {
			return nil
		}
		s := v.Text()
		return &s
	}
	a.Login, a.Given, a.Last = r.Get(h.login).Text(), r.Get(h.given).Text(), r.Get(h.last).Text()
	a.Work, a.Mobile, a.Street, a.City = "", sql.NullString{}, "", nil
	for e := range r.Get(h.emails).Elements() {
		if string(e.Get(h.emailType).Bytes()) == "work" {
			a.Work = e.Get(h.email).Text()
			break
		}
	}
	for e := range r.Get(h.phones).Elements() {
		if string(e.Get(h.phoneType).Bytes()) == "mobile" {
			a.Mobile = sql.NullString{String: e.Get(h.phone).Text(), Valid: true}
			break
		}
	}
	for e := range r.Get(h.addresses).Elements() {
		if string(e.Get(h.addressType).Bytes()) == "work" {
			a.Street, a.City = e.Get(h.street).Text(), optional(e.Get(h.city))
			break
		}
	}
	a.Dept, a.Active, a.Roles = optional(r.Get(h.dept)), r.Active(), nil
	for v := range r.All(h.role) {
		a.Roles = append(a.Roles, v.Text())
	}
}

func (h *byHand) resource(a *Account) (*scim.Resource, error) {
	b := scim.NewResource(user)
	b.SetValue(h.login, resource.Text(h.login, a.Login))
	b.SetValue(h.name, resource.Object(h.name, resource.Text(h.given, a.Given), resource.Text(h.last, a.Last)))
	b.SetValue(h.emails, resource.Array(h.emails, resource.Object(h.emails, resource.Text(h.email, a.Work), resource.Text(h.emailType, "work"))))
	if a.Mobile.Valid {
		b.SetValue(h.phones, resource.Array(h.phones, resource.Object(h.phones, resource.Text(h.phone, a.Mobile.String), resource.Text(h.phoneType, "mobile"))))
	}
	address := []scim.Value{resource.Text(h.street, a.Street), resource.Text(h.addressType, "work")}
	if a.City != nil {
		address = append(address, resource.Text(h.city, *a.City))
	}
	b.SetValue(h.addresses, resource.Array(h.addresses, resource.Object(h.addresses, address...)))
	if a.Dept != nil {
		b.SetValue(h.ext, resource.Object(h.ext, resource.Text(h.dept, *a.Dept)))
	}
	b.SetValue(h.active, resource.Boolean(h.active, a.Active))
	var roles []scim.Value
	for _, s := range a.Roles {
		roles = append(roles, resource.Object(h.roles, resource.Text(h.role, s)))
	}
	b.SetValue(h.roles, resource.Array(h.roles, roles...))
	return b.Build()
}

func TestTheFloorOfTheBenchmarksIsRight(t *testing.T) {
	t.Parallel()
	var a Account
	h, r := newByHand(), decode(t, full)
	h.assign(&a, r)
	if back, err := h.resource(&a); err != nil || !back.Equal(r) {
		t.Errorf("%s, %v", back.Document(), err)
	}
}

func benchmarkAssign[T any](b *testing.B, m *mapping.Mapping[T], body string) {
	b.Helper()
	r := decode(b, body)
	b.ReportAllocs()
	var acct T
	for b.Loop() {
		if _, err := m.Assign(&acct, r); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkResource[T any](b *testing.B, m *mapping.Mapping[T], body string) {
	b.Helper()
	var acct T
	if _, err := m.Assign(&acct, decode(b, body)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Resource(&acct); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloorDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := resource.Decode(user, []byte(full), resource.DecodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloorAssign(b *testing.B) {
	h, r := newByHand(), decode(b, full)
	b.ReportAllocs()
	var a Account
	for b.Loop() {
		h.assign(&a, r)
	}
}

func BenchmarkFloorResource(b *testing.B) {
	h := newByHand()
	var a Account
	h.assign(&a, decode(b, full))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.resource(&a); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAssign(b *testing.B) {
	b.Run("tags", func(b *testing.B) { benchmarkAssign(b, of[Account](b), full) })
	b.Run("code", func(b *testing.B) { benchmarkAssign(b, of(b, codedFields()...), full) })
	b.Run("side", func(b *testing.B) { benchmarkAssign(b, of[WithSide](b), more()) })
}

func BenchmarkResource(b *testing.B) {
	b.Run("tags", func(b *testing.B) { benchmarkResource(b, of[Account](b), full) })
	b.Run("code", func(b *testing.B) { benchmarkResource(b, of(b, codedFields()...), full) })
	b.Run("side", func(b *testing.B) { benchmarkResource(b, of[WithSide](b), more()) })
}
