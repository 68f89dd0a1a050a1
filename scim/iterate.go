package scim

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/musterhq/muster/scim/filter"
)

// What a handler has for nothing when it can iterate over its resources. Each of
// these ends with the first error of the iteration.

// Find returns the resource of that id, or [ErrNotFound].
func Find(id string, all iter.Seq2[*Resource, error]) (*Resource, error) {
	for r, err := range all {
		if err != nil {
			return nil, err
		}
		if r.ID() == id {
			return r, nil
		}
	}
	return nil, ErrNotFound
}

// CheckUnique returns a [NotUnique] error when another resource, one of another id,
// has the value of an attribute that r's type says is unique, such as a userName,
// compared as the schema says: in any case, as a rule. r may be new and have no id.
// Only a handler that lets nobody write between the check and its own write is sure
// that values stay unique.
//
// What is unique within a connection, as the names of groups are, is compared with all
// of them as well: a handler that keeps connections apart yields what belongs to the
// caller's.
func CheckUnique(r *Resource, all iter.Seq2[*Resource, error]) error {
	keys := map[Path]string{}
	for _, p := range r.Type().Unique() {
		if key, ok := filter.Key(r.Get(p)); ok && key != "" {
			keys[p] = key
		}
	}
	for other, err := range all {
		if err != nil {
			return err
		}
		if other.ID() == r.ID() {
			continue
		}
		for _, p := range r.Type().Unique() {
			if key, ok := filter.Key(other.Get(p)); ok && key != "" && key == keys[p] {
				return NotUnique(p.String())
			}
		}
	}
	return nil
}

// Page answers req over resources that contain at least every match, in any
// order: it filters, sorts, pages and counts. This is how a handler that can
// only iterate supports everything; one that can narrow down what it reads, with
// req.Filter.Equal for instance, is faster and needs no more code. Memory use is
// that of the page.
func Page(req *ListRequest, candidates iter.Seq2[*Resource, error]) (*ListPage, error) {
	page := &ListPage{Keyset: true}
	var top []sorted
	most := req.Offset + req.Limit
	if req.Limit == 0 {
		most = 0
	}
	compare := func(a, b sorted) int {
		c := cmp.Or(compareAbsent(a.absent, b.absent), strings.Compare(a.key, b.key), strings.Compare(a.id, b.id))
		if req.Sort.Descending {
			c = -c
		}
		return c
	}
	var after sorted
	if req.After != nil {
		after.id = req.After.ID
		if !req.Sort.Path.IsZero() {
			after.key, after.absent = req.After.Key, req.After.Absent
		}
	}
	shrink := func() {
		slices.SortFunc(top, compare)
		top = top[:min(len(top), most)]
	}
	for r, err := range candidates {
		if err != nil {
			return nil, err
		}
		if !req.Filter.Match(r, req.Links) {
			continue
		}
		page.Total++
		s := sorted{id: r.ID(), r: r}
		if !req.Sort.Path.IsZero() {
			s.key, s.absent = filter.SortKey(r, req.Sort.Path)
		}
		if req.After != nil && compare(s, after) <= 0 {
			continue
		}
		if top = append(top, s); len(top) >= 2*most+64 {
			shrink()
		}
	}
	shrink()
	if req.Limit > 0 && req.Offset < len(top) {
		for _, s := range top[req.Offset:] {
			page.Resources = append(page.Resources, s.r)
		}
	}
	return page, nil
}

// sorted is a resource with what it is sorted by.
type sorted struct {
	id     string
	r      *Resource
	key    string
	absent bool
}

// compareAbsent puts resources without a value behind the others (RFC 7644
// section 3.4.2.3).
func compareAbsent(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
