package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/storage"
)

// A long list of members is compared here rather than in the database, which
// would have to take it over first: the links that there are stream by in order
// beside the sorted list. Only the difference is written, and little more than
// the list is held.

const (
	// longReset is the length of a list from which on it is compared here.
	longReset = 1000
	// resetPage is how many links are read at once.
	resetPage = 10_000
)

func isLongReset(e *storage.LinkEdit) bool { return e.Reset && len(e.Add) >= longReset }

// reset removes the links that are not in the edit, and returns an edit that adds
// those that are missing. The owner is locked.
func (j *judgement) reset(e *storage.LinkEdit, r *storage.LinkResult) (*storage.LinkEdit, error) {
	wanted := slices.SortedFunc(slices.Values(e.Add), storage.Ref.Compare)
	rest := *e
	rest.Reset, rest.Add, rest.Remove = false, nil, nil
	t := j.token(e.Owner)
	for after, more := (storage.Ref{}), true; more; {
		links, err := j.links(e, after)
		if err != nil {
			return nil, err
		}
		if more = len(links) == resetPage; len(links) > 0 {
			after = links[len(links)-1]
		}
		unwanted := rest
		unwanted.Add = nil
		for _, to := range links {
			for len(wanted) > 0 && wanted[0].Compare(to) < 0 {
				rest.Add, wanted = append(rest.Add, wanted[0]), wanted[1:]
			}
			if len(wanted) > 0 && wanted[0] == to {
				wanted = wanted[1:]
			} else {
				unwanted.Remove = append(unwanted.Remove, to)
			}
		}
		if len(unwanted.Remove) > 0 {
			q := j.queue()
			q.edit(&unwanted, t, false, r)
			if err := j.send(q); err != nil {
				return nil, err
			}
		}
	}
	rest.Add = append(rest.Add, wanted...)
	return &rest, nil
}

// links returns a page of the links that an edit is about.
func (j *judgement) links(e *storage.LinkEdit, after storage.Ref) (links []storage.Ref, err error) {
	q := j.queue()
	q.add(someLinksSQL, e.Owner.Type, e.Owner.ID, e.Relation, after.Type, after.ID, resetPage).Query(func(rows pgx.Rows) error {
		var to storage.Ref
		_, err := pgx.ForEachRow(rows, []any{&to.Type, &to.ID}, func() error {
			links = append(links, to)
			return nil
		})
		return err
	})
	return links, j.send(q)
}
