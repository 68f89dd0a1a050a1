package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Type is a compiled resource type: immutable and safe for concurrent use.
// Make one with [Compile].
type Type struct {
	decl       ResourceType
	nodes      []*node // nodes[0] is the root
	extensions []Path
	nested     []Path // extensions inside others
	indexed    []Path
	unique     []Path
	relations  []RelationPath
	inverses   []InverseRelation
	label      Path
	common     Common
}

// Common are the paths of the attributes that every resource has
// (RFC 7643 section 3.1).
type Common struct {
	Schemas, ID, ExternalID, Meta                          Path
	ResourceType, Created, LastModified, Location, Version Path
}

// RelationPath is a relation together with the attribute that declares it.
type RelationPath struct {
	Path Path
	*Relation
}

// InverseRelation is a relation seen from its target: a user's groups.
type InverseRelation struct {
	// Path is the read-only attribute of the target.
	Path Path
	// Owner is the name of the resource type whose links are shown.
	Owner string
	// Relation is the attribute of the owner, such as "members".
	Relation string
}

// maxChildren bounds the attributes of one schema, so that a look-up table
// entry is a byte.
const maxChildren = 250

// Compile checks a declaration and makes a Type of it. peers are the other
// resource types of the same server; what they declare as [Relation.Inverse]
// for this type becomes a path of it; d itself among them does no harm. The
// Type keeps a copy of d. The error lists every problem found.
func Compile(d ResourceType, peers ...ResourceType) (*Type, error) {
	c := compiler{t: &Type{decl: d.clone()}}
	c.run(peers)
	if len(c.problems) > 0 {
		name := d.Name
		if name == "" {
			name = "(without name)"
		}
		for i, problem := range c.problems {
			c.problems[i] = fmt.Errorf("schema: resource type %s: %w", name, problem)
		}
		return nil, errors.Join(c.problems...)
	}
	return c.t, nil
}

// MustCompile is Compile for declarations that are known to be right. It
// panics if they are not.
func MustCompile(d ResourceType, peers ...ResourceType) *Type {
	t, err := Compile(d, peers...)
	if err != nil {
		panic(err)
	}
	return t
}

// Name returns the name of the resource type, such as "User".
func (t *Type) Name() string { return t.decl.Name }

// Endpoint returns the path below the base URL, such as "/Users".
func (t *Type) Endpoint() string { return t.decl.Endpoint }

// Declaration returns what the Type was compiled from. It must not be modified.
func (t *Type) Declaration() ResourceType { return t.decl }

// Schema returns the URN of the core schema.
func (t *Type) Schema() string { return t.decl.Schema.ID }

// Root is the path above the top-level attributes. It has children and no name.
func (t *Type) Root() Path { return Path{t.nodes[0]} }

// Len returns the highest [Path.Index] of the Type.
func (t *Type) Len() int { return len(t.nodes) - 1 }

// PathAt returns the path with that [Path.Index].
func (t *Type) PathAt(index int) Path { return Path{t.nodes[index]} }

// Common returns the paths of the common attributes.
func (t *Type) Common() *Common { return &t.common }

// Extensions returns the paths of the whole extensions, in declared order, without
// those that lie inside another one.
func (t *Type) Extensions() []Path { return t.extensions }

// Indexed returns the attributes that stores index: those with a uniqueness,
// those that the declaration names, and externalId, userName, displayName,
// emails.value, active, meta.created and meta.lastModified as far as the type
// has them.
func (t *Type) Indexed() []Path { return t.indexed }

// Unique returns the attributes whose values Muster keeps unique, apart from
// id.
func (t *Type) Unique() []Path { return t.unique }

// Relations returns the relations that the type owns.
func (t *Type) Relations() []RelationPath { return t.relations }

// Inverses returns the relations of other types that end at this one and are
// shown as a read-only attribute.
func (t *Type) Inverses() []InverseRelation { return t.inverses }

// Label returns the attribute that references to this type show as "display",
// or the zero Path.
func (t *Type) Label() Path { return t.label }

// MustResolve is [Type.Resolve] for names that are known to exist. It panics
// if one does not.
func (t *Type) MustResolve(name string) Path {
	p, err := t.Resolve(name)
	if err != nil {
		panic(err)
	}
	return p
}

