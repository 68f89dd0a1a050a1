package patch

import (
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// SelectMembers returns those of the members of a relation that satisfy the
// filter of a PATCH path, which [FoldLinks] asks for.
func SelectMembers(have []resource.Member, relation schema.Path, where *filter.Plan) []resource.Member {
	found, _ := selectFrom(have, relation)(where) // it never fails
	return found
}
