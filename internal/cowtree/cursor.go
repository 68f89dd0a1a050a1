package cowtree

// maxDepth bounds the height of a tree: nodes have at least minItems items,
// but for the root and the last node of each level.
const maxDepth = 16

// Cursor is a place in a tree: at an item, or before the first or behind the
// last. It belongs to the tree as it was when the cursor was made. It is a
// plain value; a copy moves on its own.
type Cursor[T any] struct {
	depth int // of the node in use, -1 outside of the tree
	stack [maxDepth]place[T]
}

// place is an item of a node, or on the way down a kid: the kid i stands before
// the item i.
type place[T any] struct {
	n *node[T]
	i int
}

// Seek returns a cursor at the first item that is not before x.
func (t *Tree[T]) Seek(x T) Cursor[T] {
	c := Cursor[T]{depth: -1}
	for n := t.root; n != nil; {
		i, found := n.search(t.compare, x)
		c.push(n, i)
		if found || n.kids == nil {
			break
		}
		n = n.kids[i].node
	}
	c.settle()
	return c
}

// At returns a cursor at the item of that position, counted from 0. Outside of
// [0, Len) it is at no item.
func (t *Tree[T]) At(position int) Cursor[T] {
	c := Cursor[T]{depth: -1}
	if position < 0 || position >= t.length {
		return c
	}
	for n := t.root; ; {
		if n.kids == nil {
			c.push(n, position)
			return c
		}
		i := 0
		for n.kids[i].end < position {
			i++
		}
		c.push(n, i)
		if n.kids[i].end == position {
			return c
		}
		position -= n.start(i)
		n = n.kids[i].node
	}
}

// Valid reports whether the cursor is at an item.
func (c *Cursor[T]) Valid() bool { return c.depth >= 0 }

// Item returns the item; the cursor must be valid.
func (c *Cursor[T]) Item() T {
	p := &c.stack[c.depth]
	return p.n.items[p.i]
}

func (c *Cursor[T]) push(n *node[T], i int) {
	c.depth++
	c.stack[c.depth] = place[T]{n, i}
}

// settle climbs from behind the last item of a node to the item that follows it.
func (c *Cursor[T]) settle() {
	for c.depth >= 0 && c.stack[c.depth].i == len(c.stack[c.depth].n.items) {
		c.depth--
	}
}

// Next moves to the following item.
func (c *Cursor[T]) Next() {
	p := &c.stack[c.depth]
	p.i++
	if p.n.kids == nil {
		c.settle()
		return
	}
	for n := p.n.kids[p.i].node; ; n = n.kids[0].node {
		c.push(n, 0)
		if n.kids == nil {
			return
		}
	}
}

// Prev moves to the preceding item.
func (c *Cursor[T]) Prev() {
	p := &c.stack[c.depth]
	if p.n.kids != nil {
		for n := p.n.kids[p.i].node; ; {
			if n.kids == nil {
				c.push(n, len(n.items)-1)
				return
			}
			c.push(n, len(n.items))
			n = n.kids[len(n.items)].node
		}
	}
	for p.i == 0 {
		if c.depth--; c.depth < 0 {
			return
		}
		p = &c.stack[c.depth]
	}
	p.i--
}
