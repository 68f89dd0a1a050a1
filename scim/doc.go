// Package scim is a SCIM 2.0 service provider (RFC 7643, RFC 7644) for
// embedding in a host application. The host mounts one [http.Handler]; identity
// providers create, update, deactivate and delete its users and groups through
// it.
//
//	srv, err := scim.New(memory.New(), scim.BearerToken("secret"))
//	…
//	http.Handle("/scim/v2/", http.StripPrefix("/scim/v2", srv))
//
// [New] needs a place to keep resources and a way to know callers; everything
// else is an [Option] with a default that suits real identity providers. A
// [Server] is immutable once made and safe for concurrent use; two servers with
// different schemas live in one process without knowing of each other.
//
// # Depths
//
//   - With a store of ours (storage/memory and others) there is nothing to
//     write.
//   - A [storage.Store] connects another database; package storage says how.
//   - A [ResourceHandler] serves a resource type from the host's own tables.
//
// # The way of a request
//
// authenticate → route → decode → validate → operate → project → encode.
// Authentication yields a [Principal] with a tenant and a connection; nothing
// reaches across tenants, and by default a connection sees and changes only what
// it created. Decoding follows the dialect of the connection, see package
// dialect. An operation runs through [Interceptor]s; what it is about to commit
// is shown to [Guard]s, which may refuse; what was committed goes to the
// subscribers of [Server.Subscribe]. Every answer is a SCIM body, a panic's too.
//
// # Options
//
// Most hosts need none or a few. By what one wants to do:
//
//   - mount it: [WithBaseURL], [WithPathPrefix], [WithTrustedForwarded],
//     [WithPublicDiscovery], [WithDocumentationURI]
//   - have other types or attributes, or serve them from one's own tables:
//     [WithResourceType], [WithoutResourceType], [WithHandler]
//   - decide what may be done, see also package policy: [WithGuard],
//     [WithAmendment], [WithInterceptor], [WithHookTimeout]
//   - say whose users they are, see also package ownership: [WithAdoption],
//     [WithSharing], [WithTombstones], [WithRevive], [WithImmutableExternalID]
//   - do something with what is not kept: [WithPassword], [WithReport]
//   - suit a client: [WithDialect], [WithRejectUnknown], [WithUnknownMembers],
//     [WithPatchNoContent], [WithAtomicBulk]
//   - let people look after their own account: [WithMe]
//   - show groups otherwise: [WithIndirectGroups], [WithMembershipsOfUsers]
//   - operate it: [WithLogger], [WithLimits], [WithCursorKey],
//     [WithCursorTimeout], [WithClock]
//
// [Options] makes one of several. docs/reference.md has them in a table with what
// happens without each.
//
// # Choices
//
// Where the RFCs leave a choice, this is what happens, and what changes it:
//
//   - A user's PATCH is answered 200 with the resource, a group's 204
//     ([WithPatchNoContent]).
//   - DELETE keeps a hidden tombstone ([WithTombstones]), which the host ends with
//     [Server.Purge] when it is old; the name is free for clients at once.
//   - A user without "active" is active, and nothing but an explicit true
//     reactivates one. A PUT that leaves "active" out keeps it.
//   - A create with the userName of an account that another connection has, or the
//     host itself, is answered 409 ([WithAdoption]).
//   - Group names are unique within a connection (schema.Group).
//   - Members that do not exist are left out, reported, and the rest applied
//     ([WithUnknownMembers]).
//   - Lists are paged by index, or by cursor where a request asks for it; a cursor
//     is good for an hour ([WithCursorKey], [WithCursorTimeout]).
//   - A request may prefer an answer with or without the resource (RFC 7240); one
//     that names attributes gets them.
//   - /Me is answered only where the host says who is who ([WithMe]).
//   - Passwords are handed to a hook and never kept ([WithPassword]).
package scim
