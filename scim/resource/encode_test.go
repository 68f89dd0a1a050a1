package resource_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

const base = "https://muster.example/scim/v2"

func endpoints(name string) string {
	return map[string]string{"User": "/Users", "Group": "/Groups"}[name]
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	user := document(t, userType, `{"userName":"a","externalId":"<e&>","`+schema.EnterpriseUserURN+`":{"department":"d"}}`)
	group := document(t, groupType, `{"displayName":"g"}`)
	groups, members := userType.MustResolve("groups"), groupType.MustResolve("members")
	const userSchemas = `"schemas":["` + schema.UserURN + `","` + schema.EnterpriseUserURN + `"]`
	const rest = `"userName":"a","externalId":"<e&>","` + schema.EnterpriseUserURN + `":{"department":"d"}`
	zone := resource.Meta{ID: `x/"é`, Version: `a"b\`, Created: time.Date(2024, 2, 29, 12, 0, 0, 0, time.FixedZone("", -3600))}
	for _, c := range []struct {
		name string
		r    *resource.Resource
		v    *resource.View
		want string
	}{
		{"no metadata, no view", user, nil, `{` + userSchemas + `,` + rest + `,"meta":{"resourceType":"User"}}`},
		{"empty document", document(t, deviceType, `{}`), nil, `{"schemas":["` + deviceURN + `"],"meta":{"resourceType":"Device"}}`},
		{"without base", user.WithMeta(aMeta), &resource.View{}, `{` + userSchemas + `,"id":"2819c223-7f76-453a-919d-413861904646",` + rest +
			`,"meta":{"resourceType":"User","created":"2024-02-29T12:00:00.123456Z","lastModified":"2024-03-01T08:30:00Z","version":"W/\"3694e05e9dff590\""}}`},
		{"with base", group.WithMeta(resource.Meta{ID: "1"}), &resource.View{BaseURL: base}, `{"schemas":["` + schema.GroupURN + `"],"id":"1","displayName":"g",` +
			`"meta":{"resourceType":"Group","location":"` + base + `/Groups/1"}}`},
		{"odd metadata", group.WithMeta(zone), &resource.View{BaseURL: `http://h"`}, `{"schemas":["` + schema.GroupURN + `"],"id":"x/\"é","displayName":"g",` +
			`"meta":{"resourceType":"Group","created":"2024-02-29T13:00:00Z","location":"http://h\"/Groups/x%2F%22%C3%A9","version":"W/\"a\"b\\\""}}`},
		{"members", group.WithMeta(resource.Meta{ID: "1"}), &resource.View{BaseURL: base, Endpoint: endpoints, Relations: []resource.RelationView{{Path: members, Members: []resource.Member{
			{ID: "u1", Type: "User", Display: `A "B"`, Ref: "elsewhere"}, {ID: "g/2", Type: "Group"}, {ID: "u3"}, {ID: "d", Type: "Device"}}}}},
			`{"schemas":["` + schema.GroupURN + `"],"id":"1","displayName":"g","members":[` +
				`{"value":"u1","$ref":"` + base + `/Users/u1","type":"User","display":"A \"B\""},{"value":"g/2","$ref":"` + base + `/Groups/g%2F2","type":"Group"},` +
				`{"value":"u3","$ref":"` + base + `/Users/u3","type":"User"},{"value":"d","type":"Device"}],` +
				`"meta":{"resourceType":"Group","location":"` + base + `/Groups/1"}}`},
		{"members without base", group, &resource.View{Endpoint: endpoints, Relations: []resource.RelationView{{Path: members, Members: []resource.Member{{ID: "u1", Type: "User"}}}}},
			`{"schemas":["` + schema.GroupURN + `"],"displayName":"g","members":[{"value":"u1","type":"User"}],"meta":{"resourceType":"Group"}}`},
		{"no members", group, &resource.View{Relations: []resource.RelationView{{Path: members}}},
			`{"schemas":["` + schema.GroupURN + `"],"displayName":"g","members":[],"meta":{"resourceType":"Group"}}`},
		{"groups", user, &resource.View{BaseURL: base, Endpoint: endpoints, Relations: []resource.RelationView{{Path: groups, Members: []resource.Member{{ID: "1", Type: "Group", Display: "G"}, {ID: "2"}}}}},
			`{` + userSchemas + `,` + rest + `,"groups":[{"value":"1","$ref":"` + base + `/Groups/1","type":"direct","display":"G"},{"value":"2","$ref":"` + base + `/Groups/2","type":"direct"}],"meta":{"resourceType":"User"}}`},
	} {
		got := string(resource.AppendJSON([]byte("before"), c.r, c.v))
		if d := cmp.Diff("before"+c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, d)
		}
		if !json.Valid([]byte(got[6:])) {
			t.Errorf("%s: not JSON", c.name)
		}
	}
}

