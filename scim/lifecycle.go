package scim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/musterhq/muster/scim/schema"
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
// resource as active should delete it first. [ErrNotFound] when there is nothing. A
// resource that a [ResourceHandler] serves is itself the host's to remove; links to it
// are removed as [Server.Unlink] does it.
func (s *Server) Erase(ctx context.Context, tenant, resourceType, id string) error {
	ref := storage.Ref{Type: resourceType, ID: id}
	err := s.removeSkipped(ctx, tenant, ref)
	if err == nil {
		err = s.removeApprovals(ctx, tenant, ref)
	}
	e := s.byName[resourceType]
	switch {
	case err != nil:
	case e != nil && e.handler != nil:
		return s.Unlink(ctx, tenant, resourceType, id)
	default:
		err = s.remove(ctx, tenant, storage.Delete{Ref: ref, Change: storage.ChangeInfo{Kind: "erased"}})
	}
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return ErrNotFound
	case err != nil:
		return fmt.Errorf("scim: erase: %w", err)
	}
	s.unlinkByHandlers(ctx, tenant, ref)
	return nil
}

func (s *Server) remove(ctx context.Context, tenant string, d storage.Delete) error {
	_, err := s.store.Commit(ctx, &storage.Batch{Tenant: tenant, Time: s.now(), Deletes: []storage.Delete{d}})
	return err
}

// Unlink removes a resource from every relation, and the relations that it owns:
// for resources that a [ResourceHandler] serves and that the host deleted behind the
// server's back. It works page by page, so other changes may come between. Relations
// that a [Linker] keeps are changed if it is a [LinkEditor]; what a deleted resource
// of its own owned is for the host to remove.
func (s *Server) Unlink(ctx context.Context, tenant, resourceType, id string) error {
	ref := storage.Ref{Type: resourceType, ID: id}
	ctx = within(ctx, "")
	for _, e := range s.endpoints {
		for _, r := range e.typ.Relations() {
			if err := s.unlinkFrom(ctx, tenant, e, r, ref); err != nil {
				return fmt.Errorf("scim: unlink: %w", err)
			}
		}
	}
	if e := s.byName[resourceType]; e == nil || e.handler == nil || len(e.typ.Relations()) == 0 {
		return nil // it owns nothing that would be left
	}
	s.forgetSkipped(ctx, tenant, ref)
	err := s.remove(ctx, tenant, storage.Delete{Ref: ref, Change: storage.ChangeInfo{Kind: storage.KindUnlinked}})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("scim: unlink: %w", err)
	}
	return nil
}

// unlinkFrom removes a resource from one relation, whoever keeps that.
func (s *Server) unlinkFrom(ctx context.Context, tenant string, e *endpoint, r schema.RelationPath, ref storage.Ref) error {
	if e.keepsLinks() && e.can.edit == nil || !slices.Contains(r.Targets, ref.Type) {
		return nil
	}
	q := &storage.LinkQuery{
		Tenant: tenant, Relation: storage.Relation{Owner: e.typ.Name(), Name: r.Attribute}, Inverse: true,
		Of: []storage.Ref{ref}, Limit: linkPage,
	}
	for {
		owners, err := s.readLinks(ctx, s.store, q)
		if err != nil || len(owners) == 0 {
			return err
		}
		batch := &storage.Batch{Tenant: tenant, Time: s.now()}
		for _, l := range owners {
			batch.Links = append(batch.Links, storage.LinkEdit{
				Owner: l.To, Relation: r.Attribute, Remove: []storage.Ref{ref},
				Change: storage.ChangeInfo{Kind: storage.KindUnlinked, Paths: []string{r.Attribute}},
			})
		}
		if e.keepsLinks() {
			err = unlinkByHandler(ctx, e, batch)
		} else {
			_, err = s.store.Commit(ctx, batch)
		}
		if err != nil {
			return err
		}
		q.After = owners[len(owners)-1].To
	}
}

// unlinkByHandler has a handler make edits of different owners.
func unlinkByHandler(ctx context.Context, e *endpoint, batch *storage.Batch) error {
	for _, edit := range batch.Links {
		edit.Change = storage.ChangeInfo{}
		_, err := e.can.edit.EditLinks(ctx, &LinkedWrite{Tenant: batch.Tenant, ID: edit.Owner.ID, Edits: []storage.LinkEdit{edit}})
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	return nil
}

// unlinkByHandlers removes a resource of the store that was deleted from relations that
// handlers keep. The deletion stands in any case: a link to what is gone is tolerated
// by every reader.
func (s *Server) unlinkByHandlers(ctx context.Context, tenant string, ref storage.Ref) {
	ctx = within(context.WithoutCancel(ctx), "")
	for _, e := range s.endpoints {
		if !e.keepsLinks() {
			continue
		}
		for _, r := range e.typ.Relations() {
			if err := s.unlinkFrom(ctx, tenant, e, r, ref); err != nil {
				s.log.WarnContext(ctx, "scim: a deleted resource could not be removed from relations that a handler keeps; Unlink does it",
					"type", ref.Type, "id", ref.ID, "relation", e.typ.Name()+"."+r.Attribute, "error", err.Error())
			}
		}
	}
}
