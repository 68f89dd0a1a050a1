package filter

import (
	"cmp"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

func TestEqualNumbersHaveOneKey(t *testing.T) {
	t.Parallel()
	for _, group := range [][]string{
		{"0", "-0", "0.0", "0e5", "-0.000E-3", "0e999999999999999999999"},
		{"3", "3.0", "30e-1", "0.3e1", "300E-2", "3e0", "3e+0", "3.000000000000000000000"},
		{"-3", "-3.0", "-0.03e2"},
		{"1e3", "1000", "1000.0", "0.001e6"},
		{"0.05", "5e-2", "0.0500"},
		{"9007199254740993", "9007199254740993.0", "9.007199254740993e15"},
	} {
		want := string(appendNumberKey(nil, group[0]))
		for _, n := range group[1:] {
			if got := string(appendNumberKey(nil, n)); got != want {
				t.Errorf("key of %s is %s, that of %s is %s", n, got, group[0], want)
			}
		}
	}
}

func TestNumbersDoNotCollapse(t *testing.T) {
	t.Parallel()
	ordered := []string{
		"-1e999999999999999999", "-1e400", "-9007199254740993", "-9007199254740992", "-251", "-250.1", "-250", "-25", "-1.5", "-1", "-0.99", "-0.5", "-0.25", "-0.2", "-5e-324", "-1e-400",
		"0",
		"1e-400", "2e-400", "1e-100", "1e-99", "1e-11", "1e-10", "1e-9", "0.05", "0.1", "0.10000000000000000555", "0.2", "0.25", "0.251", "0.3", "0.99", "1", "1.5", "2", "9", "10", "11", "99", "100", "9007199254740992", "9007199254740993", "9007199254740993.5", "1e99", "1e100", "1e308", "1e400", "1e999999999999999999",
	}
	for i := 1; i < len(ordered); i++ {
		a, b := string(appendNumberKey(nil, ordered[i-1])), string(appendNumberKey(nil, ordered[i]))
		if a >= b {
			t.Errorf("%s (key %s) does not come before %s (key %s)", ordered[i-1], a, ordered[i], b)
		}
	}
}

// genNumber draws JSON numbers that collide often.
func genNumber() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?([eE][+-]?[0-9])?`),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?`),
	)
}

func TestNumberKeysOrderAsNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := genNumber().Draw(t, "a"), genNumber().Draw(t, "b")
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		if !okX || !okY {
			t.Fatalf("%s or %s is no number", a, b)
		}
		if got, want := cmp.Compare(string(appendNumberKey(nil, a)), string(appendNumberKey(nil, []byte(b)))), x.Cmp(y); got != want {
			t.Errorf("keys of %s and %s compare as %d, the numbers as %d", a, b, got, want)
		}
	})
}

func TestTimeKeysOrderAsInstants(t *testing.T) {
	t.Parallel()
	created := schema.MustCompile(schema.User()).Common().Created
	key := func(s string) string {
		k, ok := Key(resource.Text(created, s))
		if !ok {
			t.Fatalf("%s has no key", s)
		}
		return k
	}
	ordered := []string{
		"0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z",
		"2020-01-01T00:00:00+00:01", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000000001Z", "2020-01-01T00:00:00.1Z", "2019-12-31T23:59:59-00:01", "9999-12-31T23:59:59Z",
	}
	for i := 1; i < len(ordered); i++ {
		a, b := key(ordered[i-1]), key(ordered[i])
		if a >= b || len(a) != len(b) {
			t.Errorf("key %q of %s does not come before %q of %s", a, ordered[i-1], b, ordered[i])
		}
	}
	for _, same := range [][2]string{
		{"2012-01-01T00:00:00+02:00", "2011-12-31T22:00:00Z"},
		{"2012-01-01T00:00:00", "2012-01-01T00:00:00.000Z"},
		{"9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999-14:00"}, // the last instant with a key
	} {
		if a, b := key(same[0]), key(same[1]); a != b {
			t.Errorf("%s has key %s, %s has %s", same[0], a, same[1], b)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) time.Time {
			return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, name), rapid.Int64Range(0, 999_999_999).Draw(t, name+" nanoseconds"))
		}
		a, b := draw("a"), draw("b")
		if got, want := cmp.Compare(timeKey(a), timeKey(b)), a.Compare(b); got != want {
			t.Errorf("keys of %v and %v compare as %d, want %d", a, b, got, want)
		}
	})
}

func TestKeysOfTextFollowCaseExact(t *testing.T) {
	t.Parallel()
	typ := schema.MustCompile(schema.User())
	for _, c := range []struct{ attribute, text, want string }{
		{"userName", "BJensen", "bjensen"},
		{"userName", "ÉCLAIR", "éclair"},
		{"userName", "E\u0301clair", "éclair"}, // decomposed
		{"userName", "ＡＤＡ", "ada"},             // full width
		{"userName", "", ""},
		{"externalId", "BJensen", "BJensen"},
		{"id", "BJensen", "BJensen"},
		{"profileUrl", "HTTP://X/", "HTTP://X/"},
		{"x509Certificates.value", "MIIB", "MIIB"},
	} {
		if got, ok := Key(resource.Text(typ.MustResolve(c.attribute), c.text)); !ok || got != c.want {
			t.Errorf("key of %s %q is %q, %v; want %q", c.attribute, c.text, got, ok, c.want)
		}
	}
}

