package dialect_test

import (
	"testing"

	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
)

// With tolerance and without, a body comes out the same unless a rule says that
// it fired.
func FuzzBody(f *testing.F) {
	for _, r := range dialect.Rules() {
		f.Add(r.Example)
	}
	for _, s := range []string{
		ada, guides,
		`{"schemas":["` + schema.UserURN + `"],"userName":"ada","roles":[{"value":"{\"value\":\"a\"}"},{"value":""}]}`,
		`{"schemas":["` + schema.UserURN + `"],"userName":"ada","` + enterprise + `":{"manager":{"value":""}}}`,
		`{"schemas":["` + schema.UserURN + `"],"userName":"ada","title":[[[{"value":"x"}]]],"active":[{"value":""}]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, typ := range []*schema.Type{user, group} {
			x := dialect.Tolerant().Session()
			strict, tolerant := sendBody(dialect.Strict().Session(), typ, body), sendBody(x, typ, body)
			if len(x.Fired()) == 0 && strict != tolerant {
				t.Errorf("%s: strict %s, tolerant %s, and no rule fired", typ.Name(), strict, tolerant)
			}
		}
	})
}

// The same for an operation of a PATCH.
func FuzzPatch(f *testing.F) {
	for _, r := range dialect.Rules() {
		f.Add(r.Example)
	}
	for _, s := range []string{
		`{"op":"remove","path":"members","value":[{"value":""}]}`,
		`{"op":"remove","path":"emails","value":[{"type":"work","value":""}]}`,
		`{"op":"add","path":"roles","value":["{\"value\":\"a\"}"]}`,
		`{"op":"replace","path":"emails.value","value":""}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, op string) {
		body := `{"schemas":["` + patchOp + `"],"Operations":[` + op + `]}`
		for _, typ := range []*schema.Type{user, group} {
			x := dialect.Tolerant().Session()
			strict, tolerant := sendPatch(t, dialect.Strict().Session(), typ, body), sendPatch(t, x, typ, body)
			if len(x.Fired()) == 0 && strict != tolerant {
				t.Errorf("%s: strict %s, tolerant %s, and no rule fired", typ.Name(), strict, tolerant)
			}
		}
	})
}
