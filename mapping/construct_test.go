package mapping_test

import (
	"strings"
	"testing"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// row is a host's data of a shape that only functions know.
type row struct {
	login string
	text  string
	texts []string
	flag  bool
	value scim.Value
	name  struct{ Given string }
	side  []byte
}

func at(path string) mapping.Field[row] {
	return mapping.Attr(path, func(r *row) *string { return &r.text })
}

func flag(path string) mapping.Field[row] {
	return mapping.Attr(path, func(r *row) *bool { return &r.flag })
}

func texts(path string) mapping.Field[row] {
	return mapping.Attr(path, func(r *row) *[]string { return &r.texts })
}

func text(r *row) *string { return &r.text }

func TestFieldsThatCannotWorkAreRefusedWhenTheMappingIsBuilt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says   string
		fields []mapping.Field[row]
	}{
		{"nope", []mapping.Field[row]{at("nope")}},
		{"shoeSize", []mapping.Field[row]{at("name.shoeSize")}},
		{`no sub-attribute "size"`, []mapping.Field[row]{at("emails[type eq 'work'].size")}},
		{"cannot hold the attribute active, which is boolean", []mapping.Field[row]{at("active")}},
		{"cannot hold the attribute displayName, which is string", []mapping.Field[row]{flag("displayName")}},
		{"cannot hold the attribute emails, which is multi-valued complex; it takes a slice", []mapping.Field[row]{at("emails")}},
		{"cannot hold the attribute userType, which is string", []mapping.Field[row]{texts("userType")}},
		{"declare fields for its parts", []mapping.Field[row]{mapping.Attr("name", func(r *row) *struct{ Given string } { return &r.name })}},
		{"no sub-attribute \"value\"", []mapping.Field[row]{texts("addresses")}},
		{"already: title", []mapping.Field[row]{at("title"), at("urn:ietf:params:scim:schemas:core:2.0:User:title")}},
		{"already", []mapping.Field[row]{at("emails[type eq 'work'].value"), at(`emails[type eq "WORK"].value`)}},
		{"parts of name already", []mapping.Field[row]{at("name.givenName"), mapping.Attr("name", func(r *row) *scim.Value { return &r.value })}},
		{"already: name", []mapping.Field[row]{mapping.Attr("name", func(r *row) *scim.Value { return &r.value }), at("name.givenName")}},
		{"already: roles", []mapping.Field[row]{texts("roles"), at("roles[primary eq true].value")}},
		{"parts of roles already", []mapping.Field[row]{at("roles.value"), texts("roles")}},
		{"one element may be meant", []mapping.Field[row]{at("emails[type eq 'work'].value"), at("emails[primary eq true].value")}},
		{"one element may be meant", []mapping.Field[row]{at("emails.value"), at("emails[type eq 'work'].value")}},
		{"brackets may hold comparisons with eq", []mapping.Field[row]{at("emails[type co 'work'].value")}},
		{"brackets may hold comparisons with eq", []mapping.Field[row]{at("emails[type ne 'work'].value")}},
		{"brackets may hold comparisons with eq", []mapping.Field[row]{at("emails[type eq 'work' or type eq 'home'].value")}},
		{"brackets may hold comparisons with eq", []mapping.Field[row]{at("emails[type pr].value")}},
		{"brackets may hold comparisons with eq", []mapping.Field[row]{at("emails[type eq null].value")}},
		{"compared twice", []mapping.Field[row]{at("emails[type eq 'a' and type eq 'b'].value")}},
		{"say already what emails.type is", []mapping.Field[row]{at("emails[type eq 'work'].type")}},
		{"a whole element", []mapping.Field[row]{at("emails[type eq 'work']")}},
		{"single value", []mapping.Field[row]{at("name[givenName eq 'x'].familyName")}},
		{"closing quote", []mapping.Field[row]{at("emails[type eq 'work].value")}},
		{"relation", []mapping.Field[row]{texts("groups")}},
		{"relation", []mapping.Field[row]{at("groups.value")}},
		{"password", []mapping.Field[row]{at("password")}},
		{"server's", []mapping.Field[row]{at("meta.location")}},
		{"server's", []mapping.Field[row]{at("schemas")}},
		{"cannot hold the attribute meta.created", []mapping.Field[row]{at("meta.created")}},
		{"cannot hold the attribute id", []mapping.Field[row]{flag("id")}},
		{"already", []mapping.Field[row]{at("id"), at("id")}},
		{"no options", []mapping.Field[row]{mapping.Attr("id", text).Default("7")}},
		{"not both", []mapping.Field[row]{mapping.Attr("title", text).ReadOnly().WriteOnce()}},
		{"never assigned", []mapping.Field[row]{mapping.Attr("title", text).ReadOnly().Default("x")}},
		{"not both", []mapping.Field[row]{mapping.Attr("title", text).Default("x").Derive(func(*row) string { return "" })}},
		{"WriteOnce is for fields that are written", []mapping.Field[row]{mapping.Derived("title", func(*row) string { return "" }).WriteOnce()}},
		{"maximum length", []mapping.Field[row]{mapping.Attr("active", func(r *row) *bool { return &r.flag }).Max(3)}},
		{"maximum length", []mapping.Field[row]{mapping.Attr("title", text).Max(-1)}},
		{"side document already", []mapping.Field[row]{mapping.Side(func(r *row) *[]byte { return &r.side }), mapping.Side(func(r *row) *[]byte { return &r.side })}},
		{"declared by Side", []mapping.Field[row]{at("*")}},
	} {
		_, err := mapping.Of(user, append(c.fields, at("userName"))...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: the error says %v, want %q", paths(c.fields), err, c.says)
		}
	}
}

