package cowtree

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// check verifies what every tree must satisfy: order, sizes, equal depth of all
// leaves, bounds on the items of a node.
func check[T any](t interface{ Fatalf(string, ...any) }, tree *Tree[T]) {
	if tree.root == nil {
		if tree.length != 0 {
			t.Fatalf("empty tree says it has %d items", tree.length)
		}
		return
	}
	leafDepth := -1
	var walk func(n *node[T], depth int) int
	walk = func(n *node[T], depth int) int {
		if len(n.items) == 0 || len(n.items) > maxItems {
			t.Fatalf("a node has %d items", len(n.items))
		}
		if !slices.IsSortedFunc(n.items, tree.compare) {
			t.Fatalf("items of a node out of order")
		}
		if n.kids == nil {
			if leafDepth >= 0 && leafDepth != depth {
				t.Fatalf("leaves at depth %d and %d", leafDepth, depth)
			}
			leafDepth = depth
			return len(n.items)
		}
		if len(n.kids) != len(n.items)+1 {
			t.Fatalf("%d kids for %d items", len(n.kids), len(n.items))
		}
		sum := 0
		for i, k := range n.kids {
			sum += walk(k.node, depth+1)
			if k.end != sum {
				t.Fatalf("kid %d ends at %d, counted %d", i, k.end, sum)
			}
			sum++
		}
		return sum - 1
	}
	if n := walk(tree.root, 0); n != tree.length {
		t.Fatalf("tree says it has %d items, counted %d", tree.length, n)
	}
}

func collect[T any](tree *Tree[T]) (out []T) {
	for c := tree.At(0); c.Valid(); c.Next() {
		out = append(out, c.Item())
	}
	return out
}

func collectBackwards[T any](tree *Tree[T]) (out []T) {
	for c := tree.At(tree.Len() - 1); c.Valid(); c.Prev() {
		out = append(out, c.Item())
	}
	slices.Reverse(out)
	return out
}

func TestTreeAgreesWithASortedSliceAndSnapshotsStay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tree := New(cmp.Compare[int])
		var model []int
		type kept struct {
			tree  Tree[int]
			model []int
		}
		var snapshots []kept
		epoch := uint64(1)
		spread := rapid.SampledFrom([]int{10, 200, 5000}).Draw(t, "spread")
		for range rapid.IntRange(0, 40).Draw(t, "rounds") {
			from := rapid.IntRange(0, spread).Draw(t, "from")
			run := rapid.IntRange(1, 60).Draw(t, "run")
			step := rapid.SampledFrom([]int{1, -1, 7}).Draw(t, "step")
			op := rapid.IntRange(0, 4).Draw(t, "op")
			if op == 4 {
				snapshots = append(snapshots, kept{tree, slices.Clone(model)})
				epoch++
				continue
			}
			for k := range run {
				x := from + k*step
				i, found := slices.BinarySearch(model, x)
				if op < 2 {
					if tree.Set(epoch, x) != found {
						t.Fatalf("Set(%d) reported %v", x, !found)
					}
					if !found {
						model = slices.Insert(model, i, x)
					}
				} else {
					if tree.Delete(epoch, x) != found {
						t.Fatalf("Delete(%d) reported %v", x, !found)
					}
					if found {
						model = slices.Delete(model, i, i+1)
					}
				}
			}
			check(t, &tree)
		}
		snapshots = append(snapshots, kept{tree, model})
		for _, s := range snapshots {
			check(t, &s.tree)
			if got := collect(&s.tree); !slices.Equal(got, s.model) {
				t.Fatalf("forwards %v, want %v", got, s.model)
			}
			if got := collectBackwards(&s.tree); !slices.Equal(got, s.model) {
				t.Fatalf("backwards %v, want %v", got, s.model)
			}
			x := rapid.IntRange(-70, spread+70).Draw(t, "probe")
			i, found := slices.BinarySearch(s.model, x)
			if got := s.tree.Rank(x); got != i {
				t.Fatalf("Rank(%d) = %d, want %d", x, got, i)
			}
			if got := s.tree.Has(x); got != found {
				t.Fatalf("Has(%d) = %v", x, got)
			}
			item, ok := s.tree.Ceil(x)
			if ok != (i < len(s.model)) || ok && item != s.model[i] {
				t.Fatalf("Ceil(%d) = %d, %v", x, item, ok)
			}
			c := s.tree.Seek(x)
			if c.Valid() != ok || ok && c.Item() != s.model[i] {
				t.Fatalf("Seek(%d) is elsewhere than Ceil", x)
			}
			if at := s.tree.At(i); at.Valid() != ok || ok && at.Item() != s.model[i] {
				t.Fatalf("At(%d) is elsewhere than Seek(%d)", i, x)
			}
			if ok { // a step back from anywhere
				if c.Prev(); c.Valid() != (i > 0) || i > 0 && c.Item() != s.model[i-1] {
					t.Fatalf("Prev of %d goes wrong", s.model[i])
				}
			}
		}
	})
}

