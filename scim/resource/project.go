package resource

import (
	"slices"
	"strings"

	"github.com/musterhq/muster/scim/schema"
)

// Projection is a compiled choice of attributes (RFC 7644 section 3.9). Safe
// for concurrent use. A nil Projection is the default set.
type Projection struct {
	parts []extent // by schema.Path.Index
}

// extent is how much of an attribute is shown.
type extent uint8

const (
	nothing extent = iota
	some           // some sub-attributes
	all
)

// NewProjection compiles the parameters attributes and excludedAttributes. A name
// may be that of an attribute, a sub-attribute, or the URN of a schema, which
// stands for all its attributes. White space around names and empty ones do not
// count. Names that the type does not have are ignored. Both at once is an error
// of the caller, who refuses such requests; attributes wins. Attributes that are
// always returned stay, those never returned stay out, and those returned on
// request come only when named. sent lists paths that a write named, which shows
// attributes of "returned": "request" in its answer, unless attributes says
// what to show.
func NewProjection(t *schema.Type, attributes, excluded []string, sent ...schema.Path) *Projection {
	pr := projector{parts: make([]extent, t.Len()+1), sent: sent}
	var only, without bool
	pr.named, only = resolve(t, attributes)
	if only {
		pr.only = true
	} else if pr.named, without = resolve(t, excluded); !without && !slices.ContainsFunc(sent, onRequest) {
		return nil
	}
	pr.visit(t.Root(), !only)
	return &Projection{pr.parts}
}

// resolve marks the attributes that names reach, by index; any says that there
// was a name at all, known or not.
func resolve(t *schema.Type, names []string) (named []bool, any bool) {
	named = make([]bool, t.Len()+1)
	for _, name := range names {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		any = true
		if p, err := t.Resolve(name); err == nil {
			named[p.Index()] = true
		} else if strings.EqualFold(name, t.Schema()) {
			root := t.Root()
			for i := range root.NumChildren() {
				if p := root.Child(i); !p.IsExtension() && !p.IsCommon() {
					named[p.Index()] = true
				}
			}
		}
	}
	return named, any
}

// projector decides attribute by attribute, from the top down.
type projector struct {
	parts []extent
	named []bool
	only  bool // named attributes are shown, rather than left out
	sent  []schema.Path
}

// visit decides on what lies below p, given whether p is shown by what stands
// above, and returns the extent of p itself.
func (pr *projector) visit(p schema.Path, shown bool) extent {
	if p.Index() > 0 {
		a, named := p.Attribute(), pr.named[p.Index()]
		switch {
		case a.Returned == schema.ReturnedNever || a.Mutability == schema.WriteOnly:
			return nothing
		case a.Returned == schema.ReturnedAlways:
			shown = true
		case named:
			shown = pr.only
		case a.Returned == schema.ReturnedRequest:
			shown = shown && !pr.only && pr.wasSent(p)
		}
	}
	parts, full := 0, true
	for i := range p.NumChildren() {
		switch pr.visit(p.Child(i), shown) {
		case nothing:
			full = false
		case some:
			full = false
			parts++
		case all:
			parts++
		}
	}
	e := some
	switch {
	case p.NumChildren() == 0 && shown, parts > 0 && full:
		e = all
	case parts == 0:
		e = nothing
	}
	pr.parts[p.Index()] = e
	return e
}

// onRequest reports whether p, or something around or inside it, is returned on
// request only.
func onRequest(p schema.Path) bool {
	for up := p; !up.IsZero(); up = up.Parent() {
		if up.Attribute().Returned == schema.ReturnedRequest {
			return true
		}
	}
	for i := range p.NumChildren() {
		if onRequest(p.Child(i)) {
			return true
		}
	}
	return false
}

// wasSent reports whether a write named p, or something around or inside it.
func (pr *projector) wasSent(p schema.Path) bool {
	for _, s := range pr.sent {
		if encloses(p, s) || encloses(s, p) {
			return true
		}
	}
	return false
}

func encloses(outer, inner schema.Path) bool {
	for ; !inner.IsZero(); inner = inner.Parent() {
		if inner == outer {
			return true
		}
	}
	return false
}

// Shows reports whether p or something below it is shown. A caller asks it to
// learn whether loading a relation is worth while.
func (p *Projection) Shows(path schema.Path) bool { return p.extent(path) != nothing }

// extent answers for the default set from the attributes alone; there it does
// not tell some from all.
func (p *Projection) extent(path schema.Path) extent {
	if p != nil {
		return p.parts[path.Index()]
	}
	if n := path.NumChildren(); n > 0 {
		for i := range n {
			if p.extent(path.Child(i)) != nothing {
				return some
			}
		}
		return nothing
	}
	if path.Secret() {
		return nothing
	}
	for up := path; !up.IsZero(); up = up.Parent() {
		switch up.Attribute().Returned {
		case schema.ReturnedAlways:
			return all
		case schema.ReturnedRequest:
			return nothing
		}
	}
	return all
}
