package filter

import (
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// field tells the common attributes that are kept beside the document, or follow
// from it, from those in it (RFC 7643 section 3.1).
type field uint8

const (
	inDocument field = iota
	fieldSchemas
	fieldMeta // as a whole
	fieldID
	fieldCreated
	fieldLastModified
	fieldVersion
	fieldResourceType
	fieldLocation
)

// isBeside reports whether the matcher takes the value from elsewhere than the
// resource's tree of values.
func (f field) isBeside() bool { return f >= fieldID }

func fieldOf(p schema.Path) field {
	if !p.IsCommon() {
		return inDocument
	}
	switch p.String() {
	case "schemas":
		return fieldSchemas
	case "meta":
		return fieldMeta
	case "id":
		return fieldID
	case "meta.created":
		return fieldCreated
	case "meta.lastModified":
		return fieldLastModified
	case "meta.version":
		return fieldVersion
	case "meta.resourceType":
		return fieldResourceType
	case "meta.location":
		return fieldLocation
	}
	return inDocument // externalId
}

// shownVersion is meta.version as clients see it, and so what they ask about: a
// weak entity tag (RFC 7644 section 3.14).
func shownVersion(m resource.Meta) string {
	if m.Version == "" {
		return ""
	}
	return `W/"` + m.Version + `"`
}