func TestLargeTreesKeepTheirShape(t *testing.T) {
	t.Parallel()
	const n = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	orders := map[string][]int{"ascending": nil, "descending": nil, "shuffled": r.Perm(n)}
	for i := range n {
		orders["ascending"] = append(orders["ascending"], i)
		orders["descending"] = append(orders["descending"], n-1-i)
	}
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := New(cmp.Compare[int])
			for k, x := range order {
				tree.Set(uint64(1+k/100), x)
			}
			check(t, &tree)
			for i := range n {
				if c := tree.At(i); c.Item() != i || tree.Rank(i) != i {
					t.Fatalf("item %d is not at its position", i)
				}
			}
			r := rand.New(rand.NewPCG(3, 4))
			for k, x := range r.Perm(n) {
				if !tree.Delete(uint64(1000+k/100), x) {
					t.Fatalf("%d is gone already", x)
				}
				if k%1000 == 0 {
					check(t, &tree)
				}
			}
			check(t, &tree)
		})
	}
}

func TestItemsInOrderFillTheirNodes(t *testing.T) {
	t.Parallel()
	tree := New(cmp.Compare[int])
	const n = 50_000
	for i := range n {
		tree.Set(1, i)
	}
	nodes := 0
	var walk func(*node[int])
	walk = func(n *node[int]) {
		nodes++
		for _, k := range n.kids {
			walk(k.node)
		}
	}
	walk(tree.root)
	if fill := float64(n) / float64(nodes); fill < maxItems*0.9 {
		t.Errorf("%.1f items in a node on average, of %d", fill, maxItems)
	}
}

func TestDeletingNothingCopiesNothing(t *testing.T) {
	t.Parallel()
	tree := New(cmp.Compare[int])
	for i := range 1000 {
		tree.Set(1, 2*i)
	}
	root := tree.root
	if tree.Delete(2, 77) || tree.root != root {
		t.Error("deleting an absent item changed the tree")
	}
}

func BenchmarkSet(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		for _, mode := range []string{"copying", "inPlace"} {
			b.Run(fmt.Sprintf("n=%d/%s", n, mode), func(b *testing.B) {
				tree := New(cmp.Compare[int])
				r := rand.New(rand.NewPCG(1, 2))
				for range n {
					tree.Set(1, int(r.Uint64()>>1))
				}
				epoch := uint64(2)
				b.ReportAllocs()
				for b.Loop() {
					x := int(r.Uint64() >> 1)
					tree.Set(epoch, x)
					tree.Delete(epoch, x)
					if mode == "copying" {
						epoch++
					}
				}
			})
		}
	}
}

func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			tree := New(cmp.Compare[int])
			order := rand.New(rand.NewPCG(1, 2)).Perm(n)
			for _, x := range order {
				tree.Set(1, x)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if i++; i == n {
					i = 0
				}
				if !tree.Has(order[i]) {
					b.Fatal("lost")
				}
			}
		})
	}
}
