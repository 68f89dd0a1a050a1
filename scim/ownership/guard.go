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

// Guard is a [scim.Guard]: a user that a connection owns, or adopts, gets no userName
// and no e-mail whose domain is not verified for the tenant. What the user has already
// may stay, and what is no address may be a userName. New users are not judged: which
// domains they may come from, and what holds for guests, is a policy of its own.
//
// [Rule.Option] includes it.
func (r Rule) Guard(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
	if p.Connection == r.Host && r.Host != "" {
		return nil
	}
	var domains map[string]bool
	var questions []error
	for i := range effects {
		e := &effects[i]
		if e.Before == nil || e.After == nil {
			continue
		}
		fresh := newAddresses(e.Before, e.After)
		if len(fresh) == 0 {
			continue
		}
		if domains == nil {
			var err error
			if domains, err = r.domains(ctx, p.Tenant); err != nil {
				return err
			}
		}
		fresh = slices.DeleteFunc(fresh, func(n newAddress) bool { return n.ok && domains[n.domain] })
		if len(fresh) == 0 {
			continue
		}
		refused := r.refuse(scim.Ref{Type: e.Type.Name(), ID: e.ID}, fresh)
		if !r.QueueChanges {
			return refused
		}
		questions = append(questions, refused)
	}
	return errors.Join(questions...)
}

// newAddress is an address with the attribute that it stands in.
type newAddress struct {
	email
	attribute string
}

// newAddresses are the addresses that a resource does not have yet, and what may be
// taken for one.
func newAddresses(before, after *scim.Resource) (fresh []newAddress) {
	if name := after.String("userName"); looksLikeAddress(name) && mailaddr.Key(name) != mailaddr.Key(before.String("userName")) {
		n := newAddress{email: email{text: name}, attribute: "userName"}
		n.address, n.ok = parseAddress(name)
		fresh = append(fresh, n)
	}
	had := map[string]bool{}
	for _, e := range emails(before) {
		had[mailaddr.Key(e.text)] = true
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
