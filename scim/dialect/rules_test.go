package dialect_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

const (
	enterprise = schema.EnterpriseUserURN
	patchOp    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

var (
	user  = schema.MustCompile(schema.User(), schema.Group())
	group = schema.MustCompile(schema.Group(), schema.User())
)

// ada is what PATCH examples are applied to.
const ada = `{"schemas":["` + schema.UserURN + `"],"userName":"ada","active":true,"displayName":"Ada",
	"emails":[{"type":"work","value":"ada@example.com"},{"type":"home","value":"ada@home.example"}],
	"` + enterprise + `":{"department":"Research","manager":{"value":"9"}}}`

// owner is what an add of roles is applied to.
const owner = `{"schemas":["` + schema.UserURN + `"],"userName":"ada","roles":[{"value":"owner","primary":true}]}`

// guides is what PATCH examples for groups are applied to.
const guides = `{"schemas":["` + schema.GroupURN + `"],"displayName":"Guides"}`

// refused is the outcome of a request that is an error.
const refused = "refused"

// Every rule by its own example: what it gives with all rules on, and what with
// all but this one.
func TestRules(t *testing.T) {
	t.Parallel()
	const rest = `"userName":"ada","active":true,"displayName":"Ada"`
	const emails = `"emails":[{"type":"work","value":"ada@example.com"},{"type":"home","value":"ada@home.example"}]`
	const ext = `"` + enterprise + `":{"department":"Research","manager":{"value":"9"}}`
	tests := []struct {
		rule          string
		typ           *schema.Type
		with, without string // documents, relations, refused, or what the rule alone decides
	}{
		{dialect.BooleanText, user, `{"userName":"ada","active":false,"displayName":"Ada",` + emails + `,` + ext + `}`, refused},
		{dialect.EmptyText, user, `{"userName":"ada"}`, refused},
		{dialect.EmptyElement, user, `{` + rest + `,"emails":[{"type":"home","value":"ada@home.example"}],` + ext + `}`,
			`{` + rest + `,"emails":[{"type":"work","value":""},{"type":"home","value":"ada@home.example"}],` + ext + `}`},
		{dialect.EmptyReference, user, `{` + rest + `,` + emails + `,"` + enterprise + `":{"department":"Research"}}`,
			`{` + rest + `,` + emails + `,"` + enterprise + `":{"department":"Research","manager":{"value":""}}}`},
		{dialect.TextReference, user, `{` + rest + `,` + emails + `,"` + enterprise + `":{"department":"Research","manager":{"value":"2819c223"}}}`, refused},
		{dialect.WrappedReference, user, `{` + rest + `,` + emails + `,"` + enterprise + `":{"department":"Research","manager":{"$ref":"../Users/2819c223","value":"2819c223"}}}`, refused},
		{dialect.WrappedScalar, user, `{"userName":"ada","active":true,"displayName":"Ada L",` + emails + `,` + ext + `}`, refused},
		{dialect.SingleElement, user, `{"userName":"ada","emails":[{"type":"work","value":"ada@example.com"}]}`, refused},
		{dialect.StringElement, group, `{"displayName":"Guides"} members 2819c223`, refused},
		{dialect.RoleJSON, user, `{` + rest + `,` + emails + `,` + ext + `,"roles":[{"value":"admin","display":"Admin"}]}`,
			`{` + rest + `,` + emails + `,` + ext + `,"roles":[{"value":"{\"id\":\"1\",\"value\":\"admin\",\"displayName\":\"Admin\"}"}]}`},
		{dialect.RoleJSONReplaces, user, `{"userName":"ada","roles":[{"value":"member","display":"Member"}]}`,
			`{"userName":"ada","roles":[{"value":"owner","primary":true},{"value":"member","display":"Member"}]}`},
		{dialect.DisplayName, user, `{"userName":"ada","roles":[{"value":"admin","display":"Admin"}]}`, `{"userName":"ada","roles":[{"value":"admin"}]}`},
		{dialect.MissingSchemas, user, `{"userName":"ada","active":false,"displayName":"Ada",` + emails + `,` + ext + `}`, refused},
		{dialect.ForeignSchemas, group, `{"displayName":"Tour Guides"}`, refused},
		{dialect.OldURNs, user, `{"userName":"ada","` + enterprise + `":{"department":"Sales"}}`, `{"userName":"ada"}`},
		{dialect.KeepAbsentMembers, group, "keeps members", "clears members"},
		{dialect.SkipUnknownMembers, group, "skips unknown members", "refuses unknown members"},
		{dialect.MissingBulkID, user, "accepts", "refuses"},
		{dialect.EmptyOperations, user, `{` + rest + `,` + emails + `,` + ext + `}`, refused},
		{dialect.KeysAsPaths, user, `{` + rest + `,` + emails + `,"name":{"givenName":"Ada"},"` + enterprise + `":{"department":"Sales","manager":{"value":"9"}}}`,
			`{` + rest + `,` + emails + `,` + ext + `}`}, // unknown keys, which ignore-unknown skips
		{dialect.IgnoreReadOnly, group, `{"displayName":"Tour Guides"}`, refused},
		{dialect.IgnoreUnknown, user, `{` + rest + `,` + emails + `,` + ext + `}`, refused},
		{dialect.SkipUnknownSchema, user, `{` + rest + `,` + emails + `,` + ext + `}`, refused},
		{dialect.WholeExtension, user, `{` + rest + `,` + emails + `}`, refused},
		{dialect.UnqualifiedExtension, user, `{` + rest + `,` + emails + `,"` + enterprise + `":{"department":"Sales","manager":{"value":"9"}}}`, refused},
		{dialect.DottedURN, user, `{` + rest + `,` + emails + `,"` + enterprise + `":{"department":"Sales","manager":{"value":"9"}}}`,
			`{` + rest + `,` + emails + `,` + ext + `}`}, // another schema, which skip-unknown-schema skips
		{dialect.CreateElement, user, `{` + rest + `,` + emails + `,` + ext + `,"addresses":[{"type":"work","locality":"Oslo"}]}`, refused},
		{dialect.BareFilterWords, user, "no match", refused},
		{dialect.LiteralCase, user, "match", refused},
		{dialect.FilterBooleanText, user, `{` + rest + `,` + emails + `,` + ext + `,"roles":[{"primary":true,"value":"admin"}]}`, refused},
		{dialect.ValuePathSub, user, "match", refused},
		{dialect.ComplexValue, user, "match", refused},
	}
	tested := map[string]bool{}
	for _, test := range tests {
		tested[test.rule] = true
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			example := describe(t, test.rule).Example
			tolerant := dialect.Tolerant()
			alone, _ := run(t, tolerant.Without(dialect.Tolerant().Names()...).With(needs(test.rule)...).With(test.rule), test.typ, test.rule, example)
			for _, c := range []struct {
				what string
				set  dialect.Set
				want string
			}{
				{"all rules", tolerant, test.with},
				{"all rules but this one", tolerant.Without(test.rule), test.without},
			} {
				got, x := run(t, c.set, test.typ, test.rule, example)
				if diff := cmp.Diff(normal(t, c.want), normal(t, got)); diff != "" {
					t.Errorf("%s, %s (-want +have):\n%s", example, c.what, diff)
				}
				fired := x.Fired()
				if want := c.set.Has(test.rule) && test.rule != dialect.SkipUnknownMembers; slices.Contains(fired, test.rule) != want {
					t.Errorf("%s, %s: fired %v", example, c.what, fired)
				}
				if !slices.IsSorted(fired) {
					t.Errorf("%s, %s: fired %v, which is not sorted", example, c.what, fired)
				}
			}
			if diff := cmp.Diff(normal(t, test.with), normal(t, alone)); diff != "" {
				t.Errorf("%s, this rule alone (-want +have):\n%s", example, diff)
			}
		})
	}
	for _, r := range dialect.Rules() {
		if !tested[r.Name] {
			t.Errorf("rule %s has no test", r.Name)
		}
	}
}

