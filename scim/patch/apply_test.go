package patch_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// changesText lists the paths of changes.
func changesText(changes []patch.Change) string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Path.String())
	}
	return strings.Join(out, " ")
}

type applyTest struct {
	name, before, ops string
	// after is the representation without id and schemas, or the scimType of an
	// error, or "" when nothing changes.
	after string
}

func runApply(t *testing.T, tests []applyTest, typ *schema.Type, po patch.ParseOptions, ao patch.ApplyOptions) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := resource.Stored(typ, resource.Meta{ID: "1"}, []byte(test.before))
			if err != nil {
				t.Fatal(err)
			}
			res, _, err := do(typ, r, nil, body(test.ops), po, ao)
			var e *patch.Error
			if errors.As(err, &e) {
				if e.ScimType != test.after {
					t.Errorf("got %s: %v", e.ScimType, e)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := test.after
			if want == "" {
				want = test.before
				if res.Resource != r || res.Changes != nil {
					t.Errorf("changed: %s", changesText(res.Changes))
				}
			} else if len(res.Changes) == 0 || res.Resource == r {
				t.Errorf("unchanged: %s", res.Resource.Document())
			}
			if !strings.HasPrefix(want, "{") {
				t.Fatalf("got %s, want %s", res.Resource.Document(), want)
			}
			if d := vectors.Diff([]byte(want), res.Resource.Document()); d != "" {
				t.Error(d)
			}
			if got := patch.Diff(r, res.Resource); !sameChanges(got, res.Changes) {
				t.Errorf("Changes are %s, Diff %s", changesText(res.Changes), changesText(got))
			}
		})
	}
}

func sameChanges(a, b []patch.Change) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(c patch.Change) bool {
		return !slices.ContainsFunc(b, func(d patch.Change) bool {
			return c.Path == d.Path && c.Before.Equal(d.Before) && c.After.Equal(d.After)
		})
	})
}

const (
	ent  = `"` + enterprise + `":`
	test = `"` + testURN + `":`
)

