package scim

import (
	"context"
	"net/http"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Groups may be members of groups. A user is then in the outer group too, which
// "groups" shows with the type "indirect" where the host wants it (RFC 7643
// section 4.1.2). The same holds for any relation whose owners may be its targets.

// WithIndirectGroups makes "groups" of a user show the groups that the user is in
// through other groups, with the type "indirect", and lets filters on it find them.
// It applies to every relation that can nest and whose inverse attribute has the
// canonical types "direct" and "indirect". Each level of nesting costs one more look
// into the store; [Limits] bounds levels and groups. Default: direct ones only.
func WithIndirectGroups() Option {
	return option(func(s *Server) error { s.indirect = true; return nil })
}

// followsNesting reports whether indirect links are shown by the attribute.
func (s *Server) followsNesting(r *schema.InverseRelation) bool {
	return s.indirect && r.TellsOrigin() && s.nests(r.Owner, r.Relation)
}

// nests reports whether owners of a relation may be its targets.
func (s *Server) nests(owner, relation string) bool {
	return slices.Contains(s.targetsOf(owner, relation), owner)
}

// nestedOwners finds, for each list of direct owners, the owners of these, theirs,
// and so on: each once, the nearest first, without those that are direct and
// without the resource itself, which a circle may lead back to.
func (r *relationReader) nestedOwners(ctx context.Context, relation storage.Relation, direct []linkList) ([][]Member, error) {
	var all []string
	for _, list := range direct {
		if list.rest != nil {
			r.warnNesting(ctx, relation)
			return nil, nil // that many direct ones are enough
		}
		for _, m := range list.first {
			all = append(all, m.ID)
		}
	}
	above, err := r.climb(ctx, relation, all)
	if err != nil || len(above) == 0 {
		return nil, err
	}
	found := make([][]Member, len(direct))
	for i, list := range direct {
		seen := make(map[string]bool, len(list.first)+1)
		if r.e.typ.Name() == relation.Owner {
			seen[r.items[i].Resource.ID()] = true
		}
		for _, m := range list.first {
			seen[m.ID] = true
		}
		level := list.first
		for len(level) > 0 {
			var next []Member
			for _, m := range level {
				for _, up := range above[m.ID] {
					if !seen[up.ID] {
						seen[up.ID] = true
						next = append(next, up)
					}
				}
			}
			found[i] = append(found[i], next...)
			level = next
		}
	}
	return found, nil
}

// climb reads who owns whom, level by level from the given ids upwards, as far as
// the limits allow.
func (r *relationReader) climb(ctx context.Context, relation storage.Relation, ids []string) (above map[string][]Member, err error) {
	q := &storage.LinkQuery{Tenant: r.op.Principal.Tenant, Relation: relation, Inverse: true, Labels: true}
	seen := map[string]bool{}
	reach := func(ids []string) {
		q.Of = q.Of[:0]
		for _, id := range ids {
			if !seen[id] {
				seen[id] = true
				q.Of = append(q.Of, storage.Ref{Type: relation.Owner, ID: id})
			}
		}
	}
	above = map[string][]Member{}
	known := 0
	reach(ids)
	for level := 0; len(q.Of) > 0; level++ {
		if level == r.limits.NestingDepth || known > r.limits.NestedGroups {
			r.warnNesting(ctx, relation)
			break
		}
		q.Limit = r.limits.NestedGroups + 1
		links, err := r.readLinks(ctx, r.store, q)
		if err != nil {
			return nil, err
		}
		ids = ids[:0]
		for _, l := range links {
			above[l.Of.ID] = append(above[l.Of.ID], Member{ID: l.To.ID, Type: l.To.Type, Display: l.Label})
			ids = append(ids, l.To.ID)
		}
		known += len(links)
		reach(ids)
	}
	return above, nil
}

func (s *Server) warnNesting(ctx context.Context, relation storage.Relation) {
	s.log.WarnContext(ctx, "scim: nesting is deeper or wider than the limits; indirect memberships are incomplete",
		"type", relation.Owner, "relation", relation.Name)
}

// withNesting returns the operation with a filter that the store can answer: being in
// a group, directly or not, is being in one of the groups nested in it.
func (s *Server) withNesting(ctx context.Context, op *Operation) (*Operation, error) {
	if !s.indirect {
		return op, nil
	}
	plan, err := op.List.Filter.Expand(func(l filter.Linked) (filter.Node, error) {
		if l.Nesting == filter.Direct {
			return l, nil
		}
		direct := l
		direct.Nesting = filter.Direct
		if l.ID == "" {
			if l.Nesting == filter.NestedOnly {
				return nil, Errorf(http.StatusBadRequest, InvalidFilter, "the type \"indirect\" can be asked about together with a value only, in one pair of brackets")
			}
			return direct, nil // without a direct link there is no indirect one
		}
		inner, err := s.nestedIn(ctx, op, storage.Relation{Owner: l.Owner, Name: l.Relation}, l.ID)
		if err != nil {
			return nil, err
		}
		nodes := make([]filter.Node, len(inner))
		for i, id := range inner {
			one := direct
			one.ID = id
			nodes[i] = one
		}
		if l.Nesting == filter.NestedOnly {
			return filter.AllOf(filter.AnyOf(nodes...), filter.NoneOf(direct)), nil
		}
		return filter.AnyOf(append(nodes, direct)...), nil
	})
	if err != nil || plan == op.List.Filter {
		return op, err
	}
	c := *op
	c.List.Filter = plan
	return &c, nil
}

// nestedIn finds the owners that are targets of an owner, directly or not, without
// itself.
func (s *Server) nestedIn(ctx context.Context, op *Operation, relation storage.Relation, id string) (inner []string, err error) {
	if !s.nests(relation.Owner, relation.Name) {
		return nil, nil
	}
	seen := map[string]bool{id: true}
	level := []string{id}
	for depth := 0; len(level) > 0; depth++ {
		var next []string
		for _, outer := range level {
			q := storage.LinkQuery{
				Tenant: op.Principal.Tenant, Relation: relation, Of: []storage.Ref{{Type: relation.Owner, ID: outer}},
				After: storage.Ref{Type: relation.Owner}, // in front of the first target of that type
			}
			for m, err := range s.pages(ctx, q, 0) {
				if err != nil {
					return nil, err
				}
				if m.Type != relation.Owner {
					break
				}
				if !seen[m.ID] {
					seen[m.ID] = true
					next = append(next, m.ID)
				}
			}
		}
		inner = append(inner, next...)
		if len(inner) > s.limits.NestedGroups || len(next) > 0 && depth >= s.limits.NestingDepth {
			return nil, Errorf(http.StatusBadRequest, TooMany, "too many resources are nested in the one that the filter names")
		}
		level = next
	}
	return inner, nil
}
