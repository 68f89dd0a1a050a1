package schema_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/musterhq/muster/scim/schema"
)

func TestSchemaJSONShowsDefaults(t *testing.T) {
	t.Parallel()
	s, err := schema.ParseSchema([]byte(`{"id":"urn:example:a:b","attributes":[{"name":"x","description":"An x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
		"id": "urn:example:a:b",
		"attributes": [{"name":"x","type":"string","multiValued":false,"description":"An x","required":false,"caseExact":false,
			"mutability":"readWrite","returned":"default","uniqueness":"none"}],
		"meta": {"resourceType":"Schema","location":"https://example.com/Schemas/urn:example:a:b"}
	}`
	if diff := diffJSON(t, want, s.AppendJSON(nil, "https://example.com/Schemas/urn:example:a:b")); diff != "" {
		t.Error(diff)
	}
}

// Which members each type has follows the definitions printed in RFC 7643
// section 8.7.
func TestSchemaJSONLeavesOutWhatHasNoMeaning(t *testing.T) {
	t.Parallel()
	base := []string{"name", "type", "multiValued", "required", "mutability", "returned"}
	tests := []struct {
		attribute schema.Attribute
		more      string
	}{
		{schema.Attribute{Type: schema.String}, "caseExact uniqueness"},
		{schema.Attribute{Type: schema.String, CanonicalValues: []string{"a"}, Description: "d"}, "caseExact uniqueness canonicalValues description"},
		{schema.Attribute{Type: schema.Boolean}, ""},
		{schema.Attribute{Type: schema.Integer}, "uniqueness"},
		{schema.Attribute{Type: schema.Decimal}, "uniqueness"},
		{schema.Attribute{Type: schema.DateTime}, "uniqueness"},
		{schema.Attribute{Type: schema.Binary}, "caseExact uniqueness"},
		{schema.Attribute{Type: schema.Reference, ReferenceTypes: []string{"uri"}}, "caseExact uniqueness referenceTypes"},
		{schema.Attribute{Type: schema.Complex, SubAttributes: []schema.Attribute{{Name: "s"}}}, "uniqueness subAttributes"},
	}
	for _, test := range tests {
		test.attribute.Name = "x"
		s := schema.Schema{ID: "urn:example:a:b", Attributes: []schema.Attribute{test.attribute}}
		var got struct {
			Attributes []map[string]any `json:"attributes"`
		}
		if err := json.Unmarshal(s.AppendJSON(nil, ""), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, k := range append(strings.Fields(test.more), base...) {
			want[k] = true
		}
		have := map[string]bool{}
		for k := range got.Attributes[0] {
			have[k] = true
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-want +have):\n%s", test.attribute.Type, diff)
		}
		if exact, ok := got.Attributes[0]["caseExact"]; ok && exact != (test.attribute.Type != schema.String) {
			t.Errorf("%s: caseExact %v", test.attribute.Type, exact)
		}
	}
}

func TestResourceTypeJSON(t *testing.T) {
	t.Parallel()
	// As RFC 7643 section 8.6 shows it, but for the descriptions.
	const user = `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
		"id": "User", "name": "User", "endpoint": "/Users", "description": "People and other holders of an account",
		"schema": "urn:ietf:params:scim:schemas:core:2.0:User",
		"schemaExtensions": [{"schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "required": false}],
		"meta": {"location": "https://example.com/v2/ResourceTypes/User", "resourceType": "ResourceType"}
	}`
	if diff := diffJSON(t, user, schema.User().AppendJSON(nil, "https://example.com/v2/ResourceTypes/User")); diff != "" {
		t.Error(diff)
	}
	const group = `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
		"id": "Group", "name": "Group", "endpoint": "/Groups", "description": "Named sets of users and groups",
		"schema": "urn:ietf:params:scim:schemas:core:2.0:Group"
	}`
	if diff := diffJSON(t, group, schema.Group().AppendJSON(nil, "")); diff != "" {
		t.Error(diff)
	}
	d := thing()
	if got := string(d.AppendJSON([]byte("[1,"), "")); !strings.HasPrefix(got, `[1,{"schemas":`) || !strings.Contains(got, `"id":"Thing"`) {
		t.Errorf("appended: %s", got)
	}
}

func TestSchemaRoundTrip(t *testing.T) {
	t.Parallel()
	for urn := range rfcSchemas {
		want := schema.Builtin(urn)
		data, err := json.Marshal(want) // through MarshalJSON
		if err != nil {
			t.Fatal(err)
		}
		got, err := schema.ParseSchema(data)
		if err != nil {
			t.Errorf("%s: %v", urn, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-before +after):\n%s", urn, diff)
		}
	}
}

func TestResourceTypeRoundTrip(t *testing.T) {
	t.Parallel()
	for _, want := range []schema.ResourceType{schema.User(), schema.Group()} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := schema.ParseResourceType(data, schema.Builtin)
		if err != nil {
			t.Errorf("%s: %v", want.Name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-before +after):\n%s", want.Name, diff)
		}
	}
}

func TestParseSchemaIsLenient(t *testing.T) {
	t.Parallel()
	s, err := schema.ParseSchema([]byte(`{
		"Schemas": ["whatever"], "meta": {"a": [1, {}]}, "x": null,
		"ID": "urn:example:a:b", "name": null,
		"ATTRIBUTES": [
			{"Name": "a", "TYPE": "datetime", "multivalued": true, "mutability": "READONLY", "returned": "Always", "canonicalValues": null},
			{"name": "b", "type": null, "uniqueness": "Global", "subAttributes": [], "vendor": {"x": [[]]}},
			{"name": "c", "type": "Complex", "subAttributes": [{"name": "$ref", "type": "reference", "referenceTypes": ["User", "Group"]}]}
		]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a dateTime * readOnly always",
		"b string global",
		"c complex",
		"c.$ref reference ->User|Group",
	}
	if diff := cmp.Diff(want, characteristics(nil, "", s.Attributes)); diff != "" {
		t.Error(diff)
	}
}

func TestParseSchemaListsProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, json string
		want       []string // every line of the error
	}{
		{"empty", ``, []string{"the document is empty"}},
		{"null", `null`, []string{"id: missing; it is the URN of the schema", "attributes: missing"}},
		{"not an object", `[]`, []string{"document: must be an object", "id: missing; it is the URN of the schema", "attributes: missing"}},
		{"more text", `{"id":"a","attributes":[]} 1`, []string{"there is more text after the JSON value"}},
		{"wrong kinds", `{"id":1,"name":[],"description":{},"attributes":{}}`, []string{
			"id: must be a string", "name: must be a string", "description: must be a string", "attributes: must be an array",
			"id: missing; it is the URN of the schema"}},
		{"attributes", `{"id":"a","attributes":[1,{},{"name":"c","type":"text","multiValued":"yes","required":1,"caseExact":[],
			"mutability":"x","returned":"y","uniqueness":"z","canonicalValues":"a","referenceTypes":[1],"subAttributes":[{"type":"int"}]}]}`, []string{
			"attributes[0]: must be an object",
			"attributes[0].name: missing",
			"attributes[1].name: missing",
			`attributes[2].type: unknown type "text"; it must be string, boolean, decimal, integer, dateTime, binary, reference or complex`,
			"attributes[2].multiValued: must be true or false",
			"attributes[2].required: must be true or false",
			"attributes[2].caseExact: must be true or false",
			`attributes[2].mutability: unknown mutability "x"; it must be readWrite, readOnly, immutable or writeOnly`,
			`attributes[2].returned: unknown returned "y"; it must be default, always, never or request`,
			`attributes[2].uniqueness: unknown uniqueness "z"; it must be none, server or global`,
			"attributes[2].canonicalValues: must be an array",
			"attributes[2].referenceTypes[0]: must be a string",
			`attributes[2].subAttributes[0].type: unknown type "int"; it must be string, boolean, decimal, integer, dateTime, binary, reference or complex`,
			"attributes[2].subAttributes[0].name: missing",
		}},
		{"members that differ in case", `{"id":"a","ID":"b","attributes":[]}`, []string{"id: given twice, in different letter case"}},
		{"nesting", `{"id":"a","attributes":[{"name":"a","subAttributes":[{"name":"b","subAttributes":[{"name":"c","subAttributes":[{"name":"d"}]}]}]}]}`, []string{
			"attributes[0].subAttributes[0].subAttributes[0].subAttributes: sub-attributes cannot have sub-attributes"}},
	}
	for _, test := range tests {
		_, err := schema.ParseSchema([]byte(test.json))
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		got := strings.Split(strings.TrimPrefix(err.Error(), "schema: reading a schema: "), "\n")
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +have):\n%s", test.name, diff)
		}
	}
}

func TestParseRefusesWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{`, `{"id":`, `{"id":"a",}`, `{"id":"a" "b"}`, `{"attributes":[`, `{"attributes":[{`, `{"attributes":[{}`, `{"attributes":[}`,
		`{"id":"a","id":"b"}`, "{\"id\":\"\xff\"}", `{"x":[1,}`, `nul`, `'a'`} {
		if _, err := schema.ParseSchema([]byte(text)); err == nil || !strings.Contains(err.Error(), "jsontext") {
			t.Errorf("ParseSchema(%q): %v", text, err)
		}
		if _, err := schema.ParseResourceType([]byte(text), schema.Builtin); err == nil {
			t.Errorf("ParseResourceType(%q): no error", text)
		}
		if _, _, err := schema.ParseFile([]byte(text)); err == nil {
			t.Errorf("ParseFile(%q): no error", text)
		}
	}
}

func TestParseResourceTypeListsProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, json string
		want       []string
	}{
		{"nothing", `{}`, []string{"name: missing", "endpoint: missing", "schema: missing"}},
		{"unknown schemas", `{"name":"A","endpoint":"/As","schema":"urn:x","schemaExtensions":[{"schema":"urn:y","required":0},{},1]}`, []string{
			"schemaExtensions[0].required: must be true or false",
			"schemaExtensions[2]: must be an object",
			`schema: there is no schema "urn:x"`,
			`schemaExtensions[0].schema: there is no schema "urn:y"`,
			"schemaExtensions[1].schema: missing",
			"schemaExtensions[2].schema: missing",
		}},
	}
	for _, test := range tests {
		_, err := schema.ParseResourceType([]byte(test.json), schema.Builtin)
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		got := strings.Split(strings.TrimPrefix(err.Error(), "schema: reading a resource type: "), "\n")
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +have):\n%s", test.name, diff)
		}
	}
}