func paths(fields []mapping.Field[row]) (names []string) {
	for _, f := range fields {
		names = append(names, mapping.PathOf(f))
	}
	return names
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	_, err := mapping.Of(user, at("nope"), at("active"), at("groups.value"))
	for _, says := range []string{"nope", "active", "groups"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error leaves out %s: %v", says, err)
		}
	}
}

func TestARequiredAttributeNeedsAPlace(t *testing.T) {
	t.Parallel()
	side := mapping.Side(func(r *row) *[]byte { return &r.side })
	badge := schema.ResourceType{Name: "Badge", Endpoint: "/Badges", Schema: &schema.Schema{
		ID: "urn:example:badge", Name: "Badge", Attributes: []schema.Attribute{{Name: "colour", Required: true}, {Name: "place"}},
	}}
	typ := schema.MustCompile(badge)
	for _, c := range []struct {
		name   string
		typ    *schema.Type
		fields []mapping.Field[row]
		ok     bool
	}{
		{"unique, no side document", user, []mapping.Field[row]{at("title")}, false},
		{"unique, side document", user, []mapping.Field[row]{at("title"), side}, false},
		{"unique, mapped", user, []mapping.Field[row]{at("userName")}, true},
		{"required, no side document", typ, []mapping.Field[row]{at("place")}, false},
		{"required, side document", typ, []mapping.Field[row]{at("place"), side}, true},
	} {
		if _, err := mapping.Of(c.typ, c.fields...); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func refused[T any](t *testing.T, says string) {
	t.Helper()
	if _, err := mapping.Of[T](user); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%T: the error says %v, want %q", *new(T), err, says)
	}
}

// Street is a part of an address that is embedded in tests.
type Street struct {
	Line string `scim:"addresses[type eq 'home'].streetAddress"`
}

func TestTagsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	type base struct {
		Login string `scim:"userName"`
	}
	refused[struct {
		base
		mail string `scim:"title"`
	}](t, "mail: is not exported")
	refused[struct {
		base
		Mail string `scim:""`
	}](t, "names no path")
	refused[struct {
		base
		Mail string `scim:"title,omitempty"`
	}](t, `no option "omitempty"`)
	refused[struct {
		base
		Mail string `scim:"title,max=x"`
	}](t, "max needs a positive number")
	refused[struct {
		base
		On bool `scim:"active,default=yes"`
	}](t, "not a boolean")
	refused[struct {
		base
		Roles []string `scim:"roles,default=x"`
	}](t, "cannot hold a default")
	refused[struct {
		base
		*Street
	}](t, "embedded pointer")
	refused[struct {
		base
		Extra string `scim:"*"`
	}](t, "a []byte")
	refused[struct {
		base
		Home Street `scim:"name,readonly"`
	}](t, "neither options nor a label")
	refused[struct {
		base
		Mails []struct {
			Nope string `scim:"nope"`
		} `scim:"emails"`
	}](t, `emails has no sub-attribute "nope"`)
	refused[struct {
		base
		Mails []struct {
			A string `scim:"value"`
			B string `scim:"value"`
		} `scim:"emails"`
	}](t, "for emails.value already")
	refused[struct {
		base
		Mails []struct {
			A string `scim:"value,readonly"`
		} `scim:"emails"`
	}](t, "no other option")
}

func TestTagsAreReadWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ tag, path, says string }{
		{`scim:"userName"`, "userName", ""},
		{`json:"a b" scim:"title,max=7" db:"c"`, "title", ""},
		{`scim:"emails[type eq 'a,b]' and display eq 'it''s'].value,max=7"`, "emails[type eq 'a,b]' and display eq 'it''s'].value", ""},
		{`scim:"emails[type eq \"work\"].value,max=7"`, `emails[type eq "work"].value`, ""},
		{`scim:"title,readonly,default=a,b"`, "title", ""},
		{`json:"a"`, "", ""},
		{`not a tag`, "", ""},
		{`scim:"-"`, "", ""},
		{`scim:"emails[type eq "work"].value"`, "", "cut short"},
		{`scim: "title"`, "", "cut short"},
		{`json:"a",scim:"title"`, "", "cut short"},
		{`json:"a" scim:"title`, "", "no closing quote"},
		{`scim:"a" scim:"b"`, "", "twice"},
		{`scim:"\q"`, "", "quote"},
	} {
		path, _, err := mapping.ParseTag(c.tag)
		if c.says == "" && (err != nil || path != c.path) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: path %q, error %v; want %q, %q", c.tag, path, err, c.path, c.says)
		}
	}
}

func TestTagsOfOthersAreNotJudged(t *testing.T) {
	t.Parallel()
	type host struct {
		Login string `json:"login" scim:"userName" db:"login"`
		Not   string `scim:"-"`
		Plain string
	}
	m := of[host](t)
	if n := len(m.Fields()); n != 1 {
		t.Errorf("there are %d fields, want 1", n)
	}
}

func TestFieldsTellHostAndPagesAboutThemselves(t *testing.T) {
	t.Parallel()
	type Address struct {
		Street string `scim:"streetAddress,max=80" label:"Street"`
		City   string `scim:"locality"`
	}
	type Enterprise struct {
		Number string `scim:"employeeNumber,writeonce"`
	}
	type host struct {
		ID    int64  `scim:"id"`
		Login string `scim:"username" label:"Log-in"`
		Street
		Work Address    `scim:"addresses[type eq 'work']"`
		Ent  Enterprise `scim:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
		Kind string     `scim:"userType,readonly"`
		On   bool       `scim:"active,default=false"`
	}
	m := of(t, mapping.Derived("displayName", func(*host) string { return "x" }).Name("shown").Label("Name"),
		mapping.Attr("title", func(h *host) *string { return &h.Kind }))
	want := []string{
		"id ID  ro", "userName Login Log-in req", `addresses[type eq "home"].streetAddress Line `,
		`addresses[type eq "work"].streetAddress Work.Street Street max`, `addresses[type eq "work"].locality Work.City `,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber Ent.Number  once",
		"userType Kind  ro", "active On  default", "displayName shown Name derived", "title title ",
	}
	var got []string
	for _, f := range m.Fields() {
		s := f.Target.String() + " " + f.Name + " " + f.Label
		for _, mark := range []struct {
			on   bool
			word string
		}{{f.ReadOnly, "ro"}, {f.WriteOnce, "once"}, {f.Required, "req"}, {f.Max == 80, "max"}, {f.Derived, "derived"}, {f.Default, "default"}} {
			if mark.on {
				s += " " + mark.word
			}
		}
		got = append(got, s)
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("fields are\n%s\nwant\n%s", g, w)
	}
}
