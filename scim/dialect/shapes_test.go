package dialect_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// The shapes of values that clients send, in the body of a POST: what all rules
// together take them for, and which of them fire.
func TestBodies(t *testing.T) {
	t.Parallel()
	const ext = `"` + enterprise + `"`
	tests := []struct {
		name       string
		typ        *schema.Type
		body, want string // what stands beside schemas and userName or displayName
		fired      string
	}{
		{"good input", user, `"active":true,"emails":[{"value":"a@b.example"}]`, `"active":true,"emails":[{"value":"a@b.example"}]`, ""},
		{"boolean in capitals", user, `"active":"TRUE"`, `"active":true`, "boolean-text"},
		{"boolean of an element", user, `"emails":[{"primary":"True","value":"a@b.example"}]`, `"emails":[{"primary":true,"value":"a@b.example"}]`, "boolean-text"},
		{"yes is no boolean", user, `"active":"yes"`, refused, ""},
		{"a number is no boolean", user, `"active":1`, refused, ""},
		{"padded word is no boolean", user, `"active":" true"`, refused, ""},
		{"escaped word is no boolean", user, `"active":"tru\u0065"`, refused, ""},
		{"empty boolean", user, `"active":""`, ``, "empty-text"},
		{"empty list", user, `"emails":""`, ``, "empty-text"},
		{"empty object", user, `"name":""`, ``, "empty-text"},
		{"empty string is text", user, `"title":"","profileUrl":""`, `"title":"","profileUrl":""`, ""},
		{"null", user, `"title":null,"emails":null,"active":null`, ``, ""},
		{"scalar in a list", user, `"title":[{"value":"x"}]`, `"title":"x"`, "wrapped-scalar"},
		{"scalar in a list with reference", user, `"title":[{"$ref":null,"value":"x"}]`, `"title":"x"`, "wrapped-scalar"},
		{"boolean text in a list", user, `"active":[{"value":"False"}]`, `"active":false`, "boolean-text wrapped-scalar"},
		{"scalar in a list of null", user, `"title":[{"value":null}]`, ``, "wrapped-scalar"},
		{"scalar in an object", user, `"title":{"value":"x"}`, refused, ""},
		{"scalar in a list of text", user, `"title":["x"]`, refused, ""},
		{"scalar in a list of two", user, `"title":[{"value":"x"},{"value":"y"}]`, refused, ""},
		{"scalar in a list with more", user, `"title":[{"value":"x","type":"y"}]`, refused, ""},
		{"scalar in a list twice", user, `"title":[{"value":"x","Value":"y"}]`, refused, ""},
		{"object for a scalar in a list", user, `"title":[{"value":{}}]`, refused, ""},
		{"one e-mail", user, `"emails":{"value":"a@b.example"}`, `"emails":[{"value":"a@b.example"}]`, "single-element"},
		{"one e-mail as text", user, `"emails":"a@b.example"`, `"emails":[{"value":"a@b.example"}]`, "single-element string-element"},
		{"e-mails as text", user, `"emails":["a@b.example","c@b.example"]`, `"emails":[{"value":"a@b.example"},{"value":"c@b.example"}]`, "string-element"},
		{"a number is no e-mail", user, `"emails":[7]`, refused, ""},
		{"a number is no list", user, `"emails":7`, refused, ""},
		{"text is no address", user, `"addresses":["Oslo"]`, refused, ""},
		{"empty e-mails", user, `"emails":[{"type":"work","value":""},{"value":"a@b.example"},"",{"value":""}]`, `"emails":[{"value":"a@b.example"}]`, "empty-element"},
		{"only empty e-mails", user, `"emails":[{"type":"work","value":""}]`, ``, "empty-element"},
		{"e-mail without value", user, `"emails":[{"type":"work"}]`, `"emails":[{"type":"work"}]`, ""},
		{"roles as text", user, `"roles":["admin","owner"]`, `"roles":[{"value":"admin"},{"value":"owner"}]`, "string-element"},
		{"role with displayName", user, `"roles":[{"value":"admin","displayName":"Admin"}]`, `"roles":[{"value":"admin","display":"Admin"}]`, "display-name"},
		{"role with both names", user, `"roles":[{"value":"admin","displayName":"A","display":"B"}]`, `"roles":[{"value":"admin","display":"B"}]`, "display-name"},
		{"role as JSON", user, `"roles":[{"value":"{\"value\":\"admin\",\"displayName\":\"Admin\"}"}]`, `"roles":[{"value":"admin","display":"Admin"}]`, "role-json"},
		{"role as JSON with display", user, `"roles":[{"value":" {\"Value\":\"admin\",\"display\":\"Admin\",\"id\":{\"a\":[1]}} ","primary":true}]`, `"roles":[{"value":"admin","display":"Admin","primary":true}]`, "role-json"},
		{"role as JSON text", user, `"roles":["{\"value\":\"admin\"}"]`, `"roles":[{"value":"admin"}]`, "role-json string-element"},
		{"display beside JSON wins", user, `"roles":[{"value":"{\"value\":\"admin\",\"display\":\"A\"}","display":"B"}]`, `"roles":[{"value":"admin","display":"B"}]`, "role-json"},
		{"role as JSON without value", user, `"roles":[{"value":"{\"id\":\"admin\"}"}]`, `"roles":[{"value":"{\"id\":\"admin\"}"}]`, ""},
		{"role as JSON with a number", user, `"roles":[{"value":"{\"value\":7}"}]`, `"roles":[{"value":"{\"value\":7}"}]`, ""},
		{"role as broken JSON", user, `"roles":[{"value":"{\"value\":\"admin\""}]`, `"roles":[{"value":"{\"value\":\"admin\""}]`, ""},
		{"role as two JSON objects", user, `"roles":[{"value":"{\"value\":\"a\"}{\"value\":\"b\"}"}]`, `"roles":[{"value":"{\"value\":\"a\"}{\"value\":\"b\"}"}]`, ""},
		{"role as ambiguous JSON", user, `"roles":[{"value":"{\"value\":\"a\",\"VALUE\":\"b\"}"}]`, `"roles":[{"value":"{\"value\":\"a\",\"VALUE\":\"b\"}"}]`, ""},
		{"role as JSON with U+0000", user, `"roles":[{"value":"{\"value\":\"a\\u0000\"}"}]`, `"roles":[{"value":"{\"value\":\"a\\u0000\"}"}]`, ""},
		{"JSON elsewhere is text", user, `"entitlements":[{"value":"{\"value\":\"a\"}"}]`, `"entitlements":[{"value":"{\"value\":\"a\"}"}]`, ""},
		{"manager as text", user, ext + `:{"manager":"9"}`, ext + `:{"manager":{"value":"9"}}`, "text-reference"},
		{"manager in a list", user, ext + `:{"manager":[{"value":"9"}]}`, ext + `:{"manager":{"value":"9"}}`, "wrapped-reference"},
		{"manager as text in a list", user, ext + `:{"manager":["9"]}`, ext + `:{"manager":{"value":"9"}}`, "text-reference wrapped-reference"},
		{"two managers", user, ext + `:{"manager":[{"value":"9"},{"value":"8"}]}`, refused, ""},
		{"manager as number", user, ext + `:{"manager":9}`, refused, ""},
		{"empty manager", user, ext + `:{"manager":""}`, ``, "empty-reference"},
		{"empty manager in a list", user, ext + `:{"manager":[""]}`, ``, "empty-reference wrapped-reference"},
		{"manager without id", user, ext + `:{"manager":{"value":"","$ref":"x"},"department":"d"}`, ext + `:{"department":"d"}`, "empty-reference"},
		{"null manager", user, ext + `:{"manager":null}`, ``, ""},
		{"extension as text", user, ext + `:"x"`, refused, ""},
		{"old extension", user, `"urn:scim:schemas:extension:enterprise:1.0":{"department":"d"}`, ext + `:{"department":"d"}`, "old-urns"},
		{"old extension with new one", user, `"urn:scim:schemas:extension:enterprise:2.0":{"department":"x"},` + ext + `:{"department":"d"}`, ext + `:{"department":"d"}`, "old-urns"},
		{"extension attribute at the top is unknown", user, `"department":"d","manager":"9"`, ``, ""},
		{"misspelt extension is unknown", user, `"urn:ietf:params:scim:schemas:extension:enterprise:2.0User":{"department":"d"}`, ``, ""},
		{"members as text", group, `"members":["1","2"]`, ` members 1 2`, "string-element"},
		{"one member", group, `"members":{"value":"1"}`, ` members 1`, "single-element"},
		{"one member as text", group, `"members":"1"`, ` members 1`, "single-element string-element"},
		{"null reference of a member", group, `"members":[{"value":"1","$ref":null}]`, ` members 1`, ""},
		{"an empty string empties no group", group, `"members":""`, refused, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			name, urn := `"userName":"ada"`, schema.UserURN
			if test.typ == group {
				name, urn = `"displayName":"Guides"`, schema.GroupURN
			}
			x := dialect.Tolerant().Session()
			want := test.want
			if members, ok := strings.CutPrefix(want, " "); ok {
				want = "{" + name + "} " + members
			} else if want != refused {
				want = "{" + join(name, want) + "}"
			}
			got := sendBody(x, test.typ, `{`+join(`"schemas":["`+urn+`"]`, name, test.body)+`}`)
			if diff := cmp.Diff(normal(t, want), normal(t, got)); diff != "" {
				t.Errorf("%s (-want +have):\n%s", test.body, diff)
			}
			if fired := strings.Join(x.Fired(), " "); got != refused && fired != test.fired {
				t.Errorf("%s: fired %q, want %q", test.body, fired, test.fired)
			}
		})
	}
}

