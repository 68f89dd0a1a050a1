package scim

import (
	"crypto/sha256"
	"encoding/base64"
)

// ContentVersion returns a version that follows from what is in a resource, for
// handlers whose rows have none. The same document has the same version, in every
// process; metadata and relations do not count. It is what the server shows as version
// and ETag of a resource whose handler leaves Meta.Version empty, so that conditional
// requests work.
//
// A handler that sets it itself, and in Replace and Delete compares it with that of
// what is there, in one transaction, loses no change that anybody makes in between:
//
//	if ContentVersion(current) != r.Meta().Version {
//		return nil, scim.ErrConflict
//	}
//
// That asks for resources to be made of rows in the same way each time, with the
// elements of lists in a steady order.
func ContentVersion(r *Resource) string {
	sum := sha256.Sum256(r.Document())
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
