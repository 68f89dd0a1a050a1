package resource_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// clerk repairs by tables and records what it was asked.
type clerk struct {
	t      *schema.Type
	names  map[string]string // key → attribute
	values map[string]string // raw → fixed
	asked  []string
}

func (c *clerk) Name(parent schema.Path, key string) (schema.Path, bool) {
	c.asked = append(c.asked, fmt.Sprintf("name %s/%s", parent, key))
	name, ok := c.names[key]
	if !ok {
		return schema.Path{}, false
	}
	return c.t.MustResolve(name), true
}

func (c *clerk) Value(p schema.Path, raw []byte, element bool) ([]byte, bool) {
	c.asked = append(c.asked, fmt.Sprintf("value %s %s %v", p, raw, element))
	fixed, ok := c.values[string(raw)]
	return []byte(fixed), ok
}

func (c *clerk) Schemas(_ *schema.Type, listed []string) bool {
	c.asked = append(c.asked, "schemas "+strings.Join(listed, ","))
	return false
}

func TestRepairIsNotAskedAboutGoodInput(t *testing.T) {
	t.Parallel()
	c := &clerk{t: userType}
	decode(t, userType, string(body(t)), resource.DecodeOptions{Repair: c})
	if len(c.asked) > 0 {
		t.Errorf("asked %q", c.asked)
	}
}

func TestRepair(t *testing.T) {
	t.Parallel()
	clerkOf := func() *clerk {
		return &clerk{t: deviceType,
			names: map[string]string{
				"txt": "text", "colour": "badge.color", "badge.color": "badge.color", "badge.number": "badge.number", extraURN + ":site": extraURN + ":site",
				"rows": extraURN + ":rack.row", "bags": "badge", "portValue": "ports.value", "owner": "owners", "val": "ports.value", "key": "serial",
			},
			values: map[string]string{
				`"True"`: `true`, `"no"`: `null`, `"bad"`: `"worse"`, `"broken"`: `{`, `"two"`: `true true`,
				`"w1"`: `[{"value":"w1"}]`, `{"value":"o"}`: `[{"value":"o"}]`, `{"value":"p"}`: `["p"]`, `"p"`: `{"value":"p"}`, `7`: `"7"`, `"x y"`: `"x%20y"`, `1.0`: `1`,
				`"loop"`: `["loop"]`,
			},
		}
	}
	for _, c := range []struct {
		name, body, want, err string
		ignored               []string
		asked                 []string
	}{
		{"value", `{"flag":"True"}`, `{"flag":true}`, ``, nil, []string{`value flag "True" false`}},
		{"value to null", `{"flag":"no","text":"a"}`, `{"text":"a"}`, ``, nil, nil},
		{"value that is no better", `{"flag":"bad"}`, ``, `flag: must be true or false, not a string (at byte 8)`, nil, nil},
		{"value that is not JSON", `{"flag":"broken"}`, ``, `flag: must be true or false, not a string (at byte 8)`, nil, nil},
		{"value with more behind", `{"flag":"two"}`, ``, `flag: must be true or false, not a string (at byte 8)`, nil, nil},
		{"value not known", `{"flag":"perhaps"}`, ``, `flag: must be true or false, not a string (at byte 8)`, nil, nil},
		{"malformed text", `{"ref":"x y"}`, `{"ref":"x%20y"}`, ``, nil, nil},
		{"number", `{"integer":1.0}`, `{"integer":1}`, ``, nil, nil},
		{"array", `{"ports":"w1"}`, `{"ports":[{"value":"w1"}]}`, ``, nil, []string{`value ports "w1" false`}},
		{"array, then element", `{"ports":{"value":"p"}}`, `{"ports":[{"value":"p"}]}`, ``, nil, []string{`value ports {"value":"p"} false`, `value ports "p" true`}},
		{"element", `{"ports":["p",{"value":7}]}`, `{"ports":[{"value":"p"},{"value":"7"}]}`, ``, nil, []string{`value ports "p" true`, `value ports.value 7 false`}},
		{"second primary", `{"ports":[{"value":"1","primary":true},{"value":"2","primary":"True"}]}`, ``, `ports[1].primary: only one element can be primary (at byte 62)`, nil, nil},
		{"no end", `{"text":["loop"]}`, ``, `text: must be a string, not an array (at byte 8)`, nil, nil},
		{"empty ones are unassigned anyway", `{"flag":[],"text":{}}`, `{}`, ``, nil, []string{}},

		{"name", `{"TXT":1,"txt":"a"}`, ``, `txt: the name stands twice in one object; names are equal whatever their letter case (at byte 9)`, []string{"TXT"}, nil},
		{"name in place", `{"flag":true,"txt":"a"}`, `{"flag":true,"text":"a"}`, ``, nil, []string{`name /txt`}},
		{"name beside the attribute's own", `{"txt":"a","text":"b"}`, `{"text":"b"}`, ``, []string{"txt"}, nil},
		{"name with a value to repair", `{"txt":7}`, `{"text":"7"}`, ``, nil, nil},
		{"name with a bad value", `{"txt":true}`, ``, `text: must be a string, not a boolean (at byte 7)`, nil, nil},
		{"name in a complex value", `{"badge":{"colour":"red","number":"1"}}`, `{"badge":{"number":"1","color":"red"}}`, ``, nil, []string{`name badge/colour`}},
		{"name in an element", `{"ports":[{"val":"1"}]}`, `{"ports":[{"value":"1"}]}`, ``, nil, nil},
		{"name of a part elsewhere", `{"badge.color":"red","badge":{"number":"1"}}`, `{"badge":{"number":"1","color":"red"}}`, ``, nil, nil},
		{"names of parts alone", `{"badge.color":"red","badge.number":"1"}`, `{"badge":{"color":"red","number":"1"}}`, ``, nil, nil},
		{"name of a part without the required one", `{"badge.color":"red"}`, ``, `badge.number: is required`, nil, nil},
		{"name of a required part", `{"badge":{"color":"red"},"badge.number":"1"}`, `{"badge":{"color":"red","number":"1"}}`, ``, nil, nil},
		{"name of a part that is there", `{"badge.color":"red","badge":{"number":"1","color":"blue"}}`, `{"badge":{"number":"1","color":"blue"}}`, ``, []string{"badge.color"}, nil},
		{"name of a part with a bad value", `{"badge.color":true,"badge":{"number":"1"}}`, ``, `badge.color: must be a string, not a boolean (at byte 15)`, nil, nil},
		{"name in an extension", `{"` + extraURN + `:site":"x","rows":"y"}`, `{"` + extraURN + `":{"site":"x","rack":{"row":"y"}}}`, ``, nil, nil},
		{"name of a top-level attribute in another", `{"` + extraURN + `":{"site":"x","bags":{"number":"1"}}}`, `{"` + extraURN + `":{"site":"x"},"badge":{"number":"1"}}`, ``, nil, nil},
		{"name of a part of elements", `{"portValue":"x","text":"a"}`, `{"text":"a"}`, ``, []string{"portValue"}, nil},
		{"name that leads out of an element", `{"ports":[{"txt":"x","value":"1"}]}`, `{"ports":[{"value":"1"}]}`, ``, []string{"ports.txt"}, nil},
		{"name of a read-only attribute", `{"key":"x","text":"a"}`, `{"text":"a"}`, ``, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := clerkOf()
			body := `{"schemas":["` + deviceURN + `"],` + c.body[1:]
			shift := len(body) - len(c.body)
			d, err := resource.Decode(deviceType, []byte(body), resource.DecodeOptions{Repair: r})
			if c.err != "" {
				// Offsets in the table count from the start of the short body.
				want := c.err
				if i := strings.LastIndex(want, "byte "); i >= 0 {
					var n int
					fmt.Sscanf(want[i:], "byte %d", &n)
					want = fmt.Sprintf("%sbyte %d)", want[:i], n+shift)
				}
				if fmt.Sprint(err) != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(d.Resource.Document())); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(c.ignored, d.Ignored); diff != "" {
				t.Errorf("Ignored (-want +got)\n%s", diff)
			}
			if c.asked != nil && strings.Join(c.asked, "\n") != strings.Join(r.asked, "\n") {
				t.Errorf("asked %q, want %q", r.asked, c.asked)
			}
		})
	}
}

