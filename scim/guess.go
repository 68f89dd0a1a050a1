package scim

import (
	"context"
	"errors"

	"github.com/musterhq/muster/storage"
)

// guessAgain gives links whose target is missing the next type that the client may
// have meant, and reports whether the commit is worth another try. When one guess
// was wrong, others are as a rule: all are looked at at once, so that a request with
// very many members is not committed again for each of them.
func (w *pending) guessAgain(ctx context.Context, st storage.Store, err error) bool {
	if len(w.guessed) == 0 || !errors.Is(err, storage.ErrMissingTarget) {
		return false
	}
	var ce *storage.CommitError
	if !errors.As(err, &ce) || len(w.guessed[ce.Ref]) == 0 {
		return false
	}
	put := make(map[storage.Ref]bool, len(w.batch.Puts))
	for _, p := range w.batch.Puts {
		put[p.Record.Ref] = !p.Record.Hidden
	}
	moved := map[storage.Ref]storage.Ref{}
	for i := range w.batch.Links {
		edit := &w.batch.Links[i]
		there := refSet(edit.Add)
		kept := edit.Add[:0:0]
		for _, ref := range edit.Add {
			rest, isGuess := w.guessed[ref]
			if _, again := moved[ref]; isGuess && len(rest) > 0 && !again && !put[ref] {
				if rec, err := st.Get(ctx, w.batch.Tenant, ref); ref == ce.Ref || missing(edit, rec, err) {
					moved[ref] = storage.Ref{Type: rest[0], ID: ref.ID}
				}
			}
			next, wrong := moved[ref]
			switch {
			case !wrong:
				kept = append(kept, ref)
			case !there[next]:
				there[next] = true
				kept = append(kept, next)
			}
		}
		edit.Add = kept
	}
	for ref, next := range moved {
		rest := w.guessed[ref]
		delete(w.guessed, ref)
		if _, named := w.guessed[next]; !named {
			w.guessed[next] = rest[1:]
		}
	}
	return true
}

// missing reports whether a target is missing for an edit. What could not be found
// out is left for the commit to judge.
func missing(edit *storage.LinkEdit, rec *storage.Record, err error) bool {
	if err != nil {
		return errors.Is(err, storage.ErrNotFound)
	}
	return rec.Hidden || edit.IfConnection != "" && rec.Connection != edit.IfConnection
}
