// Package kept keeps states of ours as records of private types in the store that
// the host gave: whatever store that is, it can hold this too, and what belongs
// together is committed together. A record holds a state as JSON in one attribute,
// and in another the words that it is found by. No endpoint serves such types.
package kept

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Kind is a private type of records, each with a state T. It is immutable.
type Kind[T any] struct {
	typ         *schema.Type
	state, word schema.Path
	words       func(*T) []string
}

// NewKind makes a kind. name is its type in the store, and tells it from those of
// other packages. words returns what a state is found by, such as "group=" and an
// id; nil when states are found by id alone.
func NewKind[T any](name string, words func(*T) []string) *Kind[T] {
	typ := schema.MustCompile(schema.ResourceType{
		Name: name, Endpoint: "/Kept", // which nobody serves
		Schema: &schema.Schema{ID: "urn:muster:" + name, Attributes: []schema.Attribute{
			{Name: "state", CaseExact: true},
			{Name: "words", CaseExact: true, MultiValued: true},
		}},
		Indexed: []string{"words"},
	})
	return &Kind[T]{typ: typ, state: typ.MustResolve("state"), word: typ.MustResolve("words"), words: words}
}

// State is a state with the version that it is kept in, 0 when it is not.
type State[T any] struct {
	ID      string
	Version int64
	Value   T
}

// Ref names the record of a state.
func (k *Kind[T]) Ref(id string) storage.Ref { return storage.Ref{Type: k.typ.Name(), ID: id} }

// Get returns a state; one that is not kept is zero, with version 0.
func (k *Kind[T]) Get(ctx context.Context, s storage.Store, tenant, id string) (State[T], error) {
	rec, err := s.Get(ctx, tenant, k.Ref(id))
	if errors.Is(err, storage.ErrNotFound) {
		return State[T]{ID: id}, nil
	}
	if err != nil {
		return State[T]{}, err
	}
	return k.read(rec)
}

func (k *Kind[T]) read(rec *storage.Record) (State[T], error) {
	res, err := rec.Resource(k.typ)
	if err != nil {
		return State[T]{}, err
	}
	out := State[T]{ID: rec.ID, Version: rec.Version}
	if err := json.Unmarshal(res.Get(k.state).Bytes(), &out.Value); err != nil {
		return State[T]{}, fmt.Errorf("the state of %s/%s cannot be read: %w", rec.Type, rec.ID, err)
	}
	return out, nil
}

// Put makes the write of a state in place of the version that it has.
func (k *Kind[T]) Put(s State[T], now time.Time) (storage.Put, error) {
	state, err := json.Marshal(&s.Value)
	if err != nil {
		return storage.Put{}, fmt.Errorf("a state of %s cannot be written: %w", k.typ.Name(), err)
	}
	var words []resource.Value
	if k.words != nil {
		list := k.words(&s.Value)
		slices.Sort(list)
		for _, w := range slices.Compact(list) {
			words = append(words, resource.Text(k.word, w))
		}
	}
	b := resource.New(k.typ).Meta(resource.Meta{ID: s.ID, Created: now, LastModified: now})
	b.SetValue(k.state, resource.Text(k.state, string(state)))
	b.SetValue(k.word, resource.Array(k.word, words...))
	return storage.Put{
		Record:    storage.NewRecord(b.Resource(), ""),
		IfVersion: s.Version, IfAbsent: s.Version == 0,
		Change: storage.ChangeInfo{Kind: "kept"},
	}, nil
}

// Delete makes the deletion of a state in the version that it has.
func (k *Kind[T]) Delete(s State[T]) storage.Delete {
	return storage.Delete{Ref: k.Ref(s.ID), IfVersion: s.Version, Change: storage.ChangeInfo{Kind: "dropped"}}
}

// Drop removes a state, which may be gone already. When somebody else wrote it
// meanwhile, the error is [storage.ErrConflict].
func (k *Kind[T]) Drop(ctx context.Context, s storage.Store, tenant string, now time.Time, v State[T]) error {
	if v.Version == 0 {
		return nil
	}
	_, err := s.Commit(ctx, &storage.Batch{Tenant: tenant, Time: now, Deletes: []storage.Delete{k.Delete(v)}})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// Edit reads a state, lets f change it, and writes it, again as long as somebody
// else comes between, at most a hundred times. f returns false to leave it as it is.
func (k *Kind[T]) Edit(ctx context.Context, s storage.Store, tenant, id string, now time.Time, f func(*State[T]) (write bool, err error)) error {
	for range 100 {
		v, err := k.Get(ctx, s, tenant, id)
		if err != nil {
			return err
		}
		switch write, err := f(&v); {
		case err != nil:
			return err
		case !write:
			return nil
		}
		if err := k.Save(ctx, s, tenant, now, &v); !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
	return storage.ErrConflict
}

// List returns states in the order of their ids, behind the id after, at most
// limit, that are found by all of the words. Fewer than limit are the last ones.
func (k *Kind[T]) List(ctx context.Context, s storage.Store, tenant, after string, limit int, words ...string) ([]State[T], error) {
	var tests []filter.Node
	for _, w := range words {
		tests = append(tests, filter.Compare{Path: k.word, Op: filter.Eq, Operand: filter.Operand{Text: w, Key: w}})
	}
	q := &storage.Query{Tenant: tenant, Type: k.typ, Limit: limit}
	switch len(tests) {
	case 0:
	case 1:
		q.Filter = filter.NewPlan(k.typ, tests[0])
	default:
		q.Filter = filter.NewPlan(k.typ, filter.AllOf(tests...))
	}
	if after != "" {
		q.After = &storage.Position{ID: after, Absent: true}
	}
	page, err := s.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]State[T], 0, len(page.Records))
	for _, rec := range page.Records {
		v, err := k.read(rec)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Save writes a state and notes its new version. When somebody else wrote it, the
// error is [storage.ErrConflict].
func (k *Kind[T]) Save(ctx context.Context, s storage.Store, tenant string, now time.Time, v *State[T]) error {
	p, err := k.Put(*v, now)
	if err != nil {
		return err
	}
	res, err := s.Commit(ctx, &storage.Batch{Tenant: tenant, Time: now, Puts: []storage.Put{p}})
	if err != nil {
		return err
	}
	v.Version = res.Puts[0]
	return nil
}

// Each calls f for all states that are found by the words, page by page. f may change
// and drop what it is given.
func (k *Kind[T]) Each(ctx context.Context, s storage.Store, tenant string, f func(State[T]) error, words ...string) error {
	const most = 500
	after := ""
	for {
		page, err := k.List(ctx, s, tenant, after, most, words...)
		if err != nil {
			return err
		}
		for _, v := range page {
			if err := f(v); err != nil {
				return err
			}
			after = v.ID
		}
		if len(page) < most {
			return nil
		}
	}
}
