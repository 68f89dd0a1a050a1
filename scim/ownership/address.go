package ownership

import (
	"cmp"
	"context"
	"strings"

	"github.com/musterhq/muster/internal/mailaddr"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// address is an e-mail address in the form by which addresses compare.
type address struct{ local, domain string }

// parseAddress reads an address. ok is false for what is none without doubt.
func parseAddress(text string) (a address, ok bool) {
	domain, ok := mailaddr.Domain(text)
	if !ok {
		return address{}, false
	}
	local, _, _ := strings.Cut(text, "@")
	return address{schema.Fold(local), domain}, true
}

// looksLikeAddress reports whether somebody may take a userName for an address:
// it has an "@", or a wide or small one, which some program turns into that.
func looksLikeAddress(name string) bool { return strings.ContainsAny(name, "@＠﹫") }

// sends reports whether a resource has the address as its userName, or as its e-mail
// for work: one of that type or of none.
func sends(r *scim.Resource, want address) bool {
	if got, ok := parseAddress(r.String("userName")); ok && got == want {
		return true
	}
	for _, e := range emails(r) {
		if e.work && e.ok && e.address == want {
			return true
		}
	}
	return false
}

// email is an element of the attribute emails.
type email struct {
	address
	text string
	ok   bool // the text is an address
	work bool // it is of the type work, or of none
}

func emails(r *scim.Resource) (list []email) {
	all := r.Lookup("emails")
	value, _ := all.Path().Lookup("value")
	kind, typed := all.Path().Lookup("type")
	for element := range all.Elements() {
		v := element.Get(value)
		if v.IsZero() {
			continue
		}
		e := email{text: v.Text(), work: true}
		if typed && !element.Get(kind).IsZero() {
			e.work = strings.EqualFold(element.Get(kind).Text(), "work")
		}
		e.address, e.ok = parseAddress(e.text)
		list = append(list, e)
	}
	return list
}

// anyDomain stands for all domains in what may be given to a user later. It proves nothing.
const anyDomain = "*"

// domains are the verified domains of a tenant in canonical form.
func (r Rule) domains(ctx context.Context, tenant string) (map[string]bool, error) {
	if r.Domains == nil {
		return nil, nil
	}
	names, err := r.Domains(ctx, tenant)
	if err != nil {
		return nil, err
	}
	domains := make(map[string]bool, len(names))
	for _, name := range names {
		if domain, ok := mailaddr.Canonical(name); ok || name == anyDomain {
			domains[cmp.Or(domain, anyDomain)] = true
		}
	}
	return domains, nil
}
