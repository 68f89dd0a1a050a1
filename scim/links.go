package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// relationEdit is what a request asks of one relation.
type relationEdit struct {
	relation schema.RelationPath
	edit     patch.LinkEdit
}

// setAll are the edits of a create or replace: each relation that the body named
// becomes exactly what the body says, the others too unless keep holds for them.
func setAll(e *endpoint, named Relations, keep func(Path) bool) (edits []relationEdit) {
	for _, r := range e.typ.Relations() {
		members, ok := named[r.Attribute]
		if !ok && keep(r.Path) {
			continue
		}
		edits = append(edits, relationEdit{r, patch.LinkEdit{Reset: true, Add: members}})
	}
	return edits
}

// keepsAbsent says which relations a PUT keeps that does not name them.
func (s *Server) keepsAbsent(op *Operation) func(Path) bool {
	backwards := s.linksBackwards(op.Principal)
	return func(p Path) bool {
		if r, _ := p.Relation(); backwards && r.Inverse != "" {
			return true // its links are set from the other end
		}
		return op.call != nil && op.call.session.KeepsAbsent(p)
	}
}

// linkEdits are the edits of one write as the store takes them, and what has to
// be said about them.
type linkEdits struct {
	edits []storage.LinkEdit
	// guessed are the members of each edit whose type is assumed: the one that the
	// client named, or the first of the relation's.
	guessed []map[storage.Ref]bool
	// others are the further types of guessed members that must not be missing.
	others  map[storage.Ref][]string
	dropped []Member
}

// linkEdits turns members into links. Members whose type the relation does not
// have are unknown members.
func (s *Server) linkEdits(ctx context.Context, st storage.Store, e *endpoint, op *Operation, id string, asked []relationEdit) (*linkEdits, error) {
	out := &linkEdits{}
	for _, a := range asked {
		edit := storage.LinkEdit{
			Owner: storage.Ref{Type: e.typ.Name(), ID: id}, Relation: a.relation.Attribute, Reset: a.edit.Reset,
			Missing: s.missing(op, a.relation), IfConnection: s.scope(op.Principal),
			Change: storage.ChangeInfo{Kind: "patched", Paths: []string{a.relation.Attribute}},
		}
		var guessed map[storage.Ref]bool
		known := s.storeKnows(a.relation)
		for _, m := range a.edit.Add {
			ref, certain, ok := s.target(a.relation, m, known)
			switch {
			case !ok && s.rejectsUnknown(op):
				return nil, unknownMember(a.relation.Attribute)
			case !ok:
				out.dropped = append(out.dropped, m)
				continue
			case !certain:
				if guessed == nil {
					guessed = make(map[storage.Ref]bool, len(a.edit.Add))
				}
				guessed[ref] = true
			}
			edit.Add = append(edit.Add, ref)
		}
		for _, m := range a.edit.Remove {
			edit.Remove = append(edit.Remove, s.possible(a.relation, m)...)
		}
		if edit.Reset && guessed != nil {
			if err := s.keepTypes(ctx, st, op, &edit, a.relation, guessed); err != nil {
				return nil, err
			}
		}
		if edit.Missing == storage.MissingKeep {
			out.guessed = append(out.guessed, guessed)
			if err := s.findTargets(ctx, st, op, &edit, out, len(out.guessed)-1); err != nil {
				return nil, err
			}
			if edit.Reset && op.Method != Create && len(a.edit.Add) > 0 && len(edit.Add) == 0 {
				out.guessed = out.guessed[:len(out.guessed)-1]
				continue // see anyKnown
			}
			out.edits = append(out.edits, edit)
			continue
		}
		if edit.Missing == storage.MissingReject {
			for ref := range guessed {
				if out.others == nil {
					out.others = make(map[storage.Ref][]string, len(guessed))
				}
				out.others[ref] = without(a.relation.Targets, ref.Type)
			}
		}
		if edit.Reset && edit.Missing == storage.MissingDrop && op.Method != Create && len(a.edit.Add) > 0 {
			switch known, err := s.anyKnown(ctx, st, op, &edit, a); {
			case err != nil:
				return nil, err
			case !known:
				out.dropped = append(out.dropped, a.edit.Add...)
				continue
			}
		}
		edit.Add, edit.Remove = normalForm(edit.Add, edit.Remove)
		out.edits = append(out.edits, edit)
		out.guessed = append(out.guessed, guessed)
	}
	return out, nil
}

// anyKnown reports whether any of the members that shall become the whole relation
// exists. A list that names members and knows none of them, after an identity
// provider was set up anew perhaps, does not mean that the group is empty: it
// changes nothing, and all of it is reported.
func (s *Server) anyKnown(ctx context.Context, st storage.Store, op *Operation, edit *storage.LinkEdit, a relationEdit) (bool, error) {
	links, err := s.readLinks(ctx, st, &storage.LinkQuery{
		Tenant: op.Principal.Tenant, Relation: storage.Relation{Owner: edit.Owner.Type, Name: edit.Relation},
		Of: []storage.Ref{edit.Owner}, Other: edit.Add, Limit: 1,
	})
	if err != nil || len(links) > 0 {
		return true, err
	}
	for _, m := range a.edit.Add {
		for _, t := range a.relation.Targets {
			rec, err := st.Get(ctx, op.Principal.Tenant, storage.Ref{Type: t, ID: m.ID})
			switch {
			case err == nil:
				if !rec.Hidden && (edit.IfConnection == "" || rec.Connection == edit.IfConnection) {
					return true, nil
				}
			case !errors.Is(err, storage.ErrNotFound):
				return false, err
			}
		}
	}
	return false, nil
}

