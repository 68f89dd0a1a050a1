package patch_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

var vectorFiles = os.DirFS("../../testdata/vectors")

const testURN = "urn:example:params:scim:schemas:extension:test:2.0:User"

// types are User, with the extensions of the vectors, and Group.
var types = sync.OnceValue(func() map[string]*schema.Type {
	users, err := vectors.LoadFilterUsers(vectorFiles)
	if err != nil {
		panic(err)
	}
	custom, err := schema.ParseSchema(users.CustomSchema)
	if err != nil {
		panic(err)
	}
	user, group := schema.User(), schema.Group()
	user.Extensions = append(user.Extensions, schema.Extension{Schema: custom})
	return map[string]*schema.Type{
		"User":  schema.MustCompile(user, group),
		"Group": schema.MustCompile(group, user),
	}
})

func userType() *schema.Type  { return types()["User"] }
func groupType() *schema.Type { return types()["Group"] }

// parts is a representation taken apart into what Apply works on.
func parts(tb testing.TB, representation []byte) (*resource.Resource, resource.Relations) {
	tb.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(representation, &doc); err != nil {
		tb.Fatal(err)
	}
	t, rel := userType(), resource.Relations(nil)
	if strings.Contains(string(doc["schemas"]), schema.GroupURN) || doc["members"] != nil {
		t = groupType()
		members, err := resource.DecodeMembers(t.MustResolve("members"), or(doc["members"], "[]"), resource.DecodeOptions{})
		if err != nil {
			tb.Fatal(err)
		}
		rel = resource.Relations{"members": members}
	}
	var id string
	if err := json.Unmarshal(or(doc["id"], `"1"`), &id); err != nil {
		tb.Fatal(err)
	}
	for _, key := range []string{"schemas", "id", "meta", "members"} {
		delete(doc, key)
	}
	kept, err := json.Marshal(doc)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := resource.Stored(t, resource.Meta{ID: id}, kept)
	if err != nil {
		tb.Fatal(err)
	}
	return r, rel
}

func or(raw json.RawMessage, fallback string) []byte {
	if raw == nil {
		return []byte(fallback)
	}
	return raw
}

// show makes the representation that a client sees.
func show(tb testing.TB, r *resource.Resource, rel resource.Relations) []byte {
	tb.Helper()
	var doc map[string]any
	if err := json.Unmarshal(r.Document(), &doc); err != nil {
		tb.Fatalf("%v in %s", err, r.Document())
	}
	delete(doc, "password")
	doc["id"] = r.ID()
	doc["schemas"] = r.Schemas()
	for name, members := range rel {
		var list []map[string]string
		for _, m := range members {
			list = append(list, map[string]string{"value": m.ID, "type": m.Type, "display": m.Display, "$ref": m.Ref})
			for k, v := range list[len(list)-1] {
				if v == "" {
					delete(list[len(list)-1], k)
				}
			}
		}
		doc[name] = list
	}
	out, err := json.Marshal(doc)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// body wraps operations into a message.
func body(ops string) []byte {
	return []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":` + ops + `}`)
}

func do(t *schema.Type, r *resource.Resource, rel resource.Relations, body []byte, o patch.ParseOptions, a patch.ApplyOptions) (*patch.Result, *patch.Request, error) {
	req, err := patch.Parse(t, body, o)
	if err != nil {
		return nil, nil, err
	}
	res, err := patch.Apply(r, rel, req.Operations, a)
	return res, req, err
}

// tolerant are the habits of clients that the vectors speak of.
func tolerant() (patch.ParseOptions, patch.ApplyOptions) {
	return patch.ParseOptions{Tolerance: patch.Tolerance{
		Repair:            repair{},
		Plan:              filter.Options{BooleanText: true},
		Names:             schema.Unqualified | schema.DottedURN,
		MissingSchemas:    true,
		EmptyOperations:   true,
		KeysAsPaths:       true,
		IgnoreReadOnly:    true,
		IgnoreUnknown:     true,
		SkipUnknownSchema: true,
		WholeExtension:    true,
	}}, patch.ApplyOptions{CreateElement: func() bool { return true }}
}

// repair reads booleans from text, and a bare string as the value of a complex
// attribute.
type repair struct{}

func (repair) Name(schema.Path, string) (schema.Path, bool) { return schema.Path{}, false }

func (repair) Schemas(*schema.Type, []string) bool { return true }

func (repair) Value(p schema.Path, raw []byte, element bool) ([]byte, bool) {
	text := strings.ToLower(strings.Trim(string(raw), `"`))
	switch {
	case raw[0] != '"':
		return nil, false
	case p.Attribute().Type == schema.Boolean && (text == "true" || text == "false"):
		return []byte(text), true
	case p.Attribute().Type == schema.Complex && text == "":
		return []byte("null"), true
	case p.Attribute().Type == schema.Complex:
		return bytes.Join([][]byte{[]byte(`{"value":`), raw, []byte(`}`)}, nil), true
	}
	return nil, false
}