type compiler struct {
	t        *Type
	problems []error
}

func (c *compiler) bad(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

func (c *compiler) run(peers []ResourceType) {
	t, d := c.t, &c.t.decl
	if d.Name == "" {
		c.bad("it needs a name")
	}
	if d.ID == "" {
		d.ID = d.Name
	}
	c.checkEndpoint(d.Endpoint)
	if d.Schema == nil {
		c.bad("it needs a schema")
		return
	}
	c.checkURN(d.Schema.ID)
	root := &node{attr: Attribute{Type: Complex}, urn: d.Schema.ID, typ: t}
	t.nodes = []*node{root}
	for _, a := range commonAttributes {
		c.add(root, a, d.Schema.ID, "", true)
	}
	for _, a := range d.Schema.Attributes {
		switch strings.ToLower(a.Name) {
		case "id", "externalid", "meta", "schemas":
			continue // their fixed characteristics win (RFC 7643 section 3.1)
		}
		c.add(root, a, d.Schema.ID, "", false)
	}
	for _, e := range d.Extensions {
		c.addExtension(root, e)
	}
	if len(c.problems) > 0 {
		return
	}
	for _, n := range t.nodes {
		n.buildTable()
	}
	t.common = Common{
		Schemas: t.at("schemas"), ID: t.at("id"), ExternalID: t.at("externalId"), Meta: t.at("meta"),
		ResourceType: t.at("meta", "resourceType"), Created: t.at("meta", "created"), LastModified: t.at("meta", "lastModified"),
		Location: t.at("meta", "location"), Version: t.at("meta", "version"),
	}
	c.relations()
	c.inverses(peers)
	c.unique()
	c.indexes()
	c.label()
}

func (t *Type) at(names ...string) Path {
	n := t.nodes[0]
	for _, name := range names {
		n = find(n, name)
	}
	return Path{n}
}

// checkEndpoint wants one path segment that needs no escaping and that the
// protocol itself does not use (RFC 7644 sections 3.2, 3.11 and 4).
func (c *compiler) checkEndpoint(endpoint string) {
	segment, ok := strings.CutPrefix(endpoint, "/")
	if !ok || segment == "" || strings.Trim(segment, nameCharacters+".~") != "" || strings.Trim(segment, ".") == "" {
		c.bad("endpoint %q must be one path segment with a leading slash, such as \"/Users\"", endpoint)
	}
	for _, reserved := range []string{"Me", "Bulk", "Schemas", "ResourceTypes", "ServiceProviderConfig", "ServiceProviderConfigs", ".search"} {
		if len(segment) == len(reserved) && equalFoldASCII(reserved, segment) {
			c.bad("endpoint %q belongs to the protocol", endpoint)
		}
	}
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_$"

// checkURN wants "urn", a namespace and a specific part (RFC 8141 section 2),
// without what would end the URN in a path or a filter.
func (c *compiler) checkURN(urn string) {
	parts := strings.SplitN(urn, ":", 3)
	if len(parts) < 3 || !strings.EqualFold(parts[0], "urn") || parts[1] == "" || parts[2] == "" ||
		strings.HasSuffix(urn, ":") || strings.HasSuffix(urn, ".") ||
		strings.ContainsFunc(urn, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"\\[]()<>{}^`|", r) }) {
		c.bad("schema id %q must be a URN, such as \"urn:example:schemas:2.0:Thing\"", urn)
	}
}

func (c *compiler) addExtension(root *node, e Extension) {
	if e.Schema == nil {
		c.bad("an extension needs a schema")
		return
	}
	c.checkURN(e.Schema.ID)
	if equalFoldASCII(c.t.decl.Schema.ID, e.Schema.ID) {
		c.bad("the core schema %q cannot be an extension too", e.Schema.ID)
		return
	}
	if e.Within != "" {
		c.addNested(e)
		return
	}
	n := c.addNode(root, Attribute{
		Name: e.Schema.ID, Description: e.Schema.Description, Type: Complex, Required: e.Required,
		SubAttributes: e.Schema.Attributes,
	}, e.Schema.ID, e.Schema.ID, false)
	n.ext = true
	c.t.extensions = append(c.t.extensions, Path{n})
	for _, a := range e.Schema.Attributes {
		c.add(n, a, e.Schema.ID, e.Schema.ID+":", false)
	}
}