// needs are the further rules that a rule's example relies on.
func needs(rule string) []string {
	switch rule {
	case dialect.EmptyReference, dialect.WrappedReference:
		return []string{dialect.UnqualifiedExtension} // the path manager
	case dialect.RoleJSONReplaces:
		return []string{dialect.RoleJSON}
	case dialect.FilterBooleanText:
		return []string{dialect.CreateElement} // there is no role yet
	case dialect.EmptyText, dialect.SingleElement, dialect.DisplayName:
		return []string{dialect.MissingSchemas} // left out for brevity
	case dialect.ForeignSchemas:
		return []string{dialect.MissingSchemas}
	}
	return nil
}

func describe(t *testing.T, name string) dialect.Rule {
	t.Helper()
	for _, r := range dialect.Rules() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no rule %s", name)
	return dialect.Rule{}
}

// run sends an example: an operation or body of a PATCH, the body of a POST, a
// filter, or what only the caller can put into effect.
func run(t *testing.T, set dialect.Set, typ *schema.Type, rule, example string) (string, *dialect.Session) {
	t.Helper()
	x := set.Session()
	pick := func(yes bool, a, b string) string {
		if yes {
			return a
		}
		return b
	}
	switch {
	case rule == dialect.KeepAbsentMembers:
		return pick(x.KeepsAbsent(typ.MustResolve("members")), "keeps members", "clears members"), x
	case rule == dialect.SkipUnknownMembers:
		return pick(x.SkipsUnknownMembers(), "skips unknown members", "refuses unknown members"), x
	case rule == dialect.MissingBulkID:
		return pick(x.Accepts(rule), "accepts", "refuses"), x
	case rule == dialect.RoleJSONReplaces:
		return sendPatchTo(t, x, typ, owner, `{"schemas":["`+patchOp+`"],"Operations":[`+example+`]}`), x
	case strings.HasPrefix(example, `{"op"`):
		return sendPatch(t, x, typ, `{"schemas":["`+patchOp+`"],"Operations":[`+example+`]}`), x
	case strings.Contains(example, `"Operations"`):
		return sendPatch(t, x, typ, example), x
	case strings.HasPrefix(example, "{"):
		return sendBody(x, typ, example), x
	}
	return pickFilter(t, x, example), x
}

