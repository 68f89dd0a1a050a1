package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
)

// How a create finds the resource that it may mean, and how that one is adopted. The
// existing resource is looked for before anything is written, so that guards judge
// an adoption and not a create that never comes to be: a seat that is taken already
// is not counted twice.

// adoptee is a resource that a create adopts.
type adoptee struct {
	DirectoryEntry
	attribute string // the one whose value both have
}

// claimed returns the resource that a create adopts, nil when it makes one of its
// own, and whether the host was asked.
func (s *Server) claimed(ctx context.Context, e *endpoint, op *Operation) (existing *adoptee, asked bool, err error) {
	if s.adopting == nil || e.handler != nil && e.can.adopt == nil {
		return nil, false, nil
	}
	var from []string
	for _, p := range e.typ.Unique() {
		v := op.Resource.Get(p)
		key, ok := filter.Key(v)
		if !ok || key == "" || !p.IsIndexed() {
			continue
		}
		if from == nil {
			if from, err = s.adoptableBy(ctx, op.Principal); err != nil || len(from) == 0 {
				return nil, asked, err
			}
		}
		where := filter.NewPlan(e.typ, filter.Compare{Path: p, Op: filter.Eq, Operand: filter.Operand{Text: v.Text(), Key: key}})
		found, err := s.Directory().Find(ctx, op.Principal.Tenant, where, "", namesakes)
		if err != nil {
			return nil, asked, err
		}
		// A connection that the caller's replaces goes before what the host made.
		for _, connection := range from {
			for _, entry := range found {
				if entry.Connection != connection {
					continue
				}
				asked = true
				adopt, err := s.judge(ctx, e, op, entry, p.String())
				if err != nil || adopt {
					return &adoptee{entry, p.String()}, asked, err
				}
				break
			}
		}
	}
	existing, err = s.alike(ctx, e, op)
	return existing, asked, err
}

// alike returns the resource that a create adopts although no unique value says so.
func (s *Server) alike(ctx context.Context, e *endpoint, op *Operation) (*adoptee, error) {
	if s.adopting.Alike == nil || op.Principal.Connection == s.adopting.Host {
		return nil, nil
	}
	sent, _ := e.withoutPasswordIn(op.Resource.WithMeta(Meta{}))
	attribute, ids, err := s.adopting.Alike(ctx, s.Directory(), op.Principal, sent)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		existing, err := s.claimedOf(ctx, e, op, id, attribute)
		switch {
		case errors.Is(err, ErrNotFound), errors.Is(err, errRejection): // it is somebody else
		case err != nil || existing != nil:
			return existing, err
		}
	}
	return nil, nil
}

// adoptOr adopts the resource that a create means, or else creates one.
func (s *Server) adoptOr(ctx context.Context, st storage.Store, e *endpoint, op *Operation, create func() (*Result, error)) (*Result, error) {
	existing, asked, err := s.claimed(ctx, e, op)
	switch {
	case err != nil:
		return nil, err
	case existing != nil || op.plan != nil && op.plan.adopts:
		return s.adopt(ctx, st, e, op, existing)
	}
	res, refused := create()
	if s.adopting == nil || asked || op.over() != nil || !errors.Is(refused, storage.ErrNotUnique) {
		return res, refused
	}
	// The name may have been taken since it was looked for, by somebody to adopt.
	existing, _, err = s.claimed(ctx, e, op)
	switch {
	case err != nil:
		return nil, err
	case existing == nil:
		return nil, refused
	}
	return s.adopt(ctx, st, e, op, existing)
}

// namesakes is how many resources of one name are looked at. A name is there once, or
// where it is unique in a connection, once in each.
const namesakes = 100

// claimedOf is claimed for a resource that is known to be there.
func (s *Server) claimedOf(ctx context.Context, e *endpoint, op *Operation, id, attribute string) (*adoptee, error) {
	existing, err := s.Directory().Get(ctx, op.Principal.Tenant, Ref{Type: e.typ.Name(), ID: id})
	if err != nil {
		return nil, err
	}
	from, err := s.adoptableBy(ctx, op.Principal)
	if err != nil || !slices.Contains(from, existing.Connection) {
		return nil, err
	}
	if adopt, err := s.judge(ctx, e, op, existing, attribute); err != nil || !adopt {
		return nil, err
	}
	return &adoptee{existing, attribute}, nil
}

// adoptableBy are the connections whose resources the principal's may adopt.
func (s *Server) adoptableBy(ctx context.Context, p Principal) (from []string, err error) {
	if p.Connection == s.adopting.Host {
		return nil, nil // what is made in process adopts nothing
	}
	if s.adopting.Replaced != nil {
		if from, err = s.adopting.Replaced(ctx, s.Directory(), p); err != nil {
			return nil, err
		}
	}
	from = append(slices.Clone(from), s.adopting.Host, "")
	return slices.DeleteFunc(from, func(c string) bool { return c == p.Connection }), nil
}