// normalForm drops duplicates and what is both added and removed: only a type
// that was guessed can bring that about.
func normalForm(add, remove []storage.Ref) (a, r []storage.Ref) {
	if len(add) <= 1 && len(remove) == 0 {
		return add, nil
	}
	seen := make(map[storage.Ref]bool, len(add))
	for _, ref := range add {
		if !seen[ref] {
			seen[ref] = true
			a = append(a, ref)
		}
	}
	for _, ref := range remove {
		if !seen[ref] {
			seen[ref] = true
			r = append(r, ref)
		}
	}
	return a, r
}

func (s *Server) missing(op *Operation, r schema.RelationPath) storage.Missing {
	if !s.storeKnows(r) {
		return storage.MissingKeep
	}
	if s.rejectsUnknown(op) {
		return storage.MissingReject
	}
	return storage.MissingDrop
}

// storeKnows reports whether all that a relation leads to is kept in the store. Then
// the ids are ours and no two resources share one, so that an id alone says who is
// meant.
func (s *Server) storeKnows(r schema.RelationPath) bool {
	for _, t := range r.Targets {
		if e := s.byName[t]; e != nil && e.handler != nil {
			return false
		}
	}
	return true
}

// rejectsUnknown reports whether a member that does not exist fails the request.
func (s *Server) rejectsUnknown(op *Operation) bool {
	return s.unknownMembers == RejectUnknown || op.call != nil && !op.call.session.SkipsUnknownMembers()
}

func unknownMember(relation string) error {
	return Errorf(http.StatusBadRequest, InvalidValue, "%s names a resource that does not exist", relation)
}

// target finds the resource that a member means. certain is false when its type is
// assumed: the client named none, or the store knows better. ok is false when it named
// one that the relation does not have.
func (s *Server) target(r schema.RelationPath, m Member, known bool) (ref storage.Ref, certain, ok bool) {
	sure := !known || len(r.Targets) == 1
	if m.Type != "" {
		i := slices.IndexFunc(r.Targets, func(t string) bool { return strings.EqualFold(t, m.Type) })
		if i >= 0 {
			return storage.Ref{Type: r.Targets[i], ID: m.ID}, sure, true
		}
		if !known {
			return storage.Ref{}, true, false
		}
	}
	if len(r.Targets) > 1 && m.Ref != "" {
		for _, t := range r.Targets {
			if e := s.byName[t]; e != nil && strings.HasSuffix(strings.ToLower(m.Ref), strings.ToLower(e.typ.Endpoint()+"/"+m.ID)) {
				return storage.Ref{Type: t, ID: m.ID}, sure, true
			}
		}
	}
	return storage.Ref{Type: r.Targets[0], ID: m.ID}, len(r.Targets) == 1, true
}

// without are the types of a relation besides the one that was assumed.
func without(targets []string, assumed string) []string {
	if targets[0] == assumed {
		return targets[1:]
	}
	return slices.DeleteFunc(slices.Clone(targets), func(t string) bool { return t == assumed })
}

// possible are all links that the removal of a member may mean.
func (s *Server) possible(r schema.RelationPath, m Member) (refs []storage.Ref) {
	for _, t := range r.Targets {
		if m.Type == "" || strings.EqualFold(m.Type, t) {
			refs = append(refs, storage.Ref{Type: t, ID: m.ID})
		}
	}
	return refs
}

// keepTypes corrects guessed types in an edit that sets a whole relation: what is
// linked already under another type is meant in that type. Clients that repeat a
// group's members leave the types out.
func (s *Server) keepTypes(ctx context.Context, st storage.Store, op *Operation, edit *storage.LinkEdit, r schema.RelationPath, guessed map[storage.Ref]bool) error {
	q := &storage.LinkQuery{
		Tenant: op.Principal.Tenant, Relation: storage.Relation{Owner: edit.Owner.Type, Name: r.Attribute},
		Of: []storage.Ref{edit.Owner},
	}
	for ref := range guessed {
		for _, t := range without(r.Targets, ref.Type) {
			q.Other = append(q.Other, storage.Ref{Type: t, ID: ref.ID})
		}
	}
	found, err := s.readLinks(ctx, st, q)
	if err != nil || len(found) == 0 {
		return err
	}
	actual := make(map[string]storage.Ref, len(found))
	for _, l := range found {
		actual[l.To.ID] = l.To
	}
	for i, ref := range edit.Add {
		if to, ok := actual[ref.ID]; ok && guessed[ref] {
			delete(guessed, ref)
			edit.Add[i] = to
		}
	}
	return nil
}