func join(parts ...string) string {
	var s []string
	for _, p := range parts {
		if p != "" {
			s = append(s, p)
		}
	}
	return strings.Join(s, ",")
}

// The same for single operations of a PATCH on ada, and for what must never
// happen.
func TestOperations(t *testing.T) {
	t.Parallel()
	const base = `"userName":"ada","active":true,"displayName":"Ada"`
	const work, home = `{"type":"work","value":"ada@example.com"}`, `{"type":"home","value":"ada@home.example"}`
	const emails = `"emails":[` + work + `,` + home + `]`
	const dept = `"` + enterprise + `":{"department":"Research"}`
	const ext = `"` + enterprise + `":{"department":"Research","manager":{"value":"9"}}`
	const same = base + `,` + emails + `,` + ext
	const manager = `"path":"` + enterprise + `:manager"`
	tests := []struct{ name, op, want, fired string }{
		{"active as text", `"op":"Replace","path":"active","value":"False"`, `"userName":"ada","active":false,"displayName":"Ada",` + emails + `,` + ext, "boolean-text"},
		{"active as other text", `"op":"replace","path":"active","value":"yes"`, refused, ""},
		{"active empty", `"op":"replace","path":"active","value":""`, same, ""},
		{"manager as text", `"op":"add",` + manager + `,"value":"8"`, base + `,` + emails + `,"` + enterprise + `":{"department":"Research","manager":{"value":"8"}}`, "text-reference"},
		{"manager empty", `"op":"replace",` + manager + `,"value":""`, base + `,` + emails + `,` + dept, "empty-reference"},
		{"manager empty inside", `"op":"add",` + manager + `,"value":{"value":""}`, base + `,` + emails + `,` + dept, "empty-reference"},
		{"manager empty in a list", `"op":"replace",` + manager + `,"value":[{"value":""}]`, base + `,` + emails + `,` + dept, "empty-reference wrapped-reference"},
		{"manager empty by its value", `"op":"replace","path":"` + enterprise + `:manager.value","value":""`, base + `,` + emails + `,` + dept, "empty-reference"},
		{"manager empty without path", `"op":"replace","value":{"` + enterprise + `":{"manager":""}}`, base + `,` + emails + `,` + dept, "empty-reference"},
		{"manager by dotted URN", `"op":"replace","path":"` + enterprise + `.manager","value":"8"`, base + `,` + emails + `,"` + enterprise + `":{"department":"Research","manager":{"value":"8"}}`, "dotted-urn text-reference"},
		{"remove of another manager", `"op":"remove",` + manager + `,"value":{"value":"8"}`, same, ""},
		{"remove of an empty manager", `"op":"remove",` + manager + `,"value":{"value":""}`, same, ""},
		{"remove of an empty manager with more", `"op":"remove",` + manager + `,"value":{"value":"","$ref":"x"}`, same, ""},
		{"e-mail set empty", `"op":"replace","path":"emails[type eq \"work\"].value","value":""`, base + `,"emails":[` + home + `],` + ext, "empty-element"},
		{"e-mail that is not there set empty", `"op":"add","path":"emails[type eq \"other\"].value","value":""`, same, "empty-element"},
		{"e-mail replaced by an empty one", `"op":"replace","path":"emails[type eq \"home\"]","value":{"type":"home","value":""}`, base + `,"emails":[` + work + `],` + ext, "empty-element"},
		{"e-mails replaced by an empty one", `"op":"replace","path":"emails","value":[{"value":""}]`, base + `,` + ext, "empty-element"},
		{"empty e-mail among others", `"op":"replace","path":"emails","value":[{"value":""},` + home + `]`, base + `,"emails":[` + home + `],` + ext, "empty-element"},
		{"empty e-mail added", `"op":"add","path":"emails","value":[{"type":"other","value":""}]`, same, "empty-element"},
		{"empty e-mails removed", `"op":"remove","path":"emails","value":[{"value":""}]`, same, ""},
		{"e-mails set empty", `"op":"replace","path":"emails","value":""`, base + `,` + ext, "empty-element"},
		{"nothing added to e-mails", `"op":"add","path":"emails","value":""`, same, "empty-element"},
		{"nothing removed from e-mails", `"op":"remove","path":"emails","value":""`, same, ""},
		{"values of all e-mails set empty", `"op":"replace","path":"emails.value","value":""`, base + `,` + ext, "empty-element"},
		{"name set empty", `"op":"replace","path":"name.givenName","value":""`, same + `,"name":{"givenName":""}`, ""},
		{"empty e-mail with a type removed", `"op":"remove","path":"emails","value":[{"type":"work","value":""}]`, same, "empty-element"},
		{"role as JSON", `"op":"Add","path":"roles","value":[{"value":"{\"value\":\"admin\",\"displayName\":\"Admin\"}"}]`, same + `,"roles":[{"value":"admin","display":"Admin"}]`, "role-json role-json-replaces"},
		{"role as JSON by its value", `"op":"Replace","path":"roles[primary eq \"True\"].value","value":"{\"value\":\"admin\"}"`, same + `,"roles":[{"primary":true,"value":"admin"}]`, "create-element filter-boolean-text role-json"},
		{"role as text", `"op":"add","path":"roles","value":"admin"`, same + `,"roles":[{"value":"admin"}]`, "string-element"},
		{"displayName of a role", `"op":"add","path":"roles","value":[{"value":"admin","displayName":"Admin"}]`, same + `,"roles":[{"value":"admin","display":"Admin"}]`, "display-name"},
		{"old URN in a path", `"op":"replace","path":"urn:scim:schemas:extension:enterprise:1.0:manager","value":null`, base + `,` + emails + `,` + dept, "*"},
		{"path into an unknown schema", `"op":"replace","path":"urn:example:x:y","value":1`, same, "skip-unknown-schema"},
		{"unknown attribute of a known schema", `"op":"replace","path":"shoeSize","value":1`, refused, ""},
		{"malformed path", `"op":"replace","path":"emails[type eq","value":"y"`, refused, ""},
		{"malformed path as a key", `"op":"replace","value":{"emails[type eq":"y"}`, refused, ""},
		{"read-only path", `"op":"replace","path":"id","value":"8"`, refused, ""},
		{"word without quotes in a path", `"op":"remove","path":"emails[type eq work]"`, refused, ""},
		{"groups by path", `"op":"add","path":"groups","value":[{"value":"1"}]`, refused, ""},
		{"groups without path", `"op":"add","value":{"groups":[{"value":"1"}]}`, same, "ignore-read-only"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			x := dialect.Tolerant().Session()
			want := test.want
			if want != refused {
				want = "{" + want + "}"
			}
			got := sendPatch(t, x, user, `{"schemas":["`+patchOp+`"],"Operations":[{`+test.op+`}]}`)
			if diff := cmp.Diff(normal(t, want), normal(t, got)); diff != "" {
				t.Errorf("%s (-want +have):\n%s", test.op, diff)
			}
			if fired := strings.Join(x.Fired(), " "); got != refused && test.fired != "*" && fired != test.fired {
				t.Errorf("%s: fired %q, want %q", test.op, fired, test.fired)
			}
		})
	}
}