func TestRepairOfMembers(t *testing.T) {
	t.Parallel()
	c := &clerk{t: groupType, values: map[string]string{`"U1"`: `{"value":"U1"}`, `{"value":"U2"}`: `[{"value":"U2"}]`, `3`: `"3"`, `"U9"`: `{}`}}
	p := groupType.MustResolve("members")
	for raw, want := range map[string][]resource.Member{
		`["U1",{"value":"U2","$ref":null}]`: {{ID: "U1"}, {ID: "U2"}},
		`{"value":"U2"}`:                    {{ID: "U2"}},
		`[{"value":3}]`:                     {{ID: "3"}},
	} {
		got, err := resource.DecodeMembers(p, []byte(raw), resource.DecodeOptions{Repair: c})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", raw, err, diff)
		}
	}
	_, err := resource.DecodeMembers(p, []byte(`["U1","U9"]`), resource.DecodeOptions{Repair: c})
	if fmt.Sprint(err) != "members[1]: must be an object, not a string (at byte 6)" {
		t.Errorf("got %v", err)
	}
}

func TestRepairOfSchemas(t *testing.T) {
	t.Parallel()
	c := &clerk{t: deviceType, values: map[string]string{`"` + deviceURN + `"`: `["` + deviceURN + `"]`}}
	decode(t, deviceType, `{"schemas":"`+deviceURN+`","text":"a"}`, resource.DecodeOptions{Repair: c})
	_, err := resource.Decode(deviceType, []byte(`{"schemas":["urn:a","urn:b"]}`), resource.DecodeOptions{Repair: c})
	if last := c.asked[len(c.asked)-1]; err == nil || last != "schemas urn:a,urn:b" {
		t.Errorf("asked %q; %v", last, err)
	}
}
