package scim

import (
	"net/http"

	"github.com/musterhq/muster/scim/schema"
)

// endpoint is a resource type as it is served.
type endpoint struct {
	typ     *Type
	handler *hosted // nil: kept in the store
	can     abilities
	active  Path // the boolean attribute "active", or zero
	secret  Path // the attribute "password", or zero
	kept    []Path
	fixed   []Path
	// made are readOnly attributes of the document, which the host sets: what clients
	// send leaves them as they are.
	made []Path
	bare *Resource
	// onRequest are the attributes that are returned only when asked for.
	onRequest []Path
}

func newEndpoint(t *Type, h *hosted) *endpoint {
	e := &endpoint{typ: t, handler: h, bare: bareResource(t)}
	if h != nil {
		e.can = h.abilities()
	}
	if p, ok := t.Root().Lookup("active"); ok && p.Attribute().Type == schema.Boolean && !p.Attribute().MultiValued {
		e.active = p
	}
	if p, ok := t.Root().Lookup("password"); ok && p.Secret() {
		e.secret = p
	}
	for i := 1; i <= t.Len(); i++ {
		p := t.PathAt(i)
		a := p.Attribute()
		if a.Returned == schema.ReturnedRequest {
			e.onRequest = append(e.onRequest, p)
		}
		if !p.MultiValued().IsZero() && p.MultiValued() != p || !p.InDocument() {
			continue
		}
		switch {
		case a.Mutability == schema.Immutable:
			e.fixed = append(e.fixed, p)
		case p.Secret() && a.Mutability == schema.WriteOnly:
			e.kept = append(e.kept, p)
		case a.Mutability == schema.ReadOnly && (p.Parent().IsZero() || !p.Parent().ReadOnly()):
			e.made = append(e.made, p)
		}
	}
	return e
}

// allows reports whether the method works on the type.
func (e *endpoint) allows(m Method) bool {
	if e.handler == nil {
		return true
	}
	switch m {
	case Create:
		return e.can.create != nil
	case Replace:
		return e.can.replace != nil
	case Patch:
		return e.can.patch != nil || e.can.replace != nil || e.can.edit != nil
	case Delete:
		return e.can.delete != nil
	}
	return true
}

// keepsLinks reports whether the handler keeps the relations that its resources own.
func (e *endpoint) keepsLinks() bool { return e != nil && e.can.link != nil }

func (s *Server) notAllowed(e *endpoint, m Method) error {
	return Errorf(http.StatusMethodNotAllowed, "", "%s resources cannot be changed in this way here (%s)", e.typ.Name(), m)
}

// requested are the attributes that are returned only on request and that the
// request itself wrote: its answer shows them (RFC 7643 section 7).
func (e *endpoint) requested(sent func(Path) bool) (paths []Path) {
	for _, p := range e.onRequest {
		if sent(p) {
			paths = append(paths, p)
		}
	}
	return paths
}