// With old-urns alone, a path that has one is reported under that name.
func TestOldURNInAPathFires(t *testing.T) {
	t.Parallel()
	x := dialect.Strict().With(dialect.OldURNs).Session()
	got := sendPatch(t, x, user, `{"schemas":["`+patchOp+`"],"Operations":[{"op":"remove","path":"urn:scim:schemas:core:2.0:User:displayName"}]}`)
	if got == refused || strings.Contains(got, "displayName") {
		t.Errorf("have %s", got)
	}
	if diff := cmp.Diff([]string{dialect.OldURNs}, x.Fired()); diff != "" {
		t.Error(diff)
	}
}

// schemas of bodies: what each choice of rules accepts.
func TestSchemas(t *testing.T) {
	t.Parallel()
	const core = `"` + schema.UserURN + `"`
	none, missing, foreign, old := dialect.Strict(), dialect.Strict().With(dialect.MissingSchemas), dialect.Strict().With(dialect.ForeignSchemas), dialect.Strict().With(dialect.OldURNs)
	tests := []struct {
		list  string // "" for no schemas at all
		set   dialect.Set
		ok    bool
		fired string
	}{
		{`[` + core + `]`, none, true, ""},
		{`["` + strings.ToUpper(schema.UserURN) + `"]`, none, true, ""},
		{`[` + core + `,"` + enterprise + `"]`, none, true, ""},
		{``, none, false, ""},
		{``, missing, true, "missing-schemas"},
		{`[]`, missing, true, "missing-schemas"},
		{`null`, missing, true, "missing-schemas"},
		{`["` + enterprise + `"]`, none, false, ""},
		{`["` + enterprise + `"]`, missing, true, "missing-schemas"},
		{`["` + enterprise + `"]`, foreign, false, ""},
		{`["urn:example:x:y"]`, missing, false, ""},
		{`["urn:example:x:y"]`, foreign, false, ""},
		{`["urn:example:x:y"]`, missing.With(dialect.ForeignSchemas), true, "foreign-schemas missing-schemas"},
		{`[` + core + `,"urn:example:x:y"]`, foreign, true, "foreign-schemas"},
		{`[` + core + `,"urn:example:x:y"]`, missing, false, ""},
		{`["urn:scim:schemas:core:2.0","urn:scim:schemas:extension:enterprise:2.0"]`, old, true, "old-urns"},
		{`["urn:scim:schemas:core:2.0:Group"]`, old, false, ""},
		{`["urn:scim:schemas:core:2.0"]`, none, false, ""},
		{core, dialect.Tolerant(), true, "single-element"},
		{`[7]`, dialect.Tolerant(), false, ""},
	}
	for _, test := range tests {
		body := `{"userName":"ada"}`
		if test.list != "" {
			body = `{"schemas":` + test.list + `,"userName":"ada"}`
		}
		x := test.set.Session()
		got := sendBody(x, user, body)
		if (got != refused) != test.ok {
			t.Errorf("%s with %v: %s", body, test.set.Names(), got)
		}
		if fired := strings.Join(x.Fired(), " "); test.ok && fired != test.fired {
			t.Errorf("%s with %v: fired %q, want %q", body, test.set.Names(), fired, test.fired)
		}
	}
}

