package resource

import (
	"sync"

	"github.com/musterhq/muster/scim/schema"
)

// document is an encoded JSON text and the table of its nodes. It is built by
// one goroutine with the methods of this file and immutable after finish.
//
// The text is canonical: no white space, names as the schema writes them,
// nothing unassigned, and strings with no escape that could be avoided. Equal
// strings are therefore equal bytes.
type document struct {
	typ   *schema.Type // nil for a loose value
	home  schema.Path  // of the first node; a type's root for a whole resource
	text  []byte
	nodes []node
	hides bool // some node is not shown by default
	// extensions are those of the type's first 32 that have a value, a bit each.
	extensions uint32
}

// node is one value of a document. Nodes stand in the order of the text, an
// object or array directly before what it holds: a subtree is a run of nodes,
// and copying one means copying the run and shifting offsets.
type node struct {
	tag        uint32 // index of the attribute << 8 | flags | kind
	start, end uint32 // the value in document.text
	size       uint32 // nodes of the subtree, this one included
}

const (
	kindMask = 0x0f
	escaped  = 0x10 // a string that holds escapes
	hidden   = 0x20 // not shown by default: never or on request only
)

func (n *node) kind() Kind { return Kind(n.tag & kindMask) }

// attr is the schema.Path.Index of the value's attribute, 0 for a whole
// resource.
func (n *node) attr() int { return int(n.tag >> 8) }

// maxText bounds a document, whose offsets are 32 bits.
const maxText = 1 << 31

func tag(p schema.Path, k Kind) uint32 {
	t := uint32(p.Index())<<8 | uint32(k)
	a := p.Attribute()
	if a.Returned == schema.ReturnedNever || a.Returned == schema.ReturnedRequest || a.Mutability == schema.WriteOnly {
		t |= hidden
	}
	return t
}

// mark is a position to return to while a document is built.
type mark struct{ text, nodes int }

func (d *document) mark() mark { return mark{len(d.text), len(d.nodes)} }

func (d *document) cut(m mark) { d.text, d.nodes = d.text[:m.text], d.nodes[:m.nodes] }

// open begins an object or array and returns its node for close.
func (d *document) open(p schema.Path, k Kind) int {
	d.nodes = append(d.nodes, node{tag: tag(p, k), start: uint32(len(d.text))})
	bracket := byte('{')
	if k == KindArray {
		bracket = '['
	}
	d.text = append(d.text, bracket)
	return len(d.nodes) - 1
}

func (d *document) close(i int) {
	n := &d.nodes[i]
	bracket := byte('}')
	if n.kind() == KindArray {
		bracket = ']'
	}
	d.text = append(d.text, bracket)
	n.end, n.size = uint32(len(d.text)), uint32(len(d.nodes)-i)
}

// comma separates what follows from an element or member before it.
func (d *document) comma() {
	if c := d.text[len(d.text)-1]; c != '{' && c != '[' {
		d.text = append(d.text, ',')
	}
}

// name begins a member.
func (d *document) name(p schema.Path) {
	d.comma()
	d.text = append(d.text, '"')
	d.text = append(d.text, p.Name()...)
	d.text = append(d.text, '"', ':')
}

// scalar adds a string, number or boolean whose text stands at the end of the
// document from start on.
func (d *document) scalar(p schema.Path, k Kind, flags uint32, start int) {
	d.nodes = append(d.nodes, node{tag: tag(p, k) | flags, start: uint32(start), end: uint32(len(d.text)), size: 1})
}

// member adds a member of an object, a copy of v.
func (d *document) member(p schema.Path, v Value) {
	mustFit(p, v, false)
	d.name(p)
	d.add(p, v)
}

// add copies a value that fits attribute p and makes it one of p.
func (d *document) add(p schema.Path, v Value) {
	n := v.node()
	first := len(d.nodes)
	shift := uint32(len(d.text)) - n.start // wraps around when it is negative
	d.text = append(d.text, v.d.text[n.start:n.end]...)
	d.nodes = append(d.nodes, v.d.nodes[v.i:v.i+int(n.size)]...)
	move := n.attr() != p.Index()
	added := d.nodes[first:]
	for i := range added {
		added[i].start += shift
		added[i].end += shift
		if move {
			added[i].tag = tag(p, added[i].kind()) | added[i].tag&escaped
		}
	}
}

