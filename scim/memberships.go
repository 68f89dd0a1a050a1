package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// WithMembershipsOfUsers is for identity providers that cannot push the members of
// groups: for principals that of holds for, memberships come with the users. The
// attribute groups, which is read-only otherwise (RFC 7643 section 4.1.2), then
// says in a POST, PUT or PATCH of a user which groups the user is a member of, by
// their ids, and members in requests for groups are ignored and reported. It holds
// in the same way for every relation that is shown backwards.
//
// A PUT that does not name the attribute keeps the memberships; one that names it
// sets those in groups that the principal may see, and leaves others alone. A group
// that does not exist is treated as an unknown member is ([WithUnknownMembers]).
// What is sent back as an indirect membership is no wish for a direct one. The user
// and the groups change in one commit; only where a [ResourceHandler] serves one of
// them, the groups follow, one by one. Guards and subscribers are shown changes of
// groups, as if their members had been changed. A request may change 1,000
// memberships of a user at most.
//
// People who look after their own account ([Principal.OnlyMe]) cannot join groups by
// this. The schema goes on to say that groups is read-only, since it is the same for
// everybody. Default: nobody.
func WithMembershipsOfUsers(of func(Principal) bool) Option {
	return option(func(s *Server) error { s.fromUsers = of; return nil })
}

// maxJoined bounds the memberships that one request may change, each of which is a
// write of another group.
const maxJoined = 1000

// linksBackwards reports whether the principal sets relations from the end that they
// are shown backwards at.
func (s *Server) linksBackwards(p Principal) bool {
	return s.fromUsers != nil && !p.OnlyMe && s.fromUsers(p)
}

// ignoreMembers takes out of an operation what it says about relations that the
// principal sets from their other end.
func (s *Server) ignoreMembers(e *endpoint, op *Operation) {
	if !s.linksBackwards(op.Principal) {
		return
	}
	for _, r := range e.typ.Relations() {
		if r.Inverse == "" {
			continue
		}
		named := false
		if _, named = op.Relations[r.Attribute]; named {
			delete(op.Relations, r.Attribute)
		}
		if op.Patch != nil {
			before := len(op.Patch.Operations)
			op.Patch.Operations = slices.DeleteFunc(op.Patch.Operations, func(o patch.Operation) bool { return o.Target.Path.Top() == r.Path })
			named = named || len(op.Patch.Operations) < before
		}
		if named {
			op.call.ignored(r.Attribute)
		}
	}
}

// joins reports whether an operation sets relations from the end that they are shown
// backwards at.
func (s *Server) joins(e *endpoint, op *Operation) bool {
	if s.fromUsers == nil || len(e.typ.Inverses()) == 0 || !s.linksBackwards(op.Principal) {
		return false
	}
	var edited map[string][]patch.Operation
	if op.Method == Patch {
		edited = op.Patch.Links()
	}
	return slices.ContainsFunc(e.typ.Inverses(), func(r schema.InverseRelation) bool {
		_, named := op.Relations[r.Path.Name()]
		return (op.Method == Create || op.Method == Replace) && named || len(edited[r.Path.Name()]) > 0
	})
}

// runner is one of the methods that execute an operation.
type runner = func(*Server, context.Context, *endpoint, *Operation) (*Result, error)

// join does what run does, and changes the links that the operation names backwards.
func (s *Server) join(ctx context.Context, e *endpoint, op *Operation, run runner) (*Result, error) {
	apart := e.handler != nil
	for _, r := range e.typ.Inverses() {
		apart = apart || s.byName[r.Owner].handler != nil
	}
	if apart {
		return s.joinApart(ctx, e, op, run)
	}
	var as plan // what a create that turns out to mean a resource that is or was there becomes
	if op.plan != nil {
		as = *op.plan
	}
	return s.retry(ctx, op, func(ctx context.Context, st storage.Store) (*Result, error) {
		part := *op
		part.plan = &plan{id: as.id, tombstone: as.tombstone, adopts: as.adopts, over: op.over()}
		if part.plan.over == nil {
			part.plan.over = newOverlay(st, op.Principal.Tenant)
		}
		res, unknown, err := s.joinIn(ctx, part.plan.over, e, &part, run)
		if err == nil && op.over() == nil {
			err = s.commitOverlay(ctx, st, op.Principal, part.plan.over)
		}
		var back *revival
		var meant *meansAnother
		switch {
		case errors.As(err, &back):
			as.id, as.tombstone = back.tombstone.ID, back.tombstone
			return nil, storage.ErrConflict // once more, with the old id
		case op.over() == nil && errors.As(err, &meant):
			as.id, as.adopts = meant.id, true
			return nil, err // likewise
		case err != nil:
			return nil, err
		}
		s.noteUnjoined(ctx, e, op, res, unknown)
		if op.over() == nil && !op.NoContent && (op.Method == Create || part.plan.over.empty()) {
			// Nobody was thought to have linked to it, or nothing was to be done.
			res.Relations, err = s.relationsOf(ctx, e, op, res.Resource)
		}
		return res, err
	})
}