func TestKeepsAbsent(t *testing.T) {
	t.Parallel()
	x := dialect.Tolerant().Session()
	for _, name := range []string{"title", "emails", "password", "active", "name.familyName", "emails.primary"} {
		if x.KeepsAbsent(user.MustResolve(name)) {
			t.Errorf("a PUT without %s keeps it", name)
		}
	}
	if x.Fired() != nil {
		t.Errorf("fired %v", x.Fired())
	}
	if x := dialect.Strict().Session(); x.KeepsAbsent(group.MustResolve("members")) || x.Fired() != nil {
		t.Error("the strict set keeps something")
	}
}

func TestStrictFillsNoSeam(t *testing.T) {
	t.Parallel()
	x := dialect.Strict().Session()
	if x.Repair() != nil {
		t.Error("there is a Repair")
	}
	if p := x.Patch(); p.Repair != nil || p.Rewrite != nil || p.Names != 0 {
		t.Errorf("%+v", p)
	}
	if x.Apply().CreateElement != nil || x.SkipsUnknownMembers() {
		t.Error("there is tolerance")
	}
}

// The presets fill every seam that the lower packages have for tolerance, so
// that a new one is not forgotten here.
func TestTolerantFillsEverySeam(t *testing.T) {
	t.Parallel()
	x, strict := dialect.Tolerant().Session(), dialect.Strict().Session()
	for _, seam := range []struct{ tolerant, strict any }{
		{x.Patch(), strict.Patch()}, {x.Filter(), strict.Filter()}, {x.Plan(), strict.Plan()},
	} {
		on, off := reflect.ValueOf(seam.tolerant), reflect.ValueOf(seam.strict)
		for i := range on.NumField() {
			field := on.Type().Field(i)
			if field.Type.Kind() != reflect.Bool || field.Name == "UnknownNames" || field.Name == "Nesting" { // which are the host's choices
				continue
			}
			if !on.Field(i).Bool() || off.Field(i).Bool() {
				t.Errorf("%s.%s is %v with all rules, %v with none", on.Type(), field.Name, on.Field(i), off.Field(i))
			}
		}
	}
	if p := x.Patch(); p.Repair == nil || p.Rewrite == nil || p.Names != schema.Unqualified|schema.DottedURN|schema.DraftURN {
		t.Errorf("%+v", p)
	}
	// What would be a guess in a search must not decide what a PATCH writes.
	if p := x.Patch().Filter; p.BareWords || p.ValuePathSub {
		t.Errorf("filters in PATCH paths: %+v", p)
	}
}