// add checks one attribute and puts it, with its sub-attributes, below parent.
func (c *compiler) add(parent *node, a Attribute, urn, prefix string, common bool) {
	full := prefix + a.Name
	if err := checkName(a.Name); err != nil {
		c.bad("attribute %q: %w", full, err)
	}
	if a.Type > Complex || a.Mutability > WriteOnly || a.Returned > ReturnedRequest || a.Uniqueness > UniqueGlobal {
		c.bad("attribute %q has a characteristic that is none of the declared constants", full)
	}
	switch a.Type {
	case Complex:
		if len(a.SubAttributes) == 0 {
			c.bad("attribute %q is complex and needs sub-attributes", full)
		}
	case Boolean:
		if a.CaseExact || a.Uniqueness != UniqueNone {
			c.bad("attribute %q: a boolean has neither caseExact nor uniqueness", full)
		}
	case Binary, Reference:
		a.CaseExact = true
	}
	if a.Type != Complex && len(a.SubAttributes) > 0 {
		c.bad("attribute %q has sub-attributes and must be complex", full)
	}
	if a.Mutability == ReadOnly && a.Required && !common {
		a.Required = false // nothing a client could do about it
	}
	if a.Mutability == WriteOnly {
		if a.Returned == ReturnedAlways {
			c.bad("attribute %q cannot be both writeOnly and always returned", full)
		}
		a.Returned = ReturnedNever // what writeOnly means (RFC 7643 section 7)
	}
	n := c.addNode(parent, a, urn, full, common)
	for _, s := range a.SubAttributes {
		if s.Type == Complex {
			c.bad("attribute %q: a sub-attribute cannot be complex", full+"."+s.Name)
			continue
		}
		c.add(n, s, urn, full+".", common)
	}
}

func (c *compiler) addNode(parent *node, a Attribute, urn, full string, common bool) *node {
	for _, k := range parent.kids {
		if equalFoldASCII(k.attr.Name, a.Name) {
			c.bad("attribute %q is defined twice", full)
		}
	}
	n := &node{attr: a, parent: parent, name: full, urn: urn, index: len(c.t.nodes), pos: len(parent.kids), common: common}
	if len(parent.kids) == maxChildren {
		c.bad("more than %d attributes in one place", maxChildren)
		return n
	}
	parent.kids = append(parent.kids, n)
	c.t.nodes = append(c.t.nodes, n)
	return n
}

func checkName(s string) error {
	if sameName(s, "$ref") {
		return nil // the one name that the RFC's own grammar does not allow
	}
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '-' || c == '_' || c == '$')) {
			return errors.New("a name starts with a letter, followed by letters, digits, '-', '_' and '$' (RFC 7643 section 2.1)")
		}
	}
	if s == "" {
		return errors.New("a name cannot be empty")
	}
	return nil
}

// relations binds the declared relations to their attributes.
func (c *compiler) relations() {
	t := c.t
	for i := range t.decl.Relations {
		r := &t.decl.Relations[i]
		n := find(t.nodes[0], r.Attribute)
		switch {
		case !linksResources(n) || n.ext:
			c.bad("relation %q must be a complex multi-valued attribute of the core schema with a sub-attribute \"value\"", r.Attribute)
			continue
		case n.relation != nil:
			c.bad("relation %q is declared twice", r.Attribute)
			continue
		case n.attr.Mutability == ReadOnly:
			c.bad("relation %q is readOnly: only the attribute that shows it backwards can be", r.Attribute)
		case len(r.Targets) == 0:
			c.bad("relation %q needs at least one target type", r.Attribute)
		}
		c.relationParts(n, r)
		r.Attribute = n.attr.Name
		n.relation = r
		t.relations = append(t.relations, RelationPath{Path{n}, r})
	}
}