// joinIn works the write of a resource and of its links out in an overlay. unknown are
// the resources that it wanted to join and that are not there.
func (s *Server) joinIn(ctx context.Context, over *overlay, e *endpoint, op *Operation, run runner) (res *Result, unknown []Member, err error) {
	var before *storage.Record
	if op.Method != Create {
		if before, err = s.record(ctx, over, op); err != nil {
			return nil, nil, err
		}
	}
	if res, err = run(s, ctx, e, op); err != nil {
		return nil, nil, err
	}
	changed, unknown, err := s.joinEach(ctx, over, e, op, res.Resource.ID())
	if err != nil || !changed {
		return res, unknown, err
	}
	res.Unchanged = false
	if _, written := over.puts[refOf(op)]; before == nil || written {
		return res, unknown, nil
	}
	// The write goes by the version of the resource, so that two requests for it that
	// meet do not mix.
	cur, err := before.Resource(e.typ)
	if err != nil {
		return nil, nil, err
	}
	rec := storage.NewRecord(cur, before.Connection)
	rec.Created = before.Created
	_, err = over.Commit(ctx, &storage.Batch{Tenant: op.Principal.Tenant, Time: s.now(), Puts: []storage.Put{{
		Record: rec, IfVersion: before.Version, Change: storage.ChangeInfo{Kind: "patched"},
	}}})
	m := res.Resource.Meta()
	m.LastModified = over.batch.Time
	res.Resource = res.Resource.WithMeta(m)
	return res, unknown, err
}

// joinApart writes the resource first and its links after, where that cannot be one
// commit.
func (s *Server) joinApart(ctx context.Context, e *endpoint, op *Operation, run runner) (*Result, error) {
	if op.over() != nil {
		return nil, Errorf(http.StatusConflict, "", "%s resources are linked to others that another system keeps, and cannot take part in operations that must succeed or fail together", e.typ.Name())
	}
	res, err := run(s, ctx, e, op)
	if err != nil {
		return nil, err
	}
	changed, unknown, err := s.joinEach(ctx, s.store, e, op, res.Resource.ID())
	if err != nil {
		return nil, err
	}
	s.noteUnjoined(ctx, e, op, res, unknown)
	res.Unchanged = res.Unchanged && !changed
	if !op.NoContent {
		res.Relations, err = s.relationsOf(ctx, e, op, res.Resource)
	}
	return res, err
}

// joinEach changes the links that the operation names backwards, each as a PATCH of
// its owner, and reports whether there was one to change.
func (s *Server) joinEach(ctx context.Context, st storage.Store, e *endpoint, op *Operation, id string) (changed bool, unknown []Member, err error) {
	member := Member{ID: id, Type: e.typ.Name()}
	for i := range e.typ.Inverses() {
		rel := &e.typ.Inverses()[i]
		edit, err := s.joinEdit(ctx, st, e, op, rel, id)
		if err != nil {
			return changed, unknown, err
		}
		if n := len(edit.Add) + len(edit.Remove); n > maxJoined {
			return changed, unknown, Errorf(http.StatusBadRequest, InvalidValue, "the request changes %d entries of %s; send at most %d at once", n, rel.Path, maxJoined)
		}
		for _, m := range edit.Remove {
			there, err := s.joinOne(ctx, op, rel, m.ID, patch.Remove, member)
			if err != nil {
				return changed, unknown, err
			}
			changed = changed || there
		}
		for _, m := range edit.Add {
			switch there, err := s.joinOne(ctx, op, rel, m.ID, patch.Add, member); {
			case err != nil:
				return changed, unknown, err
			case there:
				changed = true
			case s.rejectsUnknown(op):
				return changed, unknown, unknownMember(rel.Path.Name())
			default:
				unknown = append(unknown, m)
			}
		}
	}
	return changed, unknown, nil
}

