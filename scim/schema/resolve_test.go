package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim/schema"
)

const (
	enterprise = schema.EnterpriseUserURN
	shortURN   = "urn:example:hr"
	longURN    = "urn:example:hr:2.0"
	dottedURN  = "urn:example:hr.more"
)

// staff is User with extensions whose URNs are prefixes of one another.
func staff() *schema.Type {
	d := schema.User()
	d.Extensions = append(d.Extensions,
		schema.Extension{Schema: &schema.Schema{ID: shortURN, Attributes: []schema.Attribute{{Name: "badge"}, {Name: "grade"}, {Name: "title"}}}},
		schema.Extension{Schema: &schema.Schema{ID: longURN, Attributes: []schema.Attribute{{Name: "badge"}, {Name: "desk"}}}},
		schema.Extension{Schema: &schema.Schema{ID: dottedURN, Attributes: []schema.Attribute{{Name: "shoe"}}}},
	)
	return schema.MustCompile(d, schema.Group())
}

func TestResolve(t *testing.T) {
	t.Parallel()
	typ := staff()
	const loose = schema.Unqualified | schema.DottedURN
	tests := []struct {
		name  string
		allow schema.NameForms
		want  string
	}{
		{"userName", 0, "userName"},
		{"USERNAME", 0, "userName"},
		{"name.familyName", 0, "name.familyName"},
		{"Name.FamilyName", 0, "name.familyName"},
		{"emails.value", 0, "emails.value"},
		{"groups.$ref", 0, "groups.$ref"},
		{"id", 0, "id"},
		{"meta.lastmodified", 0, "meta.lastModified"},
		{"schemas", 0, "schemas"},
		{schema.UserURN + ":userName", 0, "userName"},
		{schema.UserURN + ":name.familyName", 0, "name.familyName"},
		{schema.UserURN + ":id", 0, "id"},
		{strings.ToUpper(schema.UserURN) + ":USERNAME", 0, "userName"},
		{enterprise, 0, enterprise},
		{strings.ToLower(enterprise), 0, enterprise},
		{enterprise + ":department", 0, enterprise + ":department"},
		{enterprise + ":manager.value", 0, enterprise + ":manager.value"},
		{strings.ToUpper(enterprise + ":manager.$ref"), 0, enterprise + ":manager.$ref"},
		// The longest registered URN counts.
		{shortURN + ":badge", 0, shortURN + ":badge"},
		{longURN + ":badge", 0, longURN + ":badge"},
		{longURN, 0, longURN},
		{dottedURN + ":shoe", 0, dottedURN + ":shoe"},
		{dottedURN + ".shoe", loose, dottedURN + ":shoe"},
		// Core attributes come before those of extensions, and of those only one
		// may have the name.
		{"title", loose, "title"},
		{"department", loose, enterprise + ":department"},
		{"MANAGER.value", loose, enterprise + ":manager.value"},
		{"desk", schema.Unqualified, longURN + ":desk"},
		{enterprise + ".department", loose, enterprise + ":department"},
		{enterprise + ".manager.value", schema.DottedURN, enterprise + ":manager.value"},
		{schema.UserURN + ".name.familyName", schema.DottedURN, "name.familyName"},
		// URNs of SCIM 1 and of drafts.
		{"urn:scim:schemas:core:2.0:User:userName", schema.DraftURN, "userName"},
		{"urn:scim:schemas:core:1.0:name.familyName", schema.DraftURN, "name.familyName"},
		{"URN:SCIM:schemas:core:2.0:USERNAME", schema.DraftURN, "userName"},
		{"urn:scim:schemas:extension:enterprise:2.0", schema.DraftURN, enterprise},
		{"urn:scim:schemas:extension:enterprise:1.0:department", schema.DraftURN, enterprise + ":department"},
		{"urn:scim:schemas:extension:enterprise:2.0:User:manager.value", schema.DraftURN, enterprise + ":manager.value"},
		{"urn:scim:schemas:extension:enterprise:2.0.manager.value", schema.DraftURN | schema.DottedURN, enterprise + ":manager.value"},
	}
	for _, test := range tests {
		p, err := typ.ResolveForms(test.name, test.allow)
		if err != nil || p.String() != test.want {
			t.Errorf("ResolveForms(%q, %b) = %q, %v; want %q", test.name, test.allow, p, err, test.want)
			continue
		}
		if test.allow == 0 {
			if q, err := typ.Resolve(test.name); q != p || err != nil {
				t.Errorf("Resolve(%q) = %q, %v; want %q", test.name, q, err, p)
			}
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	typ := staff()
	const loose = schema.Unqualified | schema.DottedURN
	tests := []struct {
		name   string
		allow  schema.NameForms
		reason schema.NameProblem
		schema string
		detail string
	}{
		{"", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"name..x", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"name.", loose, schema.BadSyntax, "", "is not an attribute name"},
		{".name", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"a.b.c", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"1x", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"/emails/0", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"emails[0]", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"user name", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"größe", loose, schema.BadSyntax, "", "is not an attribute name"},
		{"noSuch", loose, schema.UnknownAttribute, schema.UserURN, `has no attribute "noSuch"`},
		{"name.noSuch", loose, schema.UnknownAttribute, schema.UserURN, `has no attribute "name.noSuch"`},
		{"userName.value", loose, schema.UnknownAttribute, schema.UserURN, `has no attribute "userName.value"`},
		{"badge", loose, schema.UnknownAttribute, schema.UserURN, "exists in more than one extension"},
		{"department", 0, schema.UnknownAttribute, schema.UserURN, `has no attribute "department"`},
		{"title.value", loose, schema.UnknownAttribute, schema.UserURN, "has no attribute"},
		{schema.UserURN, loose, schema.BadSyntax, "", "names the core schema"},
		{schema.UserURN + ":", loose, schema.BadSyntax, "", "is not an attribute name"},
		{schema.UserURN + ":name..x", loose, schema.BadSyntax, "", "is not an attribute name"},
		{schema.UserURN + ":department", loose, schema.UnknownAttribute, schema.UserURN, `has no attribute "department"`},
		{enterprise + ":", loose, schema.BadSyntax, "", "is not an attribute name"},
		{enterprise + ":noSuch", loose, schema.UnknownAttribute, enterprise, `has no attribute "noSuch"`},
		{enterprise + ":userName", loose, schema.UnknownAttribute, enterprise, `has no attribute "userName"`},
		{enterprise + ".department", schema.Unqualified, schema.UnknownSchema, "", "has no schema"},
		{enterprise + "department", loose, schema.UnknownSchema, "", "has no schema"},
		{longURN + ":grade", loose, schema.UnknownAttribute, longURN, `has no attribute "grade"`},
		{"urn:example:other:2.0:Thing:x", loose, schema.UnknownSchema, "", "has no schema"},
		{"urn:", loose, schema.UnknownSchema, "", "has no schema"},
		{schema.GroupURN + ":displayName", loose, schema.UnknownSchema, "", "has no schema"},
		{"urn:scim:schemas:core:2.0:User:userName", loose, schema.UnknownSchema, "", "has no schema"},
		{"urn:scim:schemas:core:2.0:Group", schema.DraftURN, schema.UnknownAttribute, schema.UserURN, `has no attribute "Group"`},
		{"urn:scim:schemas:core:2.0", schema.DraftURN, schema.BadSyntax, "", "names the core schema"},
		{"urn:scim:schemas:core:2.0.userName", schema.DraftURN, schema.UnknownSchema, "", "has no schema"},
		{"urn:scim:schemas:extension:enterprise:1.0:noSuch", schema.DraftURN, schema.UnknownAttribute, enterprise, `has no attribute "noSuch"`},
	}
	for _, test := range tests {
		p, err := typ.ResolveForms(test.name, test.allow)
		var e *schema.NameError
		if !errors.As(err, &e) || !p.IsZero() {
			t.Errorf("ResolveForms(%q) = %q, %v; want an error", test.name, p, err)
			continue
		}
		if e.Name != test.name || e.Reason != test.reason || e.Schema != test.schema || !strings.Contains(e.Error(), test.detail) {
			t.Errorf("ResolveForms(%q): %+v\nwant reason %d, schema %q, detail with %q", test.name, *e, test.reason, test.schema, test.detail)
		}
	}
}

func TestEveryPathResolvesFromItsOwnName(t *testing.T) {
	t.Parallel()
	for _, typ := range []*schema.Type{staff(), schema.MustCompile(schema.Group(), schema.User())} {
		for i := 1; i <= typ.Len(); i++ {
			p := typ.PathAt(i)
			for _, name := range []string{p.String(), strings.ToUpper(p.String()), strings.ToLower(p.String())} {
				if q, err := typ.Resolve(name); q != p || err != nil {
					t.Errorf("Resolve(%q) = %q, %v", name, q, err)
				}
			}
			if !p.IsExtension() && p.Schema() == typ.Schema() {
				if q, err := typ.Resolve(typ.Schema() + ":" + p.String()); q != p || err != nil {
					t.Errorf("Resolve of %q behind its URN = %q, %v", p, q, err)
				}
			}
		}
	}
}

func TestCurrentURN(t *testing.T) {
	t.Parallel()
	user, group, other := staff(), schema.MustCompile(schema.Group()), schema.MustCompile(thing(schema.Attribute{Name: "label"}))
	tests := []struct {
		typ       *schema.Type
		urn, want string
	}{
		{user, "urn:scim:schemas:core:2.0", schema.UserURN},
		{user, "urn:scim:schemas:core:1.0", schema.UserURN},
		{user, "URN:SCIM:SCHEMAS:CORE:2.0:USER", schema.UserURN},
		{user, "urn:scim:schemas:extension:enterprise:1.0", enterprise},
		{user, "urn:scim:schemas:core:2.0:Group", ""},
		{user, schema.UserURN, ""},
		{user, "urn:scim:schemas:core:2.0:User:userName", ""},
		{group, "urn:scim:schemas:core:1.0", schema.GroupURN},
		{group, "urn:scim:schemas:extension:enterprise:1.0", ""},
		{other, "urn:scim:schemas:core:1.0", ""},
	}
	for _, test := range tests {
		if got, ok := test.typ.CurrentURN(test.urn); got != test.want || ok != (test.want != "") {
			t.Errorf("%s: CurrentURN(%q) = %q, %v; want %q", test.typ.Name(), test.urn, got, ok, test.want)
		}
	}
}

func TestMustResolvePanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	staff().MustResolve("noSuch")
}

func TestLookupAllocations(t *testing.T) {
	typ := staff()
	key := []byte("EMAILS")
	for _, name := range []string{"userName", "NAME.familyname", enterprise + ":manager.value", enterprise, "desk"} {
		if n := testing.AllocsPerRun(100, func() { _, _ = typ.ResolveForms(name, schema.Unqualified|schema.DottedURN) }); n != 0 {
			t.Errorf("ResolveForms(%q): %v allocations", name, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { typ.Root().LookupBytes(key) }); n != 0 {
		t.Errorf("LookupBytes: %v allocations", n)
	}
}

// Whatever resolves, resolves to itself by its canonical name, and nothing
// resolves that the strict forms refuse as syntax.
func FuzzResolve(f *testing.F) {
	typ := staff()
	for _, name := range []string{"userName", "name.familyName", "name..x", enterprise, enterprise + ":manager.value", enterprise + ".department",
		shortURN + ":2.0:badge", longURN + ":desk", "urn:", "$ref", "department", "é", schema.UserURN + ":"} {
		f.Add(name, uint8(3))
		f.Add(name, uint8(0))
	}
	f.Fuzz(func(t *testing.T, name string, allow uint8) {
		p, err := typ.ResolveForms(name, schema.NameForms(allow&7))
		if (err == nil) == p.IsZero() {
			t.Fatalf("ResolveForms(%q) = %q, %v", name, p, err)
		}
		if err != nil {
			if e := new(schema.NameError); !errors.As(err, &e) || e.Name != name || e.Detail == "" || e.Reason == 0 {
				t.Fatalf("ResolveForms(%q): %#v", name, err)
			}
			return
		}
		if q, err := typ.Resolve(p.String()); q != p || err != nil {
			t.Fatalf("%q resolves to %q, whose own name resolves to %q, %v", name, p, q, err)
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	typ := staff()
	for _, bench := range []struct{ name, path string }{
		{"core", "userName"}, {"sub", "name.familyName"}, {"extension", enterprise + ":manager.value"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = typ.Resolve(bench.path)
			}
		})
	}
}