// An empty list of members and null say so; an empty string does not.
func TestAnEmptyStringDoesNotEmptyAGroup(t *testing.T) {
	t.Parallel()
	const full = `{"schemas":["` + schema.GroupURN + `"],"displayName":"Guides","members":[{"value":"1"},{"value":"2"}]}`
	const kept = `{"displayName":"Guides"} members 1 2`
	for op, want := range map[string]string{
		`"op":"replace","path":"members","value":""`:                     refused,
		`"op":"replace","path":"members","value":[""]`:                   refused,
		`"op":"remove","path":"members","value":""`:                      kept,
		`"op":"remove","path":"members","value":[""]`:                    kept,
		`"op":"remove","path":"members","value":[]`:                      kept,
		`"op":"remove","path":"members","value":[{"value":""}]`:          kept,
		`"op":"remove","path":"members","value":["1"]`:                   `{"displayName":"Guides"} members 2`,
		`"op":"remove","path":"members","value":{"value":"2"}`:           `{"displayName":"Guides"} members 1`,
		`"op":"Remove","path":"members","value":[{"value":"7"},"8"]`:     kept,
		`"op":"replace","value":{"displayName":"Guides","members":null}`: `{"displayName":"Guides"} members`,
	} {
		for _, set := range []dialect.Set{dialect.Tolerant(), dialect.Entra()} {
			got := sendPatchTo(t, set.Session(), group, full, `{"schemas":["`+patchOp+`"],"Operations":[{`+op+`}]}`)
			if normal(t, got) != normal(t, want) {
				t.Errorf("%s: %s, want %s", op, got, want)
			}
		}
	}
}

