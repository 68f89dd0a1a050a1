package mapping

import "strings"

// FullName joins the parts of a name that are not empty with spaces, for
// displayName and name.formatted in [Derived] and [TypedField.Derive].
func FullName(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(part)
	}
	return b.String()
}