func TestApply(t *testing.T) {
	t.Parallel()
	const two = `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"}]}`
	const managed = `{"userName":"lee",` + ent + `{"manager":{"value":"m1","$ref":"../Users/m1","displayName":"Max"}}}`
	runApply(t, []applyTest{
		// Remove with a value takes only what the value names.
		{"remove listed", two, `[{"op":"remove","path":"emails","value":[{"value":"B"}]}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true}]}`},
		{"remove one object", two, `[{"op":"remove","path":"emails","value":{"value":"b","type":"home"}}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true}]}`},
		{"remove listed by another part", two, `[{"op":"remove","path":"emails","value":[{"type":"HOME"}]}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true}]}`},
		{"remove what differs in a part", two, `[{"op":"remove","path":"emails","value":[{"value":"b","type":"work"}]}]`, ""},
		{"remove what is not there", two, `[{"op":"remove","path":"emails","value":[{"value":"c"}]}]`, ""},
		{"remove an empty array", two, `[{"op":"remove","path":"emails","value":[]}]`, ""},
		{"remove an empty object", two, `[{"op":"remove","path":"emails","value":{}}]`, ""},
		{"remove an empty text", two, `[{"op":"remove","path":"emails","value":""}]`, ""},
		{"remove an array of an empty object", two, `[{"op":"remove","path":"emails","value":[{}]}]`, ""},
		{"remove an array of null", two, `[{"op":"remove","path":"emails","value":[null]}]`, ""},
		{"remove empty parts", two, `[{"op":"remove","path":"emails","value":[{"value":"","type":null}]}]`, ""},
		{"remove null", two, `[{"op":"remove","path":"emails","value":null}]`, `{"userName":"lee"}`},
		{"remove with filter and list", two, `[{"op":"remove","path":"emails[type pr]","value":[{"value":"b"}]}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true}]}`},
		{"remove a part that is so", two, `[{"op":"remove","path":"emails.type","value":"home"}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true},{"value":"b"}]}`},
		{"remove a single value that is so", `{"userName":"lee","title":"Boss"}`, `[{"op":"remove","path":"title","value":"BOSS"}]`, `{"userName":"lee"}`},
		{"remove a single value that is not so", `{"userName":"lee","title":"Boss"}`, `[{"op":"remove","path":"title","value":"Clerk"}]`, ""},
		{"remove a single value, nothing named", `{"userName":"lee","title":"Boss"}`, `[{"op":"remove","path":"title","value":""}]`, ""},
		{"remove a manager that is so", managed, `[{"op":"remove","path":"` + enterprise + `:manager","value":{"value":"m1"}}]`, `{"userName":"lee"}`},
		{"remove a manager that is not so", managed, `[{"op":"remove","path":"` + enterprise + `:manager","value":{"value":"m2"}}]`, ""},
		{"remove listed simple values", `{"userName":"lee",` + test + `{"tags":["red","blue"]}}`, `[{"op":"remove","path":"` + testURN + `:tags","value":["RED"]}]`, `{"userName":"lee",` + test + `{"tags":["blue"]}}`},

		// active.
		{"active null", `{"userName":"lee","active":false}`, `[{"op":"replace","path":"active","value":null}]`, ""},
		{"active empty", `{"userName":"lee","active":false}`, `[{"op":"replace","path":"active","value":""}]`, ""},
		{"active removed", `{"userName":"lee","active":false}`, `[{"op":"remove","path":"active"}]`, ""},
		{"active removed by value", `{"userName":"lee","active":false}`, `[{"op":"remove","path":"active","value":false}]`, ""},
		{"active null in a value", `{"userName":"lee","active":false}`, `[{"op":"replace","value":{"active":null}}]`, ""},
		{"active true", `{"userName":"lee","active":false}`, `[{"op":"replace","path":"active","value":true}]`, `{"userName":"lee","active":true}`},
		{"active false", `{"userName":"lee"}`, `[{"op":"add","path":"active","value":false}]`, `{"userName":"lee","active":false}`},

		// Unassigning.
		{"null part in a merge", `{"userName":"lee","name":{"givenName":"g","middleName":"m"}}`, `[{"op":"replace","path":"name","value":{"givenName":"h","middleName":null}}]`, `{"userName":"lee","name":{"givenName":"h"}}`},
		{"only null parts", `{"userName":"lee","name":{"givenName":"g","middleName":"m"}}`, `[{"op":"replace","value":{"name":{"middleName":null}}}]`, `{"userName":"lee","name":{"givenName":"g"}}`},
		{"an empty object merges nothing", `{"userName":"lee","name":{"givenName":"g"}}`, `[{"op":"replace","path":"name","value":{}},{"op":"add","path":"name","value":{}}]`, ""},
		{"null unassigns a complex one", `{"userName":"lee","name":{"givenName":"g"}}`, `[{"op":"replace","path":"name","value":null}]`, `{"userName":"lee"}`},
		{"add null to many", two, `[{"op":"add","path":"emails","value":null},{"op":"add","path":"emails","value":[]}]`, ""},
		{"replace many with nothing", two, `[{"op":"replace","path":"emails","value":[]}]`, `{"userName":"lee"}`},
		{"replace many with null", two, `[{"op":"replace","path":"emails","value":null}]`, `{"userName":"lee"}`},
		{"replace a record with null", two, `[{"op":"replace","path":"emails[type eq \"home\"]","value":null}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true}]}`},
		{"add nothing to a record", two, `[{"op":"add","path":"emails[type eq \"home\"]","value":{}},{"op":"add","path":"emails[type eq \"home\"]","value":null}]`, ""},
		{"add a null part to a record", two, `[{"op":"add","path":"emails[type eq \"work\"]","value":{"type":null,"display":"A"}}]`, `{"userName":"lee","emails":[{"value":"a","primary":true,"display":"A"},{"value":"b","type":"home"}]}`},
		{"the last part of an element", `{"userName":"lee","emails":[{"value":"a"}]}`, `[{"op":"remove","path":"emails[value eq \"a\"].value"}]`, `{"userName":"lee"}`},
		{"an empty text is a value", `{"userName":"lee","title":"x"}`, `[{"op":"replace","path":"title","value":""}]`, `{"userName":"lee","title":""}`},
		{"the last attribute of an extension", `{"userName":"lee",` + ent + `{"division":"d"}}`, `[{"op":"remove","path":"` + enterprise + `:division"}]`, `{"userName":"lee"}`},

		// Adding what is there.
		{"the same value in another case", two, `[{"op":"add","path":"emails","value":{"value":"A","type":"Work"}}]`, ""},
		{"another part of the same value", two, `[{"op":"add","path":"emails","value":{"value":"B","type":"home","display":"Bee"}}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true},{"value":"b","type":"home","display":"Bee"}]}`},
		{"the same value of another type", two, `[{"op":"add","path":"emails","value":{"value":"b","type":"other"}}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"},{"value":"b","type":"other"}]}`},
		{"an address without value twice", `{"userName":"lee"}`, `[{"op":"add","path":"addresses","value":[{"locality":"Oslo"},{"locality":"OSLO"},{"locality":"Oslo","country":"NO"}]}]`, `{"userName":"lee","addresses":[{"locality":"Oslo"},{"locality":"Oslo","country":"NO"}]}`},
		{"one value twice in a replace", two, `[{"op":"replace","path":"emails","value":[{"value":"c"},{"value":"c","display":"C"}]}]`, `{"userName":"lee","emails":[{"value":"c","display":"C"}]}`},
		{"elements that become one", two, `[{"op":"replace","path":"emails[type eq \"home\"].value","value":"a"},{"op":"replace","path":"emails[type eq \"home\"].type","value":"work"}]`, `{"userName":"lee","emails":[{"value":"a","type":"work","primary":true}]}`},
		{"the same elements in another order", two, `[{"op":"replace","path":"emails","value":[{"type":"home","value":"b"},{"primary":true,"value":"a","type":"work"}]}]`, ""},
		{"there and back", two, `[{"op":"remove","path":"emails"},{"op":"add","path":"emails","value":[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"}]}]`, ""},
		{"a change of letter case is one", `{"userName":"lee"}`, `[{"op":"replace","path":"userName","value":"Lee"}]`, `{"userName":"Lee"}`},

		// Primary.
		{"a part makes primary", two, `[{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}]`, `{"userName":"lee","emails":[{"value":"a","type":"work"},{"value":"b","type":"home","primary":true}]}`},
		{"adding again makes primary", two, `[{"op":"add","path":"emails","value":{"value":"b","type":"home","primary":true}}]`, `{"userName":"lee","emails":[{"value":"a","type":"work"},{"value":"b","type":"home","primary":true}]}`},
		{"adding to a record makes primary", two, `[{"op":"add","path":"emails[type eq \"home\"]","value":{"primary":true}}]`, `{"userName":"lee","emails":[{"value":"a","type":"work"},{"value":"b","type":"home","primary":true}]}`},
		{"a former primary is like another", `{"userName":"lee","addresses":[{"country":"NO","primary":true},{"country":"NO"}]}`, `[{"op":"add","path":"addresses","value":{"country":"SE","primary":true}}]`, `{"userName":"lee","addresses":[{"country":"NO"},{"country":"SE","primary":true}]}`},
		{"all primary", two, `[{"op":"replace","path":"emails.primary","value":true}]`, "invalidValue"},
		{"two records primary", two, `[{"op":"replace","path":"emails[type pr]","value":{"value":"c","primary":true}}]`, "invalidValue"},
		{"two replaced primary", two, `[{"op":"replace","path":"emails","value":[{"value":"c","primary":true},{"value":"d","primary":true}]}]`, "invalidValue"},

		// References.
		{"a new manager", managed, `[{"op":"replace","path":"` + enterprise + `:manager.value","value":"m2"}]`, `{"userName":"lee",` + ent + `{"manager":{"value":"m2"}}}`},
		{"a new manager with $ref", managed, `[{"op":"replace","path":"` + enterprise + `:manager","value":{"value":"m2","$ref":"../Users/m2"}}]`, `{"userName":"lee",` + ent + `{"manager":{"value":"m2","$ref":"../Users/m2"}}}`},
		{"the same manager", managed, `[{"op":"replace","path":"` + enterprise + `:manager","value":{"value":"m1"}}]`, ""},
		{"no manager", managed, `[{"op":"remove","path":"` + enterprise + `:manager.value"}]`, `{"userName":"lee"}`},

		// Filters without a match.
		{"unmatched remove of a part", two, `[{"op":"remove","path":"emails[type eq \"fax\"].value"}]`, ""},
		{"unmatched add", two, `[{"op":"add","path":"emails[type eq \"fax\"]","value":{"value":"x"}}]`, "noTarget"},
		{"unmatched replace of nothing", `{"userName":"lee"}`, `[{"op":"replace","path":"emails[type eq \"fax\"].value","value":null}]`, "noTarget"},
		{"a part of no element", `{"userName":"lee"}`, `[{"op":"replace","path":"emails.value","value":"a"},{"op":"remove","path":"phoneNumbers.value"}]`, `{"userName":"lee","emails":[{"value":"a"}]}`},
		{"a null part of no element", `{"userName":"lee"}`, `[{"op":"replace","path":"emails.value","value":null}]`, ""},

		// Required and immutable attributes.
		{"required removed by value", `{"userName":"lee"}`, `[{"op":"remove","path":"userName","value":"lee"}]`, "mutability"},
		{"required not named", `{"userName":"lee"}`, `[{"op":"remove","path":"userName","value":"kim"}]`, ""},
		{"immutable in another case", `{"userName":"lee",` + test + `{"serial":"SN-1"}}`, `[{"op":"replace","path":"` + testURN + `:serial","value":"sn-1"}]`, ""},
		{"immutable null", `{"userName":"lee",` + test + `{"serial":"SN-1"}}`, `[{"op":"replace","value":{` + test + `{"serial":null}}}]`, "mutability"},

		// Read-only members of a path-less value.
		{"id repeated", `{"userName":"lee"}`, `[{"op":"replace","value":{"id":"1"}}]`, ""},
		{"id in another case", `{"userName":"lee"}`, `[{"op":"replace","value":{"ID":"l"}}]`, "mutability"},
		{"id null", `{"userName":"lee"}`, `[{"op":"replace","value":{"id":null}}]`, "mutability"},
		{"meta repeated", `{"userName":"lee"}`, `[{"op":"replace","value":{"meta":{"resourceType":"User","location":"https://x.example/Users/1"}}}]`, ""},
		{"meta invented", `{"userName":"lee"}`, `[{"op":"replace","value":{"meta":{"version":"W/\"1\""}}}]`, "mutability"},
		{"no groups", `{"userName":"lee"}`, `[{"op":"replace","value":{"groups":[]}},{"op":"replace","value":{"groups":null}}]`, ""},
		{"a later operation sees an earlier one", `{"userName":"lee"}`, `[{"op":"add","path":"emails","value":{"value":"a"}},{"op":"replace","path":"emails[value eq \"a\"].type","value":"work"},{"op":"remove","path":"emails[type ne \"work\"]"}]`, `{"userName":"lee","emails":[{"value":"a","type":"work"}]}`},
	}, userType(), patch.ParseOptions{}, patch.ApplyOptions{})
}

