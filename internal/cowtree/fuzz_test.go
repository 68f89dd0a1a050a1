package cowtree

import (
	"cmp"
	"slices"
	"testing"
)

// FuzzTree runs a program of sets, deletes and snapshots, two bytes each, and
// compares with a sorted slice. Runs of items come from one instruction, so that
// short programs split and merge nodes.
func FuzzTree(f *testing.F) {
	f.Add([]byte{0, 0, 0, 40, 0, 80, 2, 0, 1, 10, 1, 70, 2, 0, 0, 5})
	f.Add([]byte{3, 200, 3, 150, 2, 0, 3, 100, 4, 120, 2, 0, 4, 0})
	f.Fuzz(func(t *testing.T, program []byte) {
		type kept struct {
			tree  Tree[int]
			model []int
		}
		now := kept{tree: New(cmp.Compare[int])}
		var snapshots []kept
		epoch := uint64(1)
		for op := range slices.Chunk(program[:min(len(program), 200)], 2) {
			if len(op) < 2 {
				break
			}
			from, by := int(op[1])*8, 1
			if op[0]%5 >= 3 {
				by = -1
			}
			switch op[0] % 5 {
			case 2:
				snapshots = append(snapshots, kept{now.tree, slices.Clone(now.model)})
				epoch++
			case 0, 3:
				for k := range 50 {
					x := from + by*k
					i, found := slices.BinarySearch(now.model, x)
					if now.tree.Set(epoch, x) != found {
						t.Fatalf("Set(%d) says the item was there: %v", x, !found)
					}
					if !found {
						now.model = slices.Insert(now.model, i, x)
					}
				}
			default:
				for k := range 50 {
					x := from + by*k
					i, found := slices.BinarySearch(now.model, x)
					if now.tree.Delete(epoch, x) != found {
						t.Fatalf("Delete(%d) says the item was there: %v", x, !found)
					}
					if found {
						now.model = slices.Delete(now.model, i, i+1)
					}
				}
			}
		}
		for _, s := range append(snapshots, now) {
			check(t, &s.tree)
			if got := collect(&s.tree); !slices.Equal(got, s.model) {
				t.Fatalf("holds %v, want %v", got, s.model)
			}
		}
	})
}
