package filter

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// Fingerprint returns a hash of what the plan asks, however it was written: plans
// of one type with the same fingerprint match the same resources. A nil Plan has one
// too. It is for comparing, and no secret: short operands can be guessed from it.
func (p *Plan) Fingerprint() [sha256.Size]byte {
	d := digest{sha256.New()}
	d.node(p.Root())
	return [sha256.Size]byte(d.h.Sum(nil))
}

// digest hashes values so that no two sequences of them hash the same bytes.
type digest struct{ h hash.Hash }

func (d digest) number(n int) {
	var room [binary.MaxVarintLen64]byte
	d.h.Write(binary.AppendUvarint(room[:0], uint64(n)))
}

func (d digest) text(s string) {
	d.number(len(s))
	d.h.Write([]byte(s))
}

func (d digest) flag(on bool) {
	if on {
		d.number(1)
	} else {
		d.number(0)
	}
}

// node hashes a node: what kind it is, what it holds, and how many nodes follow.
func (d digest) node(n Node) {
	switch n := n.(type) {
	case nil:
		d.text("all")
	case And:
		d.text("and")
		d.nodes(n.Nodes)
	case Or:
		d.text("or")
		d.nodes(n.Nodes)
	case Negate:
		d.text("not")
		d.node(n.X)
	case Any:
		d.text("any")
		d.text(n.Path.String())
		d.node(n.X)
	case Present:
		d.text("present")
		d.text(n.Path.String())
	case Compare:
		d.text("compare")
		d.text(n.Path.String())
		d.number(int(n.Op))
		d.text(n.Key)
	case Linked:
		d.text("linked")
		for _, s := range []string{n.Owner, n.Relation, n.Type, n.ID} {
			d.text(s)
		}
		d.flag(n.Inverse)
		d.number(int(n.Nesting))
	case Const:
		d.text("const")
		d.flag(bool(n))
	}
}

func (d digest) nodes(nodes []Node) {
	d.number(len(nodes))
	for _, n := range nodes {
		d.node(n)
	}
}