func TestApplyTolerant(t *testing.T) {
	t.Parallel()
	po, ao := tolerant()
	const managed = `{"userName":"lee",` + ent + `{"division":"d","manager":{"value":"m1","displayName":"Max"}}}`
	runApply(t, []applyTest{
		{"a boolean term", `{"userName":"lee","roles":[{"value":"a"}]}`, `[{"op":"replace","path":"roles[primary eq \"True\"].value","value":"owner"},{"op":"add","path":"roles[primary eq true].display","value":"Owner"}]`, `{"userName":"lee","roles":[{"value":"a"},{"value":"owner","primary":true,"display":"Owner"}]}`},
		{"several terms", `{"userName":"lee"}`, `[{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"a"}]`, `{"userName":"lee","emails":[{"type":"work","primary":true,"value":"a"}]}`},
		{"a created element", `{"userName":"lee"}`, `[{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"a"}}]`, `{"userName":"lee","emails":[{"type":"work","value":"a"}]}`},
		{"a record is not created", `{"userName":"lee"}`, `[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"a"}}]`, "noTarget"},
		{"no conjunction of eq", `{"userName":"lee"}`, `[{"op":"add","path":"emails[type sw \"work\"].value","value":"a"}]`, "noTarget"},
		{"an alternative", `{"userName":"lee"}`, `[{"op":"add","path":"emails[type eq \"work\" or type eq \"home\"].value","value":"a"}]`, "noTarget"},
		{"a contradiction", `{"userName":"lee"}`, `[{"op":"add","path":"emails[type eq \"work\" and type eq \"home\"].value","value":"a"}]`, "noTarget"},
		{"it would not match", `{"userName":"lee"}`, `[{"op":"replace","path":"emails[type eq \"work\"].type","value":"home"}]`, "noTarget"},
		{"a simple element", `{"userName":"lee"}`, `[{"op":"add","path":"` + testURN + `:tags[value eq \"red\"]","value":"red"}]`, "noTarget"},
		{"nothing to create", `{"userName":"lee"}`, `[{"op":"replace","path":"emails[type eq \"work\"].value","value":null}]`, ""},
		{"a new primary", `{"userName":"lee","emails":[{"value":"a","primary":true,"type":"home"}]}`, `[{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"b"}]`, `{"userName":"lee","emails":[{"value":"a","type":"home"},{"type":"work","primary":true,"value":"b"}]}`},
		{"an extension", managed, `[{"op":"remove","path":"` + enterprise + `"}]`, `{"userName":"lee"}`},
		{"an extension as null", managed, `[{"op":"replace","path":"` + enterprise + `","value":null}]`, `{"userName":"lee"}`},
		{"an extension as a null member", managed, `[{"op":"replace","value":{` + ent + `null}}]`, `{"userName":"lee"}`},
		{"a part of an extension", managed, `[{"op":"remove","path":"` + enterprise + `","value":{"division":"d","manager":{"value":"m2"}}}]`, `{"userName":"lee",` + ent + `{"manager":{"value":"m1","displayName":"Max"}}}`},
		{"an extension as nothing", managed, `[{"op":"remove","path":"` + enterprise + `","value":{}}]`, ""},
		{"an extension with something immutable", `{"userName":"lee",` + test + `{"serial":"SN-1"}}`, `[{"op":"remove","path":"` + testURN + `"}]`, "mutability"},
		{"manager as an object of nothing", managed, `[{"op":"replace","path":"` + enterprise + `:manager","value":{}}]`, ""},
	}, userType(), po, ao)
}