// inverses binds the attributes that show relations of this type and of its
// peers backwards.
func (c *compiler) inverses(peers []ResourceType) {
	t := c.t
	owners := []ResourceType{t.decl}
	for _, p := range peers {
		if p.Name != t.decl.Name {
			owners = append(owners, p)
		}
	}
	for _, owner := range owners {
		for _, r := range owner.Relations {
			if r.Inverse == "" || !slices.Contains(r.Targets, t.decl.Name) {
				continue
			}
			n := find(t.nodes[0], r.Inverse)
			if n == nil {
				continue // a target need not show the relation
			}
			if n.attr.Mutability != ReadOnly || !linksResources(n) {
				c.bad("attribute %q shows a relation of %s backwards: it must be a readOnly complex multi-valued attribute with a sub-attribute \"value\"", n.name, owner.Name)
				continue
			}
			if n.inverse != nil {
				c.bad("attribute %q shows two relations backwards", n.name)
				continue
			}
			n.inverse = &InverseRelation{Path: Path{n}, Owner: owner.Name, Relation: r.Attribute}
			t.inverses = append(t.inverses, *n.inverse)
		}
	}
}

func linksResources(n *node) bool {
	return n != nil && n.attr.Type == Complex && n.attr.MultiValued && find(n, "value") != nil
}

// unique collects what Muster keeps unique.
func (c *compiler) unique() {
	t := c.t
	for _, n := range t.nodes[1:] {
		if n.attr.Uniqueness != UniqueNone && !n.common && n.attr.Type != Complex {
			n.unique = UniqueInTenant
		}
	}
	for _, name := range t.decl.UniquePerConnection {
		p, err := t.Resolve(name)
		if err != nil {
			c.bad("unique attribute: %w", err)
			continue
		}
		p.n.unique = UniqueInConnection
	}
	for _, n := range t.nodes[1:] {
		if n.unique == NotUnique {
			continue
		}
		p := Path{n}
		if !p.InDocument() || !p.MultiValued().IsZero() || n.attr.Type == Complex || n.attr.Type == Boolean {
			c.bad("attribute %q cannot be unique: only single-valued simple attributes that clients set can", n.name)
			continue
		}
		t.unique = append(t.unique, p)
		n.indexed = true
	}
}

// indexes collects what stores index.
func (c *compiler) indexes() {
	t := c.t
	for _, name := range defaultIndexed {
		if p, err := t.Resolve(name); err == nil && p.n.attr.Type != Complex && !p.Secret() && (p.InDocument() || p.IsCommon()) {
			p.n.indexed = true
		}
	}
	for _, name := range t.decl.Indexed {
		p, err := t.Resolve(name)
		switch {
		case err != nil:
			c.bad("indexed attribute: %w", err)
		case p.n.indexed:
		case p.n.attr.Type == Complex || p.Secret() || !p.InDocument():
			c.bad("attribute %q cannot be indexed: only simple attributes that are kept with the resource and shown to clients can", p)
		default:
			p.n.indexed = true
		}
	}
	for _, n := range t.nodes[1:] {
		if n.indexed {
			t.indexed = append(t.indexed, Path{n})
		}
	}
}

// label binds the attribute that references show.
func (c *compiler) label() {
	if c.t.decl.Label == "" {
		return
	}
	p, err := c.t.Resolve(c.t.decl.Label)
	switch {
	case err != nil:
		c.bad("label: %w", err)
	case !p.n.attr.Type.IsText() || !p.InDocument() || !p.MultiValued().IsZero() || p.Secret():
		c.bad("attribute %q cannot be the label: only single-valued text that is kept with the resource and shown to clients can", p)
	default:
		c.t.label = p
	}
}

var commonAttributes = []Attribute{
	{Name: "schemas", Type: Reference, MultiValued: true, Required: true, CaseExact: true, ReferenceTypes: []string{"uri"}, Returned: ReturnedAlways},
	{Name: "id", Type: String, Required: true, CaseExact: true, Mutability: ReadOnly, Returned: ReturnedAlways, Uniqueness: UniqueServer},
	{Name: "externalId", Type: String, CaseExact: true},
	{Name: "meta", Type: Complex, Mutability: ReadOnly, SubAttributes: []Attribute{
		{Name: "resourceType", Type: String, CaseExact: true, Mutability: ReadOnly},
		{Name: "created", Type: DateTime, Mutability: ReadOnly},
		{Name: "lastModified", Type: DateTime, Mutability: ReadOnly},
		{Name: "location", Type: Reference, CaseExact: true, ReferenceTypes: []string{"uri"}, Mutability: ReadOnly},
		{Name: "version", Type: String, CaseExact: true, Mutability: ReadOnly},
	}},
}