const definitions = `{
	"ResourceTypes": [
		{"name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User", "schemaExtensions": [
			{"schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
			{"schema": "urn:example:schemas:2.0:Badge", "required": true}]},
		{"id": "Car", "name": "Car", "description": "A car", "endpoint": "/Cars", "schema": "urn:example:schemas:2.0:Car"},
		{"name": "Team", "endpoint": "/Teams", "schema": "urn:ietf:params:scim:schemas:core:2.0:Group"}
	],
	"Schemas": [
		{"id": "urn:example:schemas:2.0:Badge", "name": "Badge", "attributes": [{"name": "color"}]},
		{"id": "urn:example:schemas:2.0:Car", "name": "Car", "attributes": [{"name": "plate", "uniqueness": "server", "required": true}]}
	]
}`

func TestParseFile(t *testing.T) {
	t.Parallel()
	schemas, types, err := schema.ParseFile([]byte(definitions))
	if err != nil {
		t.Fatal(err)
	}
	if len(schemas) != 2 || schemas[0].Name != "Badge" || schemas[1].Name != "Car" {
		t.Errorf("schemas: %v", schemas)
	}
	if len(types) != 3 {
		t.Fatalf("types: %v", types)
	}
	user := schema.MustCompile(types[0], types[1:]...)
	if p, err := user.Resolve("urn:example:schemas:2.0:Badge:color"); err != nil || p.Parent() != user.Extensions()[1] || !p.Parent().Attribute().Required {
		t.Errorf("color is %q, %v", p, err)
	}
	if user.Label().String() != "displayName" {
		t.Errorf("label of the file's User: %q", user.Label())
	}
	car := schema.MustCompile(types[1])
	if car.MustResolve("plate").Unique() != schema.UniqueInTenant || car.Endpoint() != "/Cars" || car.Declaration().Description != "A car" {
		t.Errorf("car: %+v", car.Declaration())
	}
	team := schema.MustCompile(types[2])
	if len(team.Relations()) != 1 || len(team.Unique()) != 1 {
		t.Errorf("a type with the schema of groups has relations %v and unique attributes %v", team.Relations(), team.Unique())
	}
}