// The type of a host that uses every characteristic that has a say in PATCH.
func TestApplyKeepsTheDefinition(t *testing.T) {
	t.Parallel()
	part := []schema.Attribute{{Name: "value", Required: true}, {Name: "key", Mutability: schema.Immutable}, {Name: "note"}, {Name: "marks", MultiValued: true}, {Name: "at", Type: schema.DateTime}, {Name: "n", Type: schema.Integer}, {Name: "f", Type: schema.Decimal}}
	typ := schema.MustCompile(schema.ResourceType{
		Name: "Thing", Endpoint: "/Things",
		Schema: &schema.Schema{ID: "urn:example:Thing", Attributes: []schema.Attribute{
			{Name: "names", MultiValued: true, Required: true},
			{Name: "once", MultiValued: true, Mutability: schema.Immutable},
			{Name: "one", Type: schema.Complex, SubAttributes: part},
			{Name: "many", Type: schema.Complex, MultiValued: true, SubAttributes: part},
		}},
		Extensions: []schema.Extension{
			{Required: true, Schema: &schema.Schema{ID: "urn:example:Must", Attributes: []schema.Attribute{{Name: "a", Required: true}, {Name: "b"}}}},
			{Schema: &schema.Schema{ID: "urn:example:May", Attributes: []schema.Attribute{{Name: "a", Required: true}, {Name: "b"}, {Name: "made", Mutability: schema.ReadOnly}}}},
		},
	})
	const full = `{"names":["x"],"once":["1"],"one":{"value":"v","key":"k","note":"n"},"many":[{"value":"v","key":"k","note":"n"}],"urn:example:Must":{"a":"1","b":"2"},"urn:example:May":{"a":"1"}}`
	with := func(old, new string) string { return strings.Replace(full, old, new, 1) }
	po := patch.ParseOptions{Tolerance: patch.Tolerance{WholeExtension: true}}
	create := patch.ApplyOptions{CreateElement: func() bool { return true }}
	runApply(t, []applyTest{
		{"the last of required ones", full, `[{"op":"remove","path":"names[value eq \"x\"]"}]`, "mutability"},
		{"required ones as nothing", full, `[{"op":"replace","path":"names","value":[]}]`, "mutability"},
		{"required ones replaced", full, `[{"op":"replace","path":"names","value":["y"]}]`, with(`["x"]`, `["y"]`)},
		{"one more immutable", full, `[{"op":"add","path":"once","value":"2"}]`, "mutability"},
		{"an immutable one less", full, `[{"op":"remove","path":"once[value eq \"1\"]"}]`, "mutability"},
		{"immutable ones repeated", full, `[{"op":"replace","path":"once","value":["1"]},{"op":"add","path":"once","value":"1"}]`, ""},
		{"immutable ones for the first time", `{"names":["x"]}`, `[{"op":"add","path":"once","value":["1","2"]}]`, `{"names":["x"],"once":["1","2"]}`},
		{"an immutable part", full, `[{"op":"replace","path":"one.key","value":"l"}]`, "mutability"},
		{"an immutable part in a merge", full, `[{"op":"add","path":"one","value":{"key":"l"}}]`, "mutability"},
		{"an immutable part removed", full, `[{"op":"remove","path":"one.key"}]`, "mutability"},
		{"an immutable part goes with the whole", full, `[{"op":"remove","path":"one"}]`, "mutability"},
		{"an immutable part of many", full, `[{"op":"replace","path":"many.key","value":"l"}]`, "mutability"},
		{"an immutable part of a record", full, `[{"op":"replace","path":"many[value eq \"v\"]","value":{"value":"w"}}]`, "mutability"},
		{"an immutable part of a repeated one", full, `[{"op":"add","path":"many","value":{"value":"v","key":"l"}}]`, "mutability"},
		{"an element goes with its immutable part", full, `[{"op":"remove","path":"many[key eq \"k\"]"}]`, with(`"many":[{"value":"v","key":"k","note":"n"}],`, ``)},
		{"a required part removed", full, `[{"op":"remove","path":"one.value"}]`, "mutability"},
		{"a required part as null", full, `[{"op":"replace","path":"one","value":{"value":null}}]`, "mutability"},
		{"a required part of an element removed", full, `[{"op":"remove","path":"many[note pr].value"}]`, "mutability"},
		{"a required part missing", `{"names":["x"]}`, `[{"op":"add","path":"one","value":{"note":"n"}}]`, "invalidValue"},
		{"a required part missing in an element", full, `[{"op":"add","path":"many","value":{"note":"n"}}]`, "invalidValue"},
		{"a required part empty", full, `[{"op":"replace","path":"one.value","value":""}]`, "invalidValue"},
		{"a part that is many", full, `[{"op":"add","path":"one","value":{"marks":["1"]}},{"op":"add","path":"one","value":{"marks":["2","1"]}},{"op":"add","path":"one.marks","value":"3"},{"op":"remove","path":"urn:example:Thing:one.marks[value eq \"2\"]"}]`, with(`"note":"n"}`, `"note":"n","marks":["1","3"]}`)},
		{"a part that is many replaced", full, `[{"op":"add","path":"one.marks","value":["1"]},{"op":"replace","path":"one","value":{"marks":["2"]}}]`, with(`"note":"n"}`, `"note":"n","marks":["2"]}`)},
		{"a part that is many, of many", full, `[{"op":"add","path":"many[value eq \"v\"].marks","value":["1","2"]},{"op":"remove","path":"many.marks","value":["1"]}]`, with(`"note":"n"}]`, `"note":"n","marks":["2"]}]`)},
		{"terms of other kinds", full, `[{"op":"add","path":"many[value eq \"w\" and at eq \"2024-02-29T12:00:00Z\" and n eq 7 and f eq 2.5].note","value":"m"}]`, with(`"note":"n"}]`, `"note":"n"},{"value":"w","at":"2024-02-29T12:00:00Z","n":7,"f":2.5,"note":"m"}]`)},
		{"a created element lacks something", full, `[{"op":"add","path":"many[key eq \"l\"].note","value":"m"}]`, "invalidValue"},
		{"a required extension removed", full, `[{"op":"remove","path":"urn:example:Must"}]`, "mutability"},
		{"a required extension's last", `{"names":["x"],"urn:example:Must":{"b":"1"}}`, `[{"op":"remove","path":"urn:example:Must:b"}]`, "mutability"},
		{"an optional extension removed", full, `[{"op":"remove","path":"urn:example:May"}]`, with(`,"urn:example:May":{"a":"1"}`, ``)},
		{"what an optional extension requires", full, `[{"op":"remove","path":"urn:example:May:a"}]`, "mutability"},
		{"an extension removed and half made", full, `[{"op":"remove","path":"urn:example:May"},{"op":"add","path":"urn:example:May:b","value":"2"}]`, "mutability"},
		{"an extension half made", `{"names":["x"]}`, `[{"op":"add","path":"urn:example:May:b","value":"2"}]`, "invalidValue"},
		{"an extension made", `{"names":["x"]}`, `[{"op":"add","path":"urn:example:May:b","value":"2"},{"op":"add","path":"urn:example:May:a","value":"1"}]`, `{"names":["x"],"urn:example:May":{"a":"1","b":"2"}}`},
		{"what was made stays", `{"names":["x"],"urn:example:May":{"a":"1","made":"m"}}`, `[{"op":"replace","path":"urn:example:May","value":{"a":"2"}}]`, `{"names":["x"],"urn:example:May":{"a":"2","made":"m"}}`},
	}, typ, po, create)
}

