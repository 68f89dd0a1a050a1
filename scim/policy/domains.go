package policy

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/musterhq/muster/internal/mailaddr"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// Domains lets users have e-mail addresses of the customer's own domains only, so
// that an identity provider cannot provision people of other companies, and nobody
// receives mail or signs in under an address that is not the customer's to give.
//
// Judged are userName, when there is an "@" in it, and every value of emails. An
// address is judged when it is new to an active user, and all of them when a user
// becomes active: so users from before the rule can still be changed, and always be
// deactivated and deleted, whatever else the same request changes. An inactive user is
// not judged.
//
// Domains compare without regard to case, internationalised ones in either form, and
// exactly otherwise. An address that could be read in two ways, with a second "@" or
// quotes, is refused. So is one of emails that is no address.
type Domains struct {
	// Allowed returns the domains of a tenant, such as "example.com"; "*" stands for
	// all. With none, no address is allowed: a host that has customers without a
	// domain returns "*" for them. It is required, and called when there is an address
	// to judge.
	Allowed func(ctx context.Context, tenant string) ([]string, error)
	// Subdomains allows addresses of domains below the allowed ones too. Leave it off
	// when a customer may give names below its domain to others.
	Subdomains bool
	// WorkOnly judges, of emails, only the primary one, those of type "work", those
	// without a type, and [scim.Resource.BestEmail]: for hosts that never write to
	// another and let nobody sign in with one.
	WorkOnly bool
	// Exempt returns whether a user of a tenant may have any address, [IsGuest] for
	// instance. A user who was exempt and is no longer is judged like one who becomes
	// active. nil exempts nobody.
	Exempt func(ctx context.Context, tenant string, user *scim.Resource) (bool, error)
}

// IsGuest reports whether the identity provider says that a user is a guest:
// userType is "Guest", in any case. Entra ID calls users of other organisations so,
// and sends their own address as userName. What a guest may do in the host must
// follow from the same attribute: whoever runs the identity provider can call anybody
// a guest.
func IsGuest(user *scim.Resource) bool {
	return schema.Fold(user.String("userType")) == "guest"
}

// Guard returns the rule for [scim.WithGuard]. It panics without Allowed.
func (d Domains) Guard() scim.Guard {
	if d.Allowed == nil {
		panic("policy: Domains needs Allowed")
	}
	return func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		var allowed *allowedDomains
		for i := range effects {
			e := &effects[i]
			if e.Type.Name() != userType || e.After == nil || !e.After.Active() {
				continue
			}
			judged, err := d.judged(ctx, p.Tenant, e)
			if err != nil {
				return err
			}
			if len(judged) > 0 && allowed == nil {
				if allowed, err = d.allowed(ctx, p.Tenant); err != nil {
					return err
				}
			}
			for _, a := range judged {
				if !allowed.has(a.value) {
					return scim.Errorf(http.StatusForbidden, "",
						"%s is not an address of a domain that this organisation may use; correct it, or have its domain added in the application", a.where)
				}
			}
		}
		return nil
	}
}

// address is one address with the attribute that it stands in.
type address struct{ where, value string }

// judged returns the addresses of a user that are to be judged.
func (d Domains) judged(ctx context.Context, tenant string, e *scim.Effect) ([]address, error) {
	before := e.Before
	if before != nil && !before.Active() {
		before = nil
	}
	now := d.addresses(e.After)
	if before != nil && len(e.Changes) == 0 || len(now) == 0 {
		return nil, nil
	}
	if d.Exempt != nil {
		if exempt, err := d.Exempt(ctx, tenant, e.After); exempt || err != nil {
			return nil, err
		}
		if before != nil {
			was, err := d.Exempt(ctx, tenant, before)
			if err != nil {
				return nil, err
			}
			if was {
				before = nil
			}
		}
	}
	if before == nil {
		return now, nil
	}
	old := map[string]bool{}
	for _, a := range d.addresses(before) {
		old[mailaddr.Key(a.value)] = true
	}
	var judged []address
	for _, a := range now {
		if !old[mailaddr.Key(a.value)] {
			judged = append(judged, a)
		}
	}
	return judged, nil
}

// addresses returns the addresses of a user that matter.
func (d Domains) addresses(user *scim.Resource) (out []address) {
	if name := user.String("userName"); strings.ContainsAny(name, "@＠﹫") {
		out = append(out, address{"userName", name})
	}
	emails, best := user.Lookup("emails"), user.BestEmail()
	part := func(v scim.Value, name string) scim.Value {
		if p, ok := emails.Path().Lookup(name); ok {
			return v.Get(p)
		}
		return scim.Value{}
	}
	i := 0
	for e := range emails.Elements() {
		value, kind := part(e, "value"), part(e, "type").Text()
		if !value.IsZero() && (!d.WorkOnly || kind == "" || strings.EqualFold(kind, "work") || part(e, "primary").Bool() || value.Text() == best) {
			out = append(out, address{fmt.Sprintf("emails[%d].value", i), value.Text()})
		}
		i++
	}
	return out
}

// allowedDomains are the domains of a tenant in the form in which they compare.
type allowedDomains struct {
	all, below bool
	domains    []string
}

func (d Domains) allowed(ctx context.Context, tenant string) (*allowedDomains, error) {
	list, err := d.Allowed(ctx, tenant)
	if err != nil {
		return nil, err
	}
	a := &allowedDomains{below: d.Subdomains}
	for _, name := range list {
		domain, ok := mailaddr.Canonical(name)
		switch {
		case name == "*":
			a.all = true
		case !ok:
			return nil, fmt.Errorf("policy: one of the tenant's allowed domains is no domain: %q", name)
		default:
			a.domains = append(a.domains, domain)
		}
	}
	return a, nil
}

// has reports whether the domain of an address is among them.
func (a *allowedDomains) has(address string) bool {
	if a.all {
		return true
	}
	domain, ok := mailaddr.Domain(address)
	for _, d := range a.domains {
		if ok && (domain == d || a.below && mailaddr.Within(domain, d)) {
			return true
		}
	}
	return false
}