func TestParseFileOfNothing(t *testing.T) {
	t.Parallel()
	if schemas, types, err := schema.ParseFile([]byte(`{}`)); len(schemas) != 0 || len(types) != 0 || err != nil {
		t.Errorf("have %v, %v, %v", schemas, types, err)
	}
}

// A file may define a smaller user or group of its own.
func TestParseFileReplacesSchemasOfTheRFC(t *testing.T) {
	t.Parallel()
	_, types, err := schema.ParseFile([]byte(`{
		"schemas": [{"id": "urn:ietf:params:scim:schemas:core:2.0:Group", "attributes": [{"name": "displayName"}]}],
		"resourceTypes": [{"name": "Group", "endpoint": "/Groups", "schema": "urn:ietf:params:scim:schemas:core:2.0:Group"}]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	group, err := schema.Compile(types[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(group.Relations()) != 0 || len(group.Unique()) != 1 || group.Label().IsZero() {
		t.Errorf("relations %v, unique %v, label %q", group.Relations(), group.Unique(), group.Label())
	}
}

func TestParseFileListsProblems(t *testing.T) {
	t.Parallel()
	_, _, err := schema.ParseFile([]byte(`{
		"schema": {},
		"Schemas": [{"id": "urn:a:b", "attributes": []}, {"id": "URN:A:B", "attributes": [{}]}],
		"ResourceTypes": [{"name": "A", "endpoint": "/As", "schema": "urn:a:b"}, {"name": "a", "endpoint": "/As", "schema": "urn:a:c"}]
	}`))
	want := []string{
		`schema: a definitions file holds "Schemas" and "ResourceTypes" only`,
		"Schemas[1].attributes[0].name: missing",
		`Schemas[1].id: the file defines schema "URN:A:B" twice`,
		`ResourceTypes[1].name: the file defines resource type "a" twice`,
		`ResourceTypes[1].schema: there is no schema "urn:a:c"`,
	}
	if err == nil {
		t.Fatal("no error")
	}
	got := strings.Split(strings.TrimPrefix(err.Error(), "schema: reading definitions: "), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The extension of the filter vectors leaves most characteristics out.
func TestParseSchemaOfTheVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../testdata/vectors/filter-users.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		CustomSchema json.RawMessage `json:"customSchema"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	s, err := schema.ParseSchema(file.CustomSchema)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"level integer", "score decimal", "flag boolean", "hired dateTime", "code string exact", "note string", "tags string *",
		"badge complex", "badge.number integer", "badge.color string", "serial string immutable", "secret string writeOnly never",
	}
	if diff := cmp.Diff(want, characteristics(nil, "", s.Attributes)); diff != "" {
		t.Error(diff)
	}
	d := schema.User()
	d.Extensions = append(d.Extensions, schema.Extension{Schema: s})
	if _, err := schema.Compile(d, schema.Group()); err != nil {
		t.Error(err)
	}
}

// Whatever parses comes out as JSON that parses to the same schema.
func FuzzParseSchema(f *testing.F) {
	f.Add(schema.GroupSchema().AppendJSON(nil, "https://example.com/")) // longer ones slow the fuzzer down
	for _, s := range []string{`{"id":"a","attributes":[{"name":"x","type":"complex","subAttributes":[{"name":"y"}]}]}`, `{"id":`, `[]`, `{"id":"a","ID":"b"}`, definitions} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, _ = schema.ParseFile(data)
		_, _ = schema.ParseResourceType(data, schema.Builtin)
		s, err := schema.ParseSchema(data)
		if err != nil {
			return
		}
		first := s.AppendJSON(nil, "")
		again, err := schema.ParseSchema(first)
		if err != nil {
			t.Fatalf("%s\nbecame\n%s\n%v", data, first, err)
		}
		if second := again.AppendJSON(nil, ""); string(second) != string(first) {
			t.Fatalf("%s\nbecame\n%s\nthen\n%s", data, first, second)
		}
		_, _ = schema.Compile(schema.ResourceType{Name: "Thing", Endpoint: "/Things", Schema: s})
	})
}

// diffJSON compares JSON regardless of the order of members.
func diffJSON(t *testing.T, want string, have []byte) string {
	t.Helper()
	var w, h any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(have, &h); err != nil {
		t.Fatalf("%v in %s", err, have)
	}
	return cmp.Diff(w, h)
}
