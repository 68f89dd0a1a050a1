// Package cowtree is an ordered set that can be kept: a B-tree whose nodes are
// copied before they change, so that a Tree once assigned to another variable
// stays as it is while the first one goes on.
//
// Copying follows epochs. Every writing call names one; a node made in the same
// epoch is changed in place, any other is copied first. So a batch of writes
// under one epoch copies each node that it touches once, and whoever shares a
// tree moves to a new epoch before writing again:
//
//	var t cowtree.Tree[int] = cowtree.New(cmp.Compare[int])
//	t.Set(1, 10)
//	kept := t    // from here on epoch 1 must not write to t
//	t.Set(2, 20) // copies; kept still holds 10 alone
//
// Reading a tree that nobody writes to is safe for concurrent use. Inner nodes
// know how many items lie below each child, so positions count in O(log n).
package cowtree

// maxItems bounds the items of a node. Smaller nodes copy less for each write,
// larger ones carry fewer headers and are less deep; between 24 and 64 the
// difference is small.
const maxItems = 32

// minItems is where a node is merged with a neighbour or filled from it. It is
// well under half of maxItems, so that a node which just split does not merge
// again at once, and so that appending may leave small nodes at the end.
const minItems = maxItems / 4

// Tree is an ordered set of items. Make one with [New]; copying the struct
// copies the set, under the rule for epochs.
type Tree[T any] struct {
	compare func(a, b T) int
	root    *node[T] // nil when empty
	length  int
}

// node is a leaf (no kids) or holds one more kid than items.
type node[T any] struct {
	epoch uint64
	items []T
	kids  []kid[T]
}

// kid is a subtree and the number of items in its parent's subtree up to and
// including it, without the item that follows it.
type kid[T any] struct {
	*node[T]
	end int
}

// New makes an empty tree ordered by compare, which must be a total order: two
// items that compare equal are one.
func New[T any](compare func(a, b T) int) Tree[T] { return Tree[T]{compare: compare} }

// Len returns the number of items.
func (t *Tree[T]) Len() int { return t.length }

// search returns the position of the first item not before x, and whether it
// equals x.
func (n *node[T]) search(compare func(a, b T) int, x T) (int, bool) {
	lo, hi := 0, len(n.items)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch c := compare(n.items[mid], x); {
		case c < 0:
			lo = mid + 1
		case c > 0:
			hi = mid
		default:
			return mid, true
		}
	}
	return lo, false
}

// Get returns the item that compares equal to x.
func (t *Tree[T]) Get(x T) (item T, ok bool) {
	for n := t.root; n != nil; {
		i, found := n.search(t.compare, x)
		if found {
			return n.items[i], true
		}
		if n.kids == nil {
			break
		}
		n = n.kids[i].node
	}
	return item, false
}

// Has reports whether an item compares equal to x.
func (t *Tree[T]) Has(x T) bool {
	_, ok := t.Get(x)
	return ok
}

// Ceil returns the first item that is not before x.
func (t *Tree[T]) Ceil(x T) (item T, ok bool) {
	for n := t.root; n != nil; {
		i, found := n.search(t.compare, x)
		if i < len(n.items) {
			item, ok = n.items[i], true
		}
		if found || n.kids == nil {
			break
		}
		n = n.kids[i].node
	}
	return item, ok
}

// Rank returns the number of items before x, which is the position of x if it
// is there.
func (t *Tree[T]) Rank(x T) int {
	rank := 0
	for n := t.root; n != nil; {
		i, found := n.search(t.compare, x)
		if n.kids == nil {
			return rank + i
		}
		if found {
			return rank + n.kids[i].end
		}
		rank += n.start(i)
		n = n.kids[i].node
	}
	return rank
}

// start is the number of items of n's subtree before its i-th kid.
func (n *node[T]) start(i int) int {
	if i == 0 {
		return 0
	}
	return n.kids[i-1].end + 1
}

// size is the number of items in n's subtree.
func (n *node[T]) size() int {
	if n.kids == nil {
		return len(n.items)
	}
	return n.kids[len(n.kids)-1].end
}