func (l *linkEdits) addTo(w *pending) {
	w.guessed = l.others
	for _, e := range l.edits {
		if w.effects[0].Kind == Create {
			e.Reset = false // there is nothing yet
			if len(e.Add) == 0 {
				continue
			}
		}
		w.batch.Links = append(w.batch.Links, e)
		w.effects[0].Links = append(w.effects[0].Links, LinkEffect{Relation: e.Relation, Reset: e.Reset, Add: e.Add, Remove: e.Remove})
	}
}

// another makes the edit that tries dropped members as the next type of the relation
// after the one that was assumed: a client that names no type may mean a group.
func (s *Server) another(r schema.RelationPath, edit storage.LinkEdit, dropped []storage.Ref, guessed map[storage.Ref]bool, turn int) (again storage.LinkEdit, lost []storage.Ref) {
	again = edit
	again.Reset, again.Add, again.Remove, again.IfVersion = false, nil, nil, 0
	for _, ref := range dropped {
		next := ""
		for _, assumed := range r.Targets {
			if rest := without(r.Targets, assumed); guessed[storage.Ref{Type: assumed, ID: ref.ID}] && turn <= len(rest) {
				next = rest[turn-1]
			}
		}
		if next != "" {
			again.Add = append(again.Add, storage.Ref{Type: next, ID: ref.ID})
		} else {
			lost = append(lost, ref)
		}
	}
	return again, lost
}

// foldLinks brings the operations of a PATCH on relations into normal form.
func (s *Server) foldLinks(ctx context.Context, st storage.Store, e *endpoint, op *Operation) (edits []relationEdit, err error) {
	byRelation := op.Patch.Links()
	for _, r := range e.typ.Relations() {
		ops := byRelation[r.Attribute]
		if len(ops) == 0 {
			continue
		}
		if s.storeKnows(r) {
			if ops, err = s.linkedTypes(ctx, st, e, op, r, ops); err != nil {
				return nil, err
			}
		}
		edit, err := patch.FoldLinks(ops, func(where *filter.Plan) ([]Member, error) {
			return s.selectMembers(ctx, st, e, op, r, where)
		})
		if err != nil {
			return nil, err
		}
		if !edit.IsZero() {
			edits = append(edits, relationEdit{r, edit})
		}
	}
	return edits, nil
}

// linkedTypes returns operations in which a member that is listed for removal has the
// type of the link that is there. What a client says of a member's type is not compared:
// one that it names wrongly must not stay a member.
func (s *Server) linkedTypes(ctx context.Context, st storage.Store, e *endpoint, op *Operation, r schema.RelationPath, ops []patch.Operation) ([]patch.Operation, error) {
	q := &storage.LinkQuery{
		Tenant: op.Principal.Tenant, Relation: storage.Relation{Owner: e.typ.Name(), Name: r.Attribute},
		Of: []storage.Ref{refOf(op)},
	}
	lists := func(o *patch.Operation) bool { return o.Op == patch.Remove && o.Target.Where == nil }
	for i := range ops {
		if !lists(&ops[i]) {
			continue
		}
		for _, m := range ops[i].Members {
			for _, t := range r.Targets {
				if m.Type != "" && !strings.EqualFold(t, m.Type) {
					q.Other = append(q.Other, storage.Ref{Type: t, ID: m.ID})
				}
			}
		}
	}
	if len(q.Other) == 0 {
		return ops, nil
	}
	found, err := s.readLinks(ctx, st, q)
	if err != nil || len(found) == 0 {
		return ops, err
	}
	actual := make(map[string]string, len(found))
	for _, l := range found {
		actual[l.To.ID] = l.To.Type
	}
	ops = slices.Clone(ops)
	for i := range ops {
		if !lists(&ops[i]) {
			continue
		}
		ops[i].Members = slices.Clone(ops[i].Members)
		for k, m := range ops[i].Members {
			if t, ok := actual[m.ID]; ok && m.Type != "" {
				ops[i].Members[k].Type = t
			}
		}
	}
	return ops, nil
}

// selectMembers reads the present members that satisfy the filter of a PATCH path,
// page by page.
func (s *Server) selectMembers(ctx context.Context, st storage.Store, e *endpoint, op *Operation, r schema.RelationPath, where *filter.Plan) (found []Member, err error) {
	q := &storage.LinkQuery{
		Tenant: op.Principal.Tenant, Relation: storage.Relation{Owner: e.typ.Name(), Name: r.Attribute},
		Of: []storage.Ref{refOf(op)}, Limit: linkPage, Labels: true,
	}
	for {
		page, err := s.readLinks(ctx, st, q)
		if err != nil {
			return nil, err
		}
		members := make([]Member, len(page))
		for i, l := range page {
			members[i] = Member{ID: l.To.ID, Type: l.To.Type, Display: l.Label}
		}
		found = append(found, patch.SelectMembers(members, r.Path, where)...)
		if len(page) < q.Limit {
			return found, nil
		}
		q.After = page[len(page)-1].To
	}
}
