package schema_test

import (
	"errors"
	"fmt"

	"github.com/musterhq/muster/scim/schema"
)

// A resource type of a host's own: workspaces, with a name of their own and
// links to the users in them.
func ExampleCompile() {
	workspace := schema.ResourceType{
		Name:     "Workspace",
		Endpoint: "/Workspaces",
		Schema: &schema.Schema{
			ID: "urn:example:schemas:2.0:Workspace",
			Attributes: []schema.Attribute{
				{Name: "slug", Required: true, Uniqueness: schema.UniqueServer},
				{Name: "seats", Type: schema.Integer},
				{Name: "staff", Type: schema.Complex, MultiValued: true, SubAttributes: []schema.Attribute{
					{Name: "value", Mutability: schema.Immutable},
				}},
			},
		},
		Relations: []schema.Relation{{Attribute: "staff", Targets: []string{"User"}}},
		Label:     "slug",
	}
	t, err := schema.Compile(workspace, schema.User(), schema.Group())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range t.Unique() {
		fmt.Println("unique:", p)
	}
	for _, r := range t.Relations() {
		fmt.Println("relation:", r.Path, "to", r.Targets)
	}
	// Output:
	// unique: slug
	// relation: staff to [User]
}

func ExampleType_Resolve() {
	user := schema.MustCompile(schema.User(), schema.Group())
	for _, name := range []string{
		"USERNAME",
		"emails.value",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
		"department",
	} {
		p, err := user.Resolve(name)
		if e := (*schema.NameError)(nil); errors.As(err, &e) {
			fmt.Println("no:", e.Detail)
			continue
		}
		fmt.Println(p, p.Attribute().Type)
	}
	// Output:
	// userName string
	// emails.value string
	// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value string
	// no: schema urn:ietf:params:scim:schemas:core:2.0:User has no attribute "department"
}

func ExampleParseSchema() {
	s, err := schema.ParseSchema([]byte(`{
		"id": "urn:example:schemas:2.0:Badge",
		"name": "Badge",
		"attributes": [
			{"name": "number", "type": "integer"},
			{"name": "color", "canonicalValues": ["green", "red"]}
		]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	user := schema.User()
	user.Extensions = append(user.Extensions, schema.Extension{Schema: s})
	t := schema.MustCompile(user, schema.Group())
	fmt.Println(t.MustResolve("urn:example:schemas:2.0:badge:NUMBER"))
	// Output:
	// urn:example:schemas:2.0:Badge:number
}

func ExampleParseFile() {
	_, types, err := schema.ParseFile([]byte(`{
		"Schemas": [{"id": "urn:example:schemas:2.0:Device", "attributes": [{"name": "serial", "type": "number"}]}],
		"ResourceTypes": [{"name": "Device", "endpoint": "/Devices", "schema": "urn:example:schemas:2.0:Device"}]
	}`))
	fmt.Println(len(types), err)
	// Output:
	// 0 schema: reading definitions: Schemas[0].attributes[0].type: unknown type "number"; it must be string, boolean, decimal, integer, dateTime, binary, reference or complex
}

func ExampleFold() {
	fmt.Println(schema.Fold("Ｂjensen@Example.COM"))
	fmt.Println(schema.Fold("CAFE\u0301") == schema.Fold("café"))
	// Output:
	// bjensen@example.com
	// true
}