// judge asks the host about a claim, and where that says so, a person.
func (s *Server) judge(ctx context.Context, e *endpoint, op *Operation, existing DirectoryEntry, attribute string) (adopt bool, err error) {
	sent, _ := e.withoutPasswordIn(op.Resource.WithMeta(Meta{}))
	answer, err := s.adopting.Decide(ctx, &Claim{
		Directory: s.Directory(), Principal: op.Principal, Type: e.typ, Attribute: attribute,
		Existing: existing, Sent: sent, Relations: op.Relations,
	})
	if err != nil || answer == Decline {
		return false, err
	}
	if answer == Adopt {
		return true, nil
	}
	state, err := s.asked(ctx, op.Principal, &question{
		ref: Ref{Type: e.typ.Name(), ID: existing.Resource.ID()}, about: AboutAdoption, sent: sent, attribute: attribute,
	})
	switch {
	case err != nil:
		return false, err
	case state == Rejected:
		return false, errRejected(attribute)
	case state == Waiting:
		return false, errAsked(attribute)
	}
	return true, nil
}

// adopt makes a create the adoption of a resource that the store keeps. existing is
// nil when it was found before, in an earlier turn of a bulk request, and is not to be
// had any more.
func (s *Server) adopt(ctx context.Context, st storage.Store, e *endpoint, op *Operation, existing *adoptee) (*Result, error) {
	if existing == nil {
		return nil, errTaken
	}
	id := existing.Resource.ID()
	if op.over() != nil && op.plan.id != id {
		return nil, &meansAnother{id}
	}
	op = op.adopting(id)
	rec, err := st.Get(ctx, op.Principal.Tenant, refOf(op))
	if err != nil {
		return nil, err
	}
	cur, err := rec.Resource(e.typ)
	switch {
	case err != nil:
		return nil, err
	case rec.Connection == op.Principal.Connection:
		return nil, errTaken
	case rec.Hidden || rec.Connection != existing.Connection || !cur.Equal(existing.Resource):
		return nil, storage.ErrConflict // it is not what was judged any more
	}
	next, password, err := e.adopted(op.Resource, cur)
	if err != nil {
		return nil, err
	}
	return s.update(ctx, st, e, op, &update{
		rec: rec, cur: cur, next: next, password: password, links: additions(e, op.Relations), kind: "adopted",
		owner: &OwnerChange{From: rec.Connection, To: op.Principal.Connection},
	})
}

// errTaken: somebody else has adopted the resource first, or another operation of the
// same bulk request has.
var errTaken = Errorf(http.StatusConflict, Uniqueness, "the resource that this one means was taken by another request just now")

// meansAnother is the outcome of a create that is committed together with other
// operations of a bulk request and turns out to mean a resource that is there. It is
// worked out once more with the id of that one, as after a conflict.
type meansAnother struct{ id string }

func (*meansAnother) Error() string { return "the resource is there already and is adopted" }

// Is makes it a conflict, after which operations are repeated.
func (*meansAnother) Is(target error) bool { return target == storage.ErrConflict }

// adopting is the operation that a create becomes when it adopts: a Replace.
func (op *Operation) adopting(id string) *Operation {
	replace := *op
	replace.Method, replace.ID, replace.IfMatch = Replace, id, ""
	return &replace
}

// additions are the edits that add what the body names: an adopted group keeps the
// members that it has.
func additions(e *endpoint, named Relations) (edits []relationEdit) {
	for _, r := range e.typ.Relations() {
		if members := named[r.Attribute]; len(members) > 0 {
			edits = append(edits, relationEdit{r, patch.LinkEdit{Add: members}})
		}
	}
	return edits
}

// adopted is a resource with what a client sent put over it: attributes, and the
// sub-attributes of single ones, that were sent replace those that were there, lists
// as a whole. What was not sent stays, "active" too.
func (e *endpoint) adopted(sent, cur *Resource) (*Resource, string, error) {
	sent, password := e.withoutPasswordIn(sent)
	b := cur.Edit()
	for i := 1; i <= e.typ.Len(); i++ {
		p := e.typ.PathAt(i)
		many := p.MultiValued()
		switch {
		case !p.InDocument() || p.ReadOnly():
			continue
		case !many.IsZero() && many != p: // part of a list
			continue
		case many.IsZero() && p.NumChildren() > 0: // its parts come by themselves
			continue
		}
		if v := sent.Get(p); !v.IsZero() && !v.Equal(cur.Get(p)) {
			b.SetValue(p, v)
		}
	}
	next := b.Resource()
	return next, password, e.checkFixed(next, cur)
}

// withoutPasswordIn takes the password out of a resource.
func (e *endpoint) withoutPasswordIn(r *Resource) (*Resource, string) {
	if e.secret.IsZero() || r.Get(e.secret).IsZero() {
		return r, ""
	}
	password := r.Get(e.secret).Text()
	b := r.Edit()
	b.SetValue(e.secret, Value{})
	return b.Resource(), password
}
