package cowtree

import "slices"

// Set puts x into the set, in place of an item that compares equal. It reports
// whether there was one.
func (t *Tree[T]) Set(epoch uint64, x T) (replaced bool) {
	if t.root == nil {
		t.root = &node[T]{epoch: epoch, items: []T{x}}
		t.length = 1
		return false
	}
	t.root = t.root.own(epoch, 1)
	replaced, atEnd := t.root.set(t.compare, epoch, x)
	if len(t.root.items) > maxItems {
		left := t.root
		t.root = &node[T]{epoch: epoch, items: make([]T, 0, 2), kids: append(make([]kid[T], 0, 3), kid[T]{left, left.size()})}
		t.root.split(epoch, 0, atEnd)
	}
	if !replaced {
		t.length++
	}
	return replaced
}

// Delete takes the item that compares equal to x out of the set and reports
// whether there was one. Without one nothing is copied.
func (t *Tree[T]) Delete(epoch uint64, x T) bool {
	if !t.Has(x) {
		return false
	}
	t.root = t.root.own(epoch, 0)
	t.root.remove(t.compare, epoch, x)
	if t.length--; t.length == 0 {
		t.root = nil
	} else if len(t.root.items) == 0 {
		t.root = t.root.kids[0].node
	}
	return true
}

// own returns n if it belongs to the epoch, else a copy that does, with room for
// some more items.
func (n *node[T]) own(epoch uint64, room int) *node[T] {
	if n.epoch == epoch {
		return n
	}
	c := &node[T]{epoch: epoch}
	if n.kids != nil {
		c.kids = append(make([]kid[T], 0, len(n.kids)), n.kids...)
		room = 0 // an inner node grows only when a kid splits
	}
	c.items = append(make([]T, 0, len(n.items)+room), n.items...)
	return c
}

// insert is slices.Insert with growth in small steps: most nodes stay in memory
// for long, and doubling would leave a third of it unused.
func insert[E any](s []E, i int, x E) []E {
	if len(s) == cap(s) {
		s = append(make([]E, 0, min(len(s)+max(4, len(s)/4), maxItems+2)), s...)
	}
	s = s[:len(s)+1]
	copy(s[i+1:], s[i:])
	s[i] = x
	return s
}

// set inserts below n, which the epoch owns. n may be one item too large
// afterwards; atEnd tells its parent that it grew behind its last item.
func (n *node[T]) set(compare func(a, b T) int, epoch uint64, x T) (replaced, atEnd bool) {
	i, found := n.search(compare, x)
	if found {
		n.items[i] = x
		return true, false
	}
	if n.kids == nil {
		n.items = insert(n.items, i, x)
		return false, i == len(n.items)-1
	}
	n.kids[i].node = n.kids[i].own(epoch, 1)
	replaced, atEnd = n.kids[i].set(compare, epoch, x)
	if replaced {
		return true, false
	}
	n.shift(i, 1)
	last := i == len(n.kids)-1
	if len(n.kids[i].items) > maxItems {
		n.split(epoch, i, atEnd)
	}
	return false, atEnd && last
}

// shift moves the ends of the kids from i on.
func (n *node[T]) shift(i, by int) {
	for ; i < len(n.kids); i++ {
		n.kids[i].end += by
	}
}

// split divides n's i-th kid, which is one item too large. A kid that grew at
// its end is left full: items that arrive in order fill their nodes.
func (n *node[T]) split(epoch uint64, i int, atEnd bool) {
	left := n.kids[i].node
	mid := len(left.items) / 2
	if atEnd {
		mid = len(left.items) - 2
	}
	item := left.items[mid]
	right := &node[T]{epoch: epoch, items: slices.Clone(left.items[mid+1:])}
	if left.kids != nil {
		right.kids = slices.Clone(left.kids[mid+1:])
		left.kids = slices.Clone(left.kids[:mid+1])
		right.shift(0, -(left.size() + 1))
	}
	left.items = slices.Clone(left.items[:mid])
	end := n.kids[i].end
	n.items = insert(n.items, i, item)
	n.kids = insert(n.kids, i+1, kid[T]{right, end})
	n.kids[i].end = end - right.size() - 1
}

// remove deletes x, which is there, below n, which the epoch owns. n may be too
// small afterwards.
func (n *node[T]) remove(compare func(a, b T) int, epoch uint64, x T) {
	i, found := n.search(compare, x)
	if n.kids == nil {
		n.items = slices.Delete(n.items, i, i+1)
		return
	}
	child := n.kids[i].own(epoch, 0)
	n.kids[i].node = child
	if found {
		n.items[i] = child.removeLast(epoch)
	} else {
		child.remove(compare, epoch, x)
	}
	n.shift(i, -1)
	n.refill(epoch, i)
}

// removeLast takes out the last item below n, which the epoch owns.
func (n *node[T]) removeLast(epoch uint64) T {
	if n.kids == nil {
		i := len(n.items) - 1
		item := n.items[i]
		n.items = slices.Delete(n.items, i, i+1)
		return item
	}
	i := len(n.kids) - 1
	child := n.kids[i].own(epoch, 0)
	n.kids[i].node = child
	item := child.removeLast(epoch)
	n.shift(i, -1)
	n.refill(epoch, i)
	return item
}

// refill mends n's i-th kid, which the epoch owns, when it became too small:
// merged with a neighbour, or with a share of the neighbour's items.
func (n *node[T]) refill(epoch uint64, i int) {
	if len(n.kids[i].items) >= minItems {
		return
	}
	if i == len(n.kids)-1 {
		i--
	}
	left, right := n.kids[i].own(epoch, 0), n.kids[i+1].node
	n.kids[i].node = left
	items := slices.Concat(left.items, n.items[i:i+1], right.items)
	var kids []kid[T]
	if left.kids != nil {
		kids = slices.Concat(left.kids, right.kids)
		for j := len(left.kids); j < len(kids); j++ {
			kids[j].end += left.size() + 1
		}
	}
	left.items, left.kids = items, kids
	if len(items) <= maxItems {
		n.kids[i].end = n.kids[i+1].end
		n.items = slices.Delete(n.items, i, i+1)
		n.kids = slices.Delete(n.kids, i+1, i+2)
		return
	}
	// Too much for one node: put them together and split again, in the middle.
	end := n.kids[i+1].end
	n.items = slices.Delete(n.items, i, i+1)
	n.kids = slices.Delete(n.kids, i+1, i+2)
	n.kids[i].end = end
	n.split(epoch, i, false)
}
