package ownership

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/mailaddr"
	"github.com/musterhq/muster/scim"
)

// Guard returns the rule for later changes, for [scim.WithGuard]: a user that a
// connection owns, or adopts, gets no userName and no e-mail whose domain is not verified
// for the tenant. What the user has already may stay, and what is no address may be a
// userName. New users are not judged: which domains they may come from, and what holds
// for guests, is a policy of its own.
//
// Nobody is kept in by it: a user who is deactivated, or inactive already, gets whatever
// address comes along, as identity providers rename whom they delete. When such a user
// becomes active again, all its addresses are judged.
//
// Without Domains it judges nothing. [Rule.Option] includes it.
func (r Rule) Guard() scim.Guard { return r.guard(newKinds()) }

func (r Rule) guard(k *kinds) scim.Guard {
	return func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		if r.Domains == nil || p.Connection == r.Host && r.Host != "" {
			return nil
		}
		j := &judge{rule: r, kinds: k, tenant: p.Tenant}
		if commit, ok := scim.CommitFromContext(ctx); ok {
			j.dir = commit.Directory()
		}
		var questions []error
		for i := range effects {
			e := &effects[i]
			if e.Before == nil || e.After == nil {
				continue
			}
			foreign, err := j.foreign(ctx, e)
			if err != nil {
				return err
			}
			if len(foreign) == 0 {
				continue
			}
			refused := r.refuse(scim.Ref{Type: e.Type.Name(), ID: e.ID}, foreign)
			if !r.QueueChanges {
				return refused
			}
			questions = append(questions, refused)
		}
		return errors.Join(questions...)
	}
}

// judge looks at the effects of one commit.
type judge struct {
	rule    Rule
	kinds   *kinds
	dir     *scim.Directory // nil outside of a server
	tenant  string
	domains map[string]bool
}

// foreign returns the addresses that stand in the way of a change.
func (j *judge) foreign(ctx context.Context, e *scim.Effect) ([]newAddress, error) {
	ref := scim.Ref{Type: e.Type.Name(), ID: e.ID}
	before := e.Before
	if j.dir != nil && e.Activates() {
		all, err := j.kinds.isUnjudged(ctx, j.dir, j.tenant, ref)
		if err != nil {
			return nil, err
		}
		if all {
			before = nil
		}
	}
	fresh := newAddresses(before, e.After)
	if len(fresh) > 0 && j.domains == nil {
		var err error
		if j.domains, err = j.rule.domains(ctx, j.tenant); err != nil {
			return nil, err
		}
	}
	fresh = slices.DeleteFunc(fresh, func(n newAddress) bool { return j.domains[anyDomain] || n.ok && j.domains[n.domain] })
	if j.dir == nil || e.After.Active() || e.Owner != nil {
		return fresh, nil
	}
	if len(fresh) > 0 {
		return nil, j.kinds.leaveUnjudged(ctx, j.dir, j.tenant, ref)
	}
	if e.Deactivates() { // whoever is active has been judged
		return nil, j.kinds.forget(ctx, j.dir, j.tenant, ref)
	}
	return nil, nil
}

// newAddress is an address with the attribute that it stands in.
type newAddress struct {
	email
	attribute string
}

// newAddresses are the addresses that a resource does not have yet, and what may be
// taken for one. Without before these are all of them.
func newAddresses(before, after *scim.Resource) (fresh []newAddress) {
	name, had := "", map[string]bool{}
	if before != nil {
		name = mailaddr.Key(before.String("userName"))
		for _, e := range emails(before) {
			had[mailaddr.Key(e.text)] = true
		}
	}
	if text := after.String("userName"); looksLikeAddress(text) && mailaddr.Key(text) != name {
		n := newAddress{email: email{text: text}, attribute: "userName"}
		n.address, n.ok = parseAddress(text)
		fresh = append(fresh, n)
	}
	for _, e := range emails(after) {
		if key := mailaddr.Key(e.text); !had[key] {
			had[key] = true
			fresh = append(fresh, newAddress{e, "emails"})
		}
	}
	return fresh
}

// refuse answers a change, or lets a person decide about it.
func (r Rule) refuse(ref scim.Ref, fresh []newAddress) error {
	var attributes, texts []string
	for _, n := range fresh {
		attributes = append(attributes, n.attribute)
		texts = append(texts, n.attribute+": "+n.text)
	}
	slices.Sort(attributes)
	slices.Sort(texts)
	which := strings.Join(slices.Compact(attributes), " and ")
	if r.QueueChanges {
		return scim.NeedsApproval(ref, strings.Join(texts, ", "),
			"the new "+which+" is in a domain that is not verified for this organisation; an administrator of the application was asked to approve it, after which it is enough to send it again")
	}
	return scim.Errorf(http.StatusForbidden, "",
		"the new %s is in a domain that is not verified for this organisation; verify the domain in the application, or use an address of a verified one", which)
}