// A resource with nothing odd in it comes back as it is, without being copied.
func TestResourceIsReturnedAsItIs(t *testing.T) {
	d, err := resource.Decode(user, []byte(ada), resource.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := dialect.Tolerant().Session()
	if got := x.Resource(user, d.Resource); got != d.Resource {
		t.Error("another resource came back")
	}
	if n := testing.AllocsPerRun(100, func() { x.Resource(user, d.Resource) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A list that must not be empty is not emptied behind the client's back.
func TestRequiredListsStay(t *testing.T) {
	t.Parallel()
	declared := schema.User()
	for i := range declared.Schema.Attributes {
		if a := &declared.Schema.Attributes[i]; a.Name == "emails" {
			a.Required = true
		}
	}
	typ := schema.MustCompile(declared, schema.Group())
	const body = `{"schemas":["` + schema.UserURN + `"],"userName":"ada","emails":[{"value":""}]}`
	if got := sendBody(dialect.Tolerant().Session(), typ, body); !strings.Contains(got, `"emails"`) {
		t.Errorf("have %s", got)
	}
}

func BenchmarkResource(b *testing.B) {
	d, err := resource.Decode(user, []byte(ada), resource.DecodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		dialect.Tolerant().Session().Resource(user, d.Resource)
	}
}
