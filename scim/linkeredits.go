package scim

import (
	"context"
	"net/http"
	"slices"

	"github.com/musterhq/muster/storage"
)

// Writes of resources whose relations a Linker keeps. Document and links go to the
// handler in one call, so that both are written or neither. The handler judges
// targets of which it is certain what they are; the server looks for those in its
// store, and for those whose type the client left open.

// editsOfLinker works out the edits of relations that a write asks for.
func (s *Server) editsOfLinker(ctx context.Context, e *endpoint, op *Operation, asked []relationEdit) (*linkEdits, error) {
	out := &linkEdits{}
	if e.can.edit == nil {
		// What clients say of a read-only attribute is ignored, but in a PATCH it is an
		// error (RFC 7644 sections 3.3, 3.5.1 and 3.5.2).
		if op.Method == Patch && len(asked) > 0 {
			return nil, Errorf(http.StatusBadRequest, Mutability, "%s cannot be changed here", asked[0].relation.Attribute)
		}
		return out, nil
	}
	for _, a := range asked {
		edit := storage.LinkEdit{
			Owner: refOf(op), Relation: a.relation.Attribute, Reset: a.edit.Reset,
			IfConnection: s.scope(op.Principal),
		}
		if s.rejectsUnknown(op) {
			edit.Missing = storage.MissingReject
		}
		known, err := s.addMembers(ctx, op, &edit, a, out)
		if err != nil {
			return nil, err
		}
		for _, m := range a.edit.Remove {
			edit.Remove = append(edit.Remove, s.possible(a.relation, m)...)
		}
		edit.Add, edit.Remove = normalForm(edit.Add, edit.Remove)
		switch {
		case op.Method == Create:
			if edit.Reset = false; len(edit.Add) == 0 {
				continue
			}
		case edit.Reset && edit.Missing == storage.MissingDrop && len(a.edit.Add) > 0 && !known:
			// As with links in the store, see anyKnown.
			for _, ref := range edit.Add {
				out.dropped = append(out.dropped, Member{ID: ref.ID, Type: ref.Type})
			}
			continue
		}
		out.edits = append(out.edits, edit)
	}
	return out, nil
}

// addMembers turns the members that are to be added into links. known reports whether
// any of them is known to exist; of members that the handler judges, that is found out
// for a Reset only.
func (s *Server) addMembers(ctx context.Context, op *Operation, edit *storage.LinkEdit, a relationEdit, out *linkEdits) (known bool, err error) {
	types := s.typesOf(a)
	replaces := edit.Reset && op.Method != Create
	there := map[storage.Ref]bool{}
	if op.Method != Create && (replaces || slices.ContainsFunc(types, s.looksFor)) {
		// What is linked already stays, whatever has become of it.
		if err := s.linkedAlready(ctx, op, edit, a, there); err != nil {
			return false, err
		}
	}
	wanted := map[string][]string{}
	for i, m := range a.edit.Add {
		if at(m, types[i], there) < 0 && s.looksFor(types[i]) {
			for _, t := range types[i] {
				wanted[t] = append(wanted[t], m.ID)
			}
		}
	}
	if err := s.findAll(ctx, s.store, op, edit.IfConnection, wanted, there); err != nil {
		return false, err
	}
	for i, m := range a.edit.Add {
		n := at(m, types[i], there)
		if n < 0 && len(types[i]) > 0 && !s.looksFor(types[i]) {
			n = 0 // for the handler to judge
		}
		switch {
		case n >= 0:
			edit.Add = append(edit.Add, storage.Ref{Type: types[i][n], ID: m.ID})
		case s.rejectsUnknown(op):
			return false, unknownMember(edit.Relation)
		default:
			out.dropped = append(out.dropped, m)
		}
	}
	if replaces && len(there) == 0 {
		for part := range slices.Chunk(edit.Add, recordsAtOnce) {
			wanted := map[string][]string{}
			for _, ref := range part {
				wanted[ref.Type] = append(wanted[ref.Type], ref.ID)
			}
			if err := s.findAll(ctx, s.store, op, edit.IfConnection, wanted, there); err != nil || len(there) > 0 {
				return true, err
			}
		}
	}
	return len(there) > 0, nil
}

// typesOf are, for each member to be added, the types that it may be of, the likeliest
// first; none when the client names one that the relation does not have.
func (s *Server) typesOf(a relationEdit) [][]string {
	types := make([][]string, len(a.edit.Add))
	inStore := s.storeKnows(a.relation)
	for i, m := range a.edit.Add {
		switch ref, certain, ok := s.target(a.relation, m, inStore); {
		case !ok:
		case certain:
			types[i] = []string{ref.Type}
		default:
			types[i] = append([]string{ref.Type}, without(a.relation.Targets, ref.Type)...)
		}
	}
	return types
}

// looksFor reports whether the server has to look for a member that may be of these
// types. Handlers know of their own.
func (s *Server) looksFor(types []string) bool {
	return len(types) > 1 || len(types) == 1 && s.byName[types[0]] != nil && s.byName[types[0]].handler == nil
}

// at returns which of the types a member is there as, or -1.
func at(m Member, types []string, there map[storage.Ref]bool) int {
	return slices.IndexFunc(types, func(t string) bool { return there[storage.Ref{Type: t, ID: m.ID}] })
}

// linkedAlready adds the members to be added that are linked already.
func (s *Server) linkedAlready(ctx context.Context, op *Operation, edit *storage.LinkEdit, a relationEdit, there map[storage.Ref]bool) error {
	q := &storage.LinkQuery{
		Tenant: op.Principal.Tenant, Relation: storage.Relation{Owner: edit.Owner.Type, Name: edit.Relation}, Of: []storage.Ref{edit.Owner},
	}
	for _, m := range a.edit.Add {
		for _, t := range a.relation.Targets {
			q.Other = append(q.Other, storage.Ref{Type: t, ID: m.ID})
		}
	}
	if len(q.Other) == 0 {
		return nil
	}
	links, err := s.readLinks(ctx, s.store, q)
	for _, l := range links {
		there[l.To] = true
	}
	return err
}

// findAll adds the resources that there are of those wanted, by type.
func (s *Server) findAll(ctx context.Context, st storage.Store, op *Operation, scope string, wanted map[string][]string, there map[storage.Ref]bool) error {
	for t, ids := range wanted {
		e := s.byName[t]
		if e == nil {
			continue
		}
		slices.Sort(ids)
		found, err := s.find(ctx, st, e, op.Principal.Tenant, scope, slices.Compact(ids))
		if err != nil {
			return err
		}
		for id := range found {
			there[storage.Ref{Type: t, ID: id}] = true
		}
	}
	return nil
}
