package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/musterhq/muster/scim/schema"
)

// thing is a small resource type that compiles.
func thing(attributes ...schema.Attribute) schema.ResourceType {
	return schema.ResourceType{
		Name: "Thing", Endpoint: "/Things",
		Schema: &schema.Schema{ID: "urn:example:schemas:2.0:Thing", Attributes: attributes},
	}
}

// links is an attribute that can be a relation.
func links(name string, m schema.Mutability) schema.Attribute {
	return schema.Attribute{Name: name, Type: schema.Complex, MultiValued: true, Mutability: m,
		SubAttributes: []schema.Attribute{{Name: "value"}}}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	type decl = schema.ResourceType
	attr := func(a ...schema.Attribute) func(*decl) {
		return func(d *decl) { d.Schema.Attributes = append(d.Schema.Attributes, a...) }
	}
	extension := func(id string, a ...schema.Attribute) schema.Extension {
		return schema.Extension{Schema: &schema.Schema{ID: id, Attributes: a}}
	}
	many := make([]schema.Attribute, 251)
	for i := range many {
		many[i].Name = "a" + strings.Repeat("x", i)
	}
	tests := []struct {
		name   string
		change func(*decl)
		want   string
	}{
		{"no name", func(d *decl) { d.Name = "" }, "(without name): it needs a name"},
		{"no schema", func(d *decl) { d.Schema = nil }, "it needs a schema"},
		{"no endpoint", func(d *decl) { d.Endpoint = "" }, `endpoint "" must be one path segment`},
		{"endpoint without slash", func(d *decl) { d.Endpoint = "Things" }, `endpoint "Things" must be one path segment`},
		{"endpoint of two segments", func(d *decl) { d.Endpoint = "/a/b" }, `endpoint "/a/b" must be one path segment`},
		{"endpoint that is escaped", func(d *decl) { d.Endpoint = "/a b" }, `endpoint "/a b" must be one path segment`},
		{"endpoint of dots", func(d *decl) { d.Endpoint = "/.." }, `endpoint "/.." must be one path segment`},
		{"endpoint of the protocol", func(d *decl) { d.Endpoint = "/schemas" }, `endpoint "/schemas" belongs to the protocol`},
		{"schema without id", func(d *decl) { d.Schema.ID = "" }, `schema id "" must be a URN`},
		{"schema id without urn", func(d *decl) { d.Schema.ID = "http://example.com/Thing" }, "must be a URN"},
		{"schema id without specific part", func(d *decl) { d.Schema.ID = "urn:example" }, "must be a URN"},
		{"schema id with colon at the end", func(d *decl) { d.Schema.ID = "urn:example:a:" }, "must be a URN"},
		{"schema id with a space", func(d *decl) { d.Schema.ID = "urn:example:a b" }, "must be a URN"},
		{"schema id with a bracket", func(d *decl) { d.Schema.ID = "urn:example:a[1]" }, "must be a URN"},
		{"schema id outside ASCII", func(d *decl) { d.Schema.ID = "urn:example:é" }, "must be a URN"},
		{"extension without schema", func(d *decl) { d.Extensions = []schema.Extension{{}} }, "an extension needs a schema"},
		{"extension with bad id", func(d *decl) { d.Extensions = []schema.Extension{extension("x")} }, `schema id "x" must be a URN`},
		{"core schema as extension", func(d *decl) { d.Extensions = []schema.Extension{extension("URN:example:schemas:2.0:thing")} }, "cannot be an extension too"},
		{"extension twice", func(d *decl) {
			d.Extensions = []schema.Extension{extension("urn:example:e:a"), extension("urn:example:E:A")}
		}, `attribute "urn:example:E:A" is defined twice`},
		{"name of an extension attribute", func(d *decl) {
			d.Extensions = []schema.Extension{extension("urn:example:e:a", schema.Attribute{Name: "1x"})}
		}, `attribute "urn:example:e:a:1x": a name starts with a letter`},
		{"empty name", attr(schema.Attribute{}), "a name cannot be empty"},
		{"name that starts with a digit", attr(schema.Attribute{Name: "1x"}), `attribute "1x": a name starts with a letter`},
		{"name with a dot", attr(schema.Attribute{Name: "a.b"}), "a name starts with a letter"},
		{"name outside ASCII", attr(schema.Attribute{Name: "größe"}), "a name starts with a letter"},
		{"name that starts with a dollar sign", attr(schema.Attribute{Name: "$x"}), "a name starts with a letter"},
		{"two of a name", attr(schema.Attribute{Name: "size"}, schema.Attribute{Name: "SIZE"}), `attribute "SIZE" is defined twice`},
		{"two sub-attributes of a name", attr(schema.Attribute{Name: "c", Type: schema.Complex, SubAttributes: []schema.Attribute{{Name: "a"}, {Name: "A"}}}), `attribute "c.A" is defined twice`},
		{"complex without sub-attributes", attr(schema.Attribute{Name: "c", Type: schema.Complex}), `attribute "c" is complex and needs sub-attributes`},
		{"simple with sub-attributes", attr(schema.Attribute{Name: "c", SubAttributes: []schema.Attribute{{Name: "a"}}}), `attribute "c" has sub-attributes and must be complex`},
		{"complex in complex", attr(schema.Attribute{Name: "c", Type: schema.Complex, SubAttributes: []schema.Attribute{{Name: "d", Type: schema.Complex}}}), `attribute "c.d": a sub-attribute cannot be complex`},
		{"boolean with caseExact", attr(schema.Attribute{Name: "b", Type: schema.Boolean, CaseExact: true}), "a boolean has neither caseExact nor uniqueness"},
		{"boolean with uniqueness", attr(schema.Attribute{Name: "b", Type: schema.Boolean, Uniqueness: schema.UniqueServer}), "a boolean has neither caseExact nor uniqueness"},
		{"type that there is not", attr(schema.Attribute{Name: "b", Type: 99}), "none of the declared constants"},
		{"mutability that there is not", attr(schema.Attribute{Name: "b", Mutability: 99}), "none of the declared constants"},
		{"returned that there is not", attr(schema.Attribute{Name: "b", Returned: 99}), "none of the declared constants"},
		{"uniqueness that there is not", attr(schema.Attribute{Name: "b", Uniqueness: 99}), "none of the declared constants"},
		{"writeOnly and always returned", attr(schema.Attribute{Name: "b", Mutability: schema.WriteOnly, Returned: schema.ReturnedAlways}), "cannot be both writeOnly and always returned"},
		{"too many attributes", attr(many...), "more than 250 attributes in one place"},
		{"unique multi-valued attribute", attr(schema.Attribute{Name: "b", MultiValued: true, Uniqueness: schema.UniqueServer}), `attribute "b" cannot be unique`},
		{"unique part of a multi-valued attribute", attr(schema.Attribute{Name: "c", Type: schema.Complex, MultiValued: true, SubAttributes: []schema.Attribute{{Name: "a", Uniqueness: schema.UniqueGlobal}}}), `attribute "c.a" cannot be unique`},
		{"unknown attribute unique per connection", func(d *decl) { d.UniquePerConnection = []string{"x"} }, `unique attribute: schema urn:example:schemas:2.0:Thing has no attribute "x"`},
		{"id unique per connection", func(d *decl) { d.UniquePerConnection = []string{"id"} }, `attribute "id" cannot be unique`},
		{"boolean unique per connection", func(d *decl) {
			attr(schema.Attribute{Name: "b", Type: schema.Boolean})(d)
			d.UniquePerConnection = []string{"b"}
		}, `attribute "b" cannot be unique`},
		{"unknown attribute indexed", func(d *decl) { d.Indexed = []string{"x"} }, `indexed attribute: schema urn:example:schemas:2.0:Thing has no attribute "x"`},
		{"secret indexed", func(d *decl) {
			attr(schema.Attribute{Name: "pin", Returned: schema.ReturnedNever})(d)
			d.Indexed = []string{"pin"}
		}, `attribute "pin" cannot be indexed`},
		{"complex indexed", func(d *decl) { d.Indexed = []string{"meta"} }, `attribute "meta" cannot be indexed`},
		{"derived attribute indexed", func(d *decl) { d.Indexed = []string{"meta.location"} }, `attribute "meta.location" cannot be indexed`},
		{"relation indexed", func(d *decl) {
			attr(links("parts", schema.ReadWrite))(d)
			d.Relations = []schema.Relation{{Attribute: "parts", Targets: []string{"Thing"}}}
			d.Indexed = []string{"parts.value"}
		}, `attribute "parts.value" cannot be indexed`},
		{"unknown label", func(d *decl) { d.Label = "x" }, `label: schema urn:example:schemas:2.0:Thing has no attribute "x"`},
		{"multi-valued label", func(d *decl) {
			attr(schema.Attribute{Name: "b", MultiValued: true})(d)
			d.Label = "b"
		}, `attribute "b" cannot be the label`},
		{"secret label", func(d *decl) {
			attr(schema.Attribute{Name: "b", Mutability: schema.WriteOnly})(d)
			d.Label = "b"
		}, `attribute "b" cannot be the label`},
		{"relation that there is not", func(d *decl) { d.Relations = []schema.Relation{{Attribute: "x", Targets: []string{"Thing"}}} }, `relation "x" must be a complex multi-valued attribute`},
		{"relation that is simple", func(d *decl) {
			attr(schema.Attribute{Name: "b", MultiValued: true})(d)
			d.Relations = []schema.Relation{{Attribute: "b", Targets: []string{"Thing"}}}
		}, `relation "b" must be a complex multi-valued attribute`},
		{"relation without targets", func(d *decl) {
			attr(links("parts", schema.ReadWrite))(d)
			d.Relations = []schema.Relation{{Attribute: "parts"}}
		}, `relation "parts" needs at least one target type`},
		{"relation twice", func(d *decl) {
			attr(links("parts", schema.ReadWrite))(d)
			r := schema.Relation{Attribute: "parts", Targets: []string{"Thing"}}
			d.Relations = []schema.Relation{r, r}
		}, `relation "parts" is declared twice`},
		{"relation that is readOnly", func(d *decl) {
			attr(links("parts", schema.ReadOnly))(d)
			d.Relations = []schema.Relation{{Attribute: "parts", Targets: []string{"Thing"}}}
		}, `relation "parts" is readOnly`},
		{"inverse that clients can write", func(d *decl) {
			attr(links("parts", schema.ReadWrite), links("wholes", schema.ReadWrite))(d)
			d.Relations = []schema.Relation{{Attribute: "parts", Targets: []string{"Thing"}, Inverse: "wholes"}}
		}, `attribute "wholes" shows a relation of Thing backwards`},
		{"inverse of two relations", func(d *decl) {
			attr(links("parts", schema.ReadWrite), links("spares", schema.ReadWrite), links("wholes", schema.ReadOnly))(d)
			d.Relations = []schema.Relation{
				{Attribute: "parts", Targets: []string{"Thing"}, Inverse: "wholes"},
				{Attribute: "spares", Targets: []string{"Thing"}, Inverse: "wholes"},
			}
		}, `attribute "wholes" shows two relations backwards`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := thing(schema.Attribute{Name: "label"})
			test.change(&d)
			typ, err := schema.Compile(d)
			if err == nil || typ != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Compile: %v\nwant an error with: %s", err, test.want)
			}
		})
	}
}