func sendBody(x *dialect.Session, typ *schema.Type, body string) string {
	d, err := resource.Decode(typ, []byte(body), resource.DecodeOptions{Repair: x.Repair()})
	if err != nil {
		return refused
	}
	return show(x.Resource(typ, d.Resource), d.Relations)
}

func sendPatch(t *testing.T, x *dialect.Session, typ *schema.Type, body string) string {
	t.Helper()
	before := ada
	if typ == group {
		before = guides
	}
	return sendPatchTo(t, x, typ, before, body)
}

func sendPatchTo(t *testing.T, x *dialect.Session, typ *schema.Type, before, body string) string {
	t.Helper()
	d, err := resource.Decode(typ, []byte(before), resource.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	req, err := patch.Parse(typ, []byte(body), patch.ParseOptions{Tolerance: x.Patch()})
	if err != nil {
		return refused
	}
	result, err := patch.Apply(d.Resource, d.Relations, req.Operations, x.Apply())
	if err != nil {
		return refused
	}
	return show(result.Resource, result.Relations)
}

func pickFilter(t *testing.T, x *dialect.Session, text string) string {
	t.Helper()
	expr, err := filter.Parse(text, x.Filter())
	if err != nil {
		return refused
	}
	plan, err := filter.Compile(user, expr, x.Plan())
	if err != nil {
		return refused
	}
	d, err := resource.Decode(user, []byte(ada), resource.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Match(d.Resource.WithMeta(resource.Meta{ID: "7"}), nil) {
		return "match"
	}
	return "no match"
}

// show prints a document, and the ids of members behind it.
func show(r *resource.Resource, relations resource.Relations) string {
	s := string(r.Document())
	if members, ok := relations["members"]; ok {
		s += " members"
		for _, m := range members {
			s += " " + m.ID
		}
	}
	return s
}

// normal makes documents comparable whatever the order of their members.
func normal(t *testing.T, s string) string {
	t.Helper()
	if !strings.HasPrefix(s, "{") {
		return s
	}
	dec := json.NewDecoder(strings.NewReader(s))
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	b, _ := json.MarshalIndent(v, "", " ")
	return fmt.Sprintf("%s%s", b, s[dec.InputOffset():])
}

func TestRulesAreDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	list := dialect.Rules()
	for i, r := range list {
		if seen[r.Name] {
			t.Errorf("two rules are named %s", r.Name)
		}
		seen[r.Name] = true
		if r.Name == "" || strings.ToLower(r.Name) != r.Name || strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Errorf("rule name %q", r.Name)
		}
		if !strings.HasSuffix(r.Summary, ".") || r.Example == "" || r.Clients == "" {
			t.Errorf("rule %s is described by %+v", r.Name, r)
		}
		if i > 0 && list[i-1].Name >= r.Name {
			t.Errorf("rule %s stands behind %s", r.Name, list[i-1].Name)
		}
		if strings.HasPrefix(r.Example, "{") && !json.Valid([]byte(r.Example)) {
			t.Errorf("the example of rule %s is not JSON: %s", r.Name, r.Example)
		}
	}
	list[0].Name = "changed"
	if dialect.Rules()[0].Name == "changed" {
		t.Error("the rules can be changed from outside")
	}
}

