package filter

import (
	"strconv"
	"strings"
)

// Error says what is wrong with a filter or path. It never holds a literal of
// the filter, which may be personal data.
type Error struct {
	Offset int    // in bytes, from 0
	Detail string // a sentence a person can act on, without the offset
	Path   bool   // the path around the filter is malformed (scimType invalidPath)
	// Limit says that the text is over one of the limits.
	Limit bool
	// Unknown says that the text is well formed and names an attribute or
	// schema that the type does not have.
	Unknown bool
}

// Error returns the sentence with the position, which counts from 1 for people.
func (e *Error) Error() string {
	return "at position " + strconv.Itoa(e.Offset+1) + ": " + e.Detail
}

// maxQuoted bounds how much of the client's own words an error repeats.
const maxQuoted = 100

// quoted repeats a name or operator of the client in an error.
func quoted(name string) string {
	if len(name) > maxQuoted {
		name = strings.ToValidUTF8(name[:maxQuoted], "") + "…"
	}
	return strconv.Quote(name)
}
