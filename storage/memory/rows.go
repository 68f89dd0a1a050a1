package memory

import "github.com/musterhq/muster/storage"

// row is what a slot holds. It never changes; a new version is a new row.
type row struct {
	who  *ident
	rec  *storage.Record // nil for a target that is kept elsewhere
	keys []key           // in order; those of rec.Index and rec.Unique
}

// key is one key of a record.
type key struct {
	text      string
	attr      uint16 // number in the type's table
	unique    bool
	truncated bool
}

const (
	fanoutBits = 5
	fanout     = 1 << fanoutBits
)

// rows leads from slots to rows: a tree of arrays, with the rule for epochs of
// package cowtree.
type rows struct {
	root  *rowNode
	shift uint // of a slot, for the root's kids; 0 when the root holds rows
	size  uint32
}

// rowNode has kids or rows.
type rowNode struct {
	epoch uint64
	kids  *[fanout]*rowNode
	rows  *[fanout]*row
}

// get returns the row of a slot that was set before.
func (r *rows) get(slot uint32) *row {
	n := r.root
	for shift := r.shift; shift > 0; shift -= fanoutBits {
		n = n.kids[slot>>shift%fanout]
	}
	return n.rows[slot%fanout]
}

// set puts a row into a slot. Slots are taken in order: at most the next one
// after those used before.
func (r *rows) set(epoch uint64, slot uint32, v *row) {
	r.size = max(r.size, slot+1)
	if r.root == nil {
		r.root = &rowNode{epoch: epoch, rows: new([fanout]*row)}
	}
	for slot>>r.shift >= fanout {
		r.root = &rowNode{epoch: epoch, kids: &[fanout]*rowNode{r.root}}
		r.shift += fanoutBits
	}
	r.root = r.root.own(epoch, r.shift)
	n := r.root
	for shift := r.shift; shift > 0; shift -= fanoutBits {
		kid := &n.kids[slot>>shift%fanout]
		*kid = (*kid).own(epoch, shift-fanoutBits)
		n = *kid
	}
	n.rows[slot%fanout] = v
}

func (n *rowNode) own(epoch uint64, shift uint) *rowNode {
	switch {
	case n == nil && shift == 0:
		return &rowNode{epoch: epoch, rows: new([fanout]*row)}
	case n == nil:
		return &rowNode{epoch: epoch, kids: new([fanout]*rowNode)}
	case n.epoch == epoch:
		return n
	case n.rows != nil:
		rows := *n.rows
		return &rowNode{epoch: epoch, rows: &rows}
	}
	kids := *n.kids
	return &rowNode{epoch: epoch, kids: &kids}
}
