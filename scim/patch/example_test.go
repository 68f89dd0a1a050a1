package patch_test

import (
	"fmt"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

func Example() {
	users := schema.MustCompile(schema.User())
	user, err := resource.Decode(users, []byte(`{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
		"userName": "lee",
		"title": "Pilot",
		"emails": [{"value": "lee@work.example", "type": "work"}]
	}`), resource.DecodeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := patch.Parse(users, []byte(`{
		"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations": [
			{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "lee@new.example"},
			{"op": "add", "value": {"active": true, "title": "Pilot"}}
		]
	}`), patch.ParseOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := patch.Apply(user.Resource, nil, req.Operations, patch.ApplyOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", res.Resource.Document())
	for _, c := range res.Changes {
		fmt.Println("changed:", c.Path)
	}
	// Output:
	// {"userName":"lee","title":"Pilot","emails":[{"value":"lee@new.example","type":"work"}],"active":true}
	// changed: emails
	// changed: active
}

// Operations on a group's members become one edit, whatever their number. The
// group itself is not read.
func ExampleFoldLinks() {
	groups := schema.MustCompile(schema.Group())
	req, err := patch.Parse(groups, []byte(`{
		"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations": [
			{"op": "add", "path": "members", "value": [{"value": "ann"}, {"value": "bea"}]},
			{"op": "remove", "path": "members[value eq \"cid\"]"},
			{"op": "remove", "path": "members", "value": [{"value": "bea"}]}
		]
	}`), patch.ParseOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	edit, err := patch.FoldLinks(req.Links()["members"], nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range edit.Add {
		fmt.Println("add", m.ID)
	}
	for _, m := range edit.Remove {
		fmt.Println("remove", m.ID)
	}
	// Output:
	// add ann
	// remove cid
	// remove bea
}

func ExampleError() {
	users := schema.MustCompile(schema.User())
	_, err := patch.Parse(users, []byte(`{
		"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations": [{"op": "replace", "path": "id", "value": "7"}]
	}`), patch.ParseOptions{})
	fmt.Println(err)
	// Output: operation 1, path id: attribute id is read-only and cannot be changed by clients
}
