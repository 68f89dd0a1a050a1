package scim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/musterhq/muster/storage"
)

// pending is a write on its way to the store: what to commit, and what it means.
type pending struct {
	batch   storage.Batch
	effects []Effect
	// revives, if set, is asked about a tombstone that holds a unique key of the
	// record put before the key is freed; true ends the commit with a *revival.
	revives func(tombstone *storage.Record, put storage.Ref) bool
	// guessed are the links whose types the client left out, with the types that
	// remain when there is no resource of the assumed one.
	guessed map[storage.Ref][]string

	// last, if set, is done when the guards have agreed, right before the commit.
	last func(context.Context) error

	// Room for what most writes need, so that it comes in one piece.
	onePut    [1]storage.Put
	oneEffect [1]Effect
}

// newPending starts a write of one resource.
func (s *Server) newPending(op *Operation, effect Effect) *pending {
	w := &pending{}
	w.batch.Tenant, w.batch.Time = op.Principal.Tenant, s.now()
	w.oneEffect[0] = effect
	w.effects = w.oneEffect[:]
	return w
}

// put adds the write of a record.
func (w *pending) put(p storage.Put) {
	w.onePut[0] = p
	w.batch.Puts = w.onePut[:]
}

// revival is the outcome of a commit that found the resource to be an old one.
type revival struct{ tombstone *storage.Record }

func (*revival) Error() string { return "the resource was deleted and comes back" }

// commit asks the guards and writes.
func (s *Server) commit(ctx context.Context, st storage.Store, op *Operation, w *pending) (*storage.CommitResult, error) {
	if op.over() != nil {
		return st.Commit(ctx, &w.batch) // guards see all of a commit at once, later
	}
	if err := s.ask(ctx, op.Principal, w.effects, &w.batch, false); err != nil {
		return nil, err
	}
	if w.last != nil {
		if err := w.last(ctx); err != nil {
			return nil, err
		}
	}
	return s.write(ctx, st, w)
}

// write commits without asking anybody. Keys that a tombstone holds are freed on the
// way: a deleted resource does not count in uniqueness (RFC 7644 section 3.6).
func (s *Server) write(ctx context.Context, st storage.Store, w *pending) (*storage.CommitResult, error) {
	for {
		res, err := st.Commit(ctx, &w.batch)
		if w.guessAgain(ctx, st, err) {
			continue
		}
		holder, put := hiddenHolder(err)
		if holder == nil || w.frees(holder.Ref) {
			return res, err
		}
		if w.revives != nil && w.revives(holder, put) {
			return nil, &revival{holder}
		}
		free, err := s.released(holder)
		if err != nil {
			return nil, err
		}
		w.batch.Puts = append(w.batch.Puts, storage.Put{
			Record: free, IfVersion: holder.Version, Change: storage.ChangeInfo{Kind: "released"},
		})
	}
}

// released is a tombstone that holds no unique keys any more.
func (s *Server) released(tombstone *storage.Record) (*storage.Record, error) {
	e := s.byName[tombstone.Type]
	if e == nil {
		return nil, fmt.Errorf("the tombstone %s/%s is of a type that is not served", tombstone.Type, tombstone.ID)
	}
	r, err := tombstone.Resource(e.typ)
	if err != nil {
		return nil, err
	}
	rec := storage.NewRecord(r.WithMeta(Meta{ID: tombstone.ID}), tombstone.Connection)
	rec.Created, rec.Hidden = tombstone.Created, true
	return rec.WithoutKeys(), nil
}

func (w *pending) frees(ref storage.Ref) bool {
	for _, p := range w.batch.Puts {
		if p.Record.Ref == ref {
			return true
		}
	}
	return false
}

// hiddenHolder returns the tombstone that stands in the way of a commit, if that is
// what does, and the record whose put it is in the way of.
func hiddenHolder(err error) (holder *storage.Record, put storage.Ref) {
	if err == nil {
		return nil, storage.Ref{}
	}
	var ce *storage.CommitError
	if errors.Is(err, storage.ErrNotUnique) && errors.As(err, &ce) && ce.Holder != nil && ce.Holder.Hidden {
		return ce.Holder, ce.Ref
	}
	return nil, storage.Ref{}
}

// retry runs f, which reads, decides and commits, again as long as somebody
// else's write came between. After the first miss it lines up with the other
// writers of the record, if the store can: blind repetition starves under load.
func (s *Server) retry(ctx context.Context, op *Operation, f func(context.Context, storage.Store) (*Result, error)) (*Result, error) {
	if o := op.over(); o != nil {
		return f(ctx, o) // the whole overlay is repeated, or nothing
	}
	if res, err := f(ctx, s.store); !isConflict(err) {
		return res, err
	}
	var res *Result
	err := s.repeat(ctx, func(ctx context.Context) error {
		again := func(ctx context.Context, st storage.Store) error {
			return whileConflict(ctx, func() (err error) {
				res, err = f(ctx, st)
				return err
			})
		}
		if locker, ok := storage.As[storage.Locker](s.store); ok {
			return locker.WithLock(ctx, op.Principal.Tenant, refOf(op), again)
		}
		return again(ctx, s.store)
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// repeat bounds the time that is spent on repetitions.
func (s *Server) repeat(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.limits.Wait)
	defer cancel()
	err := f(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return (&Error{Status: http.StatusServiceUnavailable, RetryAfter: time.Second,
			Detail: "too many others are changing the resource; try again"}).WithCause(err)
	}
	return err
}

// whileConflict repeats f as long as somebody else's write comes between.
func whileConflict(ctx context.Context, f func() error) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		if err := f(); !isConflict(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(wait)):
		}
	}
}

func isConflict(err error) bool {
	return errors.Is(err, storage.ErrConflict) || errors.Is(err, ErrConflict)
}

func versionText(v int64) string { return strconv.FormatInt(v, 10) }
