package mapping_test

import (
	"database/sql"
	"testing"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Account is a host's own user.
type Account struct {
	ID     int64          `scim:"id"`
	Login  string         `scim:"userName,max=20"`
	Given  string         `scim:"name.givenName" label:"First name"`
	Last   string         `scim:"name.familyName" label:"Last name"`
	Work   string         `scim:"emails[type eq 'work'].value"`
	Mobile sql.NullString `scim:"phoneNumbers[type eq 'mobile'].value"`
	Street string         `scim:"addresses[type eq 'work'].streetAddress"`
	City   *string        `scim:"addresses[type eq 'work'].locality"`
	Dept   *string        `scim:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"`
	Active bool           `scim:"active"`
	Roles  []string       `scim:"roles"`
	Secret string         // not declared
}

// WithSide is an Account with a side document.
type WithSide struct {
	Account
	Extra []byte `scim:"*"`
}

var user = schema.MustCompile(schema.User(), schema.Group())

func decode(t testing.TB, body string) *scim.Resource {
	t.Helper()
	d, err := resource.Decode(user, []byte(body), resource.DecodeOptions{Partial: true})
	if err != nil {
		t.Fatalf("the test's own body: %v", err)
	}
	return d.Resource
}

func of[T any](t testing.TB, fields ...mapping.Field[T]) *mapping.Mapping[T] {
	t.Helper()
	m, err := mapping.Of(user, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatTheStructHasNoPlaceForComesBackFromTheSideDocument(t *testing.T) {
	t.Parallel()
	m := of[WithSide](t)
	for _, body := range []string{
		`{"userName":"a","active":true}`,
		`{"userName":"a","active":false,"displayName":"A"}`,
		`{"userName":"a","active":true,"name":{"givenName":"G","honorificPrefix":"Dr"}}`,
		`{"userName":"a","active":true,"name":{"givenName":""}}`,
		`{"userName":"a","active":true,"emails":[{"type":"work","value":"a@x","primary":true,"display":"D"},{"type":"work","value":"b@x"},{"value":"c@x"}]}`,
		`{"userName":"a","active":true,"emails":[{"type":"work","value":"a@x"},{"type":"work","value":"b@x","primary":true}]}`,
		`{"userName":"a","active":true,"emails":[{"type":"Work","value":"a@x"}]}`,
		`{"userName":"a","active":true,"emails":[{"type":"work","display":"only"}]}`,
		`{"userName":"a","active":true,"emails":[{"type":"work","display":"only"},{"type":"work","value":"v"}]}`,
		`{"userName":"a","active":true,"emails":[{"type":"work","value":""}]}`,
		`{"userName":"a","active":true,"phoneNumbers":[{"type":"mobile","value":""}]}`,
		`{"userName":"a","active":true,"addresses":[{"type":"work","streetAddress":"s","locality":"l","country":"NO"},{"type":"home","locality":"h"}]}`,
		`{"userName":"a","active":true,"addresses":[{"type":"work","streetAddress":"","locality":"l"}]}`,
		`{"userName":"a","active":true,"roles":[{"value":"r"},{"value":"s","display":"S","primary":true},{"display":"none"},{"value":""}]}`,
		`{"userName":"a","active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d","costCenter":"c","manager":{"value":"7"}}}`,
	} {
		r := decode(t, body)
		var acct WithSide
		ignored, err := m.Assign(&acct, r)
		if err != nil || len(ignored) > 0 {
			t.Errorf("Assign(%s) = %v, %v", body, ignored, err)
			continue
		}
		back, err := m.Resource(&acct)
		if err != nil {
			t.Errorf("Resource of %s: %v", body, err)
			continue
		}
		if !back.Equal(r) {
			t.Errorf("%s\nside %s\ncame back as %s", body, acct.Extra, back.Document())
		}
	}
}
