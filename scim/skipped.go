package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/musterhq/muster/storage"
)

// Members that a request named and that do not exist are left out, and the client
// will not send them again by itself. They are remembered for each owner, in the
// same store, as a record of a private type that no endpoint serves.

const skippedType = "muster:skipped"

// maxSkipped bounds what is remembered of one owner; the oldest are forgotten.
const maxSkipped = 1000

// Skipped returns the ids that clients wanted to put into the relations of a
// resource (the members of a group) and that were left out because there was no
// such resource, oldest first, the last 1,000 at the most; and with
// [WithMembershipsOfUsers] those of groups that a user was to become a member of. Those that have become
// members since are not among them. A host shows the list to an admin, or asks the
// identity provider to push the group again.
func (s *Server) Skipped(ctx context.Context, tenant, resourceType, id string) ([]string, error) {
	e := s.byName[resourceType]
	if e == nil {
		return nil, ErrNotFound
	}
	owner := storage.Ref{Type: resourceType, ID: id}
	_, ids, err := s.readSkipped(ctx, tenant, owner)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	present := map[string]bool{}
	find := func(q storage.LinkQuery, targets ...string) error {
		q.Tenant, q.Of = tenant, []storage.Ref{owner}
		for _, id := range ids {
			for _, t := range targets {
				q.Other = append(q.Other, storage.Ref{Type: t, ID: id})
			}
		}
		links, err := s.readLinks(ctx, s.store, &q)
		if err != nil {
			return fmt.Errorf("scim: skipped members: %w", err)
		}
		for _, l := range links {
			present[l.To.ID] = true
		}
		return nil
	}
	for _, r := range e.typ.Relations() {
		q := storage.LinkQuery{Relation: storage.Relation{Owner: resourceType, Name: r.Attribute}}
		if err := find(q, r.Targets...); err != nil {
			return nil, err
		}
	}
	for _, r := range e.typ.Inverses() {
		q := storage.LinkQuery{Relation: storage.Relation{Owner: r.Owner, Name: r.Relation}, Inverse: true}
		if err := find(q, r.Owner); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(ids, func(id string) bool { return present[id] }), nil
}

func (s *Server) readSkipped(ctx context.Context, tenant string, owner storage.Ref) (rec *storage.Record, ids []string, err error) {
	rec, err = s.store.Get(ctx, tenant, skippedRef(owner))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("scim: skipped members: %w", err)
	}
	var doc struct{ IDs []string }
	if err := json.Unmarshal(rec.Doc, &doc); err != nil {
		return nil, nil, fmt.Errorf("scim: skipped members: %w", err)
	}
	return rec, doc.IDs, nil
}

func skippedRef(owner storage.Ref) storage.Ref {
	return storage.Ref{Type: skippedType, ID: owner.Type + "/" + owner.ID}
}

// noteSkipped remembers members that were left out. It is not worth failing a
// request that has been committed: an error is logged.
func (s *Server) noteSkipped(ctx context.Context, op *Operation, owner storage.Ref, dropped []Member) {
	ctx = context.WithoutCancel(ctx)
	var err error
	for range 10 { // others may be writing the same list
		var rec *storage.Record
		var ids []string
		if rec, ids, err = s.readSkipped(ctx, op.Principal.Tenant, owner); err == nil {
			err = s.writeSkipped(ctx, op, owner, rec, ids, dropped)
		}
		if !isConflict(err) {
			break
		}
	}
	if err != nil {
		s.log.WarnContext(ctx, "scim: members that do not exist could not be noted", "type", owner.Type, "id", owner.ID, "error", err.Error())
	}
}

func (s *Server) writeSkipped(ctx context.Context, op *Operation, owner storage.Ref, rec *storage.Record, ids []string, dropped []Member) error {
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	before := len(ids)
	for _, m := range dropped {
		if !known[m.ID] && len(m.ID) <= maxSegment { // no resource has a longer id
			known[m.ID] = true
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == before {
		return nil
	}
	ids = ids[max(0, len(ids)-maxSkipped):]
	doc, err := json.Marshal(struct{ IDs []string }{ids})
	if err != nil {
		return err
	}
	put := storage.Put{
		Record:   &storage.Record{Ref: skippedRef(owner), Connection: op.Principal.Connection, Created: s.now(), Doc: doc},
		IfAbsent: rec == nil, Change: storage.ChangeInfo{Kind: "skipped"},
	}
	if rec != nil {
		put.IfVersion = rec.Version
	}
	_, err = s.store.Commit(ctx, &storage.Batch{Tenant: op.Principal.Tenant, Time: s.now(), Puts: []storage.Put{put}})
	return err
}

// removeSkipped ends the list of an owner, if there is one.
func (s *Server) removeSkipped(ctx context.Context, tenant string, owner storage.Ref) error {
	err := s.remove(ctx, tenant, storage.Delete{Ref: skippedRef(owner), Change: storage.ChangeInfo{Kind: "skipped"}})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// forgetSkipped ends the list of an owner that is deleted already.
func (s *Server) forgetSkipped(ctx context.Context, tenant string, owner storage.Ref) {
	if err := s.removeSkipped(context.WithoutCancel(ctx), tenant, owner); err != nil {
		s.log.WarnContext(ctx, "scim: the list of a deleted resource's missing members could not be removed", "type", owner.Type, "id", owner.ID, "error", err.Error())
	}
}
