package storagetest

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// faulty is a store that goes wrong in the calls that are set.
type faulty struct {
	storage.Store
	get    func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error)
	query  func(ctx context.Context, s storage.Store, q storage.Query) (*storage.Page, error)
	links  func(ctx context.Context, s storage.Store, q storage.LinkQuery) ([]storage.Link, error)
	commit func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error)
}

func (f faulty) Unwrap() storage.Store { return f.Store }

func (f faulty) Get(ctx context.Context, tenant string, ref storage.Ref) (*storage.Record, error) {
	if f.get == nil {
		return f.Store.Get(ctx, tenant, ref)
	}
	return f.get(ctx, f.Store, tenant, ref)
}

func (f faulty) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	if f.query == nil {
		return f.Store.Query(ctx, q)
	}
	return f.query(ctx, f.Store, *q)
}

func (f faulty) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	if f.links == nil {
		return f.Store.Links(ctx, q)
	}
	return f.links(ctx, f.Store, *q)
}

func (f faulty) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	if f.commit == nil {
		return f.Store.Commit(ctx, b)
	}
	c := *b
	c.Puts, c.Deletes, c.Links = append([]storage.Put(nil), b.Puts...), append([]storage.Delete(nil), b.Deletes...), append([]storage.LinkEdit(nil), b.Links...)
	return f.commit(ctx, f.Store, c)
}

// A fault makes a store faulty. These build the usual ones: what is asked for is
// changed before a sound store sees it, or its answer afterwards.
type fault func(s storage.Store) storage.Store

func batches(change func(b *storage.Batch)) fault {
	return func(s storage.Store) storage.Store {
		return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
			change(&b)
			return s.Commit(ctx, &b)
		}}
	}
}

func eachPut(change func(p *storage.Put, r *storage.Record)) fault {
	return batches(func(b *storage.Batch) {
		for i := range b.Puts {
			r := *b.Puts[i].Record
			b.Puts[i].Record = &r
			change(&b.Puts[i], &r)
		}
	})
}

func eachEdit(change func(e *storage.LinkEdit)) fault {
	return batches(func(b *storage.Batch) {
		for i := range b.Links {
			change(&b.Links[i])
		}
	})
}

func results(change func(r *storage.CommitResult)) fault {
	return func(s storage.Store) storage.Store {
		return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
			r, err := s.Commit(ctx, &b)
			if err == nil {
				change(r)
			}
			return r, err
		}}
	}
}

func reads(change func(r *storage.Record)) fault {
	return func(s storage.Store) storage.Store {
		return faulty{Store: s, get: func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error) {
			r, err := s.Get(ctx, tenant, ref)
			if err != nil {
				return nil, err
			}
			c := *r
			change(&c)
			return &c, nil
		}}
	}
}

func linkQueries(change func(q *storage.LinkQuery)) fault {
	return func(s storage.Store) storage.Store {
		return faulty{Store: s, links: func(ctx context.Context, s storage.Store, q storage.LinkQuery) ([]storage.Link, error) {
			change(&q)
			return s.Links(ctx, &q)
		}}
	}
}

func linksRead(change func(links []storage.Link) []storage.Link) fault {
	return func(s storage.Store) storage.Store {
		return faulty{Store: s, links: func(ctx context.Context, s storage.Store, q storage.LinkQuery) ([]storage.Link, error) {
			links, err := s.Links(ctx, &q)
			return change(links), err
		}}
	}
}

func queries(change func(q *storage.Query)) fault {
	return func(s storage.Store) storage.Store {
		return faulty{Store: s, query: func(ctx context.Context, s storage.Store, q storage.Query) (*storage.Page, error) {
			change(&q)
			return s.Query(ctx, &q)
		}}
	}
}

func pages(change func(q *storage.Query, p *storage.Page)) fault {
	return func(s storage.Store) storage.Store {
		return faulty{Store: s, query: func(ctx context.Context, s storage.Store, q storage.Query) (*storage.Page, error) {
			p, err := s.Query(ctx, &q)
			if err == nil {
				change(&q, p)
			}
			return p, err
		}}
	}
}

// faultyLog is a store whose change log goes wrong in the calls that are set.
type faultyLog struct {
	storage.Store
	storage.ChangeLog
	changes func(l storage.ChangeLog, tenant string, after int64, limit int) ([]storage.Change, error)
	deltas  func(l storage.ChangeLog, tenant string, seq int64, after storage.LinkDelta, limit int) ([]storage.LinkDelta, error)
}

func (f faultyLog) Changes(ctx context.Context, tenant string, after int64, limit int) ([]storage.Change, error) {
	if f.changes == nil {
		return f.ChangeLog.Changes(ctx, tenant, after, limit)
	}
	return f.changes(f.ChangeLog, tenant, after, limit)
}

func (f faultyLog) ChangedLinks(ctx context.Context, tenant string, seq int64, after storage.LinkDelta, limit int) ([]storage.LinkDelta, error) {
	if f.deltas == nil {
		return f.ChangeLog.ChangedLinks(ctx, tenant, seq, after, limit)
	}
	return f.deltas(f.ChangeLog, tenant, seq, after, limit)
}

func logs(f faultyLog) fault {
	return func(s storage.Store) storage.Store {
		f.Store, f.ChangeLog = s, s.(storage.ChangeLog)
		return f
	}
}

// brokenLocker does not lock.
type brokenLocker struct{ storage.Store }

func (l brokenLocker) WithLock(ctx context.Context, _ string, _ storage.Ref, f func(context.Context, storage.Store) error) error {
	return f(ctx, l)
}

// brokenBulk commits all batches as one.
type brokenBulk struct{ storage.Store }

func (s brokenBulk) CommitEach(ctx context.Context, batches []*storage.Batch) ([]*storage.CommitResult, []error) {
	all := storage.Batch{Tenant: batches[0].Tenant, Time: batches[0].Time}
	for _, b := range batches {
		all.Puts, all.Deletes, all.Links = append(all.Puts, b.Puts...), append(all.Deletes, b.Deletes...), append(all.Links, b.Links...)
	}
	res, err := s.Commit(ctx, &all)
	results, errs := make([]*storage.CommitResult, len(batches)), make([]error, len(batches))
	for i := range batches {
		results[i], errs[i] = res, err
	}
	return results, errs
}