func TestKeysOfOtherKinds(t *testing.T) {
	t.Parallel()
	typ := schema.MustCompile(schema.User())
	active, emails := typ.MustResolve("active"), typ.MustResolve("emails")
	no, _ := Key(resource.Boolean(active, false))
	yes, _ := Key(resource.Boolean(active, true))
	if no != "0" || yes != "1" {
		t.Errorf("booleans have keys %q and %q", no, yes)
	}
	element := resource.Object(emails, resource.Text(typ.MustResolve("emails.value"), "a@x"))
	for _, v := range []resource.Value{{}, element, resource.Array(emails, element)} {
		if k, ok := Key(v); ok {
			t.Errorf("%s has key %q", v.JSON(), k)
		}
	}
}

func TestSortKeys(t *testing.T) {
	t.Parallel()
	typ := schema.MustCompile(schema.User(), schema.Group())
	d, err := resource.Decode(typ, []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ada","name":{"familyName":"Lovelace"},"active":false,
		"emails":[{"value":"First@x","type":"home"},{"value":"Second@x","primary":true}],"phoneNumbers":[{"value":"1","type":"Work"},{"value":"2"}],
		"roles":[{"display":"D"}],"ims":[{"value":"x"},{"primary":true,"type":"icq"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}}`), resource.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := d.Resource.WithMeta(resource.Meta{ID: "7A", Version: "3", Created: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.FixedZone("", 3600))})
	for _, c := range []struct{ attribute, want string }{
		{"userName", "ada"},
		{"name.familyName", "lovelace"},
		{"name.givenName", "-"},
		{"title", "-"},
		{"name", "-"},
		{"active", "0"},
		{"emails.value", "second@x"}, // of the primary element
		{"emails", "second@x"},
		{"emails.type", "-"}, // which the primary element has not
		{"phoneNumbers.value", "1"},
		{"phoneNumbers.type", "work"},
		{"roles.value", "-"},
		{"ims.value", "-"},
		{"addresses.locality", "-"},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "r&d"},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "-"},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "-"},
		{"id", "7A"},
		{"externalId", "-"},
		{"meta", "-"},
		{"meta.location", "7A"},
		{"meta.version", "-"},
		{"meta.resourceType", "User"},
		{"meta.created", "2026-01-02T02:04:05.600000000Z"},
		{"meta.lastModified", "-"},
		{"schemas", "urn:ietf:params:scim:schemas:core:2.0:User"},
		{"groups", "-"},
		{"groups.value", "-"},
	} {
		key, absent := SortKey(r, typ.MustResolve(c.attribute))
		if absent {
			if key = "-"; c.want != "-" {
				t.Errorf("%s is absent, want %q", c.attribute, c.want)
			}
		}
		if key != c.want {
			t.Errorf("sort key of %s is %q, want %q", c.attribute, key, c.want)
		}
	}
	if _, absent := SortKey(r, schema.Path{}); !absent {
		t.Error("the zero Path has a sort key")
	}
}

func TestLocationsAreComparedThroughTheID(t *testing.T) {
	t.Parallel()
	id := schema.MustCompile(schema.User()).Common().ID
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"/Users/", "https://a.example/v2/Users/", "aba/"}).Draw(t, "prefix")
		self := rapid.StringMatching(`[ab/s]{1,4}`).Draw(t, "id")
		whole := prefix + self
		from := rapid.IntRange(0, len(whole)).Draw(t, "from")
		operand := whole[from:rapid.IntRange(from, len(whole)).Draw(t, "to")]
		if rapid.Bool().Draw(t, "altered") {
			operand += rapid.StringMatching(`[ab/s]{0,2}`).Draw(t, "tail")
		}
		for _, c := range []struct {
			op   Op
			want bool
		}{
			{Eq, whole == operand},
			{Co, strings.Contains(whole, operand)},
			{Sw, strings.HasPrefix(whole, operand)},
			{Ew, strings.HasSuffix(whole, operand)},
			{Gt, whole > operand},
			{Ge, whole >= operand},
			{Lt, whole < operand},
			{Le, whole <= operand},
		} {
			p := NewPlan(nil, location(id, prefix, c.op, operand))
			d, err := resource.Decode(schema.MustCompile(schema.User()), []byte(`{}`), resource.DecodeOptions{Partial: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(d.Resource.WithMeta(resource.Meta{ID: self}), nil); got != c.want {
				t.Errorf("%q %v %q is %v, want %v (%v)", whole, c.op, operand, got, c.want, p)
			}
		}
	})
}
