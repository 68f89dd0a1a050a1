// Package ownership is the ready policy for who owns which user and group: what
// happens when an identity provider sends somebody whom the host has already, and
// what happens when an identity provider is set up anew, or replaced by another one.
//
// A resource belongs to a connection, the link of one identity provider into a tenant.
// What the host makes by itself, in process, belongs to a connection of the host's own
// choosing, [Rule.Host]. A connection sees and changes what it owns.
//
// # Adoption
//
// A [Rule] lets an identity provider take over an account of the host's own when it
// proves, as far as that is possible, that both are one person: what the identity
// provider sends as userName or work e-mail is the address that the host has verified
// for the account, and the domain of the address is one that the host has verified for
// the tenant. What the rule does not settle is declined, or waits for a person
// (scim.Server.Approvals).
//
//	rule := ownership.Rule{
//		Host:     "app",
//		Domains:  func(ctx context.Context, tenant string) ([]string, error) { … },
//		Verified: func(ctx context.Context, tenant string, account scim.DirectoryEntry) (string, bool, error) { … },
//	}
//	srv, err := scim.New(store, auth, rule.Option())
//
// The same check is made of later changes: an owned user gets no userName and no e-mail
// in a domain that is not the tenant's.
//
// # Handover
//
// An [Ownership] moves what a connection has to another one: [Ownership.Replace] lets a
// connection adopt what another one had, one by one as it sends it, and
// [Ownership.Transfer] moves everything at once, after [Ownership.Preview] has shown
// what that is. Ids, links and so roles stay as they are.
//
// A group that was handed over has members whom the new connection may know nothing
// of. It is under [Review] until the host has kept or revoked them.
package ownership
