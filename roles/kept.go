package roles

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

// What the reconciler remembers is kept as records of private types in the store
// that the host gave the server: whatever store that is, it can hold this too. A
// record holds a state as JSON in one attribute, and in another the words that it is
// found by.

// kind is a private type of records, each with a state T.
type kind[T any] struct {
	typ         *schema.Type
	state, word schema.Path
	// words are what states are found by, such as "group=" and an id.
	words func(*T) []string
}

func newKind[T any](name string, words func(*T) []string) *kind[T] {
	typ := schema.MustCompile(schema.ResourceType{
		Name: name, Endpoint: "/" + name,
		Schema: &schema.Schema{ID: "urn:muster:roles:" + name, Attributes: []schema.Attribute{
			{Name: "state", CaseExact: true},
			{Name: "words", CaseExact: true, MultiValued: true},
		}},
		Indexed: []string{"words"},
	})
	return &kind[T]{typ: typ, state: typ.MustResolve("state"), word: typ.MustResolve("words"), words: words}
}

// kept is a state with the version that it is kept in, 0 when it is not.
type kept[T any] struct {
	ID      string
	Version int64
	State   T
}

func (k *kind[T]) ref(id string) storage.Ref { return storage.Ref{Type: k.typ.Name(), ID: id} }

// get returns a state; one that is not kept is zero, with version 0.
func (k *kind[T]) get(ctx context.Context, s storage.Store, tenant, id string) (kept[T], error) {
	rec, err := s.Get(ctx, tenant, k.ref(id))
	if errors.Is(err, storage.ErrNotFound) {
		return kept[T]{ID: id}, nil
	}
	if err != nil {
		return kept[T]{}, err
	}
	return k.read(rec)
}

func (k *kind[T]) read(rec *storage.Record) (kept[T], error) {
	res, err := rec.Resource(k.typ)
	if err != nil {
		return kept[T]{}, err
	}
	out := kept[T]{ID: rec.ID, Version: rec.Version}
	if err := json.Unmarshal(res.Get(k.state).Bytes(), &out.State); err != nil {
		return kept[T]{}, fmt.Errorf("roles: the state of %s/%s cannot be read: %w", rec.Type, rec.ID, err)
	}
	return out, nil
}

// put makes the write of a state in place of the version that it has.
func (k *kind[T]) put(s *kept[T], now time.Time) (storage.Put, error) {
	state, err := json.Marshal(&s.State)
	if err != nil {
		return storage.Put{}, fmt.Errorf("roles: a state cannot be written: %w", err)
	}
	var words []resource.Value
	if k.words != nil {
		list := k.words(&s.State)
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

// save writes one state and notes its new version. When somebody else wrote it,
// the error is [storage.ErrConflict].
func (k *kind[T]) save(ctx context.Context, s storage.Store, tenant string, now time.Time, v *kept[T]) error {
	p, err := k.put(v, now)
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

// drop removes a state, which may be gone already.
func (k *kind[T]) drop(ctx context.Context, s storage.Store, tenant string, now time.Time, v kept[T]) error {
	if v.Version == 0 {
		return nil
	}
	_, err := s.Commit(ctx, &storage.Batch{Tenant: tenant, Time: now, Deletes: []storage.Delete{k.delete(v)}})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

func (k *kind[T]) delete(v kept[T]) storage.Delete {
	return storage.Delete{Ref: k.ref(v.ID), IfVersion: v.Version, Change: storage.ChangeInfo{Kind: "dropped"}}
}

// list returns states in the order of their ids, behind the id after, at most
// limit, that are found by all of the words.
func (k *kind[T]) list(ctx context.Context, s storage.Store, tenant, after string, limit int, words ...string) ([]kept[T], error) {
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
	out := make([]kept[T], 0, len(page.Records))
	for _, rec := range page.Records {
		v, err := k.read(rec)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// each calls f for all states that are found by the words, page by page. f may
// change and drop what it is given.
func (k *kind[T]) each(ctx context.Context, s storage.Store, tenant string, f func(kept[T]) error, words ...string) error {
	after := ""
	for {
		page, err := k.list(ctx, s, tenant, after, pageSize, words...)
		if err != nil {
			return err
		}
		for _, v := range page {
			if err := f(v); err != nil {
				return err
			}
			after = v.ID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// pageSize is how many resources, members or states are held at once while something
// is worked off.
const pageSize = 500
