package scim

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// commitOverlay commits what was staged: the guards see all of it, and the host
// hears of it once it is there.
func (s *Server) commitOverlay(ctx context.Context, st storage.Store, p Principal, over *overlay) error {
	w := over.pending()
	if over.empty() {
		return w.last(ctx)
	}
	done, err := s.commit(ctx, st, &Operation{Principal: p}, w)
	if err != nil {
		return err
	}
	return s.finishOverlay(ctx, over, w, done)
}

// pending is all that was staged as one write.
func (o *overlay) pending() *pending {
	w := &pending{batch: o.batch, revives: o.revives, last: o.last}
	for _, part := range o.staged {
		w.effects = append(w.effects, part.w.effects...)
		for ref, types := range part.w.guessed {
			if w.guessed == nil {
				w.guessed = map[storage.Ref][]string{}
			}
			w.guessed[ref] = types
		}
	}
	return w
}

// empty reports whether what was staged changes nothing.
func (o *overlay) empty() bool {
	return len(o.batch.Puts)+len(o.batch.Deletes)+len(o.batch.Links) == 0
}

// finishOverlay gives each operation its share of what the commit did.
func (s *Server) finishOverlay(ctx context.Context, over *overlay, w *pending, done *storage.CommitResult) error {
	versions := map[storage.Ref]int64{}
	for i, version := range done.Puts {
		versions[w.batch.Puts[i].Record.Ref] = version
	}
	results := map[ownedRelation]storage.LinkResult{}
	for i, result := range done.Links {
		edit := &w.batch.Links[i]
		results[ownedRelation{edit.Owner, edit.Relation}] = result
		versions[edit.Owner] = result.Version
	}
	for _, part := range over.staged {
		if err := s.finish(ctx, part.e, part.alone(), part.w, part.share(versions, results), part.link, part.res); err != nil {
			return err
		}
	}
	return nil
}

// alone is the operation as it is once nothing is staged any more.
func (p *staged) alone() *Operation {
	op := *p.op
	op.plan = nil
	return &op
}

// share is the part's share in the result of the whole commit. What edits of one
// relation did together counts for the first of them.
func (p *staged) share(versions map[storage.Ref]int64, results map[ownedRelation]storage.LinkResult) *storage.CommitResult {
	done := &storage.CommitResult{}
	for _, put := range p.w.batch.Puts {
		done.Puts = append(done.Puts, versions[put.Record.Ref])
	}
	for i := range p.w.batch.Links {
		edit := &p.w.batch.Links[i]
		key := ownedRelation{edit.Owner, edit.Relation}
		done.Links = append(done.Links, results[key])
		result := results[key]
		result.Added, result.Removed, result.Dropped = 0, 0, nil
		results[key] = result
	}
	if m := p.res.Resource.Meta(); versions[storage.Ref{Type: p.e.typ.Name(), ID: m.ID}] > 0 {
		m.Version = versionText(versions[storage.Ref{Type: p.e.typ.Name(), ID: m.ID}])
		p.res.Resource = p.res.Resource.WithMeta(m)
	}
	return done
}

// last does for all parts what each has to do right before the commit.
func (o *overlay) last(ctx context.Context) error {
	for _, part := range o.staged {
		if part.w.last != nil {
			if err := part.w.last(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// revives asks the create that a tombstone stands in the way of.
func (o *overlay) revives(tombstone *storage.Record, put storage.Ref) bool {
	for _, part := range o.staged {
		if part.w.revives != nil && part.w.batch.Puts[0].Record.Ref == put && part.w.revives(tombstone, put) {
			o.revived = put
			return true
		}
	}
	return false
}
