package resource

import (
	"bytes"

	"github.com/musterhq/muster/scim/schema"
)

// Stored makes a Resource from metadata and a document that [Resource.Document]
// returned, perhaps in another process. The document is not validated beyond
// what safe reading needs: attributes that the type no longer has are skipped,
// and so are values that are no longer of their attribute's JSON type. An error
// is a [*DecodeError] and means that doc is not a JSON object. doc must not be
// modified afterwards.
func Stored(t *schema.Type, m Meta, doc []byte) (*Resource, error) {
	if d, ok := adopt(t, doc); ok {
		return &Resource{meta: m, doc: d}, nil
	}
	dec := newDecoder(doc, DecodeOptions{Partial: true}, stored)
	dec.doc = newDocument(t.Root(), len(doc))
	dec.doc.typ = t
	dec.body()
	if err := dec.err(); err != nil {
		return nil, err
	}
	dec.doc.finish()
	return &Resource{meta: m, doc: dec.doc}, nil
}

// adopt makes a document of a text that is canonical for t, without copying it.
// It gives up at anything else.
func adopt(t *schema.Type, text []byte) (*document, bool) {
	if len(text) > maxText {
		return nil, false
	}
	x := indexer{
		scanner: scanner{data: text, maxDepth: 8},
		doc:     &document{typ: t, home: t.Root(), text: text, nodes: make([]node, 0, len(text)/18+2)},
	}
	if len(text) == 0 || text[0] != '{' || !x.object(t.Root()) || x.pos != len(text) {
		return nil, false
	}
	x.doc.nodes = clip(x.doc.nodes)
	x.doc.sum()
	return x.doc, true
}

// indexer makes nodes for a text that stays as it is.
type indexer struct {
	scanner
	doc     *document
	scratch []byte
}

func (x *indexer) node(p schema.Path, k Kind) int {
	x.doc.nodes = append(x.doc.nodes, node{tag: tag(p, k), start: uint32(x.pos), size: 1})
	return len(x.doc.nodes) - 1
}

func (x *indexer) done(i int) bool {
	n := &x.doc.nodes[i]
	n.end, n.size = uint32(x.pos), uint32(len(x.doc.nodes)-i)
	return true
}

// list walks over the parts of the object or array that starts here.
func (x *indexer) list(closing byte, part func() bool) bool {
	for {
		x.pos++ // the opening bracket or a comma
		if !part() || x.pos >= len(x.data) {
			return false
		}
		switch x.data[x.pos] {
		case closing:
			x.pos++
			return true
		case ',':
		default:
			return false
		}
	}
}

func (x *indexer) object(parent schema.Path) bool {
	root := parent.Index() == 0
	i := x.node(parent, KindObject)
	if root && bytes.HasPrefix(x.data, []byte("{}")) {
		x.pos = 2
		return x.done(i)
	}
	var seen bitset
	return x.list('}', func() bool {
		name, ok := x.bareName()
		if !ok {
			return false
		}
		p, ok := parent.LookupBytes(name)
		if !ok || p.Name() != string(name) || seen.has(p.Position()) || root && !p.InDocument() {
			return false
		}
		seen.set(p.Position())
		return x.value(p)
	}) && x.done(i)
}

// bareName reads a name without escapes, and a colon.
func (x *indexer) bareName() ([]byte, bool) {
	if x.pos >= len(x.data) || x.data[x.pos] != '"' {
		return nil, false
	}
	name, what, ok := x.text()
	if !ok || what != plain || x.pos >= len(x.data) || x.data[x.pos] != ':' {
		return nil, false
	}
	x.pos++
	return name, true
}

func (x *indexer) value(p schema.Path) bool {
	a := p.Attribute()
	if !a.MultiValued {
		return x.single(p, a)
	}
	if x.pos >= len(x.data) || x.data[x.pos] != '[' {
		return false
	}
	i := x.node(p, KindArray)
	return x.list(']', func() bool { return x.single(p, a) }) && x.done(i)
}

func (x *indexer) single(p schema.Path, a *schema.Attribute) bool {
	if x.pos >= len(x.data) {
		return false
	}
	c := x.data[x.pos]
	switch a.Type {
	case schema.Complex:
		return c == '{' && x.object(p)
	case schema.Boolean:
		i := x.node(p, KindBool)
		return (c == 't' && x.word("true") || c == 'f' && x.word("false")) && x.done(i)
	case schema.Integer, schema.Decimal:
		if c != '-' && !isDigit(c) {
			return false
		}
		i := x.node(p, KindNumber)
		_, ok := x.number()
		return ok && x.done(i)
	}
	if c != '"' {
		return false
	}
	i := x.node(p, KindText)
	raw, what, ok := x.text()
	if !ok {
		return false
	}
	if what != plain {
		x.scratch = unescape(x.scratch[:0], raw)
		canonical, esc := appendQuoted(nil, x.scratch)
		if !esc || !bytes.Equal(canonical[1:len(canonical)-1], raw) {
			return false
		}
		x.doc.nodes[i].tag |= escaped
	}
	return x.done(i)
}
