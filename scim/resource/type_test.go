package resource_test

import (
	"testing"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

const (
	deviceURN = "urn:example:schemas:2.0:Device"
	extraURN  = "urn:example:schemas:extension:2.0:Extra"
)

// device declares one attribute of every kind.
func device() schema.ResourceType {
	return schema.ResourceType{
		Name: "Device", Endpoint: "/Devices",
		Schema: &schema.Schema{ID: deviceURN, Name: "Device", Attributes: []schema.Attribute{
			{Name: "text"},
			{Name: "exact", CaseExact: true},
			{Name: "flag", Type: schema.Boolean},
			{Name: "decimal", Type: schema.Decimal},
			{Name: "integer", Type: schema.Integer},
			{Name: "time", Type: schema.DateTime},
			{Name: "binary", Type: schema.Binary},
			{Name: "ref", Type: schema.Reference},
			{Name: "tags", MultiValued: true},
			{Name: "codes", MultiValued: true, CaseExact: true},
			{Name: "numbers", Type: schema.Integer, MultiValued: true},
			{Name: "badge", Type: schema.Complex, SubAttributes: []schema.Attribute{
				{Name: "number", Required: true},
				{Name: "color"},
				{Name: "issued", Type: schema.DateTime, Mutability: schema.ReadOnly},
			}},
			{Name: "ports", Type: schema.Complex, MultiValued: true, SubAttributes: []schema.Attribute{
				{Name: "value"},
				{Name: "type"},
				{Name: "labels", MultiValued: true},
				{Name: "primary", Type: schema.Boolean},
			}},
			{Name: "serial", Mutability: schema.ReadOnly},
			{Name: "pin", Mutability: schema.WriteOnly, Returned: schema.ReturnedNever},
			{Name: "history", Returned: schema.ReturnedRequest},
			{Name: "model", Returned: schema.ReturnedAlways},
			{Name: "audit", Type: schema.Complex, SubAttributes: []schema.Attribute{
				{Name: "by"},
				{Name: "key", Returned: schema.ReturnedNever},
				{Name: "log", Returned: schema.ReturnedRequest},
				{Name: "rev", Returned: schema.ReturnedAlways},
			}},
			{Name: "owners", Type: schema.Complex, MultiValued: true, SubAttributes: []schema.Attribute{
				{Name: "value"}, {Name: "type"}, {Name: "$ref", Type: schema.Reference},
			}},
		}},
		Extensions: []schema.Extension{{Schema: &schema.Schema{ID: extraURN, Name: "Extra", Attributes: []schema.Attribute{
			{Name: "site"},
			{Name: "rack", Type: schema.Complex, SubAttributes: []schema.Attribute{{Name: "row"}, {Name: "unit", Type: schema.Integer}}},
			{Name: "links", Type: schema.Complex, MultiValued: true, SubAttributes: []schema.Attribute{{Name: "value"}, {Name: "primary", Type: schema.Boolean}}},
		}}}},
		Relations: []schema.Relation{{Attribute: "owners", Targets: []string{"User", "Group"}}},
	}
}

var (
	deviceType = schema.MustCompile(device())
	userType   = schema.MustCompile(schema.User(), schema.Group())
	groupType  = schema.MustCompile(schema.Group())
)

// strictType has required attributes of every sort.
var strictType = func() *schema.Type {
	d := schema.ResourceType{
		Name: "Strict", Endpoint: "/Stricts",
		Schema: &schema.Schema{ID: "urn:example:Strict", Attributes: []schema.Attribute{
			{Name: "name", Required: true},
			{Name: "parts", Type: schema.Complex, MultiValued: true, SubAttributes: []schema.Attribute{{Name: "value", Required: true}, {Name: "type"}}},
			{Name: "made", Required: true, Mutability: schema.ReadOnly},
		}},
		Extensions: []schema.Extension{{Required: true, Schema: &schema.Schema{ID: "urn:example:Need", Attributes: []schema.Attribute{
			{Name: "cost", Type: schema.Integer, Required: true}, {Name: "note"},
		}}}},
	}
	return schema.MustCompile(d)
}()

// partial decodes without asking for schemas.
var partial = resource.DecodeOptions{Partial: true}

func decode(t testing.TB, typ *schema.Type, body string, o resource.DecodeOptions) *resource.Decoded {
	t.Helper()
	d, err := resource.Decode(typ, []byte(body), o)
	if err != nil {
		t.Fatalf("Decode(%s): %v", body, err)
	}
	return d
}

func document(t testing.TB, typ *schema.Type, body string) *resource.Resource {
	t.Helper()
	return decode(t, typ, body, partial).Resource
}
