package scim

import (
	"context"
	"errors"
	"fmt"

	"github.com/musterhq/muster/storage"
)

// Purge ends the tombstones of a tenant that were deleted longer ago than
// [WithTombstones] says, and returns how many. A host calls it from time to time;
// it reads the tenant's resources page by page and may be stopped by the context
// at any point.
func (s *Server) Purge(ctx context.Context, tenant string) (int, error) {
	oldest := s.now().Add(-s.tombstones)
	purged := 0
	for _, e := range s.endpoints {
		if e.handler != nil {
			continue
		}
		q := &storage.Query{Tenant: tenant, Type: e.typ, OnlyHidden: true, Limit: s.limits.MaxPageSize}
		for {
			page, err := s.store.Query(ctx, q)
			if err != nil {
				return purged, fmt.Errorf("scim: purge: %w", err)
			}
			for _, rec := range page.Records {
				if rec.Modified.After(oldest) {
					continue
				}
				err := s.remove(ctx, tenant, storage.Delete{Ref: rec.Ref, IfVersion: rec.Version, Change: storage.ChangeInfo{Kind: "purged"}})
				if err == nil {
					purged++
					err = s.removeApprovals(ctx, tenant, rec.Ref)
				}
				if err != nil && !errors.Is(err, storage.ErrNotFound) && !errors.Is(err, storage.ErrConflict) {
					return purged, fmt.Errorf("scim: purge: %w", err)
				}
			}
			if len(page.Records) < q.Limit {
				break
			}
			q.After = &storage.Position{ID: page.Records[len(page.Records)-1].ID}
			q.After.Absent = true // ordered by id alone, no record has a key
		}
	}
	return purged, nil
}

// Erase removes everything that the store keeps of a resource, deleted or not:
// the record or its tombstone, its links, and what [Server.Skipped] and
// [Server.Approvals] list. Change records hold no personal data but say that
// something was erased. Subscribers are not told; a host that still counts the
// resource as active should delete it first. [ErrNotFound] when there is nothing.
func (s *Server) Erase(ctx context.Context, tenant, resourceType, id string) error {
	ref := storage.Ref{Type: resourceType, ID: id}
	err := s.removeSkipped(ctx, tenant, ref)
	if err == nil {
		err = s.removeApprovals(ctx, tenant, ref)
	}
	if err == nil {
		err = s.remove(ctx, tenant, storage.Delete{Ref: ref, Change: storage.ChangeInfo{Kind: "erased"}})
	}
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return ErrNotFound
	case err != nil:
		return fmt.Errorf("scim: erase: %w", err)
	}
	return nil
}

func (s *Server) remove(ctx context.Context, tenant string, d storage.Delete) error {
	_, err := s.store.Commit(ctx, &storage.Batch{Tenant: tenant, Time: s.now(), Deletes: []storage.Delete{d}})
	return err
}

// Unlink removes a resource from every relation, and the relations that it owns:
// for resources that a [ResourceHandler] serves and that the host deleted behind the
// server's back. It works page by page, so other changes may come between.
func (s *Server) Unlink(ctx context.Context, tenant, resourceType, id string) error {
	ref := storage.Ref{Type: resourceType, ID: id}
	for _, e := range s.endpoints {
		for _, r := range e.typ.Relations() {
			relation := storage.Relation{Owner: e.typ.Name(), Name: r.Attribute}
			for {
				owners, err := s.store.Links(ctx, &storage.LinkQuery{
					Tenant: tenant, Relation: relation, Inverse: true, Of: []storage.Ref{ref}, Limit: linkPage,
				})
				if err != nil {
					return fmt.Errorf("scim: unlink: %w", err)
				}
				if len(owners) == 0 {
					break
				}
				batch := &storage.Batch{Tenant: tenant, Time: s.now()}
				for _, l := range owners {
					batch.Links = append(batch.Links, storage.LinkEdit{
						Owner: l.To, Relation: r.Attribute, Remove: []storage.Ref{ref},
						Change: storage.ChangeInfo{Kind: storage.KindUnlinked, Paths: []string{r.Attribute}},
					})
				}
				if _, err := s.store.Commit(ctx, batch); err != nil {
					return fmt.Errorf("scim: unlink: %w", err)
				}
			}
		}
	}
	if e := s.byName[resourceType]; e == nil || e.handler == nil || len(e.typ.Relations()) == 0 {
		return nil
	}
	s.forgetSkipped(ctx, tenant, ref)
	err := s.remove(ctx, tenant, storage.Delete{Ref: ref, Change: storage.ChangeInfo{Kind: storage.KindUnlinked}})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("scim: unlink: %w", err)
	}
	return nil
}
