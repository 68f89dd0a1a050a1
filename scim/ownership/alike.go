package ownership

import (
	"context"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
)

// maxSameEmail is how many accounts with one address are looked at.
const maxSameEmail = 10

// alike is the rule's [scim.Adopting.Alike], nil when it has none.
func (r Rule) alike() func(context.Context, *scim.Directory, scim.Principal, *scim.Resource) (string, []string, error) {
	if !r.ByEmail {
		return nil
	}
	return func(ctx context.Context, d *scim.Directory, p scim.Principal, sent *scim.Resource) (attribute string, ids []string, err error) {
		accounts, err := r.sameEmail(ctx, d, p.Tenant, sent)
		if err != nil {
			return "", nil, err
		}
		var proved []string
		for _, a := range accounts {
			ids = append(ids, a.Resource.ID())
			ok, err := r.proves(ctx, p.Tenant, a, sent)
			if err != nil {
				return "", nil, err
			}
			if ok {
				proved = append(proved, a.Resource.ID())
			}
		}
		switch len(proved) {
		case 0: // each is a question, or declined
			return "emails", ids, nil
		case 1: // who merely names the address is not meant
			return "emails", proved, nil
		}
		return "", nil, nil
	}
}

// sameEmail returns the accounts of the host's own that have an address that is sent,
// in a verified domain. Others are not looked for, so that nobody learns which there
// are.
func (r Rule) sameEmail(ctx context.Context, d *scim.Directory, tenant string, sent *scim.Resource) (accounts []scim.DirectoryEntry, err error) {
	value, ok := emailValue(sent.Type())
	if !ok {
		return nil, nil
	}
	domains, err := r.domains(ctx, tenant)
	if err != nil {
		return nil, err
	}
	texts := []string{sent.String("userName")}
	for _, e := range emails(sent) {
		if e.work {
			texts = append(texts, e.text)
		}
	}
	known := map[string]bool{}
	for _, text := range texts {
		if a, ok := parseAddress(text); !ok || !domains[a.domain] {
			continue
		}
		key, _ := filter.Key(resource.Text(value, text))
		where := filter.NewPlan(sent.Type(), filter.Compare{Path: value, Op: filter.Eq, Operand: filter.Operand{Text: text, Key: key}})
		found, err := d.Find(ctx, tenant, where, "", maxSameEmail)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if id := e.Resource.ID(); (e.Connection == r.Host || e.Connection == "") && !known[id] {
				known[id] = true
				accounts = append(accounts, e)
			}
		}
	}
	return accounts, nil
}

// emailValue is the attribute that holds the addresses of a user.
func emailValue(t *scim.Type) (scim.Path, bool) {
	all, ok := t.Root().Lookup("emails")
	if !ok {
		return scim.Path{}, false
	}
	return all.Lookup("value")
}
