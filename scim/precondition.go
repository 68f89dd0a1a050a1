package scim

import (
	"net/http"
	"strings"
)

// checkMatch fails with 412 when the operation demands another version than r is
// in.
func checkMatch(op *Operation, r *Resource) error {
	if op.IfMatch == "" || matches(op.IfMatch, r.Meta().Version) {
		return nil
	}
	return preconditionFailed()
}

func preconditionFailed() *Error {
	return Errorf(http.StatusPreconditionFailed, "", "the resource has changed since that version was read; read it again and repeat the change")
}

// matches reports whether a list of entity tags, or "*", covers a version. Weak tags
// compare by their text: under the strong comparison that RFC 9110 has for
// If-Match they would never match, and SCIM's versions are weak.
func matches(tags, version string) bool {
	for tags != "" {
		tags = strings.TrimLeft(tags, " \t,")
		if strings.HasPrefix(tags, "*") {
			return true
		}
		tags = strings.TrimPrefix(tags, "W/")
		var tag string
		if quoted, ok := strings.CutPrefix(tags, `"`); ok {
			tag, tags, _ = strings.Cut(quoted, `"`)
		} else {
			tag, tags, _ = strings.Cut(tags, ",") // some clients forget the quotes
			tag = strings.TrimSpace(tag)
		}
		if tag != "" && tag == version {
			return true
		}
	}
	return false
}
