package storagetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/kv"
)

// gone is a store over a network that can be cut.
type gone struct {
	storage.Store
	away    bool
	verdict error // while it is away
}

func (g *gone) Get(ctx context.Context, tenant string, ref storage.Ref) (*storage.Record, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	return g.Store.Get(ctx, tenant, ref)
}

func (g *gone) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	return g.Store.Query(ctx, q)
}

func (g *gone) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	return g.Store.Links(ctx, q)
}

func (g *gone) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	return g.Store.Commit(ctx, b)
}

func (g *gone) reach(ctx context.Context) error {
	if g.away && ctx.Err() == nil {
		return g.verdict
	}
	return ctx.Err()
}

func TestOutages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		verdict error
		around  fault       // of the store, all the time
		back    func(*gone) // instead of coming back whole
		says    string      // the failure; "" when there must be none
	}{
		"sound":               {verdict: storage.ErrUnavailable},
		"in words of its own": {verdict: errors.New("connection refused"), says: "connection refused"},
		"missing":             {verdict: storage.ErrNotFound, says: "want ErrUnavailable"},
		"unavailable and missing": {verdict: errors.Join(storage.ErrUnavailable, storage.ErrNotFound),
			says: "no verdict about records"},
		"a conflict": {verdict: errors.Join(storage.ErrUnavailable, &storage.CommitError{Err: storage.ErrConflict}), says: "no verdict about records"},
		"empty list": {verdict: storage.ErrUnavailable, says: "error <nil>", around: func(s storage.Store) storage.Store {
			return faulty{Store: s, query: func(ctx context.Context, s storage.Store, q storage.Query) (*storage.Page, error) {
				if p, err := s.Query(ctx, &q); err == nil {
					return p, nil
				}
				return &storage.Page{}, nil
			}}
		}},
		"empty afterwards": {verdict: storage.ErrUnavailable, says: "not found", back: func(g *gone) {
			g.Store = kv.New(&mapDB{})
		}},
		"stays in error": {verdict: storage.ErrUnavailable, says: "broken pipe", back: func(g *gone) {
			g.away, g.verdict = true, errors.New("broken pipe")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &gone{Store: kv.New(&mapDB{}), verdict: c.verdict}
			var s storage.Store = g
			if c.around != nil {
				s = c.around(g)
			}
			rec := &recorder{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				outage(newCheck(rec, rule{name: "outage"}, s), func() { g.away = true }, func() {
					g.away = false
					if c.back != nil {
						c.back(g)
					}
				})
			}()
			<-done
			if (rec.message == "") != (c.says == "") || !strings.Contains(rec.message, c.says) {
				t.Errorf("the outage is found to be %q; want %q", rec.message, c.says)
			}
		})
	}
}