func TestProjection(t *testing.T) {
	t.Parallel()
	const all = `{"text":"a","flag":true,"badge":{"number":"1","color":"red"},"ports":[{"value":"1","type":"t"},{"type":"u"}],"pin":"1234","history":"h","model":"m",` +
		`"audit":{"by":"b","key":"k","log":"l","rev":"r"},"` + extraURN + `":{"site":"s","rack":{"row":"r","unit":1}}}`
	r := document(t, deviceType, all).WithMeta(resource.Meta{ID: "1", Version: "v"})
	owners := []resource.RelationView{{Path: deviceType.MustResolve("owners"), Members: []resource.Member{{ID: "u", Type: "User", Display: "U"}}}}
	const ext = `"` + extraURN + `":{"site":"s","rack":{"row":"r","unit":1}}`
	const meta = `"meta":{"resourceType":"Device","version":"W/\"v\""}`
	const plain = `"text":"a","flag":true,"badge":{"number":"1","color":"red"},"ports":[{"value":"1","type":"t"},{"type":"u"}]`
	const people = `"owners":[{"value":"u","type":"User","display":"U"}]`
	const always = `"model":"m","audit":{"rev":"r"}`
	for _, c := range []struct {
		name                 string
		attributes, excluded []string
		sent                 []string
		want                 string // without schemas and id
	}{
		{"default", nil, nil, nil, plain + `,"model":"m","audit":{"by":"b","rev":"r"},` + ext + `,` + people + `,` + meta},
		{"blank names", []string{"", " "}, []string{""}, nil, plain + `,"model":"m","audit":{"by":"b","rev":"r"},` + ext + `,` + people + `,` + meta},
		{"one attribute", []string{"text"}, nil, nil, `"text":"a",` + always},
		{"white space and case", []string{" TEXT "}, nil, nil, `"text":"a",` + always},
		{"unknown attribute", []string{"nosuch"}, nil, nil, always},
		{"part", []string{"badge.color"}, nil, nil, `"badge":{"color":"red"},` + always},
		{"part of elements", []string{"ports.value"}, nil, nil, `"ports":[{"value":"1"}],` + always},
		{"part that nothing has", []string{"ports.labels"}, nil, nil, always},
		{"attribute and its part", []string{"badge", "badge.color"}, nil, nil, `"badge":{"number":"1","color":"red"},` + always},
		{"never", []string{"pin", "audit.key"}, nil, nil, always},
		{"request", []string{"history"}, nil, nil, `"history":"h",` + always},
		{"complex around request and never", []string{"audit"}, nil, nil, `"model":"m","audit":{"by":"b","rev":"r"}`},
		{"request part", []string{"audit.log"}, nil, nil, `"model":"m","audit":{"log":"l","rev":"r"}`},
		{"extension", []string{extraURN}, nil, nil, always + `,` + ext},
		{"extension attribute", []string{extraURN + ":site"}, nil, nil, always + `,"` + extraURN + `":{"site":"s"}`},
		{"extension part", []string{strings.ToUpper(extraURN) + ":Rack.Unit"}, nil, nil, always + `,"` + extraURN + `":{"rack":{"unit":1}}`},
		{"core attribute by URN", []string{deviceURN + ":text"}, nil, nil, `"text":"a",` + always},
		{"core schema", []string{deviceURN}, nil, nil, plain + `,"history":"h","model":"m","audit":{"by":"b","rev":"r"},` + people},
		{"meta", []string{"meta"}, nil, nil, always + `,` + meta},
		{"part of meta", []string{"meta.version"}, nil, nil, always + `,"meta":{"version":"W/\"v\""}`},
		{"part of meta that is missing", []string{"meta.created"}, nil, nil, always},
		{"relation", []string{"owners"}, nil, nil, always + `,` + people},
		{"part of relation", []string{"owners.value"}, nil, nil, always + `,"owners":[{"value":"u"}]`},
		{"part of relation that is missing", []string{"owners.$ref"}, nil, nil, always + `,"owners":[]`},
		{"attributes wins", []string{"text"}, []string{"text"}, nil, `"text":"a",` + always},
		{"excluded", nil, []string{"ports", "BADGE", extraURN, "owners", "meta"}, nil, `"text":"a","flag":true,"model":"m","audit":{"by":"b","rev":"r"}`},
		{"excluded always", nil, []string{"schemas", "id", "model", "audit", "nosuch"}, nil, plain + `,` + always + `,` + ext + `,` + people + `,` + meta},
		{"excluded part", nil, []string{"ports.type", "badge.number", extraURN + ":rack.row", "owners.type", "meta.version"}, nil,
			`"text":"a","flag":true,"badge":{"color":"red"},"ports":[{"value":"1"}],"model":"m","audit":{"by":"b","rev":"r"},"` + extraURN + `":{"site":"s","rack":{"unit":1}},` +
				`"owners":[{"value":"u"}],"meta":{"resourceType":"Device"}`},
		{"sent", nil, nil, []string{"history", "text", "pin"}, plain + `,"history":"h","model":"m","audit":{"by":"b","rev":"r"},` + ext + `,` + people + `,` + meta},
		{"sent around", nil, nil, []string{"audit"}, plain + `,"model":"m","audit":{"by":"b","log":"l","rev":"r"},` + ext + `,` + people + `,` + meta},
		{"sent and excluded", nil, []string{"history", extraURN, "owners"}, []string{"history"}, plain + `,"model":"m","audit":{"by":"b","rev":"r"},` + meta},
		{"sent and others asked for", []string{"text"}, nil, []string{"history"}, `"text":"a",` + always},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var sent []schema.Path
			for _, s := range c.sent {
				sent = append(sent, deviceType.MustResolve(s))
			}
			v := &resource.View{Projection: resource.NewProjection(deviceType, c.attributes, c.excluded, sent...), Relations: owners}
			got := string(resource.AppendJSON(nil, r, v))
			want := `{"schemas":["` + deviceURN + `","` + extraURN + `"],"id":"1",` + c.want + `}`
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// A document without hidden attributes is copied; the result must be the same.
func TestProjectionOfPlainDocuments(t *testing.T) {
	t.Parallel()
	r := must[*resource.Decoded](t)(resource.Decode(userType, body(t), resource.DecodeOptions{})).Resource.WithMeta(aMeta)
	whole := string(resource.AppendJSON(nil, r, nil))
	if got := string(resource.AppendJSON(nil, r, &resource.View{Projection: resource.NewProjection(userType, nil, []string{"nickName"})})); got != whole {
		t.Errorf("got  %s\nwant %s", got, whole)
	}
	secret := must[*resource.Resource](t)(r.Edit().Set("password", "hunter2").Build())
	if got := string(resource.AppendJSON(nil, secret, nil)); got != whole {
		t.Errorf("got  %s\nwant %s", got, whole)
	}
}

func TestProjectionShows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attributes, excluded []string
		path                 string
		want                 bool
	}{
		{nil, nil, "owners", true},
		{nil, nil, "owners.value", true},
		{nil, nil, "pin", false},
		{nil, nil, "history", false},
		{nil, nil, "audit", true},
		{nil, nil, "audit.key", false},
		{nil, nil, "meta", true},
		{[]string{"text"}, nil, "owners", false},
		{[]string{"text"}, nil, "id", true},
		{[]string{"text"}, nil, "meta", false},
		{[]string{"text"}, nil, "audit", true},
		{[]string{"owners.value"}, nil, "owners", true},
		{[]string{"owners.value"}, nil, "owners.type", false},
		{nil, []string{"owners"}, "owners", false},
		{nil, []string{"owners.value"}, "owners", true},
		{nil, []string{"owners.value", "owners.type", "owners.$ref"}, "owners", false},
	} {
		p := resource.NewProjection(deviceType, c.attributes, c.excluded)
		if got := p.Shows(deviceType.MustResolve(c.path)); got != c.want {
			t.Errorf("attributes %q, excluded %q: Shows(%s) = %v", c.attributes, c.excluded, c.path, got)
		}
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"abc-_.~1": "/Users/abc-_.~1", "a b/c?d#e%": "/Users/a%20b%2Fc%3Fd%23e%25", "a@b:c": "/Users/a@b:c", "é": "/Users/%C3%A9", "..": "/Users/%2E%2E", ".": "/Users/%2E", "a..b": "/Users/a..b",
	} {
		if got := resource.Location(base, "/Users", id); got != base+want {
			t.Errorf("%q: got %s", id, got)
		}
	}
}