// noteUnjoined reports resources that a client wanted to join and that do not exist.
func (s *Server) noteUnjoined(ctx context.Context, e *endpoint, op *Operation, res *Result, unknown []Member) {
	if len(unknown) == 0 {
		return
	}
	if op.call != nil {
		op.call.dropped = append(op.call.dropped, unknown...)
	}
	s.noteSkipped(ctx, op, storage.Ref{Type: e.typ.Name(), ID: res.Resource.ID()}, unknown)
}

// joinOne adds a member to the relation of one owner, or removes it. there is false when
// no such owner is there, as far as the principal may know.
func (s *Server) joinOne(ctx context.Context, op *Operation, rel *schema.InverseRelation, owner string, how patch.Op, m Member) (there bool, err error) {
	e := s.byName[rel.Owner]
	path, err := e.typ.Resolve(rel.Relation)
	if err != nil {
		return false, fmt.Errorf("the relation %s of %s: %w", rel.Relation, rel.Owner, err)
	}
	part := Operation{
		Method: Patch, Type: e.typ, Principal: op.Principal, ID: owner, NoContent: true, Bulk: op.Bulk, Request: op.Request,
		Patch: &patch.Request{Operations: []patch.Operation{{Op: how, Target: patch.Target{Path: path}, Members: []Member{m}, Given: true}}},
		call:  op.call,
	}
	if over := op.over(); over != nil {
		part.plan = &plan{over: over}
	}
	_, err = s.patch(ctx, e, &part)
	if errors.Is(err, ErrNotFound) || errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// joinEdit is what an operation asks of a relation that is shown backwards, less what
// is so already.
func (s *Server) joinEdit(ctx context.Context, st storage.Store, e *endpoint, op *Operation, rel *schema.InverseRelation, id string) (edit patch.LinkEdit, err error) {
	var ops []patch.Operation
	named := false
	if op.Method == Patch {
		ops = op.Patch.Links()[rel.Path.Name()]
		named = len(ops) > 0
	} else {
		edit.Reset = true
		edit.Add, named = op.Relations[rel.Path.Name()]
	}
	if !named {
		return patch.LinkEdit{}, nil
	}
	var have []Member
	if op.Method != Create {
		if have, err = s.joined(ctx, st, e, op, rel, id); err != nil {
			return edit, err
		}
	}
	if op.Method == Patch {
		edit, err = patch.FoldLinks(ops, func(where *filter.Plan) ([]Member, error) {
			return patch.SelectMembers(have, rel.Path, where), nil
		})
	}
	return difference(have, edit), err
}

// difference is the part of an edit that changes something. What a client says of a
// membership's type is how it came about, and those that came about indirectly are
// not its to make.
func difference(have []Member, asked patch.LinkEdit) (edit patch.LinkEdit) {
	present, wanted := map[string]bool{}, map[string]bool{}
	for _, m := range have {
		present[m.ID] = true
	}
	for _, m := range asked.Add {
		if strings.EqualFold(m.Type, "indirect") || wanted[m.ID] {
			continue
		}
		wanted[m.ID] = true
		if !present[m.ID] {
			edit.Add = append(edit.Add, Member{ID: m.ID})
		}
	}
	if asked.Reset {
		asked.Remove = have
	}
	for _, m := range asked.Remove {
		if present[m.ID] && !wanted[m.ID] {
			present[m.ID] = false // once
			edit.Remove = append(edit.Remove, Member{ID: m.ID})
		}
	}
	return edit
}

// joined reads what a relation shows backwards, as a client is shown it.
func (s *Server) joined(ctx context.Context, st storage.Store, e *endpoint, op *Operation, rel *schema.InverseRelation, id string) (list []Member, err error) {
	q := &storage.LinkQuery{
		Tenant: op.Principal.Tenant, Relation: storage.Relation{Owner: rel.Owner, Name: rel.Relation}, Inverse: true,
		Of: []storage.Ref{{Type: e.typ.Name(), ID: id}}, Limit: linkPage, Labels: true,
	}
	kind := ""
	if rel.TellsOrigin() {
		kind = "direct"
	}
	for {
		page, err := s.readLinks(ctx, st, q)
		if err != nil {
			return nil, err
		}
		for _, l := range page {
			list = append(list, Member{ID: l.To.ID, Type: kind, Display: l.Label})
		}
		if len(page) < q.Limit {
			return list, nil
		}
		q.After = page[len(page)-1].To
	}
}
