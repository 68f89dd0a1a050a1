package scim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/musterhq/muster/scim/patch"
)

// Amendment lets the host put right what is about to be kept: keep the values of
// attributes that it owns, complete a name, tidy a telephone number. It gets the
// resource as it is, nil when it is being created, and as the operation would leave
// it, and returns what is kept instead, after itself as a rule; an error refuses the
// operation. It sees neither relations nor passwords, is not asked about deletions,
// and runs before guards and subscribers see the effect. The metadata of what it
// returns does not count.
//
// It runs again when the operation has to be repeated, so it must not have effects
// of its own. It must keep what the schema requires.
type Amendment func(ctx context.Context, op *Operation, before, after *Resource) (*Resource, error)

// WithAmendment adds amendments; each gets what the one before it returned. None may
// be nil.
func WithAmendment(a ...Amendment) Option {
	return option(func(s *Server) error {
		if slices.ContainsFunc(a, func(a Amendment) bool { return a == nil }) {
			return errors.New("an amendment is nil")
		}
		s.amendments = append(s.amendments, a...)
		return nil
	})
}

// Ignore notes that something that the request named has no effect, for
// [Report.Ignored]: for amendments. In process, where there is no report, it does
// nothing.
func (op *Operation) Ignore(name string) {
	if op.call != nil {
		op.call.ignored(name)
	}
}

// amend returns what the amendments make of a write.
func (s *Server) amend(ctx context.Context, op *Operation, before, after *Resource) (*Resource, error) {
	for _, a := range s.amendments {
		r, err := a(ctx, op, before, after)
		switch {
		case err != nil:
			return nil, err
		case r == nil || r.Type() != after.Type():
			return nil, fmt.Errorf("scim: an amendment made something else of a %s resource", after.Type().Name())
		case r != after:
			after = r.WithMeta(after.Meta())
		}
	}
	return after, nil
}

// amendUpdate lets the amendments look at a change that is decided. amended reports
// whether they made another one of it.
func (s *Server) amendUpdate(ctx context.Context, op *Operation, cur, next *Resource, changes []Change) (_ *Resource, _ []Change, amended bool, err error) {
	if len(s.amendments) == 0 || len(changes) == 0 {
		return next, changes, false, nil
	}
	after, err := s.amend(ctx, op, cur, next)
	if err != nil || after == next {
		return next, changes, false, err
	}
	return after, patch.Diff(cur, after), true, nil
}

// checkAmendments finds handlers that could not keep what amendments make.
func (s *Server) checkAmendments() error {
	if len(s.amendments) == 0 {
		return nil
	}
	for _, e := range s.endpoints {
		if e.can.patch != nil && e.can.replace == nil {
			return fmt.Errorf("the handler of resource type %s needs Replace: what an amendment changes is no PATCH any more", e.typ.Name())
		}
	}
	return nil
}
