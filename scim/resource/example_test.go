package resource_test

import (
	"errors"
	"fmt"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// A host reads what a client sent.
func Example() {
	user := schema.MustCompile(schema.User(), schema.Group())
	d, err := resource.Decode(user, []byte(`{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
		"userName": "ines",
		"name": {"familyName": "Falk"},
		"emails": [{"value": "ines@home.example"}, {"value": "ines@work.example", "type": "work"}]
	}`), resource.DecodeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := d.Resource
	fmt.Println(r.String("userName"), r.String("name.familyName"), r.BestEmail(), r.Active())
	for _, address := range r.Strings("emails.value") {
		fmt.Println(address)
	}
	// Output:
	// ines Falk ines@work.example true
	// ines@home.example
	// ines@work.example
}

// A host builds a resource from its own data.
func ExampleNew() {
	user := schema.MustCompile(schema.User(), schema.Group())
	r, err := resource.New(user).
		Meta(resource.Meta{ID: "42", Version: "7"}).
		Set("userName", "ines").
		Set("active", true).
		Set("emails", []map[string]any{{"value": "ines@work.example", "type": "work", "primary": true}}).
		Set(schema.EnterpriseUserURN+":department", "Pilotage").
		Build()
	fmt.Println(string(r.Document()), err)

	_, err = resource.New(user).Set("active", "yes").Build()
	fmt.Println(err)
	// Output:
	// {"userName":"ines","active":true,"emails":[{"primary":true,"type":"work","value":"ines@work.example"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Pilotage"}} <nil>
	// active: must be true or false, not a string; userName: is required
}

// Everything wrong with a body comes in one error.
func ExampleDecodeError() {
	user := schema.MustCompile(schema.User(), schema.Group())
	_, err := resource.Decode(user, []byte(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "active": "yes", "emails": [{"value": 1}]}`), resource.DecodeOptions{})
	var e *resource.DecodeError
	if errors.As(err, &e) {
		for _, p := range e.Problems {
			fmt.Printf("%s at %d: %s\n", p.Path, p.Offset, p.Detail)
		}
	}
	// Output:
	// active at 70: must be true or false, not a string
	// emails[0].value at 98: must be a string, not a number
	// userName at -1: is required
}

// The parameters attributes and excludedAttributes choose what a client sees.
func ExampleNewProjection() {
	user := schema.MustCompile(schema.User(), schema.Group())
	r, _ := resource.New(user).Meta(resource.Meta{ID: "42"}).
		Set("userName", "ines").Set("password", "secret").Set("name.givenName", "Ines").Set("name.familyName", "Falk").Build()
	for _, p := range []*resource.Projection{
		nil,
		resource.NewProjection(user, []string{"name.familyName", "password"}, nil),
		resource.NewProjection(user, nil, []string{"name", "schemas", "meta"}),
	} {
		fmt.Println(string(resource.AppendJSON(nil, r, &resource.View{Projection: p})))
	}
	// Output:
	// {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"42","userName":"ines","name":{"givenName":"Ines","familyName":"Falk"},"meta":{"resourceType":"User"}}
	// {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"42","name":{"familyName":"Falk"}}
	// {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"42","userName":"ines"}
}

// A change makes another resource and leaves the first as it is.
func ExampleResource_Edit() {
	user := schema.MustCompile(schema.User(), schema.Group())
	before, _ := resource.New(user).Set("userName", "ines").Set("name.givenName", "Ines").Build()
	after, err := before.Edit().Set("name.familyName", "Falk").Set("active", false).Build()
	fmt.Println(string(before.Document()))
	fmt.Println(string(after.Document()), err)
	// Output:
	// {"userName":"ines","name":{"givenName":"Ines"}}
	// {"userName":"ines","name":{"givenName":"Ines","familyName":"Falk"},"active":false} <nil>
}