func TestRequireTarget(t *testing.T) {
	t.Parallel()
	o := patch.ApplyOptions{RequireTarget: true}
	runApply(t, []applyTest{
		{"unmatched", `{"userName":"lee"}`, `[{"op":"remove","path":"emails[type eq \"work\"]"}]`, "noTarget"},
		{"unmatched part", `{"userName":"lee","emails":[{"value":"a"}]}`, `[{"op":"remove","path":"emails[type eq \"work\"].value"}]`, "noTarget"},
		{"matched", `{"userName":"lee","emails":[{"value":"a"}]}`, `[{"op":"remove","path":"emails[value eq \"a\"]"}]`, `{"userName":"lee"}`},
		{"matched, not listed", `{"userName":"lee","emails":[{"value":"a"}]}`, `[{"op":"remove","path":"emails[value eq \"a\"]","value":[{"value":"b"}]}]`, ""},
		{"without a filter", `{"userName":"lee"}`, `[{"op":"remove","path":"emails"},{"op":"remove","path":"title"},{"op":"remove","path":"phoneNumbers.value"}]`, ""},
	}, userType(), patch.ParseOptions{}, o)
	r, rel := parts(t, []byte(`{"displayName":"g","members":[{"value":"a"}]}`))
	for ops, want := range map[string]string{
		`[{"op":"remove","path":"members[value eq \"b\"]"}]`:         "noTarget",
		`[{"op":"remove","path":"members[value eq \"a\"]"}]`:         "",
		`[{"op":"remove","path":"members","value":[{"value":"b"}]}]`: "",
	} {
		_, _, err := do(r.Type(), r, rel, body(ops), patch.ParseOptions{}, o)
		var e *patch.Error
		if errors.As(err, &e) && e.ScimType != want || err == nil && want != "" {
			t.Errorf("%s: %v", ops, err)
		}
	}
}

