package schema

// Path names one attribute or sub-attribute of a [Type], or a whole extension.
// It never holds a filter. Paths are comparable: two Paths of one Type are
// equal exactly when they name the same attribute. The zero Path names nothing.
type Path struct{ n *node }

// node is one place in the tree of attributes that a Type describes. The
// root's children are the common, core and extension attributes; an
// extension's children are its attributes.
type node struct {
	attr     Attribute // SubAttributes of extensions are the schema's attributes
	parent   *node
	kids     []*node
	table    []uint8 // open-addressed look-up of kids by folded name; kid number + 1
	name     string  // canonical text from the root, "name.familyName"
	urn      string  // schema that defines the attribute
	index    int     // position in Type.nodes
	pos      int     // position among the parent's kids
	ext      bool    // a whole extension
	common   bool    // id, externalId, meta, schemas and below (RFC 7643 section 3.1)
	relation *Relation
	inverse  *InverseRelation
	indexed  bool
	unique   UniqueScope
	typ      *Type // of the root only
}

// UniqueScope says within what Muster enforces that an attribute's value is
// unique.
type UniqueScope uint8

// The scopes of uniqueness.
const (
	NotUnique UniqueScope = iota
	UniqueInConnection
	UniqueInTenant
)

// IsZero reports whether p names nothing.
func (p Path) IsZero() bool { return p.n == nil }

// Type returns the type that p belongs to, nil for the zero Path.
func (p Path) Type() *Type {
	if p.n == nil {
		return nil
	}
	n := p.n
	for n.parent != nil {
		n = n.parent
	}
	return n.typ
}

// IsRoot reports whether p is [Type.Root].
func (p Path) IsRoot() bool { return p.n != nil && p.n.parent == nil }

// Attribute returns the definition of the attribute that p names. For a whole
// extension it is a complex attribute named by the URN. The definition must not
// be modified.
func (p Path) Attribute() *Attribute { return &p.n.attr }

// Name returns the attribute's own name, "familyName" for name.familyName.
func (p Path) Name() string { return p.n.attr.Name }

// String returns the canonical full name: "name.familyName", or for an
// extension's attribute "urn:…:User:manager.value".
func (p Path) String() string {
	if p.n == nil {
		return ""
	}
	return p.n.name
}

// Schema returns the URN of the schema that defines the attribute; for common
// attributes the URN of the type's core schema.
func (p Path) Schema() string { return p.n.urn }

// Parent returns the complex attribute or extension that holds p, or the zero
// Path for attributes at the top level.
func (p Path) Parent() Path {
	if p.n == nil || p.n.parent == nil || p.n.parent.parent == nil {
		return Path{}
	}
	return Path{p.n.parent}
}

// Top returns the top-level attribute or extension that p lies in, p itself
// when it is one.
func (p Path) Top() Path {
	n := p.n
	for n.parent != nil && n.parent.parent != nil {
		n = n.parent
	}
	return Path{n}
}

// MultiValued returns the multi-valued attribute that p is or lies in, or the
// zero Path. For emails.value it is emails.
func (p Path) MultiValued() Path {
	for n := p.n; n != nil; n = n.parent {
		if n.attr.MultiValued {
			return Path{n}
		}
	}
	return Path{}
}

// Index returns p's number among the paths of its Type, from 1 to
// [Type.Len]. It is meant for tables keyed by attribute.
func (p Path) Index() int { return p.n.index }

// Position returns p's number among its siblings, from 0.
func (p Path) Position() int { return p.n.pos }

// IsExtension reports whether p names a whole extension.
func (p Path) IsExtension() bool { return p.n.ext }

// IsCommon reports whether p is one of the attributes that every resource has
// without its schema listing them: schemas, id, externalId, meta and meta's
// parts (RFC 7643 section 3.1).
func (p Path) IsCommon() bool { return p.n.common }

// InDocument reports whether the attribute's value is kept inside the
// resource's document. False for id, meta and schemas, which are derived, and
// for relations in both directions.
func (p Path) InDocument() bool {
	for n := p.n; n != nil; n = n.parent {
		if n.relation != nil || n.inverse != nil || n.common && n.attr.Name != "externalId" {
			return false
		}
	}
	return true
}

// Relation returns the relation that p declares (members) and true, or false.
func (p Path) Relation() (*Relation, bool) { return p.n.relation, p.n.relation != nil }

// Inverse returns the relation that p shows backwards (groups) and true, or
// false.
func (p Path) Inverse() (*InverseRelation, bool) { return p.n.inverse, p.n.inverse != nil }

// IsIndexed reports whether stores index the attribute.
func (p Path) IsIndexed() bool { return p.n.indexed }

// Unique says within what the attribute's value is unique.
func (p Path) Unique() UniqueScope { return p.n.unique }

// ReadOnly reports whether clients can never set the attribute, because it or
// something around it is readOnly.
func (p Path) ReadOnly() bool {
	for n := p.n; n != nil; n = n.parent {
		if n.attr.Mutability == ReadOnly {
			return true
		}
	}
	return false
}

// Secret reports whether the attribute is never shown to clients: it or
// something around it is writeOnly or returned never. Such attributes cannot be
// filtered or sorted on either.
func (p Path) Secret() bool {
	for n := p.n; n != nil; n = n.parent {
		if n.attr.Mutability == WriteOnly || n.attr.Returned == ReturnedNever {
			return true
		}
	}
	return false
}

// NumChildren returns the number of sub-attributes.
func (p Path) NumChildren() int { return len(p.n.kids) }

// Child returns the i-th sub-attribute, in the order of the definition.
func (p Path) Child(i int) Path { return Path{p.n.kids[i]} }

// Lookup returns the sub-attribute of that name, ignoring case.
func (p Path) Lookup(name string) (Path, bool) {
	k := find(p.n, name)
	return Path{k}, k != nil
}

// LookupBytes is Lookup for a name in a byte slice; it does not allocate.
func (p Path) LookupBytes(name []byte) (Path, bool) {
	k := find(p.n, name)
	return Path{k}, k != nil
}

// Names hash by length and by the letters at both ends: names within one
// attribute differ there nearly always, and a collision costs one comparison.
func nameHash[T string | []byte](s T) uint32 {
	if len(s) == 0 {
		return 0
	}
	h := uint32(len(s))
	h = h*31 + uint32(s[0]|0x20)
	h = h*31 + uint32(s[len(s)-1]|0x20)
	h = h*31 + uint32(s[len(s)/2]|0x20)
	return h ^ h>>7
}

func (n *node) buildTable() {
	if len(n.kids) == 0 {
		return
	}
	size := 4
	for size < 2*len(n.kids) {
		size *= 2
	}
	n.table = make([]uint8, size)
	for i, k := range n.kids {
		h := nameHash(k.attr.Name)
		for ; n.table[h&uint32(size-1)] != 0; h++ {
		}
		n.table[h&uint32(size-1)] = uint8(i + 1)
	}
}

func find[T string | []byte](n *node, name T) *node {
	if n == nil || len(n.kids) == 0 {
		return nil
	}
	mask := uint32(len(n.table) - 1)
	for h := nameHash(name); ; h++ {
		i := n.table[h&mask]
		if i == 0 {
			return nil
		}
		if k := n.kids[i-1]; equalFoldASCII(k.attr.Name, name) {
			return k
		}
	}
}

// Attribute names and URNs are ASCII, so ASCII folding is all they need.
func equalFoldASCII[T string | []byte](a string, b T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x != y && lowerASCII(x) != lowerASCII(y) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