func TestTolerantHasEveryRuleAndStrictNone(t *testing.T) {
	t.Parallel()
	for _, r := range dialect.Rules() {
		if !dialect.Tolerant().Has(r.Name) {
			t.Errorf("Tolerant lacks %s", r.Name)
		}
		if dialect.Strict().Has(r.Name) {
			t.Errorf("Strict has %s", r.Name)
		}
	}
	if got := len(dialect.Tolerant().Names()); got != len(dialect.Rules()) {
		t.Errorf("Tolerant has %d rules of %d", got, len(dialect.Rules()))
	}
	if dialect.Strict() != (dialect.Set{}) || dialect.Strict().Names() != nil {
		t.Error("Strict is not the zero Set")
	}
}

// The rules of a preset are those whose description names the client.
func TestPresetsAreTheRulesOfTheirClient(t *testing.T) {
	t.Parallel()
	clients := map[string]string{
		"entra": "Entra ID", "okta": "Okta", "jumpcloud": "JumpCloud", "onelogin": "OneLogin", "google": "Google", "authentik": "authentik", "ping": "Ping",
	}
	want := []string{"strict", "tolerant"}
	for name, client := range clients {
		want = append(want, name)
		set, ok := dialect.Preset(name)
		if !ok || set == dialect.Strict() || set == dialect.Tolerant() {
			t.Errorf("Preset(%q) = %v, %v", name, set.Names(), ok)
		}
		for _, r := range dialect.Rules() {
			if strings.Contains(r.Clients, client) != set.Has(r.Name) {
				t.Errorf("preset %s has rule %s: %v, whose clients are %s", name, r.Name, set.Has(r.Name), r.Clients)
			}
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, dialect.Presets()); diff != "" {
		t.Errorf("presets (-want +have):\n%s", diff)
	}
	if s, ok := dialect.Preset("tolerant"); !ok || s != dialect.Tolerant() {
		t.Error("the preset tolerant is not Tolerant")
	}
	if s, ok := dialect.Preset("strict"); !ok || s != dialect.Strict() {
		t.Error("the preset strict is not Strict")
	}
	if _, ok := dialect.Preset("lotus"); ok {
		t.Error("there is a preset that there is not")
	}
}

func TestWithAndWithout(t *testing.T) {
	t.Parallel()
	s := dialect.Strict().With(dialect.RoleJSON, dialect.BooleanText)
	if diff := cmp.Diff([]string{"boolean-text", "role-json"}, s.Names()); diff != "" {
		t.Error(diff)
	}
	if s.Without(dialect.RoleJSON, dialect.BooleanText, dialect.DottedURN) != dialect.Strict() {
		t.Error("something is left")
	}
	if s.Has("no-such-rule") {
		t.Error("the set has a rule that there is not")
	}
	for what, f := range map[string]func(){
		"With":    func() { s.With("no-such-rule") },
		"Without": func() { s.Without("no-such-rule") },
		"Accepts": func() { s.Session().Accepts("no-such-rule") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of an unknown rule does not panic", what)
				}
			}()
			f()
		}()
	}
}