// mustFit panics unless v can be the whole value of p, or one element of it. A
// scalar, or an array of them, may come from another attribute; the parts of a
// complex value belong to theirs.
func mustFit(p schema.Path, v Value, element bool) {
	a := p.Attribute()
	ok := v.Kind() == kindOf(a.Type)
	if a.MultiValued && !element {
		ok = v.Kind() == KindArray
		for e := range v.each {
			ok = ok && e.Kind() == kindOf(a.Type)
		}
	}
	if !ok || a.Type == schema.Complex && v.node().attr() != p.Index() {
		panic("resource: attribute " + p.String() + " was given a value that does not belong to it")
	}
}

// kindOf is the kind of single values of type t.
func kindOf(t schema.DataType) Kind {
	switch t {
	case schema.Boolean:
		return KindBool
	case schema.Decimal, schema.Integer:
		return KindNumber
	case schema.Complex:
		return KindObject
	}
	return KindText
}

// finish ends the building of d: it drops spare room that would otherwise be
// kept as long as the document.
func (d *document) finish() {
	d.text, d.nodes = clip(d.text), clip(d.nodes)
	d.sum()
}

// drafts are documents in which bodies are read: how much room one needs is known
// only afterwards.
var drafts = sync.Pool{New: func() any { return new(document) }}

// fair returns a copy of a draft that has just the room it needs.
func (d *document) fair() *document {
	c := &document{
		typ: d.typ, home: d.home,
		text: append(make([]byte, 0, len(d.text)), d.text...), nodes: append(make([]node, 0, len(d.nodes)), d.nodes...),
	}
	c.sum()
	return c
}

// discard gives a draft back, unless it has become so large that keeping it would be
// a waste.
func (d *document) discard() {
	if cap(d.text) <= 1<<16 {
		*d = document{text: d.text[:0], nodes: d.nodes[:0]}
		drafts.Put(d)
	}
}

// sum notes what is asked of a whole document whenever it is shown, so that its
// nodes need not be looked at then.
func (d *document) sum() {
	for i := range d.nodes {
		if d.nodes[i].tag&hidden != 0 {
			d.hides = true
			break
		}
	}
	if d.typ == nil {
		return
	}
	for i, x := range d.typ.Extensions() {
		if i < 32 && d.child(0, x.Index()) > 0 {
			d.extensions |= 1 << i
		}
	}
}

// extended reports whether the type's extension of that number has a value.
func (d *document) extended(i int) bool {
	if i < 32 {
		return d.extensions>>i&1 == 1
	}
	return d.child(0, d.typ.Extensions()[i].Index()) > 0
}

func clip[E any](s []E) []E {
	if cap(s)-len(s) <= len(s)/8 {
		return s
	}
	return append(make([]E, 0, len(s)), s...)
}

// child returns the node of member attr of the object at i, or 0, which is
// never a child.
func (d *document) child(i, attr int) int {
	for k, end := i+1, i+int(d.nodes[i].size); k < end; k += int(d.nodes[k].size) {
		if d.nodes[k].attr() == attr {
			return k
		}
	}
	return 0
}

// newDocument returns an empty document whose first node will be of attribute
// home, with room for text of about n bytes.
func newDocument(home schema.Path, n int) *document {
	n = min(n, 1<<14)
	return &document{home: home, text: make([]byte, 0, n), nodes: make([]node, 0, n/18+1)}
}

// path returns the attribute of node i.
func (d *document) path(i int) schema.Path {
	index := d.nodes[i].attr()
	if d.typ != nil {
		return d.typ.PathAt(index)
	}
	p := d.home
	for p.Index() != index {
		// Indexes ascend in the order of the tree, parents before children.
		k := p.NumChildren() - 1
		for p.Child(k).Index() > index {
			k--
		}
		p = p.Child(k)
	}
	return p
}

// bitset is a set of positions among the members of one object.
type bitset [4]uint64

func (b *bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b *bitset) set(i int)      { b[i>>6] |= 1 << (i & 63) }
