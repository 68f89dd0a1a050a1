package ownership

import (
	"context"
	"unicode"

	"github.com/musterhq/muster/scim"
)

// Rule decides about claims ([scim.Claim]) and about changes of addresses. Its zero
// value adopts nothing but what was replaced ([Ownership.Replace]). It is used by
// value and must not be changed once Option was called; its functions are called
// concurrently.
type Rule struct {
	// Host is the connection under which the host makes accounts by itself, in process.
	// See [scim.Adopting]. Changes that the host makes under it are not judged.
	Host string
	// Domains returns the e-mail domains that the host has verified for a tenant, by a
	// DNS record for instance. A domain counts without its subdomains. Upper case, a
	// final dot, and whether a name is written in Unicode or in Punycode make no
	// difference; what is no domain name is passed over. "*", as in policy.Domains, lets
	// users be given addresses of all domains, and verifies none. nil: no domain is
	// verified, so that no address proves anything, and changes of addresses are not
	// judged.
	Domains func(ctx context.Context, tenant string) ([]string, error)
	// Verified returns the address that the host has verified for an existing account:
	// by a mail with a link, or a sign-in. ok is false when there is none. An address
	// that the account merely names must not be returned. nil: none is verified.
	Verified func(ctx context.Context, tenant string, account scim.DirectoryEntry) (email string, ok bool, err error)
	// ByEmail also looks for accounts of the host's own that have another userName and
	// an e-mail that is sent, in a verified domain. Where several accounts could be
	// meant, none is adopted. Without ByEmail only an account of the same userName is
	// met, and somebody who is called otherwise gets a second one.
	ByEmail bool
	// Otherwise is what becomes of claims that the rule does not settle: scim.Decline,
	// the default, or scim.Queue. It also holds for accounts that are not active, which
	// somebody switched off for a reason, and for groups that the host made.
	// scim.Adopt would adopt everything of the host's; it is taken for scim.Queue.
	Otherwise scim.Adoption
	// QueueChanges lets a person decide about addresses in domains that are not
	// verified. Without it such changes are refused (403).
	QueueChanges bool
}

// Option makes the rule part of a server: claims are decided by it, changes are
// judged by [Rule.Guard], and groups that are adopted come under review.
func (r Rule) Option() scim.Option {
	k := newKinds()
	return scim.Options(
		scim.WithAdoption(scim.Adopting{
			Host: r.Host,
			Replaced: func(ctx context.Context, d *scim.Directory, p scim.Principal) ([]string, error) {
				return k.replacedBy(ctx, d.Store(), p.Tenant, p.Connection)
			},
			Alike:  r.alike(),
			Decide: r.Decide,
		}),
		scim.WithGuard(r.guard(k), k.review),
	)
}

// Decide answers a claim, see [scim.Adopting].
//
// A resource of a connection that the caller's replaces is adopted by its name alone,
// since a person has said so; but not by one that is empty or a number, which may mean
// somebody else at another identity provider. An account of the host's own is adopted
// when it is active and the verified address was sent.
func (r Rule) Decide(ctx context.Context, c *scim.Claim) (scim.Adoption, error) {
	isGroup := c.Type.Name() == groupType
	switch {
	case c.Attribute == "externalId":
		return r.otherwise(), nil // identity providers use the same ones
	case c.Existing.Connection != r.Host && c.Existing.Connection != "":
		if isNumber(c.Sent.String(c.Attribute)) && !isGroup {
			return r.otherwise(), nil
		}
		return scim.Adopt, nil
	case isGroup:
		return r.otherwise(), nil
	}
	proved, err := r.proves(ctx, c.Principal.Tenant, c.Existing, c.Sent)
	if err != nil {
		return scim.Decline, err
	}
	if !proved {
		return r.otherwise(), nil
	}
	return scim.Adopt, nil
}

func (r Rule) otherwise() scim.Adoption {
	if r.Otherwise == scim.Adopt {
		return scim.Queue
	}
	return r.Otherwise
}

// proves reports whether what was sent proves that it means an existing account.
func (r Rule) proves(ctx context.Context, tenant string, existing scim.DirectoryEntry, sent *scim.Resource) (bool, error) {
	if r.Verified == nil || !existing.Resource.Active() {
		return false, nil
	}
	email, ok, err := r.Verified(ctx, tenant, existing)
	if err != nil || !ok {
		return false, err
	}
	verified, ok := parseAddress(email)
	if !ok || !sends(sent, verified) {
		return false, nil
	}
	domains, err := r.domains(ctx, tenant)
	return domains[verified.domain], err
}

// isNumber reports whether a name holds no letter: an employee number, or nothing.
func isNumber(name string) bool {
	for _, c := range name {
		if unicode.IsLetter(c) {
			return false
		}
	}
	return true
}
