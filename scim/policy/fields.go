package policy

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/schema"
)

// Fields says which attributes of provisioned users are the host's: those that users
// set in the host themselves, such as a time zone or the name they go by. All others
// are the identity provider's.
//
// What a client sends for an attribute of the host is taken when the user is created,
// as a first value. From then on it has no effect: the rest of the request is done,
// the attribute stays as it is, and [scim.Report.Ignored] names it. Identity providers
// that send whole users again and again do no harm with it.
//
// The other side is the host's own: before it lets somebody edit an attribute in its
// user interface it asks [Fields.Editable]. What the host does with [scim.Server.Do]
// is not held back.
type Fields struct {
	// Host are the attributes of the host: "displayName", "name.givenName", or those of
	// an extension by their full name or the extension's URN. A part of a multi-valued
	// attribute cannot be named, only the whole. userName, externalId and active cannot
	// be the host's: identity providers find users by the first two, and take them out
	// by the third.
	Host []string
	// Refuse answers 400 (mutability) to what would change an attribute of the host,
	// instead of ignoring it. Identity providers that write by PUT, Okta for one, fail
	// for good then once a user has another value in the host.
	Refuse bool
	// Own are the names of connections under which the host makes users itself. All
	// attributes of their users are editable.
	Own []string
}

// Amendment returns the rule for [scim.WithAmendment]. When Host names what users do
// not have or what cannot be the host's, every write of a client fails, so that no
// test of the host misses it.
//
// It also holds people who look after their own account ([scim.Principal.OnlyMe]) to
// the attributes of the host.
func (f Fields) Amendment() scim.Amendment {
	return func(_ context.Context, op *scim.Operation, before, after *scim.Resource) (*scim.Resource, error) {
		if op.Type.Name() != userType || before == nil || op.Request == nil {
			return after, nil
		}
		host, err := f.paths(op.Type)
		if err != nil {
			return nil, err
		}
		if op.Principal.OnlyMe {
			if len(patch.Diff(restore(host, after, before), after)) > 0 {
				return nil, scim.Errorf(http.StatusForbidden, scim.Mutability,
					"a part of this is managed by your organisation and can be changed there only")
			}
			return after, nil
		}
		for _, p := range host {
			if v := after.Get(p); v.Equal(before.Get(p)) || v.IsZero() && op.Method == scim.Replace {
				continue // a PUT that leaves it out does not ask for anything
			}
			if f.Refuse {
				return nil, scim.Errorf(http.StatusBadRequest, scim.Mutability, "attribute %q is managed in the application and cannot be changed from outside", p)
			}
			op.Ignore(p.String())
		}
		return restore(host, before, after), nil
	}
}

// restore returns a resource with the values that some attributes have in another.
func restore(paths []schema.Path, from, to *scim.Resource) *scim.Resource {
	b, changed := to.Edit(), false
	for _, p := range paths {
		if v := from.Get(p); !v.Equal(to.Get(p)) {
			b.SetValue(p, v)
			changed = true
		}
	}
	if !changed {
		return to
	}
	return b.Resource()
}

// Editable reports whether the host may let somebody edit an attribute of a user: it
// is one of the host's, or lies in one, or the user is one of the host's own. An
// attribute that users do not have is not editable, and neither is one of which a part
// is the identity provider's.
func (f Fields) Editable(user scim.DirectoryEntry, attribute string) bool {
	t := user.Resource.Type()
	p, err := t.Resolve(attribute)
	if err != nil {
		return false
	}
	if slices.Contains(f.Own, user.Connection) {
		return true
	}
	host, err := f.paths(t)
	return err == nil && covers(host, p)
}

// covers reports whether an attribute lies in one of some, or all of its parts do.
func covers(paths []schema.Path, p schema.Path) bool {
	for q := p; !q.IsZero(); q = q.Parent() {
		if slices.Contains(paths, q) {
			return true
		}
	}
	for i := range p.NumChildren() {
		if !covers(paths, p.Child(i)) {
			return false
		}
	}
	return p.NumChildren() > 0
}

// paths returns the attributes of the host, those of an extension one by one.
func (f Fields) paths(t *scim.Type) ([]schema.Path, error) {
	var out []schema.Path
	for _, name := range f.Host {
		p, err := t.Resolve(name)
		switch {
		case err != nil:
			return nil, fmt.Errorf("policy: Fields: users have no attribute %s", name)
		case p.Secret() || slices.Contains([]string{"userName", "externalId", "active"}, p.String()):
			return nil, fmt.Errorf("policy: Fields: %s cannot be the host's", name)
		case !p.InDocument() || !p.MultiValued().IsZero() && p.MultiValued() != p:
			return nil, fmt.Errorf("policy: Fields: %s cannot be the host's: it is part of a list, or a list of links", name)
		case p.IsExtension():
			for i := range p.NumChildren() {
				out = append(out, p.Child(i))
			}
		default:
			out = append(out, p)
		}
	}
	return out, nil
}
