package dialect_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// vectorTypes are User and Group, with the extension of the vectors.
func vectorTypes(t *testing.T) (user, group *schema.Type) {
	t.Helper()
	file, err := vectors.LoadFilterUsers(os.DirFS("../../testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	custom, err := schema.ParseSchema(file.CustomSchema)
	if err != nil {
		t.Fatal(err)
	}
	u := schema.User()
	u.Extensions = append(u.Extensions, schema.Extension{Schema: custom})
	return schema.MustCompile(u, schema.Group()), schema.MustCompile(schema.Group(), u)
}

// presetsFor are the presets under which a vector holds: one that names a
// dialect under that one and Tolerant, one for strict servers under Strict, any
// other under all.
func presetsFor(rowDialect, mode string) []string {
	switch {
	case mode == "strict":
		return []string{"strict"}
	case rowDialect == "tolerant":
		return []string{"tolerant"}
	case rowDialect != "":
		return []string{"tolerant", rowDialect}
	}
	return dialect.Presets()
}

func TestPatchVectors(t *testing.T) {
	t.Parallel()
	rows, err := vectors.LoadPatch(os.DirFS("../../testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	user, group := vectorTypes(t)
	for _, row := range rows {
		for _, preset := range presetsFor(row.Dialect, row.Mode) {
			set, ok := dialect.Preset(preset)
			if !ok {
				t.Fatalf("%s: there is no preset %q", row.ID, preset)
			}
			t.Run(row.ID+"/"+preset, func(t *testing.T) {
				t.Parallel()
				typ := user
				if strings.Contains(string(row.Before), schema.GroupURN) || strings.Contains(string(row.Before), `"members"`) {
					typ = group
				}
				id, before, relations := take(t, typ, row.Before)
				x := set.Session()
				req, err := patch.Parse(typ, row.Body(), patch.ParseOptions{Tolerance: x.Patch()})
				var result *patch.Result
				if err == nil {
					result, err = patch.Apply(before, relations, req.Operations, x.Apply())
				}
				if row.Error != nil {
					var e *patch.Error
					if !errors.As(err, &e) || !row.Error.Accepts(e.ScimType) {
						t.Errorf("%s: error %v, want %s (%s)", row.Ops, err, row.Error.ScimType, row.Why)
					}
					return
				}
				if err != nil {
					t.Fatalf("%s: %v (%s)", row.Ops, err, row.Why)
				}
				if diff := vectors.Diff(row.After, represent(t, id, result)); diff != "" {
					t.Errorf("%s (%s)\n%s", row.Ops, row.Why, diff)
				}
			})
		}
	}
}

// take makes a resource of what a client sees, read-only attributes included.
func take(t *testing.T, typ *schema.Type, representation []byte) (id string, r *resource.Resource, relations resource.Relations) {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(representation, &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc["id"], &id); err != nil {
		t.Fatal(err)
	}
	if members, ok := doc["members"]; ok {
		list, err := resource.DecodeMembers(typ.MustResolve("members"), members, resource.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		relations = resource.Relations{"members": list}
	}
	for _, name := range []string{"schemas", "id", "meta", "members"} {
		delete(doc, name)
	}
	kept, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = resource.Stored(typ, resource.Meta{ID: id}, kept); err != nil {
		t.Fatal(err)
	}
	return id, r, relations
}

// represent makes what a client sees.
func represent(t *testing.T, id string, r *patch.Result) []byte {
	t.Helper()
	doc := map[string]any{}
	if err := json.Unmarshal(r.Resource.Document(), &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "password")
	doc["id"], doc["schemas"] = id, r.Resource.Schemas()
	for name, members := range r.Relations {
		list := []map[string]string{}
		for _, m := range members {
			list = append(list, map[string]string{"value": m.ID})
			for k, v := range map[string]string{"type": m.Type, "display": m.Display, "$ref": m.Ref} {
				if v != "" {
					list[len(list)-1][k] = v
				}
			}
		}
		doc[name] = list
	}
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFilterVectors(t *testing.T) {
	t.Parallel()
	rows, err := vectors.LoadFilter(os.DirFS("../../testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := vectors.LoadFilterUsers(os.DirFS("../../testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	user, _ := vectorTypes(t)
	var users []*resource.Resource
	for _, body := range file.Users {
		var head struct {
			ID   string
			Meta resource.Meta
		}
		if err := json.Unmarshal(body, &head); err != nil {
			t.Fatal(err)
		}
		d, err := resource.Decode(user, body, resource.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		head.Meta.ID = head.ID
		users = append(users, d.Resource.WithMeta(head.Meta))
	}
	for _, row := range rows {
		for _, preset := range presetsFor(row.Dialect, row.Mode) {
			set, _ := dialect.Preset(preset)
			t.Run(row.ID+"/"+preset, func(t *testing.T) {
				t.Parallel()
				x := set.Session()
				got := []string{}
				expr, err := filter.Parse(row.Filter, x.Filter())
				if err == nil {
					var plan *filter.Plan
					if plan, err = filter.Compile(user, expr, x.Plan()); err == nil {
						for _, u := range users {
							if plan.Match(u, func(string, filter.Linked) bool { return false }) {
								got = append(got, u.ID())
							}
						}
					}
				}
				if (err == nil) != row.Valid {
					t.Fatalf("%s: error %v, valid %v (%s)", row.Filter, err, row.Valid, row.Why)
				}
				if row.Valid && !slices.Equal(got, row.Matches) {
					t.Errorf("%s: matches %v, want %v (%s)", row.Filter, got, row.Matches, row.Why)
				}
			})
		}
	}
}