func TestCompileListsAllProblems(t *testing.T) {
	t.Parallel()
	d := thing(schema.Attribute{Name: "1x"}, schema.Attribute{Name: "c", Type: schema.Complex})
	d.Endpoint = "x"
	_, err := schema.Compile(d)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"schema: resource type Thing: ", `endpoint "x"`, `attribute "1x"`, `attribute "c"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

func TestMustCompilePanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	schema.MustCompile(schema.ResourceType{})
}

func TestSchemaOfSchemasDescribesAndCannotBeCompiled(t *testing.T) {
	t.Parallel()
	_, err := schema.Compile(schema.ResourceType{Name: "Schema", Endpoint: "/Things", Schema: schema.SchemaSchema()})
	if err == nil || !strings.Contains(err.Error(), `"attributes.subAttributes": a sub-attribute cannot be complex`) {
		t.Errorf("Compile: %v", err)
	}
}

func TestTypeIsIndependentOfItsDeclaration(t *testing.T) {
	t.Parallel()
	d := schema.Group()
	d.Relations[0].Attribute = "MEMBERS"
	g := schema.MustCompile(d, schema.User())
	if got := d.Relations[0].Attribute; got != "MEMBERS" {
		t.Errorf("Compile changed the declaration's relation to %q", got)
	}
	d.Schema.Attributes[0].Name = "changed"
	d.Schema.Attributes[1].SubAttributes[0].Type = schema.Integer
	d.Relations[0].Targets[0] = "changed"
	d.UniquePerConnection[0] = "changed"
	want := schema.Group()
	want.Relations[0].Attribute = "members"
	if diff := cmp.Diff(want, g.Declaration()); diff != "" {
		t.Errorf("a later change of the declaration shows in the Type:\n%s", diff)
	}
}

func TestFixedCharacteristicsOfCommonAttributesWin(t *testing.T) {
	t.Parallel()
	typ := schema.MustCompile(thing(
		schema.Attribute{Name: "ID", Type: schema.Integer, Mutability: schema.ReadWrite},
		schema.Attribute{Name: "externalid", Type: schema.Boolean},
		schema.Attribute{Name: "label"},
	))
	common := typ.Common()
	tests := []struct {
		path schema.Path
		want string
	}{
		{common.Schemas, "schemas reference * ! exact always ->uri"},
		{common.ID, "id string ! exact readOnly always server"},
		{common.ExternalID, "externalId string exact"},
		{common.Meta, "meta complex readOnly"},
		{common.ResourceType, "resourceType string exact readOnly"},
		{common.Created, "created dateTime readOnly"},
		{common.LastModified, "lastModified dateTime readOnly"},
		{common.Location, "location reference exact readOnly ->uri"},
		{common.Version, "version string exact readOnly"},
	}
	for _, test := range tests {
		if got := characteristics(nil, "", []schema.Attribute{*test.path.Attribute()})[0]; got != test.want {
			t.Errorf("%s is %q, want %q", test.path, got, test.want)
		}
		if !test.path.IsCommon() {
			t.Errorf("%s is not common", test.path)
		}
	}
	if got := typ.Root().NumChildren(); got != 5 { // schemas, id, externalId, meta, label
		t.Errorf("%d attributes at the top level, want 5", got)
	}
}

func TestWhatTypesOfTheRFCSay(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.User(), schema.Group())
	group := schema.MustCompile(schema.Group(), schema.User())
	names := func(list []schema.Path) string {
		var s []string
		for _, p := range list {
			s = append(s, p.String())
		}
		return strings.Join(s, " ")
	}
	for _, test := range []struct{ what, got, want string }{
		{"user's name", user.Name(), "User"},
		{"user's endpoint", user.Endpoint(), "/Users"},
		{"user's schema", user.Schema(), schema.UserURN},
		{"user's id", user.Declaration().ID, "User"},
		{"user's label", user.Label().String(), "displayName"},
		{"user's extensions", names(user.Extensions()), schema.EnterpriseUserURN},
		{"user's unique attributes", names(user.Unique()), "userName"},
		{"user's indexes", names(user.Indexed()), "externalId meta.created meta.lastModified userName displayName active emails.value"},
		{"group's unique attributes", names(group.Unique()), "displayName"},
		{"group's indexes", names(group.Indexed()), "externalId meta.created meta.lastModified displayName"},
		{"group's label", group.Label().String(), "displayName"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.what, test.got, test.want)
		}
	}
	if got := user.MustResolve("userName").Unique(); got != schema.UniqueInTenant {
		t.Errorf("scope of userName: %v", got)
	}
	if got := group.MustResolve("displayName").Unique(); got != schema.UniqueInConnection {
		t.Errorf("scope of a group's displayName: %v", got)
	}
	if got := user.Inverses(); len(got) != 1 || got[0].Path != user.MustResolve("groups") || got[0].Owner != "Group" || got[0].Relation != "members" {
		t.Errorf("user shows backwards: %+v", got)
	}
	if got := group.Relations(); len(got) != 1 || got[0].Path != group.MustResolve("members") || got[0].Inverse != "groups" {
		t.Errorf("group owns: %+v", got)
	}
	if got := group.Inverses(); len(got) != 0 {
		t.Errorf("group shows backwards: %+v, though it has no attribute groups", got)
	}
}

func TestSchemasShowUniquenessPerConnection(t *testing.T) {
	t.Parallel()
	d := schema.User()
	d.UniquePerConnection = []string{"nickname", schema.EnterpriseUserURN + ":employeeNumber", "department"}
	var unique []string
	for _, s := range d.Schemas() {
		for _, a := range s.Attributes {
			if a.Uniqueness == schema.UniqueServer {
				unique = append(unique, a.Name)
			}
		}
	}
	if got := strings.Join(unique, " "); got != "userName nickName employeeNumber" {
		t.Errorf("unique: %s", got)
	}
	if a := schema.Group().Schemas()[0].Attributes[0]; a.Name != "displayName" || a.Uniqueness != schema.UniqueServer {
		t.Errorf("a group's first attribute: %+v", a)
	}
	if a := d.Schema.Attributes[3]; a.Name != "nickName" || a.Uniqueness != schema.UniqueNone {
		t.Errorf("Schemas changed the declaration: %+v", a)
	}
}

func TestPathsSayWhereTheyLie(t *testing.T) {
	t.Parallel()
	const e = schema.EnterpriseUserURN
	user := schema.MustCompile(schema.User(), schema.Group())
	tests := []struct {
		name, schema, parent, top, multi string
		document, readOnly, secret       bool
	}{
		{"userName", schema.UserURN, "", "userName", "", true, false, false},
		{"name.familyName", schema.UserURN, "name", "name", "", true, false, false},
		{"emails", schema.UserURN, "", "emails", "emails", true, false, false},
		{"emails.value", schema.UserURN, "emails", "emails", "emails", true, false, false},
		{"password", schema.UserURN, "", "password", "", true, false, true},
		{"groups.$ref", schema.UserURN, "groups", "groups", "groups", false, true, false},
		{"id", schema.UserURN, "", "id", "", false, true, false},
		{"schemas", schema.UserURN, "", "schemas", "schemas", false, false, false},
		{"externalId", schema.UserURN, "", "externalId", "", true, false, false},
		{"meta.created", schema.UserURN, "meta", "meta", "", false, true, false},
		{e, e, "", e, "", true, false, false},
		{e + ":department", e, e, e, "", true, false, false},
		{e + ":manager.displayName", e, e + ":manager", e, "", true, true, false},
	}
	for _, test := range tests {
		p := user.MustResolve(test.name)
		got := test
		got.name, got.schema, got.parent, got.top, got.multi = p.String(), p.Schema(), p.Parent().String(), p.Top().String(), p.MultiValued().String()
		got.document, got.readOnly, got.secret = p.InDocument(), p.ReadOnly(), p.Secret()
		if got != test {
			t.Errorf("have %+v\nwant %+v", got, test)
		}
		if p.Type() != user || p.IsRoot() {
			t.Errorf("%s: type %v, root %v", p, p.Type(), p.IsRoot())
		}
		if user.PathAt(p.Index()) != p {
			t.Errorf("%s: PathAt(%d) is %s", p, p.Index(), user.PathAt(p.Index()))
		}
		if up := p.Parent(); !up.IsZero() && up.Child(p.Position()) != p {
			t.Errorf("%s: child %d of its parent is %s", p, p.Position(), up.Child(p.Position()))
		}
	}
	if !user.Root().IsRoot() || user.Root().Type() != user || (schema.Path{}).Type() != nil || (schema.Path{}).IsRoot() {
		t.Error("the root is not the root, or nothing is")
	}
	if group := schema.MustCompile(schema.Group()); group.MustResolve("members.value").InDocument() {
		t.Error("members are in the document")
	}
}

// Whatever attributes a schema has, each is found by its name in any case.
func TestLookupFindsEveryAttribute(t *testing.T) {
	t.Parallel()
	var attributes []schema.Attribute
	for i := range 240 { // many names of the same ends and length
		attributes = append(attributes, schema.Attribute{Name: "a" + string(rune('a'+i%26)) + "x" + string(rune('A'+i/26)) + "a"})
	}
	root := schema.MustCompile(thing(attributes...)).Root()
	for _, a := range attributes {
		for _, name := range []string{a.Name, strings.ToUpper(a.Name), strings.ToLower(a.Name)} {
			p, ok := root.Lookup(name)
			if !ok || p.Name() != a.Name {
				t.Errorf("Lookup(%q) = %q, %v", name, p, ok)
			}
			if b, ok := root.LookupBytes([]byte(name)); !ok || b != p {
				t.Errorf("LookupBytes(%q) = %q, %v", name, b, ok)
			}
		}
	}
	for _, name := range []string{"", "a", "aaxZa", "a\x00xAa", "AAXa@", "label"} {
		if p, ok := root.Lookup(name); ok || !p.IsZero() {
			t.Errorf("Lookup(%q) = %q", name, p)
		}
	}
}
