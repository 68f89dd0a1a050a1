package resource

import "github.com/musterhq/muster/scim/schema"

// Projection is a compiled choice of attributes (RFC 7644 section 3.9). Safe
// for concurrent use. A nil Projection is the default set.
type Projection struct {
}

// NewProjection compiles the parameters attributes and excludedAttributes. Names
// that the type does not have are ignored. Both at once is an error of the
// caller, who refuses such requests; attributes wins. Attributes that are
// always returned stay, those never returned stay out, and those returned on
// request come only when named. sent lists paths that a write named, which shows
// attributes of "returned": "request" in its answer.
func NewProjection(t *schema.Type, attributes, excluded []string, sent ...schema.Path) *Projection {
	panic("todo")
}

// Shows reports whether p or something below it is shown. A caller asks it to
// learn whether loading a relation is worth while.
func (p *Projection) Shows(path schema.Path) bool { panic("todo") }