func TestCreateElementIsAskedOnlyWhenItMatters(t *testing.T) {
	t.Parallel()
	for ops, want := range map[string]int{
		`[{"op":"add","path":"emails[type eq \"work\"].value","value":"b"}]`: 0,
		`[{"op":"add","path":"emails[type eq \"home\"].value","value":"b"}]`: 1,
		`[{"op":"add","path":"emails[type sw \"home\"].value","value":"b"}]`: 0,
		`[{"op":"remove","path":"emails[type eq \"home\"]"}]`:                0,
	} {
		r, _ := parts(t, []byte(`{"userName":"lee","emails":[{"value":"a","type":"work"}]}`))
		asked := 0
		_, _, _ = do(r.Type(), r, nil, body(ops), patch.ParseOptions{}, patch.ApplyOptions{CreateElement: func() bool { asked++; return true }})
		if asked != want {
			t.Errorf("%s: asked %d times", ops, asked)
		}
	}
}

func TestApplyReportsTheNetEffect(t *testing.T) {
	t.Parallel()
	r, _ := parts(t, []byte(`{"userName":"lee","title":"a","emails":[{"value":"a"}],`+ent+`{"division":"d"}}`))
	res, _, err := do(r.Type(), r, nil, body(`[{"op":"replace","path":"title","value":"b"},{"op":"replace","path":"title","value":"c"},
		{"op":"replace","path":"emails[value eq \"a\"].type","value":"work"},{"op":"remove","path":"`+enterprise+`:division"},
		{"op":"add","path":"nickName","value":"n"},{"op":"remove","path":"nickName"}]`), patch.ParseOptions{}, patch.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := changesText(res.Changes); got != "title emails "+enterprise+":division" {
		t.Error(got)
	}
	if c := res.Changes[0]; c.Before.Text() != "a" || c.After.Text() != "c" {
		t.Errorf("title from %s to %s", c.Before.Text(), c.After.Text())
	}
	if c := res.Changes[2]; c.Before.Text() != "d" || !c.After.IsZero() {
		t.Errorf("division from %s to %s", c.Before.Text(), c.After.Text())
	}
	if res.Resource.ID() != r.ID() {
		t.Errorf("id %q", res.Resource.ID())
	}
}

func TestApplyEditsRelationsInMemory(t *testing.T) {
	t.Parallel()
	r, rel := parts(t, []byte(`{"displayName":"g","members":[{"value":"a"},{"value":"b"}]}`))
	res, _, err := do(r.Type(), r, rel, body(`[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"c"}]}]`), patch.ParseOptions{}, patch.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := membersText(res.Relations["members"]); got != "b c" || !res.RelationsChanged || res.Resource != r || membersText(rel["members"]) != "a b" {
		t.Errorf("%s, changed %v, input %s", got, res.RelationsChanged, membersText(rel["members"]))
	}
	res, _, err = do(r.Type(), r, nil, body(`[{"op":"add","path":"members","value":[{"value":"c"}]}]`), patch.ParseOptions{}, patch.ApplyOptions{})
	if err != nil || membersText(res.Relations["members"]) != "c" {
		t.Error(err, res)
	}
}

func TestPartsOfMembersInMemory(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ ops, after string }{
		{`[{"op":"add","path":"members[value eq \"u1\"].display","value":"Ann"}]`, "u1=Ann User/u2=Bea"},
		{`[{"op":"add","path":"members[value eq \"u1\"]","value":{"value":"u1","display":"Ann"}}]`, "u1=Ann User/u2=Bea"},
		{`[{"op":"add","path":"members","value":{"value":"u1","type":"Group"}}]`, "Group/u1 User/u2=Bea"},
		{`[{"op":"replace","path":"members.type","value":"User"}]`, "User/u1 User/u2=Bea"},
		{`[{"op":"replace","path":"members[display eq \"bea\"].display","value":"Bea"}]`, "u1 User/u2=Bea"},
		{`[{"op":"remove","path":"members[value eq \"u1\"].display"}]`, "u1 User/u2=Bea"},
		{`[{"op":"remove","path":"members[value eq \"u2\"].display","value":"Ann"}]`, "u1 User/u2=Bea"},
		{`[{"op":"remove","path":"members[value eq \"u2\"].display"}]`, "mutability"},
		{`[{"op":"replace","path":"members[value eq \"u2\"].display","value":"Ann"}]`, "mutability"},
		{`[{"op":"replace","path":"members[value eq \"u2\"].display","value":null}]`, "mutability"},
		{`[{"op":"replace","path":"members.type","value":"Group"}]`, "mutability"},
	} {
		r, rel := parts(t, []byte(`{"displayName":"g","members":[{"value":"u1"},{"value":"u2","type":"User","display":"Bea"}]}`))
		res, _, err := do(r.Type(), r, rel, body(test.ops), patch.ParseOptions{}, patch.ApplyOptions{})
		var e *patch.Error
		if errors.As(err, &e) {
			if e.ScimType != test.after {
				t.Errorf("%s: %v", test.ops, e)
			}
		} else if got := membersText(res.Relations["members"]); got != test.after {
			t.Errorf("%s: got %s, want %s", test.ops, got, test.after)
		}
	}
}

func TestVisitsAreLimited(t *testing.T) {
	t.Parallel()
	r, _ := parts(t, []byte(`{"userName":"lee","emails":[{"value":"a"},{"value":"b"}]}`))
	for n, over := range map[int]bool{4: false, 3: true} {
		for _, ops := range []string{
			`[{"op":"remove","path":"emails[type eq \"x\"]"},{"op":"replace","path":"emails.type","value":"work"}]`,
			`[{"op":"remove","path":"emails","value":[{"value":"c"}]},{"op":"replace","path":"emails[value eq \"a\"]","value":{"value":"c"}}]`,
			`[{"op":"remove","path":"emails.type"},{"op":"add","path":"emails","value":[{"value":"c"}]},{"op":"replace","path":"emails","value":[{"value":"d"},{"value":"e"}]},{"op":"remove","path":"emails.type"}]`,
		} {
			_, _, err := do(r.Type(), r, nil, body(ops), patch.ParseOptions{}, patch.ApplyOptions{MaxVisits: n})
			var e *patch.Error
			if over != (errors.As(err, &e) && e.Limit) || !over && err != nil {
				t.Errorf("%d: %s: %v", n, ops, err)
			}
		}
	}
}

func TestHandMadeOperationsOnReadOnlyAttributesAreRefused(t *testing.T) {
	t.Parallel()
	r, _ := parts(t, []byte(`{"userName":"lee"}`))
	for _, name := range []string{"id", "meta", "groups", "meta.version", enterprise + ":manager.displayName"} {
		p := userType().MustResolve(name)
		_, err := patch.Apply(r, nil, []patch.Operation{{Op: patch.Remove, Target: patch.Target{Path: p}}}, patch.ApplyOptions{})
		var e *patch.Error
		if !errors.As(err, &e) || e.ScimType != "mutability" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyElementsBehaveLikeFew(t *testing.T) {
	t.Parallel()
	var all, again bytes.Buffer
	for i := range 200 {
		n := string(rune('a'+i%20)) + strings.Repeat("x", i/20)
		all.WriteString(`,{"value":"` + n + `","type":"work"},{"display":"` + n + `","primary":false}`)
		again.WriteString(`,{"value":"` + strings.ToUpper(n) + `","type":"WORK"},{"display":"` + strings.ToUpper(n) + `"}`)
	}
	r, _ := parts(t, []byte(`{"userName":"lee"}`))
	add := func(r *resource.Resource, list string) *patch.Result {
		res, _, err := do(r.Type(), r, nil, body(`[{"op":"add","path":"emails","value":[`+list[1:]+`]}]`), patch.ParseOptions{}, patch.ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	first := add(r, all.String())
	if n := first.Resource.Get(r.Type().MustResolve("emails")).Len(); n != 400 {
		t.Fatalf("%d elements", n)
	}
	if second := add(first.Resource, again.String()); len(second.Changes) != 0 {
		t.Errorf("adding again made %d elements", second.Changes[0].After.Len())
	}
	res, _, err := do(r.Type(), first.Resource, nil, body(`[{"op":"remove","path":"emails","value":[`+again.String()[1:]+`]}]`), patch.ParseOptions{}, patch.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if v := res.Resource.Get(r.Type().MustResolve("emails")); !v.IsZero() {
		t.Errorf("%d elements stay", v.Len())
	}
}

func TestManySimpleElementsBehaveLikeFew(t *testing.T) {
	t.Parallel()
	var few, all []string
	for i := range 100 {
		all = append(all, `"t`+string(rune('a'+i%26))+strings.Repeat("x", i/26)+`"`)
		if i%2 == 0 {
			few = append(few, strings.ToUpper(all[i]))
		}
	}
	r, _ := parts(t, []byte(`{"userName":"lee"}`))
	path := testURN + ":tags"
	res, _, err := do(r.Type(), r, nil, body(`[{"op":"add","path":"`+path+`","value":[`+strings.Join(few, ",")+`]},{"op":"add","path":"`+path+`","value":[`+strings.Join(all, ",")+`]}]`), patch.ParseOptions{}, patch.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := res.Resource.Get(r.Type().MustResolve(path)).Len(); n != 100 {
		t.Errorf("%d elements", n)
	}
}
