package patch

import (
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// operand makes the value that a term "sub eq x" asks for.
func operand(t filter.Compare) resource.Value {
	switch t.Path.Attribute().Type {
	case schema.Boolean:
		return resource.Boolean(t.Path, t.Bool)
	case schema.Integer:
		return resource.Integer(t.Path, int64(t.Number))
	case schema.Decimal:
		return resource.Decimal(t.Path, t.Number)
	case schema.DateTime:
		return resource.DateTime(t.Path, t.Time)
	}
	return resource.Text(t.Path, t.Text)
}
